//! Models in files: Keras's JSON, weights, and checkpoints.

#[path = "../../../layers/tests/support/mod.rs"]
mod support;

mod checkpoints;
mod faults;
mod files;
mod json;
mod masks;
mod weights;

use std::path::PathBuf;

use cornu_autodiff::Tensor;
use cornu_layers::prelude::*;
use cornu_models::{Model, Sequential};
use serde_json::Value;
use support::{cases, name};

/// The models that Keras made.
pub(crate) fn models() -> Vec<Value> {
    [cases("models"), cases("graphs")].concat()
}

/// The model whose masks Keras's JSON tells as operations: they are worked out anew, so they are
/// not among the layers and not written.
pub(crate) const MASKED: &str = "masked";

pub(crate) fn case(wanted: &str) -> Value {
    models().into_iter().find(|case| name(case) == wanted).unwrap()
}

pub(crate) fn read(json: &Value) -> Result<Model, String> {
    Model::from_json(&json.to_string()).map_err(|e| e.to_string())
}

/// A path of this test's own, and nothing there.
pub(crate) fn temporary(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("cornu-saving-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    let _ = std::fs::remove_file(&path);
    path
}

pub(crate) fn bits(x: &Tensor) -> Vec<u64> {
    x.to_f64_vec().unwrap().into_iter().map(f64::to_bits).collect()
}

pub(crate) fn two_layers() -> Sequential {
    let mut model = Sequential::new();
    model.add(Dense::new(3).input_dim(2)).unwrap();
    model.add(Dense::new(1)).unwrap();
    model
}
