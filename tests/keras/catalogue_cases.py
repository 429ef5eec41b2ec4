"""More cases of layers.json: layers beyond those that first models are made of."""

from keras import layers as L

from layer_cases import normal

CORE = [
    ("identity", L.Identity(), normal(2, 3)),
]

RESHAPING = [
    ("permute", L.Permute((2, 1)), normal(2, 3, 4)),
    ("permute_three", L.Permute((3, 1, 2)), normal(2, 3, 4, 2)),
    ("repeat_vector", L.RepeatVector(3), normal(2, 4)),
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
    ("unit_normalization", L.UnitNormalization(), normal(2, 3, 4)),
    ("unit_normalization_axes", L.UnitNormalization(axis=[1, 2]), normal(2, 3, 4)),
]  # fmt: skip

CASES = [*CORE, *NORMALIZATION, *RESHAPING]
