//! The JSON object in which Keras wraps a named thing and its config.

use serde_json::{Value, json};

use crate::error::Result;
use crate::setting::{Config, Setting, wrong};

/// `{"module", "class_name", "config", "registered_name"}` of one of Keras's own classes.
pub(crate) fn envelope(module: &str, class: &str, config: Value) -> Value {
    json!({ "module": module, "class_name": class, "config": config, "registered_name": null })
}

/// As [`envelope`], of a user's function, which Keras finds by its registered name.
pub(crate) fn function(name: &str) -> Value {
    json!({
        "module": "builtins",
        "class_name": "function",
        "config": name,
        "registered_name": name,
    })
}

/// The class and its config, from a bare name or from an object. A function's class is its own
/// name.
pub(crate) fn open(value: &Value) -> Result<(String, Config)> {
    if let Some(name) = value.as_str() {
        return Ok((name.to_owned(), Config::new()));
    }
    match (value["class_name"].as_str(), &value["config"]) {
        (Some("function"), Value::String(name)) => Ok((name.clone(), Config::new())),
        (Some(class), Value::Object(config)) => Ok((class.to_owned(), config.clone())),
        (Some(class), Value::Null) => Ok((class.to_owned(), Config::new())),
        _ => Err(wrong("a name, or an object with `class_name` and `config`", value)),
    }
}

/// One value of a config, or what Keras takes when it isn't there.
pub(crate) fn get<T: Setting>(config: &Config, key: &str, default: T) -> Result<T> {
    config.get(key).map_or(Ok(default), T::from_json)
}

/// A name without case and underscores, as Keras's classes and functions share it: `HeNormal`
/// and `he_normal`.
pub(crate) fn plain(name: &str) -> String {
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}
