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

CASES = [*CORE, *RESHAPING]
