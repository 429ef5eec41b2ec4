//! Models and weights from Keras's files.

use std::path::Path;

use super::archive::{Archive, Slice};
use super::assets;
use super::fill::{fill, fill_optimizer};
use super::hdf5::Tree;
use super::legacy;
use super::metadata::version;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::saving::codec::read_file;
use crate::saving::json::parse;

pub(super) const CONFIG: &str = "config.json";
pub(super) const METADATA: &str = "metadata.json";
const WEIGHTS: &str = "model.weights.h5";

/// Texts may have this many times the file's bytes, and no more than so many in all.
const TEXT_TIMES: u64 = 32;
const TEXT_FREE: u64 = 1 << 20;
const TEXT_MOST: u64 = 64 << 20;

/// How every HDF5 file begins, unless something else comes first.
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";

/// The model of a file: a zip file of Keras 3, or HDF5 as Keras 2 wrote it under any name.
pub(crate) fn load_model(path: &Path, compile: bool) -> Result<Model> {
    let bytes = read_file(path)?;
    let mut by = None;
    let model = read_any(bytes, compile, &mut by);
    model.map_err(in_keras_file(path, by))
}

/// The model in the bytes of a file.
pub(crate) fn model_from_bytes(bytes: Vec<u8>) -> Result<Model> {
    let mut by = None;
    let model = read_any(bytes, true, &mut by);
    model.map_err(|error| match by {
        Some(version) => error.within(format!("from_bytes (Keras {version})")),
        None => error.within("from_bytes"),
    })
}

/// The model in the bytes of a file; `by` becomes the version of Keras that wrote it.
fn read_any(bytes: Vec<u8>, compile: bool, by: &mut Option<String>) -> Result<Model> {
    match bytes.starts_with(HDF5) {
        true => legacy::read_model(&mut Tree::open(bytes)?, compile, by),
        false => read_model(bytes.into(), compile, by),
    }
}

/// The model in the bytes of a `.keras` file; `by` becomes the version of Keras that wrote it.
fn read_model(bytes: Slice, compile: bool, by: &mut Option<String>) -> Result<Model> {
    let size = bytes.as_ref().len() as u64;
    let mut archive = Archive::open(bytes)?;
    let most = text_limit(size);
    if let Some(metadata) = archive.read(METADATA, most)? {
        *by = version(metadata.as_ref())?;
    }
    let config = archive.read(CONFIG, most)?.ok_or_else(|| missing(&archive, CONFIG))?;
    let config = std::str::from_utf8(config.as_ref())
        .map_err(|e| Error::value(CONFIG, "it must be UTF-8", e))?;
    let mut config = parse(CONFIG, config)?;
    assets::fill(&mut archive, &mut config, most)?;
    let mut tree = weights_of(&mut archive, size)?;
    let mut model = Model::from_json_undrawn(&config, compile)?;
    fill(&model, &mut tree)?;
    model.finish_loading();
    if compile {
        model.compile_if_told(&config)?;
        fill_optimizer(&mut model, &mut tree)?;
    }
    Ok(model)
}

/// How many bytes a text may have in a file of this size.
pub(super) fn text_limit(size: u64) -> u64 {
    TEXT_TIMES.saturating_mul(size).saturating_add(TEXT_FREE).min(TEXT_MOST)
}

/// The weights in a `.keras` file.
pub(super) fn weights_of(archive: &mut Archive, size: u64) -> Result<Tree> {
    let most = size.saturating_mul(64).saturating_add(16 << 20);
    match archive.read(WEIGHTS, most)? {
        Some(weights) => Tree::open(weights),
        None => Err(missing(archive, WEIGHTS)),
    }
}

fn missing(archive: &Archive, name: &str) -> Error {
    let mut names = archive.names();
    names.truncate(10);
    let rule = match names.iter().any(|n| n == "model.weights.npz") {
        true => "the weights must be in HDF5; `model.weights.npz` holds pickled Python objects",
        false => "a `.keras` file must have this member",
    };
    Error::value(format!("`{name}`"), rule, format!("`{}`", names.join("`, `")))
}

/// Sets the weights of a model to those in a `.keras`, `.weights.h5` or `.h5` file.
pub(crate) fn load_weights(model: &Model, path: &Path) -> Result<()> {
    read_weights(model, read_file(path)?).map_err(in_keras_file(path, None))
}

fn read_weights(model: &Model, bytes: Vec<u8>) -> Result<()> {
    let mut tree = match bytes.starts_with(HDF5) {
        true => Tree::open(bytes)?,
        false => {
            let size = bytes.len() as u64;
            weights_of(&mut Archive::open(bytes.into())?, size)?
        }
    };
    match legacy::is_legacy(&tree) {
        true => legacy::fill(model, &mut tree),
        false => fill(model, &mut tree),
    }
}

/// An error of a file's content, as one of the file.
fn in_keras_file(path: &Path, by: Option<String>) -> impl FnOnce(Error) -> Error {
    let path = path.to_owned();
    move |error| match by {
        Some(version) => error.within(format!("{} (Keras {version})", path.display())),
        None => error.within(path.display().to_string()),
    }
}
