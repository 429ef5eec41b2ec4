//! Models that Keras trained for an epoch: what they predict, and how they train on.

use cornu_models::callbacks::Verbose;
use cornu_models::{Fit, Model};
use serde_json::Value;

use crate::golden::{assert_near, assert_values, cases};
use crate::{bits, file, temporary, tensors};

pub(crate) fn predict(model: &Model, case: &Value, place: &str) {
    let ours = model.call(&tensors(&case["x"])).unwrap_or_else(|e| panic!("{place}: {e}"));
    for (i, (y, theirs)) in ours.iter().zip(case["predict"].as_array().unwrap()).enumerate() {
        assert_near(&format!("{place}: output {i}"), y, theirs, 1e-5, 1e-5);
    }
}

#[test]
fn models_that_keras_saved_predict_what_they_did_there() {
    for case in cases("files") {
        let name = case["name"].as_str().unwrap();
        let path = file(&format!("{name}.keras"));
        let model = Model::load(path).unwrap_or_else(|e| panic!("{name}: {e}"));
        predict(&model, &case, name);
    }
}

#[test]
fn models_that_keras_saved_train_on_as_they_do_there() {
    for case in cases("files") {
        let name = case["name"].as_str().unwrap();
        let mut model = Model::load(file(&format!("{name}.keras"))).unwrap();
        train(&mut model, &case, name);
    }
}

pub(crate) fn train(model: &mut Model, case: &Value, name: &str) {
    let fit = Fit::new().epochs(2).batch_size(4).shuffle(false).verbose(Verbose::Silent);
    let history = model
        .fit(tensors(&case["x"]), tensors(&case["y"]), fit)
        .unwrap_or_else(|e| panic!("{name}: {e}"));
    let theirs = case["history"].as_array().unwrap();
    for entry in theirs {
        let key = entry["key"].as_str().unwrap();
        let values: Vec<f64> =
            entry["values"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        let ours = history.get(key).unwrap_or_else(|| panic!("{name}: no `{key}`"));
        assert_values(&format!("{name}: {key}"), ours, &values, 1e-3, 1e-3);
    }
    // Keras 3.0 doesn't log each output's own loss.
    let logs_all = case["version"] != "3.0.5" || model.outputs().unwrap().len() == 1;
    assert!(!logs_all || history.series().count() == theirs.len(), "{name}");
    let after = case["weights_after"].as_array().unwrap();
    assert_eq!(model.weights().len(), after.len(), "{name}");
    for (weight, theirs) in model.weights().iter().zip(after) {
        let place = format!("{name}: {}", weight.path());
        // A model that Keras has loaded names its weights without the model; those of older
        // versions have no names.
        if let Some(path) = theirs["path"].as_str() {
            assert!(weight.path().ends_with(path), "{name}: {path}");
        }
        let array = theirs.get("array").unwrap_or(theirs);
        assert_near(&place, &weight.value(), array, 1e-3, 1e-3);
    }
}

#[test]
fn models_written_here_come_back_bit_for_bit_and_train_on_the_same() {
    for case in cases("files") {
        let name = case["name"].as_str().unwrap();
        let path = temporary(&format!("again-{name}.keras"));
        let mut first = Model::load(file(&format!("{name}.keras"))).unwrap();
        first.save(&path).unwrap();
        let mut second = Model::load(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(bits(&first), bits(&second), "{name}");
        train(&mut first, &case, name);
        train(&mut second, &case, name);
        assert_eq!(bits(&first), bits(&second), "{name}");
        first.save(&path).unwrap();
        let third = Model::load(&path).unwrap();
        assert_eq!(bits(&first), bits(&third), "{name}");
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn weights_alone_come_from_and_go_to_files_of_keras() {
    for case in cases("files") {
        let name = case["name"].as_str().unwrap();
        let whole = file(&format!("{name}.keras"));
        let model = Model::load(&whole).unwrap();
        let fresh = Model::from_json(&model.to_json().unwrap()).unwrap();
        assert_ne!(bits(&model), bits(&fresh), "{name}");
        let theirs = file(&format!("{name}.weights.h5"));
        fresh.load_weights(if theirs.exists() { &theirs } else { &whole }).unwrap();
        assert_eq!(bits(&model), bits(&fresh), "{name}");
        let path = temporary(&format!("{name}.weights.h5"));
        fresh.save_weights(&path).unwrap();
        let again = Model::from_json(&model.to_json().unwrap()).unwrap();
        again.load_weights(&path).unwrap();
        assert_eq!(bits(&model), bits(&again), "{name}");
        std::fs::remove_file(path).unwrap();
    }
}
