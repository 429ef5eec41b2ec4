"""losses.json, losses_more.json: the value of each loss, and its gradient for the predictions."""

import jax.numpy as jnp
import numpy as np
from keras import losses as K

from common import Random, array, value_and_gradient

REDUCTIONS = ["none", "sum", "sum_over_batch_size", "mean", "mean_with_sample_weight"]


def regression(random):
    return random.normal(4, 3), random.normal(4, 3)


def positive(random):
    return random.uniform(0.2, 3, 4, 3), random.uniform(0.2, 3, 4, 3)


def signs(random):
    return random.integers(2, 4, 3).astype("float32") * 2 - 1, random.normal(4, 3)


def zero_one(random):
    return random.integers(2, 4, 3).astype("float32"), random.normal(4, 3)


def binary(random):
    return random.integers(2, 4, 3).astype("float32"), random.uniform(0.05, 0.95, 4, 3)


def binary_logits(random):
    return random.integers(2, 4, 3).astype("float32"), random.normal(4, 3) * 2


def one_hot(random):
    return random.one_hot(3, 4), random.probabilities(4, 3)


def one_hot_logits(random):
    return random.one_hot(3, 4), random.normal(4, 3) * 2


def soft(random):
    return random.probabilities(4, 3), random.probabilities(4, 3)


def sparse(random):
    return random.integers(3, 4), random.probabilities(4, 3)


def sparse_logits(random):
    return random.integers(3, 4), random.normal(4, 3) * 2


def sparse_rank_3(random):
    return random.integers(4, 2, 3), random.probabilities(2, 3, 4)


def sparse_rank_3_logits(random):
    return random.integers(4, 2, 3), random.normal(2, 3, 4)


def rank_3(make):
    """The same kind of pair with shape (2, 3, 2)."""

    def pair(random):
        y_true, y_pred = make(random)
        return y_true.reshape(2, 3, 2), y_pred.reshape(2, 3, 2)

    return pair


def given(y_true, y_pred, dtype="float32"):
    return lambda random: (np.array(y_true, dtype), np.array(y_pred, "float32"))


# (name, class, arguments, pair of y_true and y_pred): every reduction, with
# and without sample weights.
EVERY_REDUCTION = [
    ("mean_squared_error", K.MeanSquaredError, {}, regression),
    ("mean_squared_error_rank_3", K.MeanSquaredError, {}, rank_3(regression)),
    ("mean_absolute_error", K.MeanAbsoluteError, {}, regression),
    ("mean_absolute_percentage_error", K.MeanAbsolutePercentageError, {}, regression),
    ("mean_squared_logarithmic_error", K.MeanSquaredLogarithmicError, {}, positive),
    ("binary_crossentropy", K.BinaryCrossentropy, {}, binary),
    ("binary_crossentropy_logits", K.BinaryCrossentropy, {"from_logits": True}, binary_logits),
    ("categorical_crossentropy", K.CategoricalCrossentropy, {}, one_hot),
    ("categorical_crossentropy_logits", K.CategoricalCrossentropy, {"from_logits": True}, one_hot_logits),
    ("sparse_categorical_crossentropy", K.SparseCategoricalCrossentropy, {}, sparse),
    ("sparse_categorical_crossentropy_logits", K.SparseCategoricalCrossentropy, {"from_logits": True}, sparse_logits),
    ("sparse_categorical_crossentropy_rank_3", K.SparseCategoricalCrossentropy, {}, sparse_rank_3),
    (
        "sparse_categorical_crossentropy_ignore_class",
        K.SparseCategoricalCrossentropy,
        {"ignore_class": 1},
        given([0, 1, 2, 1], [[0.5, 0.25, 0.25], [0.2, 0.3, 0.5], [0.1, 0.2, 0.7], [0.6, 0.3, 0.1]], "int32"),
    ),
    ("huber", K.Huber, {}, regression),
    ("log_cosh", K.LogCosh, {}, regression),
    ("kl_divergence", K.KLDivergence, {}, soft),
    ("poisson", K.Poisson, {}, positive),
    ("cosine_similarity", K.CosineSimilarity, {}, regression),
    ("hinge", K.Hinge, {}, signs),
    ("squared_hinge", K.SquaredHinge, {}, signs),
    ("categorical_hinge", K.CategoricalHinge, {}, one_hot_logits),
]

# The same, with the default reduction only and no weights.
OPTIONS = [
    ("binary_crossentropy_smoothing", K.BinaryCrossentropy, {"label_smoothing": 0.2}, binary),
    (
        "binary_crossentropy_smoothing_logits",
        K.BinaryCrossentropy,
        {"label_smoothing": 0.2, "from_logits": True},
        binary_logits,
    ),
    ("binary_crossentropy_axis", K.BinaryCrossentropy, {"axis": 1, "reduction": "none"}, rank_3(binary)),
    ("binary_crossentropy_column", K.BinaryCrossentropy, {}, given([[0], [1], [1]], [[0.3], [0.6], [0.9]])),
    ("binary_crossentropy_clipped", K.BinaryCrossentropy, {}, given([[0, 1, 1, 0]], [[0, 1, 0, 1]])),
    (
        "binary_crossentropy_large_logits",
        K.BinaryCrossentropy,
        {"from_logits": True},
        given([[0, 1, 1, 0]], [[-60, 60, -60, 60]]),
    ),
    ("categorical_crossentropy_smoothing", K.CategoricalCrossentropy, {"label_smoothing": 0.3}, one_hot),
    (
        "categorical_crossentropy_smoothing_logits",
        K.CategoricalCrossentropy,
        {"label_smoothing": 0.3, "from_logits": True},
        one_hot_logits,
    ),
    ("categorical_crossentropy_soft_labels", K.CategoricalCrossentropy, {}, soft),
    (
        "categorical_crossentropy_axis",
        K.CategoricalCrossentropy,
        {"axis": 1, "reduction": "none"},
        lambda r: (r.one_hot(3, 2, 4).swapaxes(1, 2), r.probabilities(2, 4, 3).swapaxes(1, 2)),
    ),
    ("categorical_crossentropy_not_normalized", K.CategoricalCrossentropy, {}, lambda r: (r.one_hot(3, 4), r.uniform(0.1, 2, 4, 3))),
    ("categorical_crossentropy_clipped", K.CategoricalCrossentropy, {}, given([[0, 1, 0], [1, 0, 0]], [[0, 1, 0], [0, 1, 0]])),
    (
        "categorical_crossentropy_large_logits",
        K.CategoricalCrossentropy,
        {"from_logits": True},
        given([[0, 1, 0], [1, 0, 0]], [[-60, 60, 0], [-60, 60, 0]]),
    ),
    ("sparse_categorical_crossentropy_rank_3_logits", K.SparseCategoricalCrossentropy, {"from_logits": True}, sparse_rank_3_logits),
    (
        "sparse_categorical_crossentropy_column",
        K.SparseCategoricalCrossentropy,
        {},
        lambda r: (r.integers(3, 4, 1), r.probabilities(4, 3)),
    ),
    (
        "sparse_categorical_crossentropy_float_labels",
        K.SparseCategoricalCrossentropy,
        {},
        lambda r: (r.integers(3, 4).astype("float32"), r.probabilities(4, 3)),
    ),
    (
        "sparse_categorical_crossentropy_ignore_class_logits",
        K.SparseCategoricalCrossentropy,
        {"ignore_class": 0, "from_logits": True},
        given([0, 1, 2, 0], [[0.5, 2.25, 0.25], [-0.2, 0.3, 1.5], [0.1, 0.2, 0.7], [0.6, 0.3, 0.1]], "int32"),
    ),
    (
        "sparse_categorical_crossentropy_ignore_minus_one",
        K.SparseCategoricalCrossentropy,
        {"ignore_class": -1},
        given([[0, -1, 2]], [[[0.5, 0.25, 0.25], [0.2, 0.3, 0.5], [0.1, 0.2, 0.7]]], "int32"),
    ),
    ("sparse_categorical_crossentropy_not_normalized", K.SparseCategoricalCrossentropy, {}, lambda r: (r.integers(3, 4), r.uniform(0.1, 2, 4, 3))),
    ("sparse_categorical_crossentropy_clipped", K.SparseCategoricalCrossentropy, {}, given([1, 0], [[0, 1, 0], [0, 1, 0]], "int32")),
    ("huber_delta", K.Huber, {"delta": 0.4}, regression),
    ("huber_large_delta", K.Huber, {"delta": 5.0}, regression),
    ("log_cosh_large", K.LogCosh, {}, given([[0, 100, -100]], [[50, 1, 2]])),
    ("kl_divergence_clipped", K.KLDivergence, {}, given([[0, 1], [0.4, 0.6]], [[0.3, 0.7], [0, 0.9]])),
    ("mean_absolute_percentage_error_zero", K.MeanAbsolutePercentageError, {}, given([[0, 2]], [[1e-4, 1.5]])),
    ("mean_squared_logarithmic_error_negative", K.MeanSquaredLogarithmicError, {}, given([[-1, 2]], [[1, -3]])),
    ("cosine_similarity_axis", K.CosineSimilarity, {"axis": 1, "reduction": "none"}, rank_3(regression)),
    ("hinge_zero_one", K.Hinge, {}, zero_one),
    ("squared_hinge_zero_one", K.SquaredHinge, {}, zero_one),
    ("poisson_small", K.Poisson, {}, given([[1, 0], [2, 3]], [[1e-9, 0], [0.5, 3]])),
    ("mean_squared_error_labels_vector", K.MeanSquaredError, {}, lambda r: (r.normal(4), r.normal(4, 1))),
    ("mean_squared_error_predictions_vector", K.MeanSquaredError, {}, lambda r: (r.normal(4, 1), r.normal(4))),
    ("mean_squared_error_integer_labels", K.MeanSquaredError, {}, lambda r: (r.integers(5, 4, 3), r.normal(4, 3))),
]  # fmt: skip


def circle(random):
    return np.array([0, 1, 0, 2, 1, 0], "int32"), unit(random.normal(6, 4))


def unit(x):
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype("float32")


def segments(random):
    return random.integers(2, 2, 3, 2).astype("float32"), random.uniform(0.05, 0.95, 2, 3, 2)


def sequences(random):
    return np.array([[1, 2, 2, 1], [3, 1, 0, 0], [0, 0, 0, 0]], "int32"), random.normal(3, 6, 4)


MORE_EVERY_REDUCTION = [
    ("binary_focal_crossentropy", K.BinaryFocalCrossentropy, {}, binary),
    ("binary_focal_crossentropy_logits", K.BinaryFocalCrossentropy, {"from_logits": True}, binary_logits),
    ("categorical_focal_crossentropy", K.CategoricalFocalCrossentropy, {}, one_hot),
    ("categorical_focal_crossentropy_logits", K.CategoricalFocalCrossentropy, {"from_logits": True}, one_hot_logits),
    ("categorical_generalized_cross_entropy", K.CategoricalGeneralizedCrossEntropy, {}, sparse),
    ("dice_axis", K.Dice, {"axis": [1, 2]}, segments),
    ("tversky_axis", K.Tversky, {"alpha": 0.3, "beta": 0.8, "axis": [1, 2]}, segments),
    ("circle", K.Circle, {"gamma": 4.0}, circle),
    ("ctc", K.CTC, {}, sequences),
]

MORE_OPTIONS = [
    (
        "binary_focal_crossentropy_balanced",
        K.BinaryFocalCrossentropy,
        {"apply_class_balancing": True, "alpha": 0.7, "gamma": 1.5, "label_smoothing": 0.2},
        binary,
    ),
    ("binary_focal_crossentropy_gamma_zero", K.BinaryFocalCrossentropy, {"gamma": 0.0}, binary),
    ("binary_focal_crossentropy_axis", K.BinaryFocalCrossentropy, {"axis": 1, "reduction": "none"}, rank_3(binary)),
    (
        "categorical_focal_crossentropy_alphas",
        K.CategoricalFocalCrossentropy,
        {"alpha": [0.2, 0.5, 0.9], "gamma": 1.5, "label_smoothing": 0.3},
        one_hot,
    ),
    (
        "categorical_focal_crossentropy_axis",
        K.CategoricalFocalCrossentropy,
        {"axis": 1, "alpha": 0.6, "reduction": "none"},
        lambda r: (r.one_hot(3, 2, 4).swapaxes(1, 2), r.probabilities(2, 4, 3).swapaxes(1, 2)),
    ),
    ("categorical_focal_crossentropy_not_normalized", K.CategoricalFocalCrossentropy, {}, lambda r: (r.one_hot(3, 4), r.uniform(0.1, 2, 4, 3))),
    ("categorical_generalized_cross_entropy_q", K.CategoricalGeneralizedCrossEntropy, {"q": 0.85}, sparse),
    ("dice", K.Dice, {}, segments),
    ("dice_one_axis", K.Dice, {"axis": -1, "reduction": "none"}, segments),
    ("dice_empty", K.Dice, {"axis": [1]}, given([[0, 0], [0, 1]], [[0, 0], [0.5, 0.25]])),
    ("tversky", K.Tversky, {}, segments),
    ("tversky_weights", K.Tversky, {"alpha": 0.2, "beta": 0.9}, segments),
    ("circle_default", K.Circle, {}, circle),
    ("circle_diagonal", K.Circle, {"gamma": 8.0, "margin": 0.2, "remove_diagonal": False}, circle),
    (
        "circle_column",
        K.Circle,
        {"gamma": 2.0, "reduction": "none"},
        lambda r: (np.array([[0], [0], [1], [1]], "int32"), unit(r.normal(4, 3))),
    ),
    (
        "sparse_categorical_crossentropy_axis",
        K.SparseCategoricalCrossentropy,
        {"axis": 1, "reduction": "none"},  # the last one: JAX refuses others
        sparse,
    ),
    ("ctc_one_step", K.CTC, {}, lambda r: (np.array([[1], [2]], "int32"), r.normal(2, 1, 3))),
]  # fmt: skip


def table(every_reduction, options):
    cases = []
    for name, cls, arguments, pair in every_reduction:
        for reduction in REDUCTIONS:
            for weighted in (False, True):
                full = f"{name}_{reduction}{'_weighted' if weighted else ''}"
                random = Random(name)  # the same pair for every reduction
                y_true, y_pred = pair(random)
                weights = None
                if weighted:
                    shape = cls(reduction="none", **arguments)(y_true, y_pred).shape
                    weights = random.uniform(0.2, 2, *shape)
                cases.append(case(full, cls, {**arguments, "reduction": reduction}, y_true, y_pred, weights))
    for name, cls, arguments, pair in options:
        cases.append(case(name, cls, arguments, *pair(Random(name)), None))
    return cases


def losses_more():
    return table(MORE_EVERY_REDUCTION, MORE_OPTIONS)


def losses():
    cases = table(EVERY_REDUCTION, OPTIONS)
    for name, reduction, shape in (
        ("weights_column", "sum_over_batch_size", (4, 1)),
        ("weights_column_none", "none", (4, 1)),
        ("weights_column_mean", "mean_with_sample_weight", (4, 1)),
        ("weights_scalar", "sum_over_batch_size", ()),
        ("weights_zero", "mean_with_sample_weight", (4,)),
        ("weights_zero_sum_over_batch_size", "sum_over_batch_size", (4,)),
    ):
        random = Random(name)
        weights = random.uniform(0.2, 2, *shape)
        if "zero" in name:
            weights = np.zeros(shape, "float32")
        cases.append(
            case(
                f"mean_squared_error_{name}",
                K.MeanSquaredError,
                {"reduction": reduction},
                *regression(random),
                weights,
            )
        )
    return cases


def case(name, cls, arguments, y_true, y_pred, sample_weight):
    loss = cls(**arguments)

    def value_of(y_pred):
        return loss(y_true, y_pred, sample_weight)

    value = loss(y_true, y_pred, sample_weight)
    _, (gradient,) = value_and_gradient(value_of, np.ones(value.shape), jnp.asarray(y_pred))
    return {
        "name": name,
        "class_name": type(loss).__name__,
        "arguments": arguments,  # the config of Huber leaves delta out
        "config": loss.get_config(),
        "y_true": array(y_true),
        "y_pred": array(y_pred),
        "sample_weight": None if sample_weight is None else array(sample_weight),
        "value": array(value),
        "gradient": array(gradient),
    }
