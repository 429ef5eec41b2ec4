//! Weights for a model that exists, and what lies in a file.
#![no_main]

use std::sync::LazyLock;

use cornu_layers::prelude::*;
use cornu_models::saving::inspect;
use cornu_models::{Model, Sequential};
use tempfile::TempDir;

static MODEL: LazyLock<Sequential> = LazyLock::new(|| {
    let dense = Dense::new(2).input_dim(3);
    Sequential::new().with(dense).expect("a layer that fits")
});
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a folder"));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let model: &Model = &MODEL;
    let path = FOLDER.path().join("x.weights.h5");
    std::fs::write(&path, bytes).expect("room on the disk");
    let _ = model.load_weights(&path);
    let _ = inspect(&path);
});
