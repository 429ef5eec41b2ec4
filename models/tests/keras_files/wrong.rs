//! Files that don't fit, and what the errors say.

use cornu_layers::prelude::*;
use cornu_models::{Model, Sequential};

use crate::{bits, file, temporary};

#[test]
fn a_variable_without_value_and_a_value_without_variable_are_errors_that_name_both() {
    let mut other = Sequential::new();
    other.add(Dense::new(4).input_dim(5)).unwrap();
    other.add(LayerNormalization::new()).unwrap();
    other.add(Dense::new(2)).unwrap();
    let before = bits(&other);
    let error = other.load_weights(file("sequential.keras")).unwrap_err().to_string();
    for said in [
        "no value for `sequential/layer_normalization/gamma`, at \
         `layers/layer_normalization/vars/0`",
        "`layers/dense_1/vars/0` of shape [4, 3] for `sequential/dense_1/kernel` of shape [4, 2]",
        "sequential.keras",
    ] {
        assert!(error.contains(said), "{error}");
    }
    assert_eq!(bits(&other), before);
    let short = Sequential::new().with(Dense::new(4).input_dim(5)).unwrap();
    let error = short.load_weights(file("sequential.weights.h5")).unwrap_err().to_string();
    let said = "`layers/dense_1/vars/1` of shape [3], for which there is no variable";
    assert!(error.contains(said), "{error}");
}

#[test]
fn a_name_that_no_format_has_is_an_error_that_lists_those_that_there_are() {
    let model = Sequential::new().with(Dense::new(1).input_dim(1)).unwrap();
    let error = Model::load("m.bin").unwrap_err().to_string();
    assert_eq!(error, "load: the file's name must end in `.keras`, `.h5` or `.hdf5`; got `m.bin`");
    let error = model.save_weights("m.bin").unwrap_err().to_string();
    let said = "save_weights: the file's name must end in `.weights`, `.weights.h5`, \
                `.safetensors` or `.npz`; got `m.bin`";
    assert_eq!(error, said);
    let error = Model::load(temporary("missing.keras")).unwrap_err().to_string();
    assert!(error.contains("the file can't be read"), "{error}");
}

#[test]
fn a_chain_is_loaded_as_one_and_a_graph_is_not() {
    let mut chain = Sequential::load(file("sequential.keras")).unwrap();
    chain.add(Dense::new(2)).unwrap();
    assert_eq!(chain.layers().len(), 4);
    let error = Sequential::load(file("attention.keras")).unwrap_err().to_string();
    assert!(error.starts_with("sequential: the model must be a chain; got the graph"), "{error}");
}
