//! Every way in which a model fails. `place: subject: rule; got facts; hint`.

use std::fmt;
use std::path::{Path, PathBuf};

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong with a model.
///
/// Prints the same text with `{}` and `{:?}`: a `main` that returns it shows people the text.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A layer, or the graph of layers.
    #[error(transparent)]
    Layer(#[from] cornu_layers::Error),
    /// A tensor, an op or a gradient.
    #[error(transparent)]
    Tensor(#[from] cornu_autodiff::Error),
    /// An argument outside what it may be.
    #[error("{place}: {rule}; got {got}")]
    Value {
        /// The method or option.
        place: String,
        /// What must hold.
        rule: String,
        /// What it was given.
        got: String,
    },
    /// Any of the others, with the part of the model in which it happened.
    #[error("{place}: {source}")]
    In {
        /// The output or metric.
        place: String,
        /// What went wrong there.
        source: Box<Error>,
    },
    /// Something asked of a model before it can be answered.
    #[error("{place}: {rule}; {hint}")]
    Order {
        /// The method.
        place: String,
        /// What must come first.
        rule: String,
        /// What to do.
        hint: String,
    },
    /// A loss, gradient or output that is NaN or infinite.
    #[error(
        "fit: epoch {epoch}, batch {batch}: {what} is not finite; first seen in {culprit}; \
         weights are those before this batch; try a lower learning rate, `clipnorm`, or look \
         for NaN in the data"
    )]
    NotFinite {
        /// Counted from 1.
        epoch: usize,
        /// Counted from 1.
        batch: usize,
        /// The loss, or a gradient.
        what: String,
        /// The first layer whose output or gradient is not finite, or the data.
        culprit: String,
    },
    /// A weight that training is meant to change but that the loss doesn't depend on.
    #[error(
        "fit: every trainable weight must have a gradient; got none for {}; freeze their layers \
         or connect them to an output with a loss",
        .0.join(", ")
    )]
    NoGradient(Vec<String>),
    /// Several things that are wrong at once.
    #[error("{place}: everything in it must be known; got {}", list(.errors))]
    Several {
        /// What they are wrong with.
        place: String,
        /// Each of them.
        errors: Vec<Error>,
    },
    /// A file that can't be read or written.
    #[error("{}: {rule}; got {got}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What must hold.
        rule: String,
        /// What happened.
        got: String,
    },
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error {
    /// An argument outside what it may be.
    pub fn value(place: impl Into<String>, rule: impl Into<String>, got: impl ToString) -> Error {
        Error::Value { place: place.into(), rule: rule.into(), got: got.to_string() }
    }

    /// This error, as one that happened in a part of the model.
    pub(crate) fn within(self, place: impl Into<String>) -> Error {
        Error::In { place: place.into(), source: Box::new(self) }
    }

    /// Something asked of a model before it can be answered.
    pub fn order(
        place: impl Into<String>,
        rule: impl Into<String>,
        hint: impl Into<String>,
    ) -> Error {
        Error::Order { place: place.into(), rule: rule.into(), hint: hint.into() }
    }

    /// A file that can't be read or written.
    pub fn file(path: &Path, rule: impl Into<String>, got: impl ToString) -> Error {
        Error::File { path: path.to_owned(), rule: rule.into(), got: got.to_string() }
    }
}

/// Errors on lines of their own.
fn list(errors: &[Error]) -> String {
    let lines: Vec<String> = errors.iter().map(|e| format!("\n  {e}")).collect();
    format!("{} faults:{}", errors.len(), lines.concat())
}
