//! From a drawing to a file.

use std::path::Path;

use super::canvas::{self, Drawing};
use crate::error::{Error, Result};
use crate::saving::{create_folder, write_file};

/// Draws in the format of the suffix of `path` and writes whole or not at all.
pub(super) fn save<D: Drawing>(drawing: impl FnOnce() -> Result<D>, path: &Path) -> Result<()> {
    let suffix = path.extension().map(|suffix| suffix.to_string_lossy().to_lowercase());
    let draw = match suffix.as_deref() {
        Some("png") => |drawing: &D| canvas::png(drawing),
        Some("svg") => |drawing: &D| Ok(canvas::svg(drawing)?.into_bytes()),
        Some(other) => {
            let unknown = cornu_autodiff::Error::unknown("picture format", other, &["png", "svg"]);
            return Err(unknown.into());
        }
        None => {
            let rule = "the name of a picture must end in `.png` or `.svg`";
            return Err(Error::value("save", rule, format!("`{}`", path.display())));
        }
    };
    let bytes = draw(&drawing()?)?;
    create_folder(path)?;
    write_file(path, |file| file.write_all(&bytes))
}
