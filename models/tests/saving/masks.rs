//! Masks of layers that are given states, which Keras forgets unless it is told.

use cornu_autodiff::{DType, Tensor};
use cornu_layers::prelude::*;
use cornu_models::Model;
use serde_json::{Value, json};

use crate::{bits, read};

/// Tokens with a mask, and a state.
fn tokens_and_state() -> (Symbol, Symbol, Symbol) {
    let tokens = Input::new([4]).dtype(DType::I32).name("tokens").symbol();
    let state = Input::new([3]).name("not_equal").symbol();
    let x = Embedding::new(5, 3).mask_zero(true).apply(&tokens).unwrap();
    (tokens, state, x)
}

fn written(model: &Model) -> Value {
    serde_json::from_str(&model.to_json().unwrap()).unwrap()
}

fn layer<'v>(json: &'v Value, name: &str) -> &'v Value {
    let layers = json["config"]["layers"].as_array().unwrap();
    layers.iter().find(|layer| layer["name"] == name).unwrap()
}

#[test]
fn a_mask_beside_states_is_written_as_keras_is_told_of_it_and_read_again() {
    let (tokens, state, x) = tokens_and_state();
    let x = Dropout::new(0.1).apply(&x).unwrap();
    let inner = Input::new([4, 3]).symbol();
    let inner = Model::new(&inner, Dense::new(3).apply(&inner).unwrap()).unwrap();
    let x = SpectralNormalization::new(Dense::new(3)).apply(inner.apply(&x).unwrap()).unwrap();
    let y = GRU::new(3).return_sequences(true).apply([&x, &state]).unwrap();
    let z = SimpleRNN::new(3).apply([&Masking::new().mask_value(0.5).apply(&y).unwrap(), &state]);
    let z = Add::new().apply([&z.unwrap(), &SimpleRNN::new(3).apply([&y, &state]).unwrap()]);
    let model = Model::new([&tokens, &state], z.unwrap()).unwrap();
    let json = written(&model);
    // The name `not_equal` is that of an input.
    let mask = &layer(&json, "gru")["inbound_nodes"][0]["kwargs"]["mask"]["config"];
    assert_eq!(
        *mask,
        json!({"shape": [null, 4], "dtype": "bool", "keras_history": ["not_equal_1", 0, 0]})
    );
    let operation = layer(&json, "not_equal_1");
    assert_eq!(operation["module"], "keras.src.ops.numpy");
    assert_eq!(operation["inbound_nodes"][0]["args"][0]["config"]["keras_history"][0], "tokens");
    assert_eq!(operation["inbound_nodes"][0]["args"][1], 0);
    let again = read(&json).unwrap();
    assert_eq!(written(&again), json);
    again.set_weights(&model.get_weights()).unwrap();
    let data = [Tensor::from([[1, 2, 0, 0], [3, 4, 1, 0]]), Tensor::from([[0.5f32, 1.0, -1.0]; 2])];
    let (first, second) = (model.call(&data).unwrap(), again.call(&data).unwrap());
    assert_eq!(bits(&first[0]), bits(&second[0]));
}

#[test]
fn a_mask_beside_states_that_keras_cannot_be_told_of_is_an_error_that_names_the_layers() {
    let (tokens, state, x) = tokens_and_state();
    let other = Input::new([4, 3]).symbol();
    let sum = Add::new().name("sum").apply([&x, &Masking::new().apply(&other).unwrap()]).unwrap();
    let y = LSTM::new(3).apply([&sum, &state, &state]).unwrap();
    let model = Model::new([&tokens, &state, &other], &y).unwrap();
    let said = "to_json: a layer that is given states can be written with a mask of one `Embedding` \
                or `Masking` layer of the same model, which others pass on; got layer `lstm`, whose \
                mask comes from layer `sum`";
    assert_eq!(model.to_json().unwrap_err().to_string(), said);
    // Also one within another.
    let inputs = [
        Input::new([4]).dtype(DType::I32).symbol(),
        Input::new([3]).symbol(),
        Input::new([4, 3]).symbol(),
    ];
    let outer = Model::new(inputs.clone(), model.apply(inputs.each_ref()).unwrap()).unwrap();
    assert_eq!(outer.to_json().unwrap_err().to_string(), said);
}
