//! What a model is trained for, in Keras's JSON: the object under `compile_config`.

use serde_json::{Map, Value, json};

use super::{Compile, Compiled, LossChoice, MetricChoice, OutputRules, Tracked, Which};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::{losses, metrics, optimizers};

impl Compiled {
    /// As Keras writes it. Losses and metrics are lists by output if there are several.
    pub(crate) fn to_json(&self) -> Value {
        let weights = self.outputs.iter().any(|o| o.weight != 1.0);
        let per_output = |part: &dyn Fn(&OutputRules) -> Value| match self.outputs.as_slice() {
            [one] => part(one),
            several => several.iter().map(part).collect(),
        };
        json!({
            "optimizer": self.optimizer.to_json(),
            "loss": per_output(&|o| loss_json(o)),
            "loss_weights": if weights { per_output(&|o| json!(o.weight)) } else { Value::Null },
            "metrics": per_output(&|o| metrics_json(&o.metrics, false)),
            "weighted_metrics": per_output(&|o| metrics_json(&o.metrics, true)),
            "run_eagerly": false,
            "steps_per_execution": 1,
            "jit_compile": false,
        })
    }
}

fn loss_json(output: &OutputRules) -> Value {
    match (&output.loss_asked, &output.loss) {
        (Some(name), _) => json!(name),
        (None, Some(loss)) => losses::to_json(&**loss),
        (None, None) => Value::Null,
    }
}

fn metrics_json(tracked: &[Tracked], weighted: bool) -> Value {
    let one = |t: &Tracked| match (&t.asked, &t.metric) {
        (Some(name), _) | (None, Which::ByShape(name)) => json!(name),
        (None, Which::Known(metric)) => metrics::to_json(&**metric),
    };
    let list: Vec<Value> = tracked.iter().filter(|t| t.weighted == weighted).map(one).collect();
    if list.is_empty() { Value::Null } else { Value::Array(list) }
}

impl Model {
    /// Compiles from what Keras wrote under `compile_config`: optimizer, loss, loss weights,
    /// metrics, each a name, an object, or lists or maps of them by output.
    ///
    /// # Errors
    /// When a part is of the wrong kind or names what doesn't exist.
    pub fn compile_from_json(&mut self, config: &Value) -> Result<()> {
        let names = self.names_of_outputs();
        let mut compile = Compile::new();
        if let Some(optimizer) = config.get("optimizer").filter(|v| !v.is_null()) {
            compile.optimizer =
                Some(super::OptimizerChoice::Typed(Box::new(optimizers::from_json(optimizer)?)));
        }
        for (output, loss) in by_output("loss", &config["loss"], &names)? {
            match output {
                Some(output) => compile.losses.push((output, loss_choice(loss)?)),
                None => compile.loss = Some(loss_choice(loss)?),
            }
        }
        for (output, weight) in by_output("loss_weights", &config["loss_weights"], &names)? {
            let weight = weight.as_f64().ok_or_else(|| wrong("loss_weights", weight))?;
            let output = output.unwrap_or_else(|| names[0].clone());
            compile.loss_weights.push((output, weight));
        }
        for (output, list) in metrics_by_output("metrics", &config["metrics"], &names)? {
            compile.metrics_for.push((output, list));
        }
        let weighted = &config["weighted_metrics"];
        for (output, list) in metrics_by_output("weighted_metrics", weighted, &names)? {
            compile.weighted_for.push((output, list));
        }
        self.compile(compile)
    }
}

fn wrong(key: &str, got: &Value) -> Error {
    let rule = format!("`{key}` must be what Keras writes there");
    Error::value("compile_config", rule, got)
}

/// A value for all outputs (`None`), or one for each that is named or listed.
fn by_output<'v>(
    key: &str,
    value: &'v Value,
    names: &[String],
) -> Result<Vec<(Option<String>, &'v Value)>> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Object(map) if !map.contains_key("class_name") => Ok(named(map)),
        Value::Array(list) if list.len() == names.len() => {
            let pairs = names.iter().zip(list).filter(|(_, v)| !v.is_null());
            Ok(pairs.map(|(name, v)| (Some(name.clone()), v)).collect())
        }
        Value::Array(_) => Err(wrong(key, value)),
        one => Ok(vec![(None, one)]),
    }
}

fn named(map: &Map<String, Value>) -> Vec<(Option<String>, &Value)> {
    map.iter().filter(|(_, v)| !v.is_null()).map(|(name, v)| (Some(name.clone()), v)).collect()
}

fn loss_choice(value: &Value) -> Result<LossChoice> {
    Ok(match value {
        Value::String(name) => LossChoice::Named(name.clone()),
        object => LossChoice::Typed(losses::from_json(object)?),
    })
}

/// Metrics for each output: a flat list belongs to the only one.
fn metrics_by_output(
    key: &str,
    value: &Value,
    names: &[String],
) -> Result<Vec<(String, Vec<MetricChoice>)>> {
    let choices = |value: &Value| -> Result<Vec<MetricChoice>> {
        match value {
            Value::Null => Ok(Vec::new()),
            Value::Array(list) => list.iter().map(|v| metric_choice(key, v)).collect(),
            one => Ok(vec![metric_choice(key, one)?]),
        }
    };
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Object(map) if !map.contains_key("class_name") => {
            map.iter().map(|(name, v)| Ok((name.clone(), choices(v)?))).collect()
        }
        Value::Array(list) if names.len() > 1 && list.len() == names.len() => {
            names.iter().zip(list).map(|(name, v)| Ok((name.clone(), choices(v)?))).collect()
        }
        flat if names.len() == 1 => Ok(vec![(names[0].clone(), choices(flat)?)]),
        other => Err(wrong(key, other)),
    }
}

fn metric_choice(key: &str, value: &Value) -> Result<MetricChoice> {
    Ok(match value {
        Value::String(name) => MetricChoice::Named(name.clone()),
        Value::Object(_) => MetricChoice::Typed(metrics::from_json(value)?),
        other => return Err(wrong(key, other)),
    })
}

/// All that names what doesn't exist, or is of the wrong kind, in what a model is compiled for.
pub(crate) fn compile_faults(config: &Map<String, Value>) -> Vec<Error> {
    let mut faults = Vec::new();
    let mut note = |fault: Option<cornu_autodiff::Error>| faults.extend(fault.map(Error::from));
    if let Some(optimizer) = config.get("optimizer").filter(|v| !v.is_null()) {
        note(optimizers::from_json(optimizer).err());
    }
    for key in ["loss", "metrics", "weighted_metrics"] {
        // Whatever is a name or an object with a class, however deep in lists and maps.
        let mut pending: Vec<&Value> = config.get(key).into_iter().collect();
        while let Some(value) = pending.pop() {
            match value {
                Value::Array(list) => pending.extend(list.iter().rev()),
                Value::Object(map) if !map.contains_key("class_name") => {
                    pending.extend(map.values().rev());
                }
                Value::String(name) if key == "loss" => note(losses::by_name(name).err()),
                Value::String(name) if metrics::is_by_shape(name) => {}
                Value::String(name) => note(metrics::by_name(name).err()),
                Value::Object(_) if key == "loss" => note(losses::from_json(value).err()),
                Value::Object(_) => note(metrics::from_json(value).err()),
                _ => {}
            }
        }
    }
    faults
}
