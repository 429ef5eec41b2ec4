"""The cases of masks.json: every layer that Keras says supports masks, called with them. Those that
have an argument `mask` or make masks have cases with their families too."""

import numpy as np
from keras import layers as L

from layer_cases import TRAINING, normal, several

MASK = np.array([[1, 1, 0, 1], [1, 0, 0, 1]], bool)
OTHER = np.array([[1, 0, 1, 1], [0, 0, 1, 1]], bool)
STEPS = (2, 4, 3)
FRAMES = {1: (2, 4, 3, 2), 2: (2, 4, 3, 3, 2), 3: (2, 4, 3, 3, 3, 2)}


def one(layer, shape=STEPS, name="", **call):
    return (f"masked_{layer.name}{name}", layer, normal(*shape), {"masks": [MASK], **call})


def merged(make, **options):
    """Both inputs masked, and only one of them."""
    made = []
    for name, masks in [("", [MASK, OTHER]), ("_first", [MASK, None]), ("_second", [None, OTHER])]:
        layer = make(**options)
        made.append((f"masked_{layer.name}{name}", layer, several(STEPS, STEPS), {"masks": masks}))
    return made


UNCHANGED = [
    L.Activation("tanh"), L.ActivityRegularization(0.01), L.AlphaDropout(0.5), L.Dense(2), L.Dropout(0.5), L.ELU(),
    L.GaussianDropout(0.5), L.GaussianNoise(0.5), L.Identity(), L.LayerNormalization(), L.LeakyReLU(), L.PReLU(),
    L.ReLU(), L.Rescaling(2.0), L.SpatialDropout1D(0.5), L.UnitNormalization(), L.GroupNormalization(3),
    L.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 2.0]), L.BatchNormalization(), L.Masking(),
]  # fmt: skip

CASES = [
    *[one(layer) for layer in UNCHANGED],
    one(L.SpatialDropout2D(0.5), (2, 4, 3, 2)),
    one(L.SpatialDropout3D(0.5), (2, 4, 3, 2, 2)),
    one(L.BatchNormalization(), name="_training", **TRAINING),
    one(L.BatchNormalization(axis=1), name="_axis_1"),
    one(L.TimeDistributed(L.Dense(2, name="dense"))),
    one(L.GlobalAveragePooling1D()),
    *[case for make in (L.Add, L.Subtract, L.Multiply, L.Average, L.Maximum, L.Minimum) for case in merged(make)],
    *merged(L.Concatenate, axis=-1),
    *merged(L.Concatenate, axis=1, name="concatenate_steps"),
    *merged(L.Concatenate, axis=0, name="concatenate_samples"),
    *merged(L.Dot, axes=2),
    *[
        one(getattr(L, f"ConvLSTM{n}D")(2, 2, unroll=True, return_sequences=sequences), FRAMES[n], "_sequences" * sequences)
        for n in (1, 2, 3)
        for sequences in (False, True)
    ],
]
