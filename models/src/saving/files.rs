//! Whole models in files.

use std::path::Path;

#[cfg(feature = "keras-files")]
use super::keras;
#[cfg(not(feature = "keras-files"))]
use super::no_keras as keras;
use crate::error::{Error, Result};
use crate::model::Model;

/// Refuses a file name that no format of whole models has.
fn check_name(place: &str, path: &Path, endings: &[&str]) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let weights = name.ends_with(".weights.h5");
    match endings.iter().any(|end| name.ends_with(end)) && !weights {
        true => Ok(()),
        false => {
            let hint =
                if weights { ", which is for `load_weights` and `save_weights`" } else { "" };
            let rule = format!("the file's name must end in {}", any_of(endings));
            Err(Error::value(place, rule, format!("`{name}`{hint}")))
        }
    }
}

/// Names as a list in words: "`a`, `b` or `c`".
pub(super) fn any_of(names: &[&str]) -> String {
    match names {
        [before @ .., last] if !before.is_empty() => {
            format!("`{}` or `{last}`", before.join("`, `"))
        }
        names => format!("`{}`", names.concat()),
    }
}

/// Files that hold whole models.
const READ: &[&str] = &[".keras", ".h5", ".hdf5"];

impl Model {
    /// The model in a file that Keras or [`save`](Model::save) wrote, with its weights and, if it
    /// was compiled, its optimizer, losses, metrics and what the optimizer remembers: `fit` goes
    /// on where it stopped. The file's name must end in `.keras`, or in `.h5` or `.hdf5` if it is
    /// of the kind that Keras 2 wrote.
    ///
    /// Needs cornu's feature `keras-files`.
    ///
    /// ```
    /// # #[cfg(feature = "keras-files")] {
    /// use cornu_layers::{Dense, LayerOptions};
    /// use cornu_models::{Model, Sequential};
    /// # let path = std::env::temp_dir().join(format!("doc-load-{}.keras", std::process::id()));
    /// let model = Sequential::new().with(Dense::new(1).input_dim(2))?;
    /// model.save(&path)?;
    /// let again = Model::load(&path)?;
    /// let kernel = |model: &Model| model.get_weights()[0].to_vec::<f32>();
    /// assert_eq!(kernel(&again)?, kernel(&model)?);
    /// # std::fs::remove_file(&path).unwrap();
    /// # }
    /// # Ok::<(), cornu_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the file can't be read, or was cut off or altered; when classes or options in it are
    /// unknown, which one error lists all; when a variable of the model has no value or a value
    /// no variable, which one error lists all; or when a value is not finite. Code in a file is
    /// never run.
    ///
    /// # Difference from Keras
    /// Keras leaves an optimizer that doesn't fit as it is; here it is an error.
    pub fn load(path: impl AsRef<Path>) -> Result<Model> {
        let path = path.as_ref();
        check_name("load", path, READ)?;
        keras::load_model(path, true)
    }

    /// As [`load`](Model::load), from the bytes of a file, of which nothing is copied that need
    /// not be: of one that a program carries in itself, say.
    ///
    /// # Errors
    /// As [`load`](Model::load).
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Result<Model> {
        keras::model_from_bytes(bytes.into())
    }

    /// As [`load`](Model::load), without what the model was compiled for: to predict with one
    /// whose losses, metrics or optimizer cornu doesn't know.
    ///
    /// # Errors
    /// As [`load`](Model::load).
    pub fn load_uncompiled(path: impl AsRef<Path>) -> Result<Model> {
        let path = path.as_ref();
        check_name("load_uncompiled", path, READ)?;
        keras::load_model(path, false)
    }

    /// Writes the whole model to a file that [`load`](Model::load) and Keras 3 open: structure,
    /// weights and, if it is compiled, its optimizer, losses, metrics and what the optimizer
    /// remembers. The file is replaced whole; its name must end in `.keras`.
    ///
    /// Needs cornu's feature `keras-files`.
    ///
    /// # Errors
    /// When the shape of the model's input is not known yet, or the file can't be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.graph("save")?;
        let path = path.as_ref();
        check_name("save", path, &[".keras"])?;
        keras::save_model(self, path)
    }
}
