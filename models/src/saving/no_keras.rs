//! What stands for Keras's own files where cornu is built without them.

use std::path::Path;

use crate::error::{Error, Result};
use crate::model::Model;
use crate::saving::Inspection;

fn absent<T>(path: &Path) -> Result<T> {
    let rule = "files of Keras need cornu's feature `keras-files`: \
                `cargo add cornu --features keras-files`";
    Err(Error::file(path, rule, "a program built without it"))
}

pub(super) fn load_model(path: &Path, _: bool) -> Result<Model> {
    absent(path)
}

pub(super) fn model_from_bytes(_: Vec<u8>) -> Result<Model> {
    absent(Path::new("from_bytes"))
}

pub(super) fn save_model(_: &Model, path: &Path) -> Result<()> {
    absent(path)
}

pub(super) fn load_weights(_: &Model, path: &Path) -> Result<()> {
    absent(path)
}

pub(super) fn save_weights(_: &Model, path: &Path) -> Result<()> {
    absent(path)
}

pub(super) fn look(path: &Path, _: Vec<u8>) -> Result<Inspection> {
    absent(path)
}
