//! What wrong arguments and inputs are told, word for word.

mod attention;
mod inputs;
mod sequences;
mod windows;

use cornu_autodiff::{DType, Generator, Shape, Tensor};
use cornu_layers::prelude::*;
use cornu_layers::{Context, Initializer, Inputs, Pipeline, Stft};

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
#[allow(clippy::too_many_lines)] // a table
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
fn a_pipeline_without_layers_and_waves_of_another_shape_are_refused() {
    let waves = Initializer::Stft(Stft::default());
    let matrix = waves.sample(&Shape::new(&[8, 5]).unwrap(), DType::F32, &Generator::new(1));
    assert_texts(vec![
        (
            on(&known(&[3]), Pipeline::new(Vec::new())),
            "layer `pipeline` (Pipeline): `layers`: there must be one or more; got none",
        ),
        (
            matrix.expect_err("must fail").to_string(),
            "initializer `STFT`: the weight must have the shape (frame, 1, frequencies); got (8, 5)",
        ),
    ]);
}
