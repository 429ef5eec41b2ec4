"""The cases of layers.json: (name, layer, inputs from a Random, call arguments)."""

import numpy as np
from keras import constraints, initializers, regularizers
from keras import layers as L

ACTIVATIONS = [
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish",
    "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign",
    "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink",
]  # fmt: skip


def normal(*shape):
    return lambda random: random.normal(*shape)


def distinct(*shape):
    return lambda random: random.distinct(*shape)


def several(*shapes):
    return lambda random: [random.normal(*shape) for shape in shapes]


def several_distinct(count, *shape):
    return lambda random: list(random.distinct(count, *shape))


TRAINING = {"training": True}

DENSE = [
    ("dense", L.Dense(4), normal(2, 3)),
    ("dense_no_bias", L.Dense(4, use_bias=False), normal(2, 3)),
    ("dense_rank_3", L.Dense(4, activation="relu"), normal(2, 5, 3)),
    ("dense_rank_4", L.Dense(2), normal(2, 2, 3, 3)),
    ("dense_rank_3_softmax", L.Dense(4, activation="softmax"), normal(2, 2, 3)),
    *[(f"dense_{a}", L.Dense(4, activation=a), normal(3, 3)) for a in ("relu", "tanh", "softmax", "gelu", "sigmoid")],
    (
        "dense_regularizers",
        L.Dense(
            3,
            kernel_regularizer=regularizers.L1L2(0.01, 0.02),
            bias_regularizer="l2",
            activity_regularizer=regularizers.L1(0.03),
        ),
        normal(4, 3),
    ),
    (
        "dense_constraints",
        L.Dense(3, kernel_constraint=constraints.MaxNorm(1.5, axis=0), bias_constraint="non_neg"),
        normal(2, 3),
    ),
    (
        "dense_initializers",
        L.Dense(
            3,
            kernel_initializer=initializers.HeNormal(seed=7),
            bias_initializer=initializers.Constant(0.5),
        ),
        normal(2, 3),
    ),
    ("dense_frozen", L.Dense(2, trainable=False), normal(1, 5)),
]

ACTIVATION = [(f"activation_{a}", L.Activation(a), normal(3, 4)) for a in ACTIVATIONS]

DROPOUT = [
    ("dropout_inference", L.Dropout(0.5), normal(3, 4)),
    ("dropout_options", L.Dropout(0.25, noise_shape=(None, 1, 4), seed=3), normal(2, 3, 4)),
    ("dropout_rate_zero_training", L.Dropout(0.0), normal(2, 3), TRAINING),
]

SHAPES = [
    ("flatten", L.Flatten(), normal(2, 3, 4)),
    ("flatten_rank_1", L.Flatten(), normal(3)),
    ("flatten_rank_2", L.Flatten(), normal(2, 3)),
    ("flatten_channels_first", L.Flatten(data_format="channels_first"), normal(2, 3, 2, 2)),
    ("flatten_channels_first_rank_3", L.Flatten(data_format="channels_first"), normal(2, 3, 4)),
    ("reshape", L.Reshape((4, 3)), normal(2, 3, 4)),
    ("reshape_minus_one", L.Reshape((-1, 2)), normal(2, 3, 4)),
    ("reshape_minus_one_last", L.Reshape((2, 2, -1)), normal(2, 3, 4)),
    ("reshape_to_vector", L.Reshape((12,)), normal(2, 3, 4)),
]

EMBEDDING = [
    ("embedding", L.Embedding(6, 3), lambda r: r.integers(6, 2, 4)),
    ("embedding_rank_1", L.Embedding(6, 2), lambda r: r.integers(6, 5)),
    ("embedding_rank_3", L.Embedding(5, 2), lambda r: r.integers(5, 2, 3, 2)),
    (
        "embedding_mask_zero",
        L.Embedding(5, 3, mask_zero=True),
        lambda r: np.array([[1, 4, 0, 0], [2, 2, 3, 0]], "int32"),
    ),
    (
        "embedding_options",
        L.Embedding(
            5, 2, embeddings_initializer="glorot_normal", embeddings_regularizer="l1",
            embeddings_constraint="unit_norm",
        ),
        lambda r: r.integers(5, 3, 2),
    ),
]  # fmt: skip

MERGE = [
    *[
        (f"{cls.__name__.lower()}{suffix}", cls(), inputs)
        for cls in (L.Add, L.Subtract, L.Multiply, L.Average, L.Maximum, L.Minimum)
        for suffix, inputs in (
            ("", several_distinct(2, 2, 3)),
            ("_broadcast", several((2, 1, 4), (2, 3, 4))),
            ("_broadcast_both", several((2, 3, 1), (2, 1, 4))),
            ("_ranks", several((2, 4), (2, 3, 4))),
        )
    ],
    *[
        (f"{cls.__name__.lower()}_three", cls(), several_distinct(3, 2, 3))
        for cls in (L.Add, L.Multiply, L.Average, L.Maximum, L.Minimum)
    ],
    ("concatenate", L.Concatenate(), several((2, 3), (2, 2))),
    ("concatenate_three", L.Concatenate(), several((2, 3), (2, 1), (2, 2))),
    ("concatenate_axis_1", L.Concatenate(axis=1), several((2, 3, 2), (2, 1, 2))),
    ("concatenate_axis_minus_2", L.Concatenate(axis=-2), several((2, 3, 2), (2, 2, 2))),
    ("concatenate_axis_0", L.Concatenate(axis=0), several((2, 3), (3, 3))),
    ("dot", L.Dot(axes=1), several((3, 4), (3, 4))),
    ("dot_normalize", L.Dot(axes=1, normalize=True), several((3, 4), (3, 4))),
    ("dot_rank_3", L.Dot(axes=2), several((2, 3, 4), (2, 5, 4))),
    ("dot_rank_3_minus_1", L.Dot(axes=-1), several((2, 3, 4), (2, 5, 4))),
    ("dot_axes_pair", L.Dot(axes=(2, 1)), several((2, 3, 4), (2, 4, 5))),
    ("dot_axes_pair_1_2", L.Dot(axes=(1, 2)), several((2, 4, 3), (2, 5, 4))),
    ("dot_axes_pair_normalize", L.Dot(axes=(1, 2), normalize=True), several((2, 4, 3), (2, 5, 4))),
    ("dot_ranks", L.Dot(axes=(1, 2)), several((2, 4), (2, 3, 4))),
    ("dot_ranks_swapped", L.Dot(axes=(2, 1)), several((2, 3, 4), (2, 4))),
]

BATCH_NORMALIZATION = [
    case
    for suffix, call in (("", {}), ("_training", TRAINING))
    for case in (
        (f"batch_normalization{suffix}", L.BatchNormalization(), normal(5, 3), call),
        (f"batch_normalization_rank_3{suffix}", L.BatchNormalization(), normal(2, 4, 3), call),
        (f"batch_normalization_rank_4{suffix}", L.BatchNormalization(), normal(2, 3, 2, 2), call),
        (f"batch_normalization_axis_1{suffix}", L.BatchNormalization(axis=1), normal(2, 3, 2, 2), call),
        (f"batch_normalization_no_scale{suffix}", L.BatchNormalization(scale=False), normal(5, 3), call),
        (f"batch_normalization_no_center{suffix}", L.BatchNormalization(center=False), normal(5, 3), call),
        (
            f"batch_normalization_no_scale_no_center{suffix}",
            L.BatchNormalization(scale=False, center=False),
            normal(5, 3),
            call,
        ),
        (
            f"batch_normalization_options{suffix}",
            L.BatchNormalization(
                momentum=0.8, epsilon=0.1, beta_initializer="ones", gamma_regularizer="l2",
                moving_mean_initializer="ones", beta_constraint="non_neg",
            ),
            normal(5, 3),
            call,
        ),
    )
] + [
    (
        "batch_normalization_mask_training",
        L.BatchNormalization(),
        normal(2, 4, 3),
        {"training": True, "mask": np.array([[1, 1, 0, 1], [1, 0, 0, 1]], bool)},
    ),
    ("batch_normalization_frozen_training", L.BatchNormalization(trainable=False), normal(5, 3), TRAINING),
    ("batch_normalization_renorm_training", L.BatchNormalization(renorm=True), normal(5, 3), TRAINING),
]  # fmt: skip

LAYER_NORMALIZATION = [
    ("layer_normalization", L.LayerNormalization(), normal(3, 4)),
    ("layer_normalization_rank_3", L.LayerNormalization(axis=-1), normal(2, 3, 4)),
    ("layer_normalization_axis_1", L.LayerNormalization(axis=1), normal(2, 3, 4)),
    ("layer_normalization_axes", L.LayerNormalization(axis=[1, 2]), normal(2, 3, 4)),
    ("layer_normalization_axes_rank_4", L.LayerNormalization(axis=[1, 3]), normal(2, 3, 2, 4)),
    ("layer_normalization_no_scale", L.LayerNormalization(scale=False), normal(3, 4)),
    ("layer_normalization_no_center", L.LayerNormalization(center=False), normal(3, 4)),
    ("layer_normalization_neither", L.LayerNormalization(scale=False, center=False), normal(3, 4)),
    ("layer_normalization_epsilon", L.LayerNormalization(epsilon=0.2), normal(3, 4)),
    (
        "layer_normalization_options",
        L.LayerNormalization(gamma_initializer="zeros", beta_regularizer="l1", gamma_constraint="max_norm"),
        normal(3, 4),
    ),
]

FIRST = "channels_first"
CONV_2D = [
    ("conv2d", L.Conv2D(3, 2), normal(2, 4, 5, 2)),
    ("conv2d_1x1", L.Conv2D(3, 1), normal(2, 3, 3, 2)),
    ("conv2d_same", L.Conv2D(2, 3, padding="same"), normal(2, 4, 5, 2)),
    ("conv2d_same_even_kernel", L.Conv2D(2, (2, 4), padding="same"), normal(1, 5, 5, 2)),
    ("conv2d_kernel_pair", L.Conv2D(2, (3, 2)), normal(1, 5, 4, 2)),
    ("conv2d_strides", L.Conv2D(2, 3, strides=2), normal(1, 6, 7, 2)),
    ("conv2d_strides_same", L.Conv2D(2, 3, strides=2, padding="same"), normal(1, 6, 7, 2)),
    ("conv2d_strides_pair_same", L.Conv2D(2, (2, 3), strides=(3, 2), padding="same"), normal(1, 7, 6, 2)),
    ("conv2d_dilation", L.Conv2D(2, 2, dilation_rate=2), normal(1, 5, 6, 2)),
    ("conv2d_dilation_pair_same", L.Conv2D(2, 3, dilation_rate=(2, 3), padding="same"), normal(1, 6, 7, 2)),
    ("conv2d_groups", L.Conv2D(6, 2, groups=2), normal(1, 4, 4, 4)),
    ("conv2d_depthwise_groups", L.Conv2D(6, 3, groups=3, padding="same"), normal(1, 4, 4, 3)),
    ("conv2d_no_bias", L.Conv2D(2, 2, use_bias=False), normal(1, 4, 4, 2)),
    ("conv2d_relu", L.Conv2D(3, 2, activation="relu"), normal(2, 4, 4, 1)),
    ("conv2d_channels_first", L.Conv2D(3, 2, data_format=FIRST), normal(2, 2, 4, 5)),
    ("conv2d_channels_first_same", L.Conv2D(3, 3, strides=2, padding="same", data_format=FIRST), normal(1, 2, 5, 6)),
    ("conv2d_channels_first_groups", L.Conv2D(4, 2, groups=2, data_format=FIRST, activation="tanh"), normal(1, 4, 4, 3)),
    (
        "conv2d_options",
        L.Conv2D(
            2, 2, kernel_initializer="he_normal", bias_initializer="ones", kernel_regularizer="l2",
            bias_constraint="non_neg",
        ),
        normal(1, 3, 3, 2),
    ),
]  # fmt: skip

POOLING = [
    ("max_pooling2d", L.MaxPooling2D(), distinct(2, 4, 6, 2)),
    ("max_pooling2d_odd", L.MaxPooling2D(), distinct(1, 5, 5, 2)),
    ("max_pooling2d_same", L.MaxPooling2D(padding="same"), distinct(1, 5, 5, 2)),
    ("max_pooling2d_negative_same", L.MaxPooling2D(3, padding="same"), lambda r: -abs(r.distinct(1, 4, 4, 2)) - 1),
    ("max_pooling2d_overlap", L.MaxPooling2D(3, strides=1), distinct(1, 5, 6, 2)),
    ("max_pooling2d_overlap_same", L.MaxPooling2D(3, strides=2, padding="same"), distinct(1, 6, 7, 2)),
    ("max_pooling2d_pairs", L.MaxPooling2D((2, 3), strides=(1, 2)), distinct(1, 4, 7, 2)),
    ("max_pooling2d_gaps", L.MaxPooling2D(2, strides=3), distinct(1, 7, 8, 1)),
    ("max_pooling2d_channels_first", L.MaxPooling2D(2, data_format=FIRST), distinct(1, 2, 4, 6)),
    ("max_pooling2d_channels_first_same", L.MaxPooling2D(3, strides=2, padding="same", data_format=FIRST), distinct(1, 2, 5, 4)),
    ("global_average_pooling2d", L.GlobalAveragePooling2D(), normal(2, 3, 4, 2)),
    ("global_average_pooling2d_keepdims", L.GlobalAveragePooling2D(keepdims=True), normal(2, 3, 4, 2)),
    ("global_average_pooling2d_channels_first", L.GlobalAveragePooling2D(data_format=FIRST), normal(2, 3, 4, 2)),
    (
        "global_average_pooling2d_channels_first_keepdims",
        L.GlobalAveragePooling2D(data_format=FIRST, keepdims=True),
        normal(2, 3, 4, 2),
    ),
]

CASES = [
    *DENSE, *ACTIVATION, *DROPOUT, *SHAPES, *EMBEDDING, *MERGE,
    *BATCH_NORMALIZATION, *LAYER_NORMALIZATION, *CONV_2D, *POOLING,
]  # fmt: skip
