//! Files of weights.

use cornu_layers::prelude::*;
use cornu_models::{Model, Sequential};

use crate::support::{name, tensors};
use crate::{bits, models, read, temporary, two_layers};

#[test]
fn json_and_weights_together_give_the_same_model_bit_for_bit() {
    for case in models() {
        let first = read(&case["json"]).unwrap();
        if case["inputs"].is_null() {
            continue;
        }
        let path = temporary("whole.weights");
        first.save_weights(&path).unwrap();
        let second = Model::from_json(&first.to_json().unwrap()).unwrap();
        second.load_weights(&path).unwrap();
        let inputs = tensors(&case["inputs"]);
        let (a, b) = (first.call(&inputs).unwrap(), second.call(&inputs).unwrap());
        for (a, b) in a.iter().zip(&b) {
            assert_eq!(bits(a), bits(b), "{}", name(&case));
        }
    }
}

#[test]
fn weights_that_are_not_those_of_the_model_are_an_error_that_names_them() {
    let path = temporary("other.weights");
    let mut other = Sequential::new();
    other.add(Dense::new(4).input_dim(2)).unwrap();
    other.add(Dense::new(1).name("last")).unwrap();
    other.save_weights(&path).unwrap();
    let model = two_layers();
    let before: Vec<_> = model.get_weights().iter().flat_map(bits).collect();
    let error = model.load_weights(&path).unwrap_err().to_string();
    for part in [
        "other.weights: the weights must be those of the model; got",
        "`dense/kernel` as float32 (2, 4), which is float32 (2, 3) in the model",
        "no `dense_1/kernel`, which the model has",
        "`last/bias`, which the model does not have",
    ] {
        assert!(error.contains(part), "{part} in {error}");
    }
    let after: Vec<_> = model.get_weights().iter().flat_map(bits).collect();
    assert_eq!(before, after);
}

#[test]
fn weights_do_not_depend_on_the_name_of_the_model() {
    let path = temporary("named.weights");
    let model = two_layers();
    model.save_weights(&path).unwrap();
    let mut named = Sequential::new().with_name("another");
    named.add(Dense::new(3).input_dim(2)).unwrap();
    named.add(Dense::new(1)).unwrap();
    named.load_weights(&path).unwrap();
    let part = model.submodel("dense").unwrap();
    part.save_weights(&path).unwrap();
    Model::from_json(&part.to_json().unwrap()).unwrap().load_weights(&path).unwrap();
}

#[test]
fn weights_need_a_name_and_a_model_that_have_them() {
    let model = two_layers();
    let error = model.save_weights("x.weights.xyz").unwrap_err().to_string();
    let said = "save_weights: the file's name must end in `.weights`, `.weights.h5`, \
                `.safetensors` or `.npz`; got `x.weights.xyz`";
    assert_eq!(error, said);
    let mut unbuilt = Sequential::new();
    unbuilt.add(Dense::new(1)).unwrap();
    let error = unbuilt.save_weights("x.weights").unwrap_err().to_string();
    assert!(
        error.starts_with("save_weights: the shape of the input must be known first"),
        "{error}"
    );
}
