//! Recurrent layers and what wraps layers.

use cornu_autodiff::{DType, Tensor};
use cornu_layers::prelude::*;
use cornu_layers::{Context, Inputs};

use crate::{assert_texts, known, on, on_all};

#[test]
fn recurrent_layers_say_what_they_expect() {
    let x = known(&[5, 3]);
    assert_texts(vec![
        (on(&x, LSTM::new(0)), "layer `lstm` (LSTM): `units`: it must be positive; got 0"),
        (
            on(&x, GRU::new(2).dropout(1.5)),
            "layer `gru` (GRU): `dropout`: it must be in [0, 1]; got 1.5",
        ),
        (
            on(&x, SimpleRNN::new(2).recurrent_dropout(-0.5)),
            "layer `simple_rnn` (SimpleRNN): `recurrent_dropout`: it must be in [0, 1]; got -0.5",
        ),
        (
            on(&known(&[3]), LSTM::new(2)),
            "layer `lstm` (LSTM): input: the layer takes sequences, (batch, steps, …) of rank 3; \
             got (None, 3)",
        ),
        (
            on(&[None, None], LSTM::new(2)),
            "layer `lstm` (LSTM): input: the size of axis -1 must be known to build the layer; \
             got (None, None)",
        ),
        (
            on(&known(&[0, 3]), LSTM::new(2)),
            "layer `lstm` (LSTM): input: a sequence must have a step; got (None, 0, 3)",
        ),
        (
            on_all([&[5, 3], &[2]], LSTM::new(2)),
            "layer `lstm` (LSTM): input: the layer takes a sequence, and 2 initial states or \
             none; got (None, 5, 3) and (None, 2)",
        ),
        (
            on_all([&[5, 3], &[4]], GRU::new(2)),
            "layer `gru` (GRU): state: it must be float32 of shape (None, 2); got float32 \
             (None, 4)",
        ),
        (
            on(&x, GRU::new(2).stateful(true)),
            "layer `gru` (GRU): input: the size of the batch must be known where `stateful` is \
             set; give the model's input a `batch_size`; got (None, 5, 3)",
        ),
        (
            on_all([&[3], &[2]], LSTMCell::new(2)),
            "layer `lstm_cell` (LSTMCell): input: a cell takes one step and its 2 states; got \
             (None, 3) and (None, 2)",
        ),
    ]);
}

#[test]
fn masks_of_another_shape_than_the_steps_are_refused() {
    let layer = LSTM::new(2).into_layer();
    let x = [Tensor::zeros([2, 4, 3], DType::F32)];
    layer.build(&[*x[0].spec()]).unwrap();
    let text = |mask: Tensor| {
        let inputs = Inputs { tensors: &x, masks: &[Some(mask)] };
        layer.call(&inputs, &mut Context::inference()).expect_err("must fail").to_string()
    };
    assert_texts(vec![
        (
            text(Tensor::zeros([2, 3], DType::Bool)),
            "layer `lstm` (LSTM): mask: it must have the shape (batch, steps) of the input, (2, \
             4); got (2, 3)",
        ),
        (
            text(Tensor::zeros([2, 4], DType::F32)),
            "layer `lstm` (LSTM): mask: it must be true where a step counts; got float32; \
             convert with `cast`",
        ),
    ]);
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn wrappers_of_layers_say_what_they_expect() {
    let x = known(&[5, 3]);
    assert_texts(vec![
        (
            on(&x, RNN::new(Dense::new(2))),
            "layer `rnn` (RNN): `cell`: it must be a cell: a layer that has states; got Dense",
        ),
        (
            on(&x, RNN::new((LSTMCell::new(2), Dense::new(2)))),
            "layer `stacked_rnn_cells` (StackedRNNCells): `cells`: each must be a cell: a layer \
             that has states; got Dense",
        ),
        (
            on(&x, RNN::new(StackedRNNCells::new(Vec::new()))),
            "layer `rnn` (RNN): `cell`: it must be a cell: a layer that has states; got \
             StackedRNNCells",
        ),
        (
            on(&x, RNN::new(GRUCell::new(0))),
            "layer `gru_cell` (GRUCell): `units`: it must be positive; got 0",
        ),
        (
            on(&known(&[3]), RNN::new(GRUCell::new(2))),
            "layer `rnn` (RNN): input: the layer takes sequences, (batch, steps, …) of rank 3 or \
             more; got (None, 3)",
        ),
        (
            on(&x, Bidirectional::new(Dense::new(2))),
            "layer `bidirectional` (Bidirectional): `layer`: it must be a recurrent layer, with \
             `go_backwards` and `return_sequences`; got Dense",
        ),
        (
            on(&x, Bidirectional::new(LSTM::new(2)).backward_layer(LSTM::new(2))),
            "layer `bidirectional` (Bidirectional): `go_backwards`: the two layers must go in \
             different directions; got false",
        ),
        (
            on(
                &x,
                Bidirectional::new(LSTM::new(2))
                    .backward_layer(LSTM::new(2).go_backwards(true).return_sequences(true)),
            ),
            "layer `bidirectional` (Bidirectional): `return_sequences`: both layers must have \
             the same; got false and true",
        ),
        (
            on_all([&[5, 3], &[2]], Bidirectional::new(GRU::new(2))),
            "layer `bidirectional` (Bidirectional): input: the layer takes a sequence, and as \
             many initial states for each direction; got (None, 5, 3) and (None, 2)",
        ),
        (
            on(&known(&[3]), SpectralNormalization::new(Dense::new(2)).power_iterations(0)),
            "layer `spectral_normalization` (SpectralNormalization): `power_iterations`: it must \
             be positive; got 0",
        ),
        (
            on(&x, SpectralNormalization::new(LSTM::new(2))),
            "layer `spectral_normalization` (SpectralNormalization): `layer`: it must have a \
             weight of its own named `kernel` or `embeddings`; got LSTM",
        ),
        (
            on(&known(&[3]), TimeDistributed::new(Dense::new(2))),
            "layer `time_distributed` (TimeDistributed): input: the layer takes one input of \
             rank 3 or more; got (None, 3)",
        ),
    ]);
    let text = on(&x, Bidirectional::new(LSTM::new(2)).merge_mode("summ"));
    let start = "layer `bidirectional` (Bidirectional): `merge_mode`: it must be a known name; \
                 got unknown merge_mode `summ`; did you mean `sum`?";
    assert!(text.starts_with(start), "{text}");
}

#[test]
fn convolutional_recurrent_layers_say_what_they_expect() {
    let video = known(&[5, 4, 4, 2]);
    assert_texts(vec![
        (
            on(&video, ConvLSTM2D::new(0, 2)),
            "layer `conv_lstm2d` (ConvLSTM2D): `filters`: it must be positive; got 0",
        ),
        (
            on(&video, ConvLSTM2D::new(2, 5)),
            "layer `conv_lstm2d` (ConvLSTM2D): `kernel_size`: it must fit the input, (None, 4, \
             4, 2); got [5, 5]",
        ),
        (
            on(&video, ConvLSTM2D::new(2, 2).strides(2).dilation_rate(2)),
            "layer `conv_lstm2d` (ConvLSTM2D): `strides`: strides and dilation can't both be \
             above 1; got [2, 2] with dilation [2, 2]",
        ),
        (
            on(&video, ConvLSTM1D::new(2, 2)),
            "layer `conv_lstm1d` (ConvLSTM1D): input: the layer takes sequences, (batch, steps, \
             …) of rank 4; got (None, 5, 4, 4, 2)",
        ),
        (
            on(&[Some(5), None, Some(4), Some(2)], ConvLSTM2D::new(2, 2)),
            "layer `conv_lstm2d` (ConvLSTM2D): input: every axis of a step must be known to \
             build the layer; got (None, None, 4, 2)",
        ),
    ]);
}
