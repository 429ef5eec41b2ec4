//! Models from files.

use std::fs;
use std::path::Path;

use cornu_models::Model;
use serde_json::Value;

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

/// The names of a model's outputs, and whether each has a loss, and so targets.
pub(crate) fn outputs(model: &Model) -> Result<Vec<(String, bool)>, Failure> {
    let json: Value = serde_json::from_str(&model.to_json()?)?;
    let losses = &json["compile_config"]["loss"];
    let outputs = model.outputs()?;
    let has_loss = |at: usize| outputs.len() == 1 || !losses[at].is_null();
    Ok(outputs.iter().enumerate().map(|(at, y)| (y.node().layer.name(), has_loss(at))).collect())
}
