"""The cases of attention.json: (name, a function that makes the layer, inputs from a Random,
call arguments)."""

import numpy as np
from keras import constraints, initializers, regularizers
from keras import layers as L

from layer_cases import several

QUERY_MASK = np.array([[1, 1, 0], [0, 1, 1]], bool)
VALUE_MASK = np.array([[1, 0, 1, 1], [0, 0, 1, 1]], bool)
BOTH = {"masks": [QUERY_MASK, VALUE_MASK], "as_mask": True}
VALUES = {"masks": [None, VALUE_MASK], "as_mask": True}
QUERIES = {"masks": [QUERY_MASK, None], "as_mask": True}
CAUSAL = {"use_causal_mask": True}
SCORES = {"return_attention_scores": True}
TWO = several((2, 3, 4), (2, 4, 4))
THREE = several((2, 3, 4), (2, 4, 5), (2, 4, 4))


def plain(name, Layer):
    """What both layers without heads are asked."""
    make = lambda **options: lambda: Layer(**options)
    return [
        (name, make(), TWO),
        (f"{name}_key", make(), THREE),
        (f"{name}_scale", make(use_scale=True), TWO),
        (f"{name}_no_scale", make(use_scale=False), TWO),
        (f"{name}_scores", make(), THREE, SCORES),
        (f"{name}_causal", make(), TWO, CAUSAL),
        (f"{name}_causal_scores", make(), TWO, {**CAUSAL, **SCORES}),
        (f"{name}_value_mask", make(), TWO, VALUES),
        (f"{name}_query_mask", make(), TWO, QUERIES),
        (f"{name}_masks", make(use_scale=True), THREE, {**BOTH, **SCORES}),
        (f"{name}_masks_causal", make(), several((2, 3, 4), (2, 3, 4)), {
            "masks": [QUERY_MASK, np.array([[1, 1, 1], [1, 0, 1]], bool)], "as_mask": True, **CAUSAL,
        }),
        (f"{name}_dropout_inference", make(dropout=0.3, seed=5), TWO),
    ]


ATTENTION = [
    *plain("attention", L.Attention),
    ("attention_concat", lambda: L.Attention(score_mode="concat"), TWO),
    ("attention_concat_scale", lambda: L.Attention(score_mode="concat", use_scale=True), THREE, SCORES),
    ("attention_rank_4", lambda: L.Attention(), several((2, 2, 3, 4), (2, 2, 5, 4))),
    *plain("additive_attention", L.AdditiveAttention),
]

OPTIONS = dict(
    kernel_initializer=initializers.HeNormal(seed=1),
    bias_initializer=initializers.Constant(0.5),
    kernel_regularizer=regularizers.L1L2(0.01, 0.02),
    bias_regularizer="l2",
    kernel_constraint=constraints.MaxNorm(1.5),
    bias_constraint="non_neg",
)
HOW = {"how": "positional"}
ALLOWED = np.array([[[1, 0, 1, 1], [1, 1, 1, 1], [0, 0, 0, 1]], [[1, 1, 0, 0], [0, 1, 1, 0], [1, 0, 0, 1]]], bool)


def with_mask(*shapes):
    """Tensors of these shapes, then a mask of who may attend to whom."""
    return lambda random: [*(random.normal(*shape) for shape in shapes), ALLOWED]


def heads(name, make):
    """What both layers with heads are asked; `make(**options)` gives a function."""
    alike = several((2, 3, 4), (2, 4, 4))
    apart = several((2, 3, 4), (2, 4, 4), (2, 4, 5))
    own = several((2, 4, 4), (2, 4, 4))
    masks = {"masks": [QUERY_MASK, VALUE_MASK]}
    return [
        (name, make(), alike, HOW),
        (f"{name}_key", make(), apart, HOW),
        (f"{name}_scores", make(), apart, {**HOW, **SCORES}),
        (f"{name}_no_bias", make(use_bias=False), alike, HOW),
        (f"{name}_gate", make(use_gate=True), alike, HOW),
        (f"{name}_gate_no_bias", make(use_gate=True, use_bias=False), apart, HOW),
        (f"{name}_causal", make(), own, {**HOW, **CAUSAL}),
        (f"{name}_causal_scores", make(), own, {**HOW, **CAUSAL, **SCORES}),
        (f"{name}_causal_apart", make(), alike, {**HOW, **CAUSAL}),
        (f"{name}_window", make(sliding_window=2), own, HOW),
        (f"{name}_window_causal", make(sliding_window=2), own, {**HOW, **CAUSAL}),
        (f"{name}_value_mask", make(), alike, {**HOW, "masks": [None, VALUE_MASK]}),
        (f"{name}_query_mask", make(), alike, {**HOW, "masks": [QUERY_MASK, None]}),
        (f"{name}_masks", make(), apart, {**HOW, "masks": [QUERY_MASK, VALUE_MASK, VALUE_MASK[::-1]]}),
        (f"{name}_masks_scores", make(), alike, {**HOW, **masks, **SCORES}),
        (f"{name}_masks_dropout", make(dropout=0.3, seed=5), alike, {**HOW, **masks}),
        (f"{name}_allowed", make(), with_mask((2, 3, 4), (2, 4, 4)), {"how": "attention_mask"}),
        (
            f"{name}_allowed_key",
            make(),
            with_mask((2, 3, 4), (2, 4, 4), (2, 4, 5)),
            {"how": "attention_mask", **masks, **CAUSAL},
        ),
        (f"{name}_options", make(**OPTIONS), alike, HOW),
        (f"{name}_activity", make(activity_regularizer=regularizers.L2(0.1)), alike, HOW),
    ]


def multi(*sizes, **fixed):
    return lambda **options: lambda: L.MultiHeadAttention(*sizes, **{**fixed, **options})


def grouped(*sizes):
    return lambda **options: lambda: L.GroupQueryAttention(*sizes, **options)


VOLUME = several((2, 3, 2, 4), (2, 3, 2, 4))
HEADS = [
    *heads("multi_head_attention", multi(2, 3)),
    ("multi_head_attention_value_dim", multi(2, 3, value_dim=5)(), TWO, {**HOW, **SCORES}),
    ("multi_head_attention_output_shape", multi(2, 3, output_shape=6)(), TWO, HOW),
    ("multi_head_attention_output_axes", multi(2, 3, output_shape=(2, 3))(), TWO, HOW),
    ("multi_head_attention_one_head", multi(1, 2)(), TWO, HOW),
    ("multi_head_attention_all_axes", multi(2, 3)(), VOLUME, HOW),
    ("multi_head_attention_axis_2", multi(2, 3, attention_axes=2)(), VOLUME, {**HOW, **SCORES}),
    ("multi_head_attention_axes", multi(2, 3, attention_axes=(1, 2), value_dim=2)(), VOLUME, HOW),
    ("multi_head_attention_axis_1", multi(2, 3, attention_axes=(1,))(), VOLUME, HOW),
    *heads("group_query_attention", grouped(3, 4, 2)),
    ("group_query_attention_one", grouped(2, 3, 1)(), TWO, HOW),
    ("group_query_attention_each", grouped(2, 2, 2)(), TWO, HOW),
]

CASES = [*ATTENTION, *HEADS]
