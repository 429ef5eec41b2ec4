//! Where every layer's variables lie in files.

use std::path::Path;

use cornu_layers::{Input, Symbol, call, layer_from_json};
use cornu_models::Model;
use cornu_models::saving::inspect;
use serde_json::{Value, json};

use crate::golden::cases;
use crate::{file, temporary};

fn sizes(list: &Value) -> Vec<usize> {
    list.as_array().unwrap().iter().map(|d| d.as_u64().unwrap() as usize).collect()
}

#[test]
fn the_variables_of_every_layer_lie_where_keras_keeps_them() {
    let path = temporary("places.weights.h5");
    for case in cases("paths") {
        let name = case["name"].as_str().unwrap();
        let layer = json!({ "class_name": case["class_name"], "config": case["config"] });
        let layer = layer_from_json(&layer).unwrap_or_else(|e| panic!("{name}: {e}"));
        let inputs: Vec<Symbol> = case["inputs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|input| {
                let dtype = input["dtype"].as_str().unwrap().parse().unwrap();
                Input::new(sizes(&input["shape"])).dtype(dtype).symbol()
            })
            .collect();
        let outputs = call(&layer, &inputs).unwrap_or_else(|e| panic!("{name}: {e}"));
        let model = Model::new(inputs, outputs).unwrap();
        model.save_weights(&path).unwrap();
        let ours: Vec<(String, Vec<u64>)> =
            inspect(&path).unwrap().arrays.into_iter().map(|a| (a.name, a.shape)).collect();
        let theirs: Vec<(String, Vec<u64>)> = case["paths"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| {
                let shape = sizes(&entry["shape"]).into_iter().map(|d| d as u64).collect();
                (entry["path"].as_str().unwrap().to_owned(), shape)
            })
            .collect();
        assert_eq!(ours, theirs, "{name}");
    }
    std::fs::remove_file(path).unwrap();
}

/// Where the arrays of a file lie, and their shapes; without seeds, which cornu keeps elsewhere.
fn arrays(path: &Path) -> Vec<(String, Vec<u64>)> {
    let is_kept = |name: &str| !name.contains("seed_generator");
    let arrays = inspect(path).unwrap().arrays.into_iter().filter(|a| is_kept(&a.name));
    let mut arrays: Vec<(String, Vec<u64>)> = arrays.map(|a| (a.name, a.shape)).collect();
    arrays.sort();
    arrays
}

#[test]
fn files_hold_the_variables_that_keras_writes_also_of_optimizers_made_of_others() {
    let path = temporary("again.keras");
    for case in cases("files") {
        let theirs = file(&format!("{}.keras", case["name"].as_str().unwrap()));
        Model::load(&theirs).unwrap().save(&path).unwrap();
        assert_eq!(arrays(&path), arrays(&theirs), "{}", case["name"]);
    }
    std::fs::remove_file(path).unwrap();
}
