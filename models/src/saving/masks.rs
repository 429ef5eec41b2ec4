//! Masks that Keras computes beside a graph's layers and writes with them.
//!
//! A layer that obeys a mask gets one here when it is called on what has one. So what Keras
//! writes is left out, once it is clear that it says the same.

use std::collections::HashSet;

use serde_json::Value;

/// Names of the calls, among a graph's layers, that only compute the masks of layers which make
/// one: `x != 0` of an `Embedding`, `any(x != mask_value)` of a `Masking` layer.
pub(super) fn mask_calls(layers: &[Value]) -> HashSet<&str> {
    let mut found: HashSet<&str> = HashSet::new();
    for layer in layers.iter().filter(|layer| is_operation(layer, "NotEqual")) {
        let arguments = &layer["inbound_nodes"][0]["args"];
        let (of, value) = (history(&arguments[0]), &arguments[1]);
        let makes = |other: &&Value| {
            let config = &other["config"];
            let own = match other["class_name"].as_str() {
                Some("Embedding" | "ReversibleEmbedding") => {
                    config["mask_zero"] == true && value.as_f64() == Some(0.0)
                }
                Some("Masking") => {
                    value.is_number() && config["mask_value"].as_f64() == value.as_f64()
                }
                _ => false,
            };
            let calls = other["inbound_nodes"].as_array();
            let reads = |call: &Value| of.is_some() && history(&call["args"][0]) == of;
            own && calls.is_some_and(|calls| calls.iter().any(reads))
        };
        if layers.iter().any(|other| makes(&other)) {
            found.extend(layer["name"].as_str());
        }
    }
    for layer in layers.iter().filter(|layer| is_operation(layer, "Any")) {
        let of = history(&layer["inbound_nodes"][0]["args"][0]).and_then(|of| of[0].as_str());
        let config = &layer["config"];
        let last = config["axis"] == -1 || config["axis"] == serde_json::json!([-1]);
        if of.is_some_and(|of| found.contains(of)) && last && config["keepdims"] != true {
            found.extend(layer["name"].as_str());
        }
    }
    add_merged(layers, &mut found);
    found
}

/// Adds what is made of several masks: those of layers that merge.
fn add_merged<'v>(layers: &'v [Value], found: &mut HashSet<&'v str>) {
    loop {
        let before = found.len();
        for layer in layers {
            if !["LogicalOr", "LogicalAnd"].iter().any(|class| is_operation(layer, class)) {
                continue;
            }
            let arguments = layer["inbound_nodes"][0]["args"].as_array();
            let is_mask = |argument: &Value| {
                let by = history(argument).and_then(|call| call[0].as_str());
                by.is_some_and(|by| found.contains(by))
            };
            if arguments.is_some_and(|all| !all.is_empty() && all.iter().all(is_mask)) {
                found.extend(layer["name"].as_str());
            }
        }
        if found.len() == before {
            return;
        }
    }
}

/// The call that computes an argument.
pub(super) fn history(argument: &Value) -> Option<&Value> {
    argument["config"].get("keras_history")
}

/// Whether a layer is an operation; files of HDF5 don't say of which module.
fn is_operation(layer: &Value, class: &str) -> bool {
    let module = layer["module"].as_str();
    layer["class_name"] == class && module.is_none_or(|m| m.starts_with("keras.src.ops"))
}
