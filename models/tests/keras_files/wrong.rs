//! Files that don't fit, and what the errors say.

use cornu_layers::prelude::*;
use cornu_models::{Model, Sequential};
use serde_json::json;

use crate::{bits, changed, file, temporary};

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

#[test]
fn an_unknown_option_is_ignored_where_it_asks_for_nothing_and_refused_elsewhere() {
    for (value, accepted) in [
        (json!(null), true),
        (json!(false), true),
        (json!([]), true),
        (json!({}), true),
        (json!(true), false),
        (json!(4), false),
        (json!("fast"), false),
    ] {
        let bytes = changed("sequential.keras", |config| {
            config["config"]["layers"][1]["config"]["novelty"] = value.clone();
        });
        let said = format!(
            "from_bytes (Keras 3.15.1): layer `dense` (Dense): config of Dense: cornu has no \
             option `novelty`, so only the default is accepted; got {value}"
        );
        match Model::from_bytes(bytes) {
            Ok(_) => assert!(accepted, "{value}"),
            Err(error) => assert_eq!((error.to_string(), accepted), (said, false)),
        }
    }
}

#[test]
fn one_error_lists_all_of_what_a_file_is_compiled_for_that_is_unknown() {
    let bytes = changed("sequential.keras", |config| {
        let compiled = &mut config["compile_config"];
        compiled["loss"] = json!("mean_sqared_error");
        compiled["optimizer"]["class_name"] = json!("Adaam");
        compiled["metrics"] =
            json!(["accuracy", "recal", {"class_name": "Presision", "config": {}}]);
        compiled["weighted_metrics"] = json!(["maee"]);
    });
    let error = Model::from_bytes(bytes.clone()).unwrap_err().to_string();
    assert!(
        error.starts_with(
            "from_bytes (Keras 3.15.1): from_json: everything in it must be known; got 5 faults:"
        ),
        "{error}"
    );
    for said in [
        "unknown optimizer `Adaam`; did you mean `Adam`?",
        "unknown loss `mean_sqared_error`; did you mean `mean_squared_error`?",
        "unknown metric `recal`",
        "unknown metric `Presision`; did you mean `precision`?",
        "unknown metric `maee`",
    ] {
        assert!(error.contains(said), "{said}: {error}");
    }
    // To predict, nothing of it need be known.
    let path = temporary("unknown.keras");
    std::fs::write(&path, bytes).unwrap();
    assert!(Model::load_uncompiled(&path).is_ok());
    std::fs::remove_file(path).unwrap();
}
