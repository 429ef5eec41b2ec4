//! What wrong arguments and inputs are told, word for word.

use cornu_autodiff::{DType, Tensor};
use cornu_layers::prelude::*;
use cornu_layers::{Context, Inputs, Result, layer_from_json};
use serde_json::json;

/// The error of a layer that is called on samples of this shape.
fn on(shape: &[Option<usize>], layer: impl IntoLayer) -> String {
    layer.apply(Input::new(shape.to_vec()).symbol()).expect_err("must fail").to_string()
}

/// The error of a layer that is called on several inputs.
fn on_all<const N: usize>(shapes: [&[usize]; N], layer: impl IntoLayer) -> String {
    layer.apply(shapes.map(|shape| Input::new(shape).symbol())).expect_err("must fail").to_string()
}

/// The error of a layer that is called on data.
fn on_data(layer: impl IntoLayer, data: Tensor) -> String {
    let layer = layer.into_layer();
    layer.build(&[*data.spec()]).unwrap();
    let inputs = [data];
    layer.call(&Inputs::new(&inputs), &mut Context::inference()).expect_err("must fail").to_string()
}

fn known(shape: &[usize]) -> Vec<Option<usize>> {
    shape.iter().map(|&d| Some(d)).collect()
}

fn assert_texts(rows: Vec<(String, &str)>) {
    for (text, expected) in rows {
        assert_eq!(text, expected);
    }
}

#[test]
fn dense_layers_say_what_they_expect() {
    assert_texts(vec![
        (
            on(&known(&[3]), Dense::new(0)),
            "layer `dense` (Dense): `units`: it must be positive; got 0",
        ),
        (
            on(&[], Dense::new(4).name("hidden")),
            "layer `hidden` (Dense): input: the layer takes one input of rank 2 or more; got (None,)",
        ),
        (
            on(&[None], Dense::new(4)),
            "layer `dense` (Dense): input: the size of axis -1 must be known to build the layer; \
             got (None, None)",
        ),
        (
            on_all([&[3], &[4]], Dense::new(4)),
            "layer `dense` (Dense): input: the layer takes one input of rank 2 or more; got \
             (None, 3) and (None, 4)",
        ),
        (
            Dense::new(4)
                .apply(Input::new([3]).dtype(DType::I32).symbol())
                .expect_err("must fail")
                .to_string(),
            "layer `dense` (Dense): input: the layer takes floating-point numbers; got int32; \
             convert with `cast`",
        ),
    ]);
}

#[test]
fn misspelt_names_list_valid_ones_nearest_first() {
    let starts = [
        (
            on(&known(&[3]), Dense::new(4).activation("rellu")),
            "layer `dense` (Dense): `activation`: it must be a known name; got unknown activation \
             `rellu`; did you mean `relu`?",
        ),
        (
            on(&known(&[3]), Dense::new(4).kernel_initializer("glorot")),
            "layer `dense` (Dense): `kernel_initializer`: it must be a known name; got unknown \
             initializer `glorot`; did you mean",
        ),
        (
            on(&known(&[3]), Dense::new(4).bias_regularizer("l4")),
            "layer `dense` (Dense): `bias_regularizer`: it must be a known name; got unknown \
             regularizer `l4`; did you mean `l1`?",
        ),
        (
            on(&known(&[3]), Dense::new(4).kernel_constraint("max_nrm")),
            "layer `dense` (Dense): `kernel_constraint`: it must be a known name; got unknown \
             constraint `max_nrm`; did you mean `max_norm`?",
        ),
        (
            on(&known(&[8, 8, 1]), Conv2D::new(4, 3).padding("some")),
            "layer `conv2d` (Conv2D): `padding`: it must be a known name; got unknown padding \
             `some`; did you mean `same`?",
        ),
        (
            on(&known(&[8, 8, 1]), Flatten::new().data_format("last")),
            "layer `flatten` (Flatten): `data_format`: it must be a known name; got unknown \
             data_format `last`; did you mean `channels_last`?",
        ),
        (
            on(&known(&[3]), Activation::new("softmaxx")),
            "layer `activation` (Activation): `activation`: it must be a known name; got unknown \
             activation `softmaxx`; did you mean `softmax`?",
        ),
    ];
    for (text, start) in starts {
        assert!(text.starts_with(start), "{text}");
    }
}

#[test]
fn windows_say_what_does_not_fit() {
    let image = known(&[4, 4, 3]);
    assert_texts(vec![
        (
            on(&image, Conv2D::new(2, 5)),
            "layer `conv2d` (Conv2D): `kernel_size`: it must fit the input, (None, 4, 4, 3); got \
             [5, 5]",
        ),
        (
            on(&image, Conv2D::new(2, (3, 2)).dilation_rate(2)),
            "layer `conv2d` (Conv2D): `kernel_size`: it must fit the input, (None, 4, 4, 3); got \
             [3, 2] with dilation [2, 2]",
        ),
        (
            on(&image, Conv2D::new(4, 2).groups(2)),
            "layer `conv2d` (Conv2D): `groups`: it must divide the 4 filters and the input's 3 \
             channels; got 2",
        ),
        (
            on(&image, Conv2D::new(0, 2)),
            "layer `conv2d` (Conv2D): `filters`: it must be positive; got 0",
        ),
        (
            on(&image, Conv2D::new(2, (2, 0))),
            "layer `conv2d` (Conv2D): `kernel_size`: all must be positive; got [2, 0]",
        ),
        (
            on(&image, Conv2D::new(2, 2).strides(0)),
            "layer `conv2d` (Conv2D): `strides`: all must be positive; got [0, 0]",
        ),
        (
            on(&image, Conv2D::new(2, 2).strides(2).dilation_rate(2)),
            "layer `conv2d` (Conv2D): `strides`: strides and dilation can't both be above 1; got \
             [2, 2] with dilation [2, 2]",
        ),
        (
            on(&image, Conv2D::new(2, 2).padding("causal")),
            "layer `conv2d` (Conv2D): `padding`: it must be `valid` or `same`; `causal` is for \
             `Conv1D`; got causal",
        ),
        (
            on(&known(&[4, 3]), Conv2D::new(2, 2)),
            "layer `conv2d` (Conv2D): input: the layer takes one input of rank 4; got (None, 4, 3)",
        ),
        (
            on(&[Some(4), Some(4), None], Conv2D::new(2, 2)),
            "layer `conv2d` (Conv2D): input: the size of axis -1 must be known to build the layer; \
             got (None, 4, 4, None)",
        ),
        (
            on(&image, MaxPooling2D::new(5)),
            "layer `max_pooling2d` (MaxPooling2D): `pool_size`: it must fit the input, (None, 4, \
             4, 3); got [5, 5]",
        ),
        (
            on(&known(&[4]), GlobalAveragePooling2D::new()),
            "layer `global_average_pooling2d` (GlobalAveragePooling2D): input: the layer takes one \
             input of rank 4; got (None, 4)",
        ),
    ]);
}

#[test]
fn options_out_of_range_are_named() {
    assert_texts(vec![
        (
            on(&known(&[3]), Dropout::new(1.5)),
            "layer `dropout` (Dropout): `rate`: it must be in [0, 1]; got 1.5",
        ),
        (
            on(&known(&[3]), Dropout::new(f64::NAN)),
            "layer `dropout` (Dropout): `rate`: it must be in [0, 1]; got NaN",
        ),
        (
            on(&known(&[3]), Dropout::new(0.5).noise_shape([None, Some(2)])),
            "layer `dropout` (Dropout): `noise_shape`: each size must be 1, the input's or `None`, \
             for the input (None, 3); got (None, 2)",
        ),
        (
            on(&known(&[3]), GaussianDropout::new(1.0)),
            "layer `gaussian_dropout` (GaussianDropout): `rate`: it must be in [0, 1); got 1",
        ),
        (
            on(&known(&[3]), BatchNormalization::new().axis(2)),
            "layer `batch_normalization` (BatchNormalization): axis: axis must be in -2..2 for \
             rank 2; got 2",
        ),
        (
            on(&known(&[3]), BatchNormalization::new().epsilon(0.0)),
            "layer `batch_normalization` (BatchNormalization): `epsilon`: it must be positive and \
             finite; got 0",
        ),
        (
            on(&known(&[3]), BatchNormalization::new().momentum(1.01)),
            "layer `batch_normalization` (BatchNormalization): `momentum`: it must be in [0, 1]; \
             got 1.01",
        ),
        (
            on(&known(&[3]), LayerNormalization::new().axis([-1, 1])),
            "layer `layer_normalization` (LayerNormalization): `axis`: it must name one axis or \
             more, none twice; got [-1, 1]",
        ),
        (
            on(&known(&[6]), GroupNormalization::new().groups(4)),
            "layer `group_normalization` (GroupNormalization): `groups`: it must divide the number \
             of channels, 6, or be -1; got 4",
        ),
        (
            on(&known(&[3, 4]), Reshape::new([5, 2])),
            "layer `reshape` (Reshape): `target_shape`: it must hold as many elements as a sample; \
             got [5, 2] for an input of shape (None, 3, 4)",
        ),
        (
            on(&known(&[3, 4]), Reshape::new([-1, -1])),
            "layer `reshape` (Reshape): `target_shape`: sizes must not be negative, but for one \
             -1; got [-1, -1] for an input of shape (None, 3, 4)",
        ),
        (
            on(&known(&[3, 4]), Permute::new([1, 1])),
            "layer `permute` (Permute): `dims`: each of the 2 axes of a sample must be named once, \
             from 1; got [1, 1]",
        ),
        (
            on(&known(&[3, 4]), RepeatVector::new(2)),
            "layer `repeat_vector` (RepeatVector): input: the layer takes one input of rank 2; got \
             (None, 3, 4)",
        ),
        (
            on(&known(&[3, 4]), PReLU::new().shared_axes([3])),
            "layer `p_re_lu` (PReLU): `shared_axes`: axes of a sample are counted from 1 to 2; got \
             [3]",
        ),
        (
            on(&known(&[3]), Embedding::new(10, 0)),
            "layer `embedding` (Embedding): `output_dim`: it must be positive; got 0",
        ),
        (
            on(&known(&[3]), Dense::new(2).kernel_regularizer(Regularizer::l2(-1.0))),
            "layer `dense` (Dense): `kernel_regularizer`: `l2` must be finite and not negative; \
             got -1",
        ),
    ]);
}

#[test]
fn merged_inputs_say_which_do_not_fit() {
    assert_texts(vec![
        (
            on_all([&[3], &[4]], Add::new()),
            "layer `add` (Add): input: the shapes of the inputs must broadcast; got (None, 3) and \
             (None, 4)",
        ),
        (
            on_all([&[3], &[3], &[3]], Subtract::new()),
            "layer `subtract` (Subtract): input: the layer takes 2 inputs; got (None, 3), \
             (None, 3) and (None, 3)",
        ),
        (
            on_all([&[3, 2], &[4, 3]], Concatenate::new()),
            "layer `concatenate` (Concatenate): input: shapes must be equal except along axis -1; \
             got (None, 3, 2) and (None, 4, 3)",
        ),
        (
            on_all([&[3], &[4]], Dot::new(1)),
            "layer `dot` (Dot): input: axis 1 of the first must be as large as 1 of the second; \
             got (None, 3) and (None, 4)",
        ),
        (
            on_all([&[3], &[3]], Dot::new(0)),
            "layer `dot` (Dot): `axes`: the batch axis can't be summed over; got [0, 0]",
        ),
    ]);
}

#[test]
fn tokens_out_of_range_are_errors_that_name_layer_token_and_size() {
    let tokens = |values: Vec<i64>| Tensor::new(values, [1, 3]).unwrap();
    assert_texts(vec![
        (
            on_data(Embedding::new(10, 2).name("words"), tokens(vec![0, 10, 3])),
            "layer `words` (Embedding): input: tokens must be whole numbers in 0..10 \
             (`input_dim`); got 10",
        ),
        (
            on_data(Embedding::new(10, 2), tokens(vec![0, -1, 3])),
            "layer `embedding` (Embedding): input: tokens must be whole numbers in 0..10 \
             (`input_dim`); got -1",
        ),
        (
            on_data(Embedding::new(10, 2), Tensor::from([[1.0f32, 2.5]])),
            "layer `embedding` (Embedding): input: tokens must be whole numbers in 0..10 \
             (`input_dim`); got 2.5",
        ),
    ]);
}

#[test]
fn a_mask_that_a_layer_cannot_obey_is_an_error() {
    let tokens = Input::new([4]).dtype(DType::I32).symbol();
    let masked = Embedding::new(10, 3).mask_zero(true).apply(&tokens).unwrap();
    assert_eq!(
        Conv1D::new(2, 2).apply(&masked).expect_err("must fail").to_string(),
        "layer `conv1d` (Conv1D): mask: this layer can't obey a mask; put it before the layer that \
         makes the mask, or reduce the masked axis first; got a masked input"
    );
    assert!(GlobalAveragePooling1D::new().apply(&masked).is_ok());
    assert!(Dense::new(2).apply(&masked).is_ok());
}

#[test]
fn inputs_of_another_shape_than_the_layer_was_built_for_are_errors() {
    let layer = Dense::new(2).into_layer();
    let data = Tensor::ones([1, 3], DType::F32);
    layer.build(&[*data.spec()]).unwrap();
    let wider = [Tensor::ones([1, 4], DType::F32)];
    let error = layer.call(&Inputs::new(&wider), &mut Context::inference());
    assert_eq!(
        error.expect_err("must fail").to_string(),
        "layer `dense` (Dense): input: the layer was built for (1, 3); got (1, 4)"
    );
}

#[test]
fn configs_that_cornu_cannot_obey_are_refused() {
    let text = |class: &str, config: serde_json::Value| -> String {
        let layer: Result<LayerRef> =
            layer_from_json(&json!({ "class_name": class, "config": config }));
        layer.expect_err("must fail").to_string()
    };
    assert_texts(vec![
        (
            text("Dense", json!({ "activation": "relu" })),
            "config of Dense: the key `units` must be there; got no such key",
        ),
        (
            text("Dense", json!({ "units": "many" })),
            "config of Dense: `units`: it must be a whole number, not negative; got \"many\"",
        ),
        (
            text("Dense", json!({ "units": 2, "lora_rank": 4 })),
            "config of Dense: cornu has no option `lora_rank`, so only the default is accepted; \
             got 4",
        ),
        (
            text("Dense", json!({ "units": 2, "quantization_config": { "mode": "int8" } })),
            "config of Dense: cornu has no option `quantization_config`, so only the default is \
             accepted; got {\"mode\":\"int8\"}",
        ),
        (
            text("Conv2D", json!({ "filters": 2, "kernel_size": [2, 2, 2] })),
            "config of Conv2D: `kernel_size`: it must be a list of 2; got [2,2,2]",
        ),
    ]);
    let unknown = text("Dens", json!({}));
    assert!(unknown.starts_with("unknown layer class `Dens`; did you mean `Dense`?"), "{unknown}");
}

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
fn attention_layers_say_what_they_expect() {
    assert_texts(vec![
        (
            on_all([&[4, 3], &[4, 2]], Attention::new()),
            "layer `attention` (Attention): input: the layer takes query (batch, …, queries, \
             size), value (batch, …, keys, width) and, unless that is also the key, key (batch, \
             …, keys, size), floating-point numbers of one dtype; got (None, 4, 3) and (None, 4, \
             2)",
        ),
        (
            on_all([&[4, 3], &[4, 3]], AdditiveAttention::new().dropout(2.0)),
            "layer `additive_attention` (AdditiveAttention): `dropout`: it must be in [0, 1]; \
             got 2",
        ),
        (
            on_all([&[4, 3], &[4, 3]], MultiHeadAttention::new(0, 2)),
            "layer `multi_head_attention` (MultiHeadAttention): `num_heads`: it must be \
             positive; got 0",
        ),
        (
            on_all([&[4, 3], &[4, 3]], MultiHeadAttention::new(2, 2).sliding_window(0)),
            "layer `multi_head_attention` (MultiHeadAttention): `sliding_window`: it must be \
             positive; got 0",
        ),
        (
            on_all([&[4, 3], &[4, 3]], MultiHeadAttention::new(2, 2).attention_axes(2)),
            "layer `multi_head_attention` (MultiHeadAttention): `attention_axes`: each must be \
             another axis between batch and features; got [2]",
        ),
        (
            on_all([&[4, 3], &[4, 3]], GroupQueryAttention::new(2, 3, 2)),
            "layer `grouped_query_attention` (GroupQueryAttention): `num_key_value_heads`: it \
             must divide the 3 heads of the query; got 2",
        ),
    ]);
    let text = on_all([&[4, 3], &[4, 3]], Attention::new().score_mode("dott"));
    let start = "layer `attention` (Attention): `score_mode`: it must be a known name; got \
                 unknown score_mode `dott`; did you mean `dot`?";
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
