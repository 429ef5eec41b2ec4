"""The cases of further.json: (name, a function that makes the layer, inputs from a Random, call
arguments)."""

from keras import constraints, initializers, regularizers
from keras import layers as L

from layer_cases import TRAINING, distinct, normal, several


def spectral(name, make, inputs, **options):
    """A wrapped layer while it predicts and while it trains."""
    wrapped = lambda: L.SpectralNormalization(make(), **options)
    return [
        (f"spectral_normalization_{name}", wrapped, inputs),
        (f"spectral_normalization_{name}_training", wrapped, inputs, TRAINING),
    ]


def regularized():
    return L.Dense(
        3,
        activation="tanh",
        kernel_regularizer=regularizers.L1L2(0.01, 0.02),
        bias_regularizer="l2",
        kernel_constraint=constraints.MaxNorm(1.5),
    )


SPECTRAL = [
    *spectral("dense", lambda: L.Dense(3), normal(4, 5)),
    *spectral("iterations", lambda: L.Dense(3, use_bias=False), normal(4, 5), power_iterations=3),
    *spectral("regularized", regularized, normal(4, 5)),
    *spectral("conv2d", lambda: L.Conv2D(3, 2, activation="relu"), normal(2, 4, 4, 2)),
    *spectral("conv2d_transpose", lambda: L.Conv2DTranspose(3, 2), normal(1, 3, 3, 2), power_iterations=2),
    *spectral("depthwise", lambda: L.DepthwiseConv1D(2, depth_multiplier=2), normal(2, 4, 3)),
    *spectral("einsum_dense", lambda: L.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="e"), normal(2, 2, 4)),
]

KERNEL = dict(
    kernel_initializer=initializers.HeNormal(seed=1),
    bias_initializer=initializers.Constant(0.5),
    kernel_regularizer=regularizers.L1L2(0.01, 0.02),
    bias_regularizer="l2",
    activity_regularizer=regularizers.L2(0.1),
    kernel_constraint=constraints.MaxNorm(1.5),
    bias_constraint="non_neg",
)
RECURRENT = dict(
    recurrent_initializer=initializers.GlorotNormal(seed=2),
    recurrent_regularizer="l1",
    recurrent_constraint="unit_norm",
    unit_forget_bias=False,
    dropout=0.25,
    recurrent_dropout=0.5,
    seed=3,
    **KERNEL,
)
SCALE = dict(
    beta_initializer="ones",
    gamma_initializer=initializers.Constant(2.0),
    beta_regularizer="l2",
    gamma_regularizer=regularizers.L1(0.03),
    beta_constraint="non_neg",
    gamma_constraint=constraints.MaxNorm(0.5),
)
FIRST = {"data_format": "channels_first"}
STATES = {"how": "states"}


def conv_lstm(axes):
    """What the families of other files ask of two axes alone."""
    Layer = getattr(L, f"ConvLSTM{axes}D")
    name, make = f"conv_lstm{axes}d", lambda **options: lambda: Layer(2, 2, **options)
    x = normal(2, 3, *[4] * axes, 2)
    return [
        (f"{name}_everything", make(return_sequences=True, **RECURRENT), x),
        (f"{name}_dilation", make(dilation_rate=2), x),
        (f"{name}_stateful", make(stateful=True, unroll=True), x),
    ]


OPTIONS = [
    ("conv1d_everything", lambda: L.Conv1D(4, 2, **KERNEL), normal(2, 5, 2)),
    ("conv1d_no_bias", lambda: L.Conv1D(4, 2, use_bias=False), normal(2, 5, 2)),
    ("conv1d_transpose_no_bias", lambda: L.Conv1DTranspose(4, 2, use_bias=False), normal(2, 5, 2)),
    ("conv2d_everything", lambda: L.Conv2D(4, 2, activation="tanh", **KERNEL), normal(1, 4, 3, 2)),
    ("conv3d_everything", lambda: L.Conv3D(4, 2, activation="tanh", groups=2, **KERNEL), normal(1, 3, 3, 3, 2)),
    ("conv3d_dilation", lambda: L.Conv3D(2, 2, dilation_rate=(1, 2, 2)), normal(1, 3, 4, 4, 2)),
    ("embedding_activity", lambda: L.Embedding(5, 2, activity_regularizer="l2"), lambda r: r.integers(5, 2, 3)),
    *[
        (f"{name}_everything", make, normal(3, 4, 6))
        for name, make in (
            ("group_normalization", lambda: L.GroupNormalization(groups=2, **SCALE)),
            ("layer_normalization", lambda: L.LayerNormalization(**SCALE)),
            ("batch_normalization", lambda: L.BatchNormalization(moving_variance_initializer="zeros", **SCALE)),
        )
    ],
    ("average_pooling1d_strides", lambda: L.AveragePooling1D(3, strides=2), normal(2, 8, 2)),
    ("max_pooling1d_strides", lambda: L.MaxPooling1D(3, strides=2), distinct(2, 8, 2)),
    ("max_pooling3d_strides", lambda: L.MaxPooling3D(2, strides=(1, 2, 1)), distinct(1, 3, 4, 3, 2)),
    ("global_max_pooling2d_keepdims", lambda: L.GlobalMaxPooling2D(keepdims=True), distinct(2, 3, 4, 2)),
    ("global_max_pooling3d_first", lambda: L.GlobalMaxPooling3D(**FIRST), distinct(2, 3, 2, 2, 2)),
    ("spatial_dropout1d_seed", lambda: L.SpatialDropout1D(0.5, seed=3), normal(2, 3, 4)),
    ("spatial_dropout3d_options", lambda: L.SpatialDropout3D(0.5, seed=3, **FIRST), normal(2, 3, 2, 2, 2)),
    ("gru_cell_options", lambda: L.GRUCell(3, activation="relu", use_bias=False), several((2, 4), (2, 3)), STATES),
    ("lstm_cell_options", lambda: L.LSTMCell(3, activation="relu", use_bias=False), several((2, 4), (2, 3), (2, 3)), STATES),
    ("simple_rnn_cell_no_bias", lambda: L.SimpleRNNCell(3, use_bias=False), several((2, 4), (2, 3)), STATES),
    ("simple_rnn_activity", lambda: L.SimpleRNN(3, activity_regularizer="l2"), normal(2, 4, 3)),
    *[case for axes in (1, 2, 3) for case in conv_lstm(axes)],
]  # fmt: skip


def prepared():
    return L.Pipeline([L.Rescaling(0.5, offset=1.0), L.CenterCrop(2, 3), L.Dropout(0.5), L.Flatten()])


CASES = [*SPECTRAL, *OPTIONS, ("pipeline", prepared, normal(2, 4, 5, 2))]
