//! What Keras 2 wrote otherwise, brought to the form of Keras 3.

use serde_json::{Map, Value, json};

/// A model's JSON, with what Keras 2's differs in changed.
pub(super) fn modern_model(mut model: Value) -> Value {
    let mut pending = vec![&mut model];
    // Layers lie within models and wrappers, so every object is looked at.
    while let Some(value) = pending.pop() {
        match value {
            Value::Object(map) => {
                if map.get("class_name").is_some_and(|class| class == "BatchNormalization")
                    && let Some(config) = map.get_mut("config")
                    && let Some([axis]) = config["axis"].as_array().map(Vec::as_slice)
                {
                    config["axis"] = axis.clone();
                }
                if let Some(config) = map.get_mut("config").and_then(Value::as_object_mut) {
                    // False is all that Keras ever wrote on a CPU: the steps are the second axis.
                    if config.get("time_major") == Some(&json!(false)) {
                        config.remove("time_major");
                    }
                }
                pending.extend(map.values_mut());
            }
            Value::Array(list) => pending.extend(list),
            _ => {}
        }
    }
    model
}

/// What a model was compiled for: Keras 2's `training_config` as Keras 3's `compile_config`.
pub(super) fn modern_compile(mut training: Value) -> Value {
    let Some(config) = training.as_object_mut() else { return training };
    if let Some(optimizer) = config.remove("optimizer_config") {
        config.insert("optimizer".into(), modern_optimizer(optimizer));
    }
    for key in ["metrics", "weighted_metrics"] {
        if let Some(metrics) = config.get_mut(key) {
            *metrics = modern_metrics(std::mem::take(metrics));
        }
    }
    if let Some(loss) = config.get_mut("loss") {
        *loss = modern_loss(std::mem::take(loss));
    }
    training
}

fn modern_optimizer(mut optimizer: Value) -> Value {
    if let Some(Value::Object(config)) = optimizer.get_mut("config") {
        // How it was run, not what it computes: but for RMSprop without momentum, of which the
        // older one divides by `sqrt(velocity) + epsilon`, not `sqrt(velocity + epsilon)`.
        for key in ["jit_compile", "is_legacy_optimizer", "name"] {
            config.remove(key);
        }
        let nothing = |value: &Value| value.as_f64().is_none_or(|v| v == 0.0);
        if config.get("decay").is_some_and(nothing) {
            config.remove("decay");
        }
        if let Some(rate) = config.remove("lr") {
            config.insert("learning_rate".into(), rate);
        }
    }
    optimizer
}

/// Metrics by output, in Keras 2 one list within another also where there is one output, and
/// functions wrapped under the name `MeanMetricWrapper`.
fn modern_metrics(metrics: Value) -> Value {
    match metrics {
        Value::Array(list) if list.len() == 1 && list[0].is_array() => {
            modern_metrics(list.into_iter().next().unwrap_or_default())
        }
        Value::Array(list) => list.into_iter().map(modern_metrics).collect(),
        Value::Object(map) if map.get("class_name").is_some_and(|c| c == "MeanMetricWrapper") => {
            let config = &map["config"];
            match config["name"].as_str() {
                Some(name @ ("accuracy" | "acc")) => json!(name),
                _ => config["fn"].clone(),
            }
        }
        Value::Object(map) if !map.contains_key("class_name") => {
            let modern = |(key, value)| (key, modern_metrics(value));
            Value::Object(map.into_iter().map(modern).collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// A loss, in Keras 2 with keys that tell nothing.
fn modern_loss(loss: Value) -> Value {
    match loss {
        Value::Array(list) => list.into_iter().map(modern_loss).collect(),
        Value::Object(mut map) => {
            let known = map.contains_key("class_name");
            if let Some(config) = map.get_mut("config").and_then(Value::as_object_mut) {
                config.remove("fn");
                if config.get("reduction") == Some(&json!("auto")) {
                    config.insert("reduction".into(), json!("sum_over_batch_size"));
                }
            }
            match known {
                true => Value::Object(map),
                false => map.into_iter().map(|(k, v)| (k, modern_loss(v))).collect(),
            }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{modern_compile, modern_model};

    #[test]
    fn what_keras_2_wrote_is_brought_to_the_form_of_keras_3() {
        let old = json!({
            "loss": {"class_name": "MeanSquaredError", "config": {"reduction": "auto", "name": "x"}},
            "metrics": [[
                {"class_name": "MeanMetricWrapper", "config": {"name": "accuracy", "fn": "binary_accuracy"}},
                {"class_name": "MeanMetricWrapper", "config": {"name": "mae", "fn": "mean_absolute_error"}},
                {"class_name": "AUC", "config": {}},
            ]],
            "optimizer_config": {"class_name": "SGD", "config": {"lr": 0.5, "decay": 0.0, "name": "SGD"}},
        });
        let new = modern_compile(old);
        assert_eq!(new["loss"]["config"]["reduction"], "sum_over_batch_size");
        let auc = json!({"class_name": "AUC", "config": {}});
        assert_eq!(new["metrics"], json!(["accuracy", "mean_absolute_error", auc]));
        assert_eq!(
            new["optimizer"],
            json!({"class_name": "SGD", "config": {"learning_rate": 0.5}})
        );
        let old = json!({"config": {"layers": [
            {"class_name": "BatchNormalization", "config": {"axis": [3]}},
            {"class_name": "LSTM", "config": {"units": 2, "time_major": false}},
        ]}});
        let new = modern_model(old);
        assert_eq!(new["config"]["layers"][0]["config"]["axis"], 3);
        assert_eq!(new["config"]["layers"][1]["config"], json!({"units": 2}));
    }
}
