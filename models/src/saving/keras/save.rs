//! Models and weights as Keras's files.

use std::io::{self, Write};
use std::path::Path;

use super::hdf5::Draft;
use super::metadata::now;
use super::optimizer::groups;
use super::paths::Places;
use super::zip::{Fill, write_zip};
use crate::error::Result;
use crate::model::Model;
use crate::saving::atomic::write_file;

/// Writes a `.keras` file.
pub(crate) fn save_model(model: &Model, path: &Path) -> Result<()> {
    let (metadata, config, weights) = (now(), model.to_json()?, draft(model)?);
    write_file(path, |out| {
        let text = |text: &str| {
            let text = text.to_owned();
            move |out: &mut dyn Write| -> io::Result<()> { out.write_all(text.as_bytes()) }
        };
        let (metadata, config) = (text(&metadata), text(&config));
        let weights = |out: &mut dyn Write| weights.write(out);
        let members: [(&str, Fill<'_>); 3] = [
            ("metadata.json", &metadata),
            ("config.json", &config),
            ("model.weights.h5", &weights),
        ];
        write_zip(out, &members)
    })
}

/// Writes a `.weights.h5` file.
pub(crate) fn save_weights(model: &Model, path: &Path) -> Result<()> {
    let draft = draft(model)?;
    write_file(path, |out| draft.write(out))
}

/// The weights, and what the optimizer of a compiled model remembers.
fn draft(model: &Model) -> Result<Draft> {
    let places = Places::of(model);
    let mut draft = Draft::default();
    for group in &places.groups {
        draft.group(group)?;
    }
    for place in &places.variables {
        draft.array(&place.path, &place.weight.value())?;
    }
    for (group, values) in groups(model)? {
        for (at, value) in values.iter().enumerate() {
            draft.array(&format!("{group}/{at}"), value)?;
        }
    }
    Ok(draft)
}
