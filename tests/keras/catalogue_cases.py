"""More cases of layers.json: layers beyond those that first models are made of."""

import numpy as np
from keras import layers as L
from keras import regularizers

from layer_cases import FIRST, TRAINING, distinct, normal

MASK = {"mask": np.array([[1, 1, 0, 1], [1, 0, 0, 1]], bool)}

ACTIVATIONS = [
    ("relu_layer", L.ReLU(), normal(3, 4)),
    ("relu_layer_options", L.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.25), normal(4, 5)),
    ("relu_layer_threshold", L.ReLU(threshold=0.5), normal(4, 5)),
    ("leaky_relu_layer", L.LeakyReLU(), normal(3, 4)),
    ("leaky_relu_layer_option", L.LeakyReLU(negative_slope=0.1), normal(3, 4)),
    ("elu_layer", L.ELU(), normal(3, 4)),
    ("elu_layer_option", L.ELU(alpha=0.5), normal(3, 4)),
    ("softmax_layer", L.Softmax(), normal(3, 4)),
    ("softmax_layer_axis", L.Softmax(axis=1), normal(2, 3, 4)),
    ("softmax_layer_axes", L.Softmax(axis=[1, 2]), normal(2, 3, 4)),
    ("softmax_layer_mask", L.Softmax(), normal(2, 4), MASK),
    ("prelu", L.PReLU(), normal(3, 4)),
    ("prelu_shared_axes", L.PReLU(shared_axes=[1, 2]), normal(2, 3, 2, 4)),
    (
        "prelu_options",
        L.PReLU(alpha_initializer="ones", alpha_regularizer="l2", alpha_constraint="non_neg"),
        normal(3, 4),
    ),
]

CONVOLUTIONAL = [
    ("conv1d", L.Conv1D(3, 2), normal(2, 5, 2)),
    ("conv1d_same", L.Conv1D(2, 3, padding="same", strides=2), normal(2, 6, 2)),
    ("conv1d_causal", L.Conv1D(2, 3, padding="causal"), normal(2, 5, 2)),
    ("conv1d_causal_dilation", L.Conv1D(2, 3, padding="causal", dilation_rate=2, groups=2), normal(1, 6, 4)),
    ("conv1d_channels_first", L.Conv1D(3, 2, data_format=FIRST, activation="relu"), normal(2, 2, 5)),
    ("conv1d_activity", L.Conv1D(2, 2, activity_regularizer=regularizers.L2(0.1)), normal(2, 4, 1)),
    ("conv3d", L.Conv3D(2, 2), normal(1, 3, 4, 3, 2)),
    ("conv3d_same", L.Conv3D(2, (2, 3, 1), padding="same", strides=(1, 2, 2)), normal(1, 3, 4, 3, 2)),
    ("conv3d_channels_first", L.Conv3D(2, 2, data_format=FIRST, use_bias=False), normal(1, 2, 3, 3, 2)),
]

CORE = [
    ("identity", L.Identity(), normal(2, 3)),
    ("masking", L.Masking(), lambda r: np.array([[[0, 0], [1, 0]], [[0.5, -1], [0, 0]]], "float32")),
    (
        "masking_value",
        L.Masking(mask_value=-1.0),
        lambda r: np.array([[[0, 0], [-1, -1]], [[-1, 2], [-1, -1]]], "float32"),
    ),
]

NORMALIZATION = [
    ("group_normalization", L.GroupNormalization(groups=2), normal(2, 3, 4)),
    ("group_normalization_channels_first", L.GroupNormalization(groups=2, axis=1), normal(2, 6, 2, 3)),
    ("group_normalization_one", L.GroupNormalization(groups=1), normal(2, 3, 4)),
    ("group_normalization_instance", L.GroupNormalization(groups=4), normal(2, 2, 3, 4)),
    (
        "group_normalization_options",
        L.GroupNormalization(
            groups=2, epsilon=0.1, center=False, gamma_initializer="zeros", gamma_regularizer="l2",
            gamma_constraint="non_neg",
        ),
        normal(2, 3, 4),
    ),
    ("group_normalization_neither", L.GroupNormalization(groups=2, center=False, scale=False), normal(2, 4)),
    ("rms_normalization", L.RMSNormalization(), normal(2, 3, 4)),
    ("rms_normalization_axes", L.RMSNormalization(axis=[1, 2], epsilon=0.1), normal(2, 3, 4)),
    ("layer_normalization_rms_scaling", L.LayerNormalization(rms_scaling=True), normal(3, 4)),
    (
        "batch_normalization_renorm_clipping_training",
        L.BatchNormalization(
            renorm=True, renorm_clipping={"rmax": 1.2, "rmin": 0.9, "dmax": 0.3}, renorm_momentum=0.8,
            center=False,
        ),
        normal(5, 3),
        TRAINING,
    ),
    ("unit_normalization", L.UnitNormalization(), normal(2, 3, 4)),
    ("unit_normalization_axes", L.UnitNormalization(axis=[1, 2]), normal(2, 3, 4)),
]  # fmt: skip

POOLING = [
    ("max_pooling1d", L.MaxPooling1D(2), distinct(2, 5, 2)),
    ("max_pooling1d_same", L.MaxPooling1D(3, strides=2, padding="same"), distinct(2, 6, 2)),
    ("max_pooling1d_channels_first", L.MaxPooling1D(2, data_format=FIRST), distinct(2, 2, 5)),
    ("max_pooling3d", L.MaxPooling3D(2), distinct(1, 4, 3, 2, 2)),
    ("max_pooling3d_same", L.MaxPooling3D((2, 1, 3), strides=2, padding="same"), distinct(1, 3, 3, 4, 1)),
    ("max_pooling3d_channels_first", L.MaxPooling3D(2, data_format=FIRST), distinct(1, 2, 2, 3, 2)),
    ("average_pooling1d", L.AveragePooling1D(2), normal(2, 5, 2)),
    ("average_pooling1d_same", L.AveragePooling1D(3, strides=2, padding="same"), normal(2, 6, 2)),
    ("average_pooling1d_channels_first", L.AveragePooling1D(2, data_format=FIRST), normal(2, 2, 5)),
    ("average_pooling2d", L.AveragePooling2D((2, 3)), normal(2, 4, 6, 2)),
    ("average_pooling2d_same", L.AveragePooling2D(3, strides=2, padding="same"), normal(1, 5, 6, 2)),
    ("average_pooling2d_channels_first", L.AveragePooling2D(2, strides=1, data_format=FIRST), normal(1, 2, 3, 4)),
    ("average_pooling3d", L.AveragePooling3D(2), normal(1, 4, 3, 2, 2)),
    ("average_pooling3d_same", L.AveragePooling3D(2, strides=(1, 2, 1), padding="same"), normal(1, 3, 3, 2, 1)),
    ("average_pooling3d_channels_first", L.AveragePooling3D(2, data_format=FIRST), normal(1, 2, 2, 3, 2)),
    ("global_average_pooling1d", L.GlobalAveragePooling1D(), normal(2, 4, 3)),
    ("global_average_pooling1d_mask", L.GlobalAveragePooling1D(), normal(2, 4, 3), MASK),
    ("global_average_pooling1d_mask_keepdims", L.GlobalAveragePooling1D(keepdims=True), normal(2, 4, 3), MASK),
    (
        "global_average_pooling1d_channels_first_mask",
        L.GlobalAveragePooling1D(data_format=FIRST),
        normal(2, 3, 4),
        MASK,
    ),
    ("global_average_pooling3d", L.GlobalAveragePooling3D(), normal(2, 2, 3, 2, 2)),
    (
        "global_average_pooling3d_channels_first",
        L.GlobalAveragePooling3D(data_format=FIRST, keepdims=True),
        normal(2, 2, 3, 2, 2),
    ),
    ("global_max_pooling1d", L.GlobalMaxPooling1D(), distinct(2, 4, 3)),
    ("global_max_pooling1d_channels_first", L.GlobalMaxPooling1D(data_format=FIRST, keepdims=True), distinct(2, 4, 3)),
    ("global_max_pooling2d", L.GlobalMaxPooling2D(), distinct(2, 3, 2, 3)),
    ("global_max_pooling2d_channels_first", L.GlobalMaxPooling2D(data_format=FIRST), distinct(2, 3, 2, 3)),
    ("global_max_pooling3d", L.GlobalMaxPooling3D(keepdims=True), distinct(1, 2, 3, 2, 2)),
]

REGULARIZATION = [
    ("activity_regularization", L.ActivityRegularization(l1=0.1, l2=0.02), normal(4, 3)),
    ("alpha_dropout", L.AlphaDropout(0.3, seed=5), normal(2, 3)),
    ("alpha_dropout_rate_zero_training", L.AlphaDropout(0.0, noise_shape=(None, 1)), normal(2, 3), TRAINING),
    ("gaussian_dropout", L.GaussianDropout(0.3), normal(2, 3)),
    ("gaussian_dropout_rate_zero_training", L.GaussianDropout(0.0, seed=2), normal(2, 3), TRAINING),
    ("gaussian_noise", L.GaussianNoise(0.3), normal(2, 3)),
    ("gaussian_noise_zero_training", L.GaussianNoise(0.0, seed=2), normal(2, 3), TRAINING),
    ("spatial_dropout1d", L.SpatialDropout1D(0.3), normal(2, 3, 2)),
    ("spatial_dropout2d", L.SpatialDropout2D(0.3, data_format=FIRST, seed=4), normal(2, 3, 2, 2)),
    ("spatial_dropout3d", L.SpatialDropout3D(0.3), normal(1, 3, 2, 2, 2)),
]

RESHAPING = [
    ("permute", L.Permute((2, 1)), normal(2, 3, 4)),
    ("permute_three", L.Permute((3, 1, 2)), normal(2, 3, 4, 2)),
    ("repeat_vector", L.RepeatVector(3), normal(2, 4)),
]

CASES = [
    *ACTIVATIONS, *CONVOLUTIONAL, *CORE, *NORMALIZATION, *POOLING, *REGULARIZATION, *RESHAPING,
]  # fmt: skip
