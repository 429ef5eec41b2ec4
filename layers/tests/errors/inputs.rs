//! Inputs, masks and configs.

use cornu_autodiff::{DType, Tensor};
use cornu_layers::prelude::*;
use cornu_layers::{Context, Inputs, Result, layer_from_json};
use serde_json::json;

use crate::{assert_texts, on_all, on_data};

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
