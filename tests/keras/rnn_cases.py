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

def cell_in_rnn(**options):
    return lambda: L.RNN(L.LSTMCell(3), **options)


def stacked(**options):
    return lambda: L.RNN([L.LSTMCell(3), L.GRUCell(2), L.SimpleRNNCell(2)], **options)


STACKED_STATES = [(2, 3), (2, 3), (2, 2), (2, 2)]
RNN = [
    ("rnn", cell_in_rnn(), X),
    ("rnn_backwards", cell_in_rnn(go_backwards=True, return_sequences=True, unroll=True), X),
    ("rnn_mask", cell_in_rnn(return_sequences=True, return_state=True), X, MASKED),
    ("rnn_zero_output", cell_in_rnn(return_sequences=True, zero_output_for_mask=True), X, MASKED),
    ("rnn_initial_state", cell_in_rnn(return_state=True), several((2, 4, 3), (2, 3), (2, 3)), STATES),
    ("rnn_stateful", cell_in_rnn(stateful=True), X),
    ("rnn_cell_options", lambda: L.RNN(L.GRUCell(3, **EVERYTHING, **DROPOUT, reset_after=False, name="mine")), X),
    ("rnn_stacked", stacked(), X),
    ("rnn_stacked_state", stacked(return_sequences=True, return_state=True), X),
    ("rnn_stacked_mask", stacked(return_sequences=True, return_state=True), X, MASKED),
    ("rnn_stacked_backwards", stacked(go_backwards=True, return_sequences=True), X),
    ("rnn_stacked_stateful", stacked(stateful=True), X),
    ("rnn_stacked_twice", lambda: L.RNN([L.GRUCell(2), L.GRUCell(3)]), X),
    (
        "stacked_cells",
        lambda: L.StackedRNNCells([L.LSTMCell(3), L.GRUCell(2), L.SimpleRNNCell(2)]),
        several((2, 3), *STACKED_STATES),
        {"how": "states"},
    ),
]


def both_ways(mode="concat", Layer=L.LSTM, **options):
    return lambda: L.Bidirectional(Layer(3, **options), merge_mode=mode)


BIDIRECTIONAL = [
    *[(f"bidirectional_{mode}", both_ways(mode), X) for mode in ("concat", "sum", "mul", "ave")],
    *[
        (f"bidirectional_{mode}_sequences", both_ways(mode, L.GRU, return_sequences=True), X)
        for mode in ("concat", "sum", "mul", "ave")
    ],
    ("bidirectional_apart", both_ways(None), X),
    ("bidirectional_apart_sequences", both_ways(None, L.SimpleRNN, return_sequences=True), X),
    ("bidirectional_apart_mask", both_ways(None, L.GRU, return_sequences=True), X, MASKED),
    ("bidirectional_state", both_ways(return_state=True, return_sequences=True), X),
    ("bidirectional_mask", both_ways(return_sequences=True), X, MASKED),
    ("bidirectional_mask_right", both_ways(return_sequences=True), X, RIGHT),
    ("bidirectional_mask_last", both_ways(), X, MASKED),
    ("bidirectional_stateful", both_ways(stateful=True), X),
    ("bidirectional_initial_state", both_ways(), several((2, 4, 3), *[(2, 3)] * 4), STATES),
    (
        "bidirectional_backward_layer",
        lambda: L.Bidirectional(
            L.LSTM(3, return_sequences=True),
            backward_layer=L.GRU(2, activation="relu", go_backwards=True, return_sequences=True),
        ),
        X,
    ),
    ("bidirectional_rnn", lambda: L.Bidirectional(L.RNN(L.LSTMCell(2)), name="both"), X),
    ("bidirectional_everything", both_ways(**EVERYTHING, **DROPOUT), X),
]

TIME_DISTRIBUTED = [
    ("time_distributed", lambda: L.TimeDistributed(L.Dense(2, activation="relu")), X),
    ("time_distributed_mask", lambda: L.TimeDistributed(L.Dense(2)), X, MASKED),
    ("time_distributed_conv2d", lambda: L.TimeDistributed(L.Conv2D(2, 2)), normal(2, 2, 3, 3, 1)),
    ("time_distributed_lstm", lambda: L.TimeDistributed(L.LSTM(2)), normal(2, 2, 3, 2)),
    ("time_distributed_twice", lambda: L.TimeDistributed(L.TimeDistributed(L.Dense(2))), normal(2, 2, 2, 3)),
    ("time_distributed_norm", lambda: L.TimeDistributed(L.BatchNormalization()), X),
    (
        "time_distributed_norm_training",
        lambda: L.TimeDistributed(L.BatchNormalization(momentum=0.8)),
        X,
        {"training": True},
    ),
]

def conv_lstm(axes, Layer):
    """What convolutional ones are asked, on steps of 4 along each axis."""
    name = f"conv_lstm{axes}d"
    x = normal(2, 3, *[4] * axes, 2)
    first = normal(2, 3, 2, *[4] * axes)
    make = lambda *sizes, **options: lambda: Layer(*(sizes or (2, 2)), **options)
    return [
        (name, make(), x),
        (f"{name}_sequences", make(2, 3, padding="same", return_sequences=True, return_state=True), x),
        (f"{name}_first", make(data_format="channels_first", return_sequences=True), first),
        (f"{name}_strides", make(strides=2, padding="same", go_backwards=True, return_sequences=True), x),
        (f"{name}_no_bias", make(use_bias=False, activation="relu", recurrent_activation="hard_sigmoid"), x),
    ]


CONV_MASK = {"mask": np.array([[1, 0, 1], [0, 1, 0]], bool)}
CONV_X = normal(2, 3, 4, 4, 2)
CONV_LSTM = [
    *conv_lstm(1, L.ConvLSTM1D),
    *conv_lstm(2, L.ConvLSTM2D),
    *conv_lstm(3, L.ConvLSTM3D),
    ("conv_lstm2d_dilation", lambda: L.ConvLSTM2D(2, (2, 1), dilation_rate=(1, 2)), CONV_X),
    ("conv_lstm2d_mask", lambda: L.ConvLSTM2D(2, 2, unroll=True, return_sequences=True), CONV_X, CONV_MASK),
    ("conv_lstm2d_stateful", lambda: L.ConvLSTM2D(2, 2, stateful=True), CONV_X),
    ("conv_lstm2d_everything", lambda: L.ConvLSTM2D(2, 2, unit_forget_bias=False, **EVERYTHING, **DROPOUT), CONV_X),
    (
        "conv_lstm2d_initial_state",
        lambda: L.ConvLSTM2D(2, 2, return_state=True),
        several((2, 3, 4, 4, 2), (2, 3, 3, 2), (2, 3, 3, 2)),
        STATES,
    ),
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
    *RNN,
    *BIDIRECTIONAL,
    *TIME_DISTRIBUTED,
    *CONV_LSTM,
]
