//! Vocabularies that Keras keeps beside the weights, put into the configs of their layers, where
//! they are kept here.

use cornu_layers::snake_case;
use serde_json::{Value, json};

use super::archive::Archive;
use super::paths::numbered;
use crate::error::{Error, Result};

/// Where vocabularies lie.
const FOLDER: &str = "assets";

/// Reads the vocabularies of layers that have none in the config; texts may have `most` bytes.
pub(super) fn fill(archive: &mut Archive, config: &mut Value, most: u64) -> Result<()> {
    if !archive.names().iter().any(|name| name.starts_with(FOLDER)) {
        return Ok(());
    }
    let mut pending = vec![(String::from(FOLDER), config)];
    while let Some((path, value)) = pending.pop() {
        let class = value["class_name"].as_str().unwrap_or_default().to_owned();
        let Some(Value::Object(config)) = value.get_mut("config") else { continue };
        match class.as_str() {
            "IntegerLookup" | "StringLookup" | "TextVectorization" => {
                let name = format!("{path}/vocabulary.txt");
                if config.get("vocabulary").is_none_or(Value::is_null)
                    && let Some(text) = archive.read(&name, most)?
                {
                    let vocabulary = vocabulary(&name, text.as_ref(), &class)?;
                    config.insert("vocabulary".into(), vocabulary);
                }
            }
            _ => {
                let Some(Value::Array(layers)) = config.get_mut("layers") else { continue };
                // A chain's input is none of its layers.
                let listed = |layer: &&mut Value| {
                    class != "Sequential" || layer["class_name"] != "InputLayer"
                };
                let layers: Vec<&mut Value> = layers.iter_mut().filter(listed).collect();
                let name = |layer: &&mut Value| {
                    snake_case(layer["class_name"].as_str().unwrap_or_default())
                };
                let keys = numbered(layers.iter().map(name));
                let path = |key: String| format!("{path}/layers/{key}");
                pending.extend(keys.into_iter().map(path).zip(layers));
            }
        }
    }
    Ok(())
}

/// A token a line.
fn vocabulary(place: &str, text: &[u8], class: &str) -> Result<Value> {
    let wrong = |rule: &str, got: String| Error::value(format!("`{place}`"), rule, got);
    let text = std::str::from_utf8(text).map_err(|e| wrong("it must be UTF-8", e.to_string()))?;
    let lines = text.split('\n');
    if class != "IntegerLookup" {
        return Ok(lines.map(|line| json!(line)).collect());
    }
    let number = |line: &str| {
        let number = line.trim().parse::<i64>();
        number.map(|n| json!(n)).map_err(|_| wrong("every line must be a number", line.to_owned()))
    };
    lines.filter(|line| !line.is_empty()).map(number).collect()
}
