//! Files that real Keras wrote, and files for it.

#[path = "../golden/mod.rs"]
mod golden;

mod older;
mod opened;
mod places;
mod training;
mod wrong;

use std::path::PathBuf;

use cornu_autodiff::Tensor;
use cornu_models::Model;
use serde_json::Value;

use golden::tensor;

/// A file that Keras wrote.
fn file(name: &str) -> PathBuf {
    PathBuf::from(format!("{}/../tests/keras/files/{name}", env!("CARGO_MANIFEST_DIR")))
}

/// A path for a file of one test's own.
fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("cornu-files-{}-{name}", std::process::id()))
}

/// Arrays of a case, in order.
fn tensors(list: &Value) -> Vec<Tensor> {
    list.as_array().expect("a list of arrays").iter().map(tensor).collect()
}

/// The bits of all weights.
fn bits(model: &Model) -> Vec<Vec<u64>> {
    let bits = |w: &Tensor| w.to_f64_vec().unwrap().iter().map(|v| v.to_bits()).collect();
    model.get_weights().iter().map(bits).collect()
}
