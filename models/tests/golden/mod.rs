//! Numbers made by Keras, and comparisons that a NaN cannot pass.
#![allow(dead_code)]

#[path = "../../../layers/tests/support/mod.rs"]
mod support;

use cornu_autodiff::Tensor;
use serde_json::{Map, Value, json};

pub(crate) use support::*;

/// An array, or none.
pub(crate) fn optional(array: &Value) -> Option<Tensor> {
    if array.is_null() { None } else { Some(tensor(array)) }
}

/// `|ours - theirs| <= absolute + relative · |theirs|` for each element, and equal shapes.
#[track_caller]
pub(crate) fn assert_near(
    place: &str,
    ours: &Tensor,
    theirs: &Value,
    absolute: f64,
    relative: f64,
) {
    let theirs = tensor(theirs);
    assert_eq!(ours.dims(), theirs.dims(), "{place}: shapes");
    assert_values(
        place,
        &ours.to_f64_vec().unwrap(),
        &theirs.to_f64_vec().unwrap(),
        absolute,
        relative,
    );
}

/// As [`assert_near`], of plain numbers.
#[track_caller]
pub(crate) fn assert_values(
    place: &str,
    ours: &[f64],
    theirs: &[f64],
    absolute: f64,
    relative: f64,
) {
    assert_eq!(ours.len(), theirs.len(), "{place}: number of values");
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!((a - b).abs() <= absolute + relative * b.abs(), "{place}[{i}]: {a} against {b}");
    }
}

/// An object as Keras writes it, for the readers.
pub(crate) fn object(class: &str, config: &Value) -> Value {
    json!({ "module": "keras", "class_name": class, "config": config, "registered_name": null })
}

/// The entries of an object.
pub(crate) fn entries(value: &Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}
