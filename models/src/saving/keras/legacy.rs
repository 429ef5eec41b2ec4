//! Whole models and weights in HDF5, as Keras 2 wrote them and Keras 3 still does: `.h5`.
//!
//! Weights lie in a group for each layer, under its name, and are matched by their order.

use std::collections::HashSet;

use cornu_autodiff::Tensor;
use cornu_layers::{LayerRef, Parameter};

use serde_json::Value;

use super::fill::{fitting, unmatched};
use super::hdf5::Tree;
use super::older::{modern_compile, modern_model};
use super::optimizer::restore;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::saving::json::parse;
use crate::step::Learned;

const MODEL: &str = "model_weights";
const OPTIMIZER: &str = "optimizer_weights";

/// The model in a file; `by` becomes the version of Keras that wrote it.
pub(super) fn read_model(tree: &mut Tree, compile: bool, by: &mut Option<String>) -> Result<Model> {
    *by = tree.text("", "keras_version")?;
    let Some(config) = tree.text("", "model_config")? else {
        let rule = "a file of a whole model must have the attribute `model_config`";
        let hint = "none; weights alone are read by `load_weights`";
        return Err(Error::value("hdf5", rule, hint));
    };
    let mut config = modern_model(parse("model_config", &config)?);
    let training = tree.text("", "training_config")?.filter(|_| compile);
    if let (Some(training), Value::Object(config)) = (training, &mut config) {
        let training = modern_compile(parse("training_config", &training)?);
        config.insert("compile_config".into(), training);
    }
    let mut model = Model::from_json_undrawn(&config, compile)?;
    fill(&model, tree)?;
    model.finish_loading();
    if compile {
        model.compile_if_told(&config)?;
        fill_optimizer(&mut model, tree)?;
    }
    Ok(model)
}

/// Whether weights lie in the file as Keras 2 laid them.
pub(super) fn is_legacy(tree: &Tree) -> bool {
    let has = |group: &str| matches!(tree.texts(group, "layer_names"), Ok(Some(_)));
    has(MODEL) || has("")
}

/// The layers in a file that have weights: their names, and the paths of their weights.
fn stored_layers(tree: &Tree) -> Result<Vec<(String, Vec<String>)>> {
    let root = if tree.names("", "layer_names")?.is_some() { "" } else { MODEL };
    let below = |path: &str| if root.is_empty() { path.into() } else { format!("{root}/{path}") };
    let Some(names) = tree.names(root, "layer_names")? else {
        let rule = "a file of weights must have the attribute `layer_names`";
        return Err(Error::value("hdf5", rule, "none"));
    };
    let mut stored = Vec::new();
    for name in names {
        let group = below(&name);
        let weights = tree.names(&group, "weight_names")?.unwrap_or_default();
        let paths: Vec<String> = weights.iter().map(|w| format!("{group}/{w}")).collect();
        if !paths.is_empty() {
            stored.push((name, paths));
        }
    }
    Ok(stored)
}

/// Sets every weight to its value in the file, layer by layer.
pub(super) fn fill(model: &Model, tree: &mut Tree) -> Result<()> {
    let stored = stored_layers(tree)?;
    let own: Vec<&LayerRef> = model.layers.iter().filter(|l| !l.weights().is_empty()).collect();
    if own.len() != stored.len() {
        let rule = format!("the model has {} layers with weights", own.len());
        let names: Vec<&str> = stored.iter().map(|(name, _)| name.as_str()).collect();
        return Err(Error::value("weights", rule, format!("`{}`", names.join("`, `"))));
    }
    let mut pairs = Vec::new();
    let mut wrong = Vec::new();
    for (layer, (name, paths)) in own.iter().zip(&stored) {
        let weights = in_order(layer);
        if weights.len() != paths.len() {
            let (count, has) = (paths.len(), weights.len());
            wrong.push(format!("`{name}` with {count} weights for `{}` with {has}", layer.name()));
        }
        for (weight, path) in weights.into_iter().zip(paths) {
            let dims = tree.find(path).and_then(|stored| stored.dims());
            if dims.as_deref() != Some(weight.shape().dims()) {
                let own = weight.shape().dims();
                wrong.push(match dims {
                    Some(got) => {
                        format!("`{path}` of shape {got:?} for `{}` of {own:?}", weight.path())
                    }
                    None => format!("no value for `{}`, at `{path}`", weight.path()),
                });
            }
            pairs.push((weight, path.clone()));
        }
    }
    let named: HashSet<&str> = pairs.iter().map(|(_, path)| path.as_str()).collect();
    for array in tree.arrays() {
        let path = array.path.as_str();
        let other = path.starts_with(&format!("{OPTIMIZER}/"));
        if !other && !named.contains(path) {
            wrong.push(format!("`{path}`, for which there is no variable"));
        }
    }
    if !wrong.is_empty() {
        return Err(unmatched(wrong));
    }
    let mut values = Vec::with_capacity(pairs.len());
    for (weight, path) in &pairs {
        values.push(fitting(tree.read(path)?, weight, path)?);
    }
    for ((weight, _), value) in pairs.iter().zip(values) {
        weight.set(value)?;
    }
    Ok(())
}

/// A layer's weights as Keras 2 ordered them: all that are trained, then all others.
fn in_order(layer: &LayerRef) -> Vec<Parameter> {
    let (trained, others): (Vec<Parameter>, Vec<Parameter>) =
        layer.weights().iter().cloned().partition(Parameter::is_trainable);
    trained.into_iter().chain(others).collect()
}

/// Puts back what the optimizer remembers, if the file has it.
fn fill_optimizer(model: &mut Model, tree: &mut Tree) -> Result<()> {
    if model.compiled.is_none() {
        return Ok(());
    }
    let names = tree.names(OPTIMIZER, "weight_names")?.unwrap_or_default();
    let mut stored = Vec::with_capacity(names.len());
    for name in names {
        let value = tree.read(&format!("{OPTIMIZER}/{name}"))?;
        stored.push((name, value));
    }
    match stored.first() {
        None => Ok(()),
        Some((first, _)) if first.ends_with(":0") => {
            let state = by_slots(model, stored)?;
            restore(model, state)
        }
        Some(_) => restore(model, stored.into_iter().map(|(_, value)| value).collect()),
    }
}

/// Slots of Keras 2 and those of Keras 3 that hold the same.
const SLOTS: &[(&str, &str)] = &[
    ("m", "momentum"),
    ("v", "velocity"),
    ("vhat", "velocity_hat"),
    ("momentum", "momentum"),
    ("velocity", "velocity"),
    ("rms", "velocity"),
    ("mg", "average_gradient"),
    ("average_gradient", "average_gradient"),
    ("accumulator", "accumulator"),
    ("accum_grad", "accumulated_grad"),
    ("accum_var", "accumulated_delta_var"),
    ("linear", "linear"),
];

/// Keras 2's variables of an optimizer, `Adam/dense/kernel/m:0` or `Adam/m/dense/kernel:0`, in
/// the order of Keras 3. Those of one slot are in one order in both.
fn by_slots(model: &Model, stored: Vec<(String, Tensor)>) -> Result<Vec<Tensor>> {
    let Some(compiled) = &model.compiled else { return Ok(Vec::new()) };
    let mut optimizer = compiled.optimizer.clone();
    let learned = model.weights.iter().filter(|w| w.is_trainable()).map(Learned);
    optimizer.build(&learned.collect::<Vec<_>>())?;
    let adamax = optimizer.class_name() == "Adamax";
    let mut left: Vec<(String, Tensor)> = Vec::new();
    for (name, value) in stored {
        let parts: Vec<&str> = name.trim_end_matches(":0").split('/').collect();
        let last = parts[parts.len() - 1];
        let slot = match last {
            "iter" | "iteration" => Some("iteration"),
            "learning_rate" | "_learning_rate" => Some("learning_rate"),
            "v" if adamax => Some("norm"),
            _ => [last, parts.get(1).copied().unwrap_or_default()]
                .iter()
                .find_map(|part| SLOTS.iter().find(|(old, _)| old == part).map(|(_, new)| *new)),
        };
        let Some(slot) = slot else {
            let rule = "each variable of the optimizer must be one that Keras 3 has, too";
            return Err(Error::value("weights", rule, format!("`{name}`")));
        };
        left.push((slot.to_owned(), value));
    }
    left.reverse();
    let mut state = Vec::new();
    for (path, own) in optimizer.state() {
        // The longest name: `…_velocity_hat` ends in no other slot's.
        let fits = |(slot, _): &(String, Tensor)| {
            let before = path.strip_suffix(slot.as_str());
            before.is_some_and(|before| before.ends_with(['_', '/']))
        };
        match left.iter().rposition(fits) {
            Some(at) => state.push(left.remove(at).1),
            // Keras 2 may keep it in the config alone.
            None if path.ends_with("/learning_rate") => state.push(own),
            None => {
                let rule = format!("the optimizer must have a value for `{path}`");
                return Err(Error::value("weights", rule, "none"));
            }
        }
    }
    match left.first() {
        None => Ok(state),
        Some((slot, _)) => {
            let rule = "each of the optimizer's variables must belong to a weight that is trained";
            Err(Error::value("weights", rule, format!("{} more, of `{slot}`", left.len())))
        }
    }
}
