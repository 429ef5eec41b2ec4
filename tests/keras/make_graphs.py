"""graphs.json: functional models with operations outside of layers, and calls with arguments by
name. Cases as in models.json."""

import numpy as np
from keras import Input, Model, initializers, ops
from keras import layers as L

from make_models import case


def operators():
    x, z = Input((4, 3)), Input((4, 3))
    y = (2 * x + 1) * (z - 0.5) / (abs(x) + 2.5)
    return Model([x, z], [1 - y, -y + z * x, 1.5 / (z * z + 1), (y - x) / 2, (abs(z) + 1) ** 2])


def operations_of_shapes():
    x, z = Input((4, 3)), Input((4, 3))
    return Model(
        [x, z],
        [
            ops.reshape(x, (-1, 6, 2)),
            ops.transpose(x, (0, 2, 1)),
            ops.squeeze(ops.expand_dims(x, 1), 1),
            ops.concatenate([x, z], axis=-1),
            ops.stack([x, z, x], axis=1),
            x[:, 0],
            x[:, 1:3, -1],
            x[..., -2:],
            z[:, ::2, None, 1],
        ],
    )


def operations_that_fold():
    x = Input((4, 3))
    folds = [ops.sum, ops.mean, ops.max, ops.min, ops.var, ops.std]
    outputs = [fold(x, axis=axis, keepdims=keep) for fold in folds for axis, keep in ((1, False), ([1, 2], True))]
    return Model(x, [*outputs, ops.any(x > 0, axis=-1), ops.all(x > -1, axis=1, keepdims=True)])


def operations_on_elements():
    x, z = Input((4, 3)), Input((4, 3))
    positive = ops.square(x) + 1.0
    chosen = ops.where(x > z, x, 0.5 * z)
    compared = ops.logical_or(ops.logical_and(x >= z, x != 0), ops.equal(z, x))
    outputs = [
        ops.exp(x), ops.log(positive), ops.sqrt(positive), ops.sin(x), ops.cos(x), ops.tanh(x), ops.sign(x),
        ops.relu(x), ops.sigmoid(x), ops.silu(x), ops.softplus(x), ops.softmax(x, axis=1), ops.clip(x, -0.5, 0.5),
        ops.cast(x * 3, "int32"), chosen, ops.maximum(x, z), ops.minimum(x, 0.25), ops.matmul(x, ops.transpose(z, (0, 2, 1))),
        compared, ops.less(x, z), ops.less_equal(x, 0), ops.floor_divide(x, positive), ops.mod(x, 2.0),
    ]  # fmt: skip
    return Model([x, z], outputs)


def operations_with_constants():
    x, tokens = Input((4, 3)), Input((4,), dtype="int32")
    return Model(
        [x, tokens],
        [
            x * np.array([1.0, 2.0, -3.0], "float32") + np.ones((4, 1), "float32"),
            ops.maximum(ops.convert_to_tensor([0.25, 0.0, -0.5]), x),
            ops.where(tokens > 2, tokens, np.array([1, 2, 3, 4])),
            tokens * 2,
            tokens * 2.0,
            tokens + np.array([0.5, 1.0, 1.5, 2.0], "float32"),
            L.Dense(2, kernel_initializer=initializers.Constant(np.ones((3, 2))))(x),
        ],
    )


def operations_between_layers():
    """A block of a network as it is written by hand."""
    inputs = Input((6, 4))
    x = L.Dense(4)(inputs) * 0.5 + inputs
    attention = L.MultiHeadAttention(2, 2)(x, x)
    x = L.LayerNormalization()(x + attention)
    pooled = ops.mean(x, axis=1)
    return Model(inputs, L.Dense(2)(ops.concatenate([pooled, x[:, 0]], axis=-1)))


def tensors_by_name():
    sequence, state, other = Input((4, 3)), Input((2,)), Input((2,))
    allowed = Input((4, 4), dtype="bool")
    return Model(
        [sequence, state, other, allowed],
        [
            L.GRU(2)(sequence, initial_state=[state]),
            L.LSTM(2, return_sequences=True)(sequence, initial_state=[state, other]),
            L.Bidirectional(L.SimpleRNN(2))(sequence, initial_state=[state, other]),
            L.MultiHeadAttention(2, 2)(sequence, sequence, attention_mask=allowed),
            L.GroupQueryAttention(2, 2, 1)(sequence, sequence, attention_mask=allowed),
        ],
    )


def there_and_back():
    tokens = Input((4,), dtype="int32")
    embedding = L.ReversibleEmbedding(7, 3)
    return Model(tokens, embedding(L.Dense(3, activation="tanh")(embedding(tokens)), reverse=True))


def masked():
    """Masks, which Keras's JSON tells as operations that layers take by name."""
    tokens = Input((5,), dtype="int32")
    x = L.Embedding(7, 4, mask_zero=True)(tokens)
    sequence = L.LSTM(3, return_sequences=True)(x)
    attended = L.MultiHeadAttention(2, 2)(sequence, sequence)
    pooled = L.GlobalAveragePooling1D()(L.Add()([sequence, attended]))
    both = L.Bidirectional(L.GRU(2))(L.Masking(0.5)(x))
    return Model(tokens, [pooled, both, L.TimeDistributed(L.Dense(2))(sequence)])


GRAPHS = [
    operators, operations_of_shapes, operations_that_fold, operations_on_elements,
    operations_with_constants, operations_between_layers, tensors_by_name, there_and_back, masked,
]  # fmt: skip


def graphs():
    return [case(make) for make in GRAPHS]
