//! What lies in files of Keras and NumPy.

use std::path::Path;

use super::archive::Archive;
use super::hdf5::Tree;
use super::load::{CONFIG, METADATA, text_limit, weights_of};
use super::metadata::version;
use super::npy::{parse_npy, parse_npz};
use crate::error::Result;
use crate::saving::codec::in_file;
use crate::saving::inspect::facts;
use crate::saving::json::parse;
use crate::saving::{Array, Inspection};

/// What lies in a file of Keras or NumPy, by how its bytes begin.
pub(crate) fn look(path: &Path, bytes: Vec<u8>) -> Result<Inspection> {
    let found = match bytes.first() {
        Some(b'P') => zipped(bytes),
        Some(0x89) => Tree::open(bytes).and_then(|tree| hdf5(&tree)),
        _ => {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            parse_npy("npy", &bytes).map(|array| Inspection::of("NumPy array", &[(name, array)]))
        }
    };
    found.map_err(in_file(path))
}

fn zipped(bytes: Vec<u8>) -> Result<Inspection> {
    let size = bytes.len() as u64;
    let mut archive = Archive::open(bytes.clone().into())?;
    if !archive.names().iter().any(|name| name == CONFIG) {
        return Ok(Inspection::of("NumPy arrays", &parse_npz(bytes)?));
    }
    let mut found = hdf5(&weights_of(&mut archive, size)?)?;
    found.format = "model of Keras 3".into();
    let most = text_limit(size);
    if let Some(text) = archive.read(METADATA, most)?
        && let Some(version) = version(text.as_ref())?
    {
        found.facts.push(("Keras".into(), version));
    }
    if let Some(text) = archive.read(CONFIG, most)?
        && let Ok(config) = parse(CONFIG, &String::from_utf8_lossy(text.as_ref()))
    {
        found.facts.extend(facts(&config));
    }
    let others = [METADATA, CONFIG, "model.weights.h5"];
    for name in archive.names().into_iter().filter(|name| !others.contains(&name.as_str())) {
        found.facts.push(("member".into(), name));
    }
    Ok(found)
}

fn hdf5(tree: &Tree) -> Result<Inspection> {
    let arrays = tree.arrays().iter().map(|stored| Array {
        name: stored.path.clone(),
        dtype: stored.dtype().to_owned(),
        shape: stored.shape().to_vec(),
        bytes: stored.bytes(),
    });
    let mut found = Inspection {
        format: "weights in HDF5".into(),
        facts: Vec::new(),
        arrays: arrays.collect(),
    };
    if let Some(version) = tree.text("", "keras_version")? {
        found.facts.push(("Keras".into(), version));
    }
    if let Some(text) = tree.text("", "model_config")? {
        found.format = "model of Keras in HDF5".into();
        found.facts.extend(parse("model_config", &text).map_or_else(|_| Vec::new(), |c| facts(&c)));
    }
    Ok(found)
}
