//! A model's weights and its optimizer's state from the arrays of a file.

use std::collections::HashSet;

use cornu_autodiff::Tensor;
use cornu_layers::Parameter;

use super::hdf5::Tree;
use super::optimizer::restore;
use super::paths::{Places, is_passing};
use crate::error::{Error, Result};
use crate::model::Model;

/// Where the optimizer's state lies.
const OPTIMIZER: &str = "optimizer/vars";

/// How many faults an error lists.
const LISTED: usize = 20;

/// Sets every weight to its value in the file. Each variable must have a value and each value
/// a variable; otherwise nothing is changed.
pub(super) fn fill(model: &Model, tree: &mut Tree) -> Result<()> {
    let places = Places::of(model);
    let mut wrong = Vec::new();
    for place in &places.variables {
        let (path, name) = (&place.path, place.weight.path());
        match tree.find(path) {
            None => wrong.push(format!("no value for `{name}`, at `{path}`")),
            Some(stored) if stored.dims().as_deref() != Some(place.weight.shape().dims()) => {
                let (got, own) = (stored.shape(), place.weight.shape().dims());
                wrong.push(format!("`{path}` of shape {got:?} for `{name}` of shape {own:?}"));
            }
            Some(_) => {}
        }
    }
    let known: HashSet<&str> = places.variables.iter().map(|place| place.path.as_str()).collect();
    for stored in tree.arrays() {
        let path = stored.path.as_str();
        let other = path.starts_with("optimizer/") || is_passing(path);
        if !other && !known.contains(path) {
            let shape = stored.shape();
            wrong.push(format!("`{path}` of shape {shape:?}, for which there is no variable"));
        }
    }
    if !wrong.is_empty() {
        return Err(unmatched(wrong));
    }
    let mut values = Vec::with_capacity(places.variables.len());
    for place in &places.variables {
        values.push(fitting(tree.read(&place.path)?, &place.weight, &place.path)?);
    }
    for (place, value) in places.variables.iter().zip(values) {
        place.weight.set(value)?;
    }
    Ok(())
}

/// The error of variables without values and values without variables.
pub(super) fn unmatched(mut wrong: Vec<String>) -> Error {
    if wrong.len() > LISTED {
        let more = wrong.len() - LISTED;
        wrong.truncate(LISTED);
        wrong.push(format!("and {more} more"));
    }
    let rule =
        "each variable of the model must have a value in the file, and each value a variable";
    Error::value("weights", rule, wrong.join("; "))
}

/// A value in the dtype of its weight.
pub(super) fn fitting(value: Tensor, weight: &Parameter, path: &str) -> Result<Tensor> {
    let wanted = weight.spec().dtype;
    let place = || format!("`{path}`, the value of `{}`", weight.path());
    if value.dtype().is_float() && !wanted.is_float() {
        return Err(Error::value(place(), format!("it must be {wanted}"), value.dtype()));
    }
    if !value.is_finite() {
        let rule = "every element must be finite";
        return Err(Error::value(place(), rule, "NaN or an infinity"));
    }
    Ok(if value.dtype() == wanted { value } else { value.cast(wanted) })
}

/// Puts back what the optimizer of a compiled model remembers, if the file has it.
pub(super) fn fill_optimizer(model: &mut Model, tree: &mut Tree) -> Result<()> {
    let count = tree.arrays().iter().filter(|a| a.path.starts_with(OPTIMIZER)).count();
    if count == 0 || model.compiled.is_none() {
        return Ok(());
    }
    let mut state = Vec::with_capacity(count);
    for at in 0..count {
        let path = format!("{OPTIMIZER}/{at}");
        if tree.find(&path).is_none() {
            let rule = format!("the optimizer's {count} variables must be numbered from 0");
            return Err(Error::value("weights", rule, format!("none at `{path}`")));
        }
        state.push(tree.read(&path)?);
    }
    restore(model, state)
}
