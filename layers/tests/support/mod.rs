//! Reading what real Keras computed.
#![allow(dead_code)]

use cornu_autodiff::{DType, Tensor};
use serde_json::Value;

/// Files of goldens with layers, a family each.
const FILES: &[&str] = &[
    "layers",
    "convolutional",
    "reshaping",
    "rnn",
    "attention",
    "core",
    "preprocessing",
    "further",
    "masks",
];

/// The cases of all layers.
pub(crate) fn layer_cases() -> Vec<Value> {
    FILES.iter().flat_map(|file| cases(file)).collect()
}

/// The cases of one file of goldens.
pub(crate) fn cases(file: &str) -> Vec<Value> {
    let path = format!("{}/../tests/keras/goldens/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let whole: Value = serde_json::from_str(&text).unwrap();
    let cases = whole["cases"].as_array().unwrap().clone();
    assert!(!cases.is_empty(), "{path} has no case");
    cases
}

/// A case's name, for messages.
pub(crate) fn name(case: &Value) -> &str {
    case["name"].as_str().unwrap()
}

/// A tensor from `{"shape", "dtype", "values"}`.
pub(crate) fn tensor(array: &Value) -> Tensor {
    let numbers = array["values"].as_array().unwrap();
    let number = |v: &Value| v.as_f64().unwrap_or_else(|| f64::from(u8::from(v == true)));
    let shape: Vec<usize> =
        array["shape"].as_array().unwrap().iter().map(|d| d.as_u64().unwrap() as usize).collect();
    let dtype: DType = array["dtype"].as_str().unwrap().parse().unwrap();
    Tensor::new(numbers.iter().map(number).collect(), shape).unwrap().cast(dtype)
}

/// Tensors from a list of arrays.
pub(crate) fn tensors(arrays: &Value) -> Vec<Tensor> {
    arrays.as_array().map_or_else(Vec::new, |arrays| arrays.iter().map(tensor).collect())
}

/// Asserts that two tensors have one shape and agree to `tolerance`, relative to the largest
/// magnitude in either.
pub(crate) fn assert_agree(what: &str, ours: &Tensor, keras: &Tensor, tolerance: f64) {
    assert_eq!(ours.shape(), keras.shape(), "{what}: shape");
    let (ours, keras) = (ours.to_f64_vec().unwrap(), keras.to_f64_vec().unwrap());
    let scale = keras.iter().fold(1.0f64, |scale, k| scale.max(k.abs()));
    for (i, (o, k)) in ours.iter().zip(&keras).enumerate() {
        assert!(
            o == k || (o - k).abs() <= tolerance * scale,
            "{what}: element {i}: {o}, Keras {k}"
        );
    }
}

/// Whether two JSON values are equal, keys in order, numbers by value: `0` is `0.0`.
pub(crate) fn same_json(ours: &Value, keras: &Value) -> bool {
    difference("", ours, keras).is_none()
}

/// Asserts that two JSON values are equal, keys in order, numbers by value.
pub(crate) fn assert_same_json(what: &str, ours: &Value, keras: &Value) {
    if let Some(text) = difference(what, ours, keras) {
        panic!("{text}");
    }
}

/// The first place where two JSON values differ.
fn difference(what: &str, ours: &Value, keras: &Value) -> Option<String> {
    let same = match (ours, keras) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b).enumerate();
            let mut each = pairs.map(|(i, (a, b))| difference(&format!("{what}[{i}]"), a, b));
            return each.find_map(|found| found);
        }
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            let mut pairs = a.iter().zip(b.values());
            return pairs.find_map(|((key, a), b)| difference(&format!("{what}.{key}"), a, b));
        }
        _ => ours == keras,
    };
    (!same).then(|| format!("{what}: {ours}, Keras {keras}"))
}

/// A config without what layers within were built for.
pub(crate) fn unbuilt(config: &Value) -> Value {
    match config {
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, _)| *key != "build_config");
            kept.map(|(key, value)| (key.clone(), unbuilt(value))).collect()
        }
        Value::Array(list) => list.iter().map(unbuilt).collect(),
        other => other.clone(),
    }
}
