//! Numbers made by Keras, and comparisons that a NaN cannot pass.
#![allow(dead_code)]

use cornu_autodiff::{DType, Tensor};
use serde_json::{Map, Value, json};

/// The cases of a golden file.
pub(crate) fn cases(file: &str) -> Vec<Value> {
    let path = format!("{}/../tests/keras/goldens/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let file: Value = serde_json::from_str(&text).expect("a golden file is JSON");
    let cases = file["cases"].as_array().expect("a golden file has cases").clone();
    assert!(!cases.is_empty(), "{path} has no case");
    cases
}

/// An array as goldens write it.
pub(crate) fn tensor(array: &Value) -> Tensor {
    let shape: Vec<usize> = array["shape"]
        .as_array()
        .expect("shape")
        .iter()
        .map(|d| d.as_u64().unwrap() as usize)
        .collect();
    let values: Vec<f64> = array["values"]
        .as_array()
        .expect("values")
        .iter()
        .map(|v| v.as_f64().unwrap_or_else(|| f64::from(u8::from(v.as_bool().unwrap()))))
        .collect();
    let dtype: DType = array["dtype"].as_str().expect("dtype").parse().expect("a dtype");
    Tensor::new(values, shape).expect("as many values as the shape has").cast(dtype)
}

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

/// Whether two configs say the same: `0` and `0.0` do.
pub(crate) fn same_json(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_json(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((k, a), (l, b))| k == l && same_json(a, b))
        }
        _ => a == b,
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
