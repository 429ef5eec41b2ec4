"""lookups.json: layers that take texts or learn from data. Needs TensorFlow, see README.md."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers as L

from common import array, config_of

WORDS = [["the", "cat"], ["zebra", "the"], ["unknown words, longer than sixteen bytes", ""]]
LONG = [
    "a", "ab", "abc", "abcd", "abcdefg", "abcdefgh", "abcdefghijklmnop", "abcdefghijklmnopq",
    "x" * 32, "y" * 33, "the quick brown fox jumps over the lazy dog and runs away fast",
    "z" * 64, "w" * 65, "lorem ipsum " * 12, "é ü 漢字", "",
]  # fmt: skip
NUMBERS = [[12, 36], [7, -5], [0, 1138]]
TEXTS = ["Hello, big World!", "a  big\tcat -- the BIG one", "", "Éa cat's (tale)"]
DOCUMENTS = ["the cat sat on the mat", "The dog, the cat!", "a dog sat", "mat"]
VOCABULARY = ["the", "cat", "sat"]


def hashing():
    yield "hashing", L.Hashing(3), WORDS
    yield "hashing_lengths", L.Hashing(1_000_000_007), LONG
    yield "hashing_salt_lengths", L.Hashing(1_000_000_007, salt=[133, 137]), LONG
    yield "hashing_salt", L.Hashing(5, salt=133), WORDS
    yield "hashing_mask", L.Hashing(4, mask_value="the"), WORDS
    yield "hashing_numbers", L.Hashing(5), NUMBERS
    yield "hashing_numbers_mask", L.Hashing(5, mask_value=36, salt=[1, 2]), NUMBERS
    for mode in ("one_hot", "multi_hot", "count"):
        yield f"hashing_{mode}", L.Hashing(4, output_mode=mode), NUMBERS
    yield "hashing_int32", L.Hashing(4, dtype="int32"), NUMBERS


def crossing():
    features = [["A", "B", "A", "longer than sixteen bytes"], [101, 101, -7, 102]]
    yield "hashed_crossing", L.HashedCrossing(5), features
    yield "hashed_crossing_many", L.HashedCrossing(1_000_003), features
    yield "hashed_crossing_three", L.HashedCrossing(7, output_mode="one_hot"), [*features, [1, 2, 3, 4]]
    yield "hashed_crossing_numbers", L.HashedCrossing(11), [[1, 2, 3], [4, 5, 6]]


def integers():
    vocabulary = [12, 36, 1138]
    weights = [0.25, 0.5, 2.0]
    yield "integer_lookup", L.IntegerLookup(vocabulary=vocabulary), NUMBERS
    yield "integer_lookup_mask", L.IntegerLookup(vocabulary=vocabulary, mask_token=0, num_oov_indices=2), NUMBERS
    yield (
        "integer_lookup_farmhash",
        L.IntegerLookup(vocabulary=vocabulary, num_oov_indices=5, oov_method="farmhash"),
        NUMBERS,
    )
    yield (
        "integer_lookup_salt",
        L.IntegerLookup(vocabulary=vocabulary, num_oov_indices=5, oov_method="farmhash", salt=[3, 4]),
        NUMBERS,
    )
    for mode in ("one_hot", "multi_hot", "count"):
        layer = L.IntegerLookup(vocabulary=vocabulary, output_mode=mode, mask_token=0)
        yield f"integer_lookup_{mode}", layer, NUMBERS
    yield (
        "integer_lookup_padded",
        L.IntegerLookup(
            vocabulary=vocabulary, output_mode="tf_idf", max_tokens=6, pad_to_max_tokens=True,
            idf_weights=weights,
        ),
        NUMBERS,
    )  # fmt: skip
    yield (
        "integer_lookup_special",
        L.IntegerLookup(vocabulary=[0, -9, 12, 36], mask_token=0, oov_token=-9),
        NUMBERS,
    )
    yield "integer_lookup_invert", L.IntegerLookup(vocabulary=vocabulary, invert=True, mask_token=0), [[0, 1], [2, 9]]


def strings():
    yield "string_lookup", L.StringLookup(vocabulary=VOCABULARY), WORDS
    yield "string_lookup_mask", L.StringLookup(vocabulary=VOCABULARY, mask_token="", num_oov_indices=3), WORDS
    yield "string_lookup_salt", L.StringLookup(vocabulary=VOCABULARY, num_oov_indices=3, salt=5), WORDS
    yield "string_lookup_special", L.StringLookup(vocabulary=["?", "the", "cat"], oov_token="?"), WORDS
    for mode in ("one_hot", "multi_hot", "count"):
        yield f"string_lookup_{mode}", L.StringLookup(vocabulary=VOCABULARY, output_mode=mode, mask_token=""), WORDS
    yield (
        "string_lookup_tf_idf",
        L.StringLookup(vocabulary=VOCABULARY, output_mode="tf_idf", idf_weights=[0.5, 1.0, 3.0]),
        WORDS,
    )
    yield (
        "string_lookup_padded",
        L.StringLookup(vocabulary=VOCABULARY, output_mode="count", max_tokens=7, pad_to_max_tokens=True),
        WORDS,
    )
    yield "string_lookup_invert", L.StringLookup(vocabulary=VOCABULARY, invert=True), [[0, 1], [3, 9]]


def texts():
    V = L.TextVectorization
    words = ["big", "cat", "the big"]
    yield "text_vectorization", V(vocabulary=words), TEXTS
    yield "text_vectorization_lower", V(vocabulary=words, standardize="lower"), TEXTS
    yield "text_vectorization_strip", V(vocabulary=words, standardize="strip_punctuation"), TEXTS
    yield "text_vectorization_raw", V(vocabulary=words, standardize=None, split=None), TEXTS
    yield "text_vectorization_cut", V(vocabulary=words, output_sequence_length=3), TEXTS
    yield "text_vectorization_padded", V(vocabulary=words, output_sequence_length=9), TEXTS
    yield "text_vectorization_ngrams", V(vocabulary=words, ngrams=2), TEXTS
    yield "text_vectorization_some_ngrams", V(vocabulary=words, ngrams=(2, 3)), TEXTS
    yield "text_vectorization_characters", V(vocabulary=["a", "b", "é"], split="character", standardize="lower"), TEXTS
    for mode in ("multi_hot", "count"):
        yield f"text_vectorization_{mode}", V(vocabulary=words, output_mode=mode), TEXTS
    yield (
        "text_vectorization_tf_idf",
        V(vocabulary=words, output_mode="tf_idf", idf_weights=[0.5, 1.0, 2.0], max_tokens=6, pad_to_max_tokens=True),
        TEXTS,
    )


def learned():
    words = np.array(["b", "c", "a", "b", "", "c", "c", "[UNK]"])
    yield "adapt_string_lookup", L.StringLookup(), WORDS, words
    yield "adapt_string_lookup_mask", L.StringLookup(mask_token="", max_tokens=4), WORDS, words
    yield "adapt_string_lookup_tf_idf", L.StringLookup(output_mode="tf_idf"), WORDS, words
    numbers = np.array([[5, 7, 7], [7, -1, 12], [12, 5, 5]])
    yield "adapt_integer_lookup", L.IntegerLookup(), NUMBERS, numbers
    yield "adapt_integer_lookup_tf_idf", L.IntegerLookup(output_mode="tf_idf"), NUMBERS, numbers
    V = L.TextVectorization
    yield "adapt_text_vectorization", V(), TEXTS, DOCUMENTS
    yield "adapt_text_vectorization_max", V(max_tokens=4, ngrams=2), TEXTS, DOCUMENTS
    yield "adapt_text_vectorization_tf_idf", V(output_mode="tf_idf"), TEXTS, DOCUMENTS
    yield "adapt_text_vectorization_count", V(output_mode="count", split="character"), TEXTS, DOCUMENTS
    random = np.random.default_rng(1)
    data = random.normal(size=(50, 3)).round(3).astype("float32")
    yield "adapt_discretization", L.Discretization(num_bins=4), data[:2], data
    yield "adapt_discretization_coarse", L.Discretization(num_bins=5, epsilon=0.1), data[:2], data
    few = np.array([3.0, 1.0, 2.0], "float32")
    yield "adapt_discretization_few", L.Discretization(num_bins=10), data[:2], few
    many = random.normal(size=(700,)).round(3).astype("float32")
    yield "adapt_discretization_many", L.Discretization(num_bins=7, epsilon=0.013), data[:2], many
    yield "adapt_normalization", L.Normalization(), data[:2], data
    yield "adapt_normalization_all", L.Normalization(axis=None), data[:2], data
    yield "adapt_normalization_axes", L.Normalization(axis=(1, 2)), data[:12].reshape(2, 3, 6)[:, :, :2], (
        data[:48].reshape(8, 3, 6)[:, :, :2]
    )


def plain(value):
    """An array with numbers, or nested lists of texts."""
    value = np.asarray(value)
    if value.dtype.kind in "SUO":
        decode = lambda v: v.decode() if isinstance(v, bytes) else str(v)
        return {"shape": list(value.shape), "texts": [decode(v) for v in value.ravel()]}
    return array(value)


def lookups():
    cases = []
    for maker in (hashing, crossing, integers, strings, texts, learned):
        for name, layer, inputs, *data in maker():
            keras.utils.clear_session(free_memory=False)
            columns = isinstance(layer, L.HashedCrossing)
            inputs = [np.array(x) for x in inputs] if columns else np.array(inputs)
            if isinstance(layer, L.TextVectorization):
                inputs = inputs.reshape(-1)
            before = config_of(layer) if isinstance(layer, (L.Discretization, L.Normalization)) or data else None
            for one in data:
                layer.adapt(one)
            # On JAX, Keras can't give texts but for TensorFlow's own tensors.
            output = layer(tf.constant(inputs) if getattr(layer, "invert", False) else inputs)
            case = {
                "name": name,
                "class_name": type(layer).__name__,
                "config": {**(before or config_of(layer)), "name": name},
                "inputs": [plain(x) for x in (inputs if columns else [inputs])],
                "output": plain(output),
            }
            if data:
                case["adapt"] = plain(data[0])
            if hasattr(layer, "get_vocabulary"):
                case["vocabulary"] = plain(layer.get_vocabulary())
            if data and isinstance(layer, L.Discretization):
                case["bin_boundaries"] = array(np.array(layer.bin_boundaries, "float32"))
            cases.append(case)
    return cases
