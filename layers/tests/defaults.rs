//! Options that are left out of a config, against those that real Keras writes.

mod support;

use cornu_layers::layer_from_json;
use serde_json::{Value, json};
use support::{assert_same_json, cases, name, unbuilt};

/// A config as it is written of a layer that isn't built.
fn options(config: &Value) -> Value {
    let mut options = unbuilt(config);
    for key in ["name", "trainable", "dtype"] {
        options.as_object_mut().expect("a config is an object").shift_remove(key);
    }
    if let Some(axis) = options.get_mut("axis").filter(|axis| axis.is_i64()) {
        *axis = json!([axis.clone()]); // Keras makes a list of it once it is built
    }
    options
}

#[test]
fn options_that_are_left_out_are_what_they_are_in_keras() {
    let mut failures = Vec::new();
    for case in cases("defaults") {
        let mut config = case["required"].clone();
        config["name"] = case["config"]["name"].clone();
        if case["class_name"] == "Bidirectional" {
            // Named after the layer before that was renamed, too.
            config["backward_layer"] = case["config"]["backward_layer"].clone();
        }
        let json = json!({ "class_name": case["class_name"], "config": config });
        let layer = layer_from_json(&json).unwrap_or_else(|e| panic!("{}: {e}", name(&case)));
        let written = layer.to_json();
        let same = || {
            assert_same_json(name(&case), &options(&written["config"]), &options(&case["config"]));
        };
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(same)).is_err() {
            failures.push(name(&case).to_owned());
        }
    }
    assert!(failures.is_empty(), "layers that differ: {failures:?}");
}
