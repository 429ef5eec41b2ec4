//! Files of named tensors as Hugging Face's `safetensors` has them: the length of a JSON header,
//! the header, the elements.

use std::io::Write;
use std::path::Path;

use cornu_autodiff::Tensor;
use serde_json::{Map, Value, json};

use super::codec::{element_bytes, in_file, read_file};
use super::elements::{Kind, tensor_of};
use super::write_file;
use crate::error::{Error, Result};

/// Named tensors.
pub(super) type Named = Vec<(String, Tensor)>;

const KINDS: &[(&str, Kind)] = &[
    ("BOOL", Kind::Bool),
    ("U8", Kind::U8),
    ("U16", Kind::U16),
    ("U32", Kind::U32),
    ("I8", Kind::I8),
    ("I16", Kind::I16),
    ("I32", Kind::I32),
    ("I64", Kind::I64),
    ("F16", Kind::F16),
    ("BF16", Kind::BF16),
    ("F32", Kind::F32),
    ("F64", Kind::F64),
];

/// Writes named tensors, bit for bit; the file is replaced whole.
///
/// ```
/// use cornu_autodiff::Tensor;
/// use cornu_models::saving::{read_safetensors, write_safetensors};
/// # let path = std::env::temp_dir().join(format!("doc-{}.safetensors", std::process::id()));
/// write_safetensors(&path, &[("x".into(), Tensor::from([1.5f32, 2.0]))])?;
/// let read = read_safetensors(&path)?;
/// assert_eq!((read[0].0.as_str(), read[0].1.to_vec::<f32>()?), ("x", vec![1.5, 2.0]));
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), cornu_models::Error>(())
/// ```
///
/// # Errors
/// When a tensor has no value, or the file can't be written.
pub fn write_safetensors(path: impl AsRef<Path>, tensors: &[(String, Tensor)]) -> Result<()> {
    let mut header = Map::new();
    let mut offset = 0;
    for (name, tensor) in tensors {
        let kind = Kind::of(tensor.dtype());
        let code = KINDS.iter().find(|(_, k)| *k == kind).map_or("F32", |(code, _)| code);
        let end = offset + tensor.size() * kind.size();
        let entry = json!({ "dtype": code, "shape": tensor.dims(), "data_offsets": [offset, end] });
        header.insert(name.clone(), entry);
        offset = end;
    }
    let mut header = Value::Object(header).to_string().into_bytes();
    // Readers may map the elements into memory, so they begin at a multiple of 8.
    header.resize(header.len().next_multiple_of(8), b' ');
    write_file(path, |out: &mut dyn Write| {
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(&header)?;
        for (_, tensor) in tensors {
            out.write_all(&element_bytes(tensor).map_err(std::io::Error::other)?)?;
        }
        Ok(())
    })
}

/// The named tensors in a file, in the order of their elements. Those of 16 bits become
/// float32 or int32.
///
/// # Errors
/// When the file can't be read, was cut off, or two tensors share bytes.
pub fn read_safetensors(path: impl AsRef<Path>) -> Result<Vec<(String, Tensor)>> {
    let path = path.as_ref();
    parse(&read_file(path)?).map_err(in_file(path))
}

/// The named tensors in the bytes of a file.
pub(super) fn parse(bytes: &[u8]) -> Result<Named> {
    let wrong = |rule: &str, got: String| Error::value("safetensors", rule, got);
    let split = bytes.split_first_chunk::<8>().and_then(|(length, rest)| {
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        rest.split_at_checked(length)
    });
    let Some((header, data)) = split else {
        let rule = "it must begin with the length of its header";
        return Err(wrong(rule, format!("{} bytes", bytes.len())));
    };
    let header: Value = serde_json::from_slice(header)
        .map_err(|e| wrong("the header must be JSON", e.to_string()))?;
    let Some(entries) = header.as_object() else {
        return Err(wrong("the header must be an object", "something else".into()));
    };
    let mut spans = Vec::new();
    for (name, entry) in entries.iter().filter(|(name, _)| *name != "__metadata__") {
        spans.push((span(name, entry)?, name, entry));
    }
    spans.sort_by_key(|((start, end), ..)| (*start, *end));
    let mut next = 0;
    let mut tensors = Vec::with_capacity(spans.len());
    for ((start, end), name, entry) in spans {
        if start != next || end > data.len() {
            let rule = format!("the elements of `{name}` must begin at {next} and lie in the file");
            return Err(wrong(&rule, format!("{start} to {end} of {} bytes", data.len())));
        }
        next = end;
        tensors.push((name.clone(), tensor(name, entry, &data[start..end])?));
    }
    if next != data.len() {
        let got = format!("{} bytes more", data.len() - next);
        return Err(wrong("nothing must follow the last tensor", got));
    }
    Ok(tensors)
}

/// Where the elements of a tensor begin and end.
fn span(name: &str, entry: &Value) -> Result<(usize, usize)> {
    let number = |v: &Value| v.as_u64().and_then(|n| usize::try_from(n).ok());
    let offsets = &entry["data_offsets"];
    match number(&offsets[0]).zip(number(&offsets[1])) {
        Some((start, end)) if start <= end => Ok((start, end)),
        _ => {
            let rule = "`data_offsets` must be two numbers, ascending";
            Err(Error::value(format!("safetensors: `{name}`"), rule, offsets))
        }
    }
}

fn tensor(name: &str, entry: &Value, bytes: &[u8]) -> Result<Tensor> {
    let place = format!("safetensors: `{name}`");
    let code = entry["dtype"].as_str().unwrap_or_default();
    let Some((_, kind)) = KINDS.iter().find(|(known, _)| *known == code) else {
        let known: Vec<&str> = KINDS.iter().map(|(known, _)| *known).collect();
        return Err(cornu_autodiff::Error::unknown("dtype of safetensors", code, &known).into());
    };
    let axis = |v: &Value| v.as_u64().and_then(|d| usize::try_from(d).ok());
    let dims: Option<Vec<usize>> =
        entry["shape"].as_array().and_then(|axes| axes.iter().map(axis).collect());
    let Some(dims) = dims else {
        return Err(Error::value(place, "`shape` must be a list of sizes", &entry["shape"]));
    };
    tensor_of(&place, *kind, false, &dims, bytes)
}
