//! What lies in a file, also where no model can be made of it.

use std::path::Path;

use cornu_autodiff::Tensor;
use serde_json::Value;

use super::codec::{in_file, read_file};
#[cfg(feature = "keras-files")]
use super::keras;
#[cfg(not(feature = "keras-files"))]
use super::no_keras as keras;
use super::{Checkpoint, elements, json, safetensors, weights};
use crate::error::Result;

/// What [`inspect`] found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inspection {
    /// The kind of file, for people.
    pub format: String,
    /// What the file says of itself: versions, the model's class and name.
    pub facts: Vec<(String, String)>,
    /// The arrays in it.
    pub arrays: Vec<Array>,
}

/// An array in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Its name or path.
    pub name: String,
    /// The type of its elements, under NumPy's name.
    pub dtype: String,
    /// Its shape.
    pub shape: Vec<u64>,
    /// Bytes of its elements.
    pub bytes: u64,
}

impl Array {
    fn of(name: &str, value: &Tensor) -> Array {
        let kind = elements::Kind::of(value.dtype());
        Array {
            name: name.to_owned(),
            dtype: kind.name().to_owned(),
            shape: value.dims().iter().map(|&d| d as u64).collect(),
            bytes: (value.size() * kind.size()) as u64,
        }
    }
}

/// Lists the arrays, shapes, types, sizes and versions in a file that Keras, NumPy, Hugging Face
/// or cornu wrote, whatever its name. Nothing need be known of what is in it. Of a model's JSON
/// there is only what it says of itself.
///
/// Those of Keras and NumPy need the feature `keras-files`.
///
/// ```
/// use cornu_autodiff::Tensor;
/// use cornu_models::saving::{inspect, write_safetensors};
/// # let path = std::env::temp_dir().join(format!("look-{}.safetensors", std::process::id()));
/// write_safetensors(&path, &[("x".into(), Tensor::from([1.5f32, 2.0]))])?;
/// let found = inspect(&path)?;
/// assert_eq!((found.format.as_str(), found.arrays[0].bytes), ("safetensors", 8));
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), cornu_models::Error>(())
/// ```
///
/// # Errors
/// When the file can't be read, or is of another kind.
pub fn inspect(path: impl AsRef<Path>) -> Result<Inspection> {
    let path = path.as_ref();
    let bytes = read_file(path)?;
    if bytes.starts_with(b"PK") || bytes.starts_with(b"\x89HDF") || bytes.starts_with(b"\x93NUMPY")
    {
        return keras::look(path, bytes);
    }
    if bytes.starts_with(&weights::WEIGHTS.magic) {
        return Ok(Inspection::of(
            "weights of cornu",
            &weights::parse_own(&bytes).map_err(in_file(path))?,
        ));
    }
    if let Ok(checkpoint) = Checkpoint::from_bytes(&bytes) {
        let mut found = Inspection::of("checkpoint of cornu", &checkpoint.weights);
        let named = |(name, value): &(String, Tensor)| Array::of(name, value);
        found.arrays.extend(checkpoint.optimizer.iter().map(named));
        found.facts = vec![
            ("epochs".into(), checkpoint.epoch.to_string()),
            ("steps".into(), checkpoint.step.to_string()),
        ];
        return Ok(found);
    }
    if let Some(found) = structure(&bytes) {
        return Ok(found);
    }
    safetensors::parse(&bytes)
        .map(|tensors| Inspection::of("safetensors", &tensors))
        .map_err(in_file(path))
}

/// What lies in the JSON of a model, if it is that.
fn structure(bytes: &[u8]) -> Option<Inspection> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.trim_start().starts_with('{'))?;
    let config = json::parse("json", text).ok().filter(|json| json["class_name"].is_string())?;
    let mut found = Inspection { format: "structure of a model".into(), ..Inspection::default() };
    if let Some(version) = config["keras_version"].as_str() {
        found.facts.push(("Keras".into(), version.chars().take(40).collect()));
    }
    found.facts.extend(facts(&config));
    Some(found)
}

/// What a config says of its model.
pub(super) fn facts(config: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("?").chars().take(200).collect();
    let layers = config["config"]["layers"].as_array().map_or(0, Vec::len);
    vec![
        ("class".into(), text(&config["class_name"])),
        ("name".into(), text(&config["config"]["name"])),
        ("layers".into(), layers.to_string()),
    ]
}

impl Inspection {
    /// One of tensors.
    pub(super) fn of(format: &str, tensors: &[(String, Tensor)]) -> Inspection {
        Inspection {
            format: format.to_owned(),
            facts: Vec::new(),
            arrays: tensors.iter().map(|(name, value)| Array::of(name, value)).collect(),
        }
    }
}
