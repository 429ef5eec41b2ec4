//! Models from files.

use std::fs;
use std::path::Path;

use cornu_models::Model;

use crate::Failure;

/// A model's structure alone.
pub(crate) fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "json")
}

/// The model of a file; from JSON with new weights.
pub(crate) fn load(path: &Path) -> Result<Model, Failure> {
    if !is_json(path) {
        return Ok(Model::load(path)?);
    }
    let text = fs::read_to_string(path)
        .map_err(|e| format!("{}: the file can't be read; got {e}", path.display()))?;
    Ok(Model::from_json(&text).map_err(|e| format!("{}: {e}", path.display()))?)
}

/// The names of a model's inputs.
pub(crate) fn input_names(model: &Model) -> Result<Vec<String>, Failure> {
    Ok(model.inputs()?.iter().map(|x| x.node().layer.name()).collect())
}

/// The names of a model's outputs.
pub(crate) fn output_names(model: &Model) -> Result<Vec<String>, Failure> {
    Ok(model.outputs()?.iter().map(|y| y.node().layer.name()).collect())
}
