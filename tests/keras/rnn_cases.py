"""The cases of rnn.json: (name, a function that makes the layer, inputs from a Random, call
arguments)."""

import numpy as np
from keras import constraints, initializers, regularizers
from keras import layers as L

from layer_cases import normal, several

MASK = np.array([[1, 1, 0, 1], [0, 1, 1, 0]], bool)
MASKED = {"mask": MASK}
RIGHT = {"mask": np.array([[1, 1, 1, 0], [1, 0, 0, 0]], bool)}
STATES = {"how": "initial_state"}
X = normal(2, 4, 3)

EVERYTHING = dict(
    kernel_initializer=initializers.HeNormal(seed=1),
    recurrent_initializer=initializers.GlorotNormal(seed=2),
    bias_initializer=initializers.Constant(0.5),
    kernel_regularizer=regularizers.L1L2(0.01, 0.02),
    recurrent_regularizer="l2",
    bias_regularizer="l1",
    kernel_constraint=constraints.MaxNorm(1.5),
    recurrent_constraint="unit_norm",
    bias_constraint="non_neg",
)
DROPOUT = dict(dropout=0.25, recurrent_dropout=0.5, seed=3)


def family(name, Layer, states, units=3):
    """What all recurrent layers are asked."""
    with_states = several((2, 4, 3), *[(2, units)] * states)
    make = lambda **options: lambda: Layer(units, **options)
    return [
        (name, make(), X),
        (f"{name}_one_step", make(), normal(2, 1, 3)),
        (f"{name}_sequences", make(return_sequences=True), X),
        (f"{name}_state", make(return_state=True), X),
        (f"{name}_sequences_state", make(return_sequences=True, return_state=True), X),
        (f"{name}_initial_state", make(return_sequences=True, return_state=True), with_states, STATES),
        (f"{name}_backwards", make(go_backwards=True, return_sequences=True, return_state=True), X),
        (f"{name}_mask", make(return_sequences=True, return_state=True), X, MASKED),
        (f"{name}_mask_last", make(), X, MASKED),
        (f"{name}_mask_backwards", make(go_backwards=True, return_sequences=True), X, MASKED),
        (f"{name}_mask_state", make(return_sequences=True), with_states, {**STATES, **MASKED}),
        (f"{name}_mask_zero", make(return_sequences=True, zero_output_for_mask=True), X, MASKED),
        (f"{name}_mask_unrolled", make(return_sequences=True, unroll=True), X, MASKED),
        (f"{name}_stateful", make(stateful=True, return_sequences=True), X),
        (f"{name}_stateful_state", make(stateful=True), with_states, STATES),
        (f"{name}_no_bias", make(use_bias=False), X),
        (f"{name}_relu", make(activation="relu", return_sequences=True), X),
        (f"{name}_linear", make(activation=None), X),
        (f"{name}_everything", make(return_sequences=True, **EVERYTHING), X),
        (f"{name}_dropout_inference", make(**DROPOUT), X),
    ]


def gated(name, Layer):
    """What those with gates are asked, too."""
    return [
        (
            f"{name}_hard_sigmoid",
            lambda: Layer(2, recurrent_activation="hard_sigmoid", return_sequences=True),
            X,
        ),
        (
            f"{name}_activity",
            lambda: Layer(2, activity_regularizer=regularizers.L2(0.1), return_sequences=True),
            X,
        ),
        (f"{name}_one_unit", lambda: Layer(1, return_sequences=True), normal(3, 3, 1)),
        (f"{name}_wide", lambda: Layer(9, return_sequences=True), normal(5, 3, 2), {"mask": np.eye(5, 3) < 1}),
    ]


def cell(name, Cell, states, **options):
    inputs = several((2, 3), *[(2, 4)] * states)
    how = {"how": "states"}
    return [
        (f"{name}_cell", lambda: Cell(4), inputs, how),
        (f"{name}_cell_everything", lambda: Cell(4, **EVERYTHING, **DROPOUT, **options), inputs, how),
    ]


def gru_before(**options):
    return lambda: L.GRU(3, reset_after=False, **options)


GRU_BEFORE = [
    ("gru_before", gru_before(return_sequences=True), X),
    ("gru_before_mask", gru_before(return_sequences=True, return_state=True), X, MASKED),
    ("gru_before_no_bias", gru_before(use_bias=False), X),
    ("gru_before_options", gru_before(activation="elu", recurrent_activation="tanh", go_backwards=True), X),
    ("gru_before_everything", gru_before(**EVERYTHING, **DROPOUT), X),
    ("gru_cell_before", lambda: L.GRUCell(4, reset_after=False), several((2, 3), (2, 4)), {"how": "states"}),
]

CASES = [
    *family("simple_rnn", L.SimpleRNN, 1),
    *family("lstm", L.LSTM, 2),
    *gated("lstm", L.LSTM),
    ("lstm_no_forget_bias", lambda: L.LSTM(2, unit_forget_bias=False), X),
    *family("gru", L.GRU, 1),
    *gated("gru", L.GRU),
    *GRU_BEFORE,
    *cell("simple_rnn", L.SimpleRNNCell, 1, activation="relu"),
    *cell("lstm", L.LSTMCell, 2, unit_forget_bias=False, recurrent_activation="hard_sigmoid"),
    *cell("gru", L.GRUCell, 1, recurrent_activation="hard_sigmoid"),
]
