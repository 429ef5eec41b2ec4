//! From a drawing to a file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::canvas::{self, Drawing};
use crate::error::{Error, Result};

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
    let written = create_parent(path).and_then(|()| replace(path, &bytes));
    written.map_err(|error| Error::file(path, "the picture must be writable", error))
}

fn create_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// Writes a temporary file beside `path` and renames it.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    let temporary = path.with_file_name(name);
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}
