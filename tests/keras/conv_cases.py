"""The cases of convolutional.json: transposed, depthwise and separable convolutions."""

from keras import constraints, initializers, regularizers
from keras import layers as L

from layer_cases import FIRST, normal

KERNEL = dict(
    kernel_initializer=initializers.HeNormal(seed=7),
    bias_initializer="ones",
    kernel_regularizer=regularizers.L1L2(0.01, 0.02),
    bias_regularizer="l2",
    activity_regularizer=regularizers.L1(0.03),
    kernel_constraint=constraints.MaxNorm(1.5, axis=0),
    bias_constraint="non_neg",
)
DEPTHWISE = {key.replace("kernel", "depthwise"): value for key, value in KERNEL.items()}
SEPARABLE = dict(
    DEPTHWISE,
    pointwise_initializer=initializers.RandomNormal(stddev=0.3, seed=3),
    pointwise_regularizer=regularizers.L2(0.05),
    pointwise_constraint="unit_norm",
)


def transposes():
    for padding in ("valid", "same"):
        for size, strides, output_padding in [
            (1, 3, None), (2, 2, None), (3, 2, None), (4, 2, None), (2, 3, None), (3, 1, None),
            (1, 3, 2), (2, 3, 1), (3, 2, 0), (3, 2, 1), (4, 3, 2), (5, 3, 1), (3, 1, 0),
        ]:  # fmt: skip
            name = f"conv1d_transpose_{padding}_{size}_{strides}_{output_padding}".lower()
            layer = L.Conv1DTranspose(
                2, size, strides=strides, padding=padding, output_padding=output_padding
            )
            yield name, layer, normal(2, 4, 3)
        for size, dilation in [(2, 2), (3, 2), (3, 3)]:
            layer = L.Conv1DTranspose(2, size, padding=padding, dilation_rate=dilation)
            yield f"conv1d_transpose_{padding}_{size}_dilation_{dilation}", layer, normal(1, 5, 2)


TRANSPOSE = [
    *transposes(),
    ("conv1d_transpose_channels_first", L.Conv1DTranspose(2, 3, strides=2, data_format=FIRST), normal(2, 3, 4)),
    ("conv1d_transpose_options", L.Conv1DTranspose(2, 3, activation="tanh", **KERNEL), normal(2, 4, 3)),
    ("conv2d_transpose", L.Conv2DTranspose(3, 2), normal(2, 3, 4, 2)),
    (
        "conv2d_transpose_same",
        L.Conv2DTranspose(2, (3, 2), strides=(2, 3), padding="same", activation="relu"),
        normal(2, 3, 2, 2),
    ),
    (
        "conv2d_transpose_output_padding",
        L.Conv2DTranspose(2, (3, 2), strides=(2, 3), padding="same", output_padding=(1, 2), use_bias=False),
        normal(1, 3, 2, 2),
    ),
    (
        "conv2d_transpose_channels_first",
        L.Conv2DTranspose(2, (3, 2), strides=(1, 2), data_format=FIRST, padding="same"),
        normal(1, 2, 3, 4),
    ),
    ("conv2d_transpose_dilation", L.Conv2DTranspose(2, 2, dilation_rate=(2, 3)), normal(1, 3, 2, 2)),
    ("conv2d_transpose_options", L.Conv2DTranspose(2, 2, **KERNEL), normal(2, 2, 3, 2)),
    ("conv3d_transpose", L.Conv3DTranspose(2, 2), normal(1, 2, 3, 2, 2)),
    (
        "conv3d_transpose_same",
        L.Conv3DTranspose(2, (3, 2, 1), strides=(2, 1, 2), padding="same"),
        normal(1, 2, 3, 2, 2),
    ),
    (
        "conv3d_transpose_channels_first",
        L.Conv3DTranspose(1, 2, strides=2, data_format=FIRST, output_padding=1, use_bias=False),
        normal(1, 2, 2, 2, 2),
    ),
    ("conv3d_transpose_options", L.Conv3DTranspose(2, 2, activation="gelu", dilation_rate=2, **KERNEL), normal(1, 2, 2, 2, 1)),
]  # fmt: skip

DEPTHWISES = [
    ("depthwise_conv1d", L.DepthwiseConv1D(2), normal(2, 5, 3)),
    (
        "depthwise_conv1d_same",
        L.DepthwiseConv1D(3, strides=2, padding="same", depth_multiplier=2, activation="relu"),
        normal(2, 6, 2),
    ),
    (
        "depthwise_conv1d_channels_first",
        L.DepthwiseConv1D(2, data_format=FIRST, dilation_rate=2, depth_multiplier=3, use_bias=False),
        normal(2, 2, 5),
    ),
    ("depthwise_conv1d_options", L.DepthwiseConv1D(2, **DEPTHWISE), normal(2, 4, 2)),
    ("depthwise_conv2d", L.DepthwiseConv2D(2), normal(2, 4, 3, 3)),
    (
        "depthwise_conv2d_same",
        L.DepthwiseConv2D((3, 2), strides=2, padding="same", depth_multiplier=2, activation="relu"),
        normal(2, 5, 4, 2),
    ),
    ("depthwise_conv2d_channels_first", L.DepthwiseConv2D(2, data_format=FIRST, depth_multiplier=2), normal(1, 3, 3, 4)),
    ("depthwise_conv2d_dilation", L.DepthwiseConv2D(2, dilation_rate=(2, 1), use_bias=False), normal(1, 4, 3, 2)),
    ("depthwise_conv2d_dilation_strides", L.DepthwiseConv2D(2, dilation_rate=2, strides=2), normal(1, 6, 5, 2)),
    ("depthwise_conv2d_options", L.DepthwiseConv2D(2, **DEPTHWISE), normal(1, 3, 3, 2)),
]  # fmt: skip

SEPARABLES = [
    ("separable_conv1d", L.SeparableConv1D(4, 2), normal(2, 5, 3)),
    (
        "separable_conv1d_same",
        L.SeparableConv1D(3, 3, strides=2, padding="same", depth_multiplier=2, activation="relu"),
        normal(2, 6, 2),
    ),
    (
        "separable_conv1d_channels_first",
        L.SeparableConv1D(2, 2, data_format=FIRST, dilation_rate=2, use_bias=False),
        normal(2, 3, 5),
    ),
    ("separable_conv1d_options", L.SeparableConv1D(2, 2, **SEPARABLE), normal(2, 4, 2)),
    ("separable_conv2d", L.SeparableConv2D(4, 2), normal(2, 4, 3, 3)),
    (
        "separable_conv2d_same",
        L.SeparableConv2D(3, (3, 2), strides=2, padding="same", depth_multiplier=2, activation="relu"),
        normal(1, 5, 4, 2),
    ),
    ("separable_conv2d_channels_first", L.SeparableConv2D(2, 2, data_format=FIRST, depth_multiplier=2), normal(1, 2, 3, 4)),
    ("separable_conv2d_dilation", L.SeparableConv2D(2, 2, dilation_rate=(1, 2), use_bias=False), normal(1, 3, 4, 2)),
    ("separable_conv2d_options", L.SeparableConv2D(2, 2, **SEPARABLE), normal(1, 3, 3, 2)),
]  # fmt: skip

CASES = [*TRANSPOSE, *DEPTHWISES, *SEPARABLES]
