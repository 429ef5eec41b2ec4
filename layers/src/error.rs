//! Every way in which a layer fails. `layer: subject: rule; got facts; hint`.

use cornu_autodiff::Shape;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong with a layer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A tensor, an op or a gradient.
    #[error(transparent)]
    Tensor(#[from] cornu_autodiff::Error),
    /// Any of the others, with the layer in which it happened.
    #[error("layer `{name}` ({class}): {source}")]
    Layer {
        /// The layer's name.
        name: String,
        /// Its Keras class.
        class: String,
        /// What went wrong in it.
        source: Box<Error>,
    },
    /// An argument or a setting outside what it may be.
    #[error("{subject}: {rule}; got {got}")]
    Setting {
        /// The argument, in backticks if it is a name.
        subject: String,
        /// What must hold.
        rule: String,
        /// What it was.
        got: String,
    },
    /// Inputs that a layer can't work with.
    #[error("input: {rule}; got {}", shapes(.got))]
    Input {
        /// What must hold.
        rule: String,
        /// The inputs' shapes.
        got: Vec<Vec<Option<usize>>>,
    },
    /// A JSON text or file that isn't what Keras would have written.
    #[error("config of {place}: {rule}; got {got}")]
    Config {
        /// Which part.
        place: String,
        /// What must hold.
        rule: String,
        /// What was found.
        got: String,
    },
    /// A graph of layers that isn't one.
    #[error("{place}: {rule}; got {got}")]
    Graph {
        /// Which model or layer.
        place: String,
        /// What must hold.
        rule: String,
        /// What was found.
        got: String,
    },
}

impl Error {
    /// An argument or a setting outside what it may be.
    pub fn setting(
        subject: impl Into<String>,
        rule: impl Into<String>,
        got: impl ToString,
    ) -> Error {
        Error::Setting { subject: subject.into(), rule: rule.into(), got: got.to_string() }
    }

    /// Inputs of shapes that a layer can't work with.
    pub fn input(rule: impl Into<String>, got: &[&Shape]) -> Error {
        let got = got.iter().map(|s| crate::symbol::unprobed(s)).collect();
        Error::Input { rule: rule.into(), got }
    }

    /// A JSON text that isn't what Keras would have written.
    pub fn config(place: impl Into<String>, rule: impl Into<String>, got: impl ToString) -> Error {
        Error::Config { place: place.into(), rule: rule.into(), got: got.to_string() }
    }

    /// A graph of layers that isn't one.
    pub fn graph(place: impl Into<String>, rule: impl Into<String>, got: impl ToString) -> Error {
        Error::Graph { place: place.into(), rule: rule.into(), got: got.to_string() }
    }

    /// This error as one that happened in a layer; one that already names its layer stays.
    pub fn in_layer(self, name: &str, class: &str) -> Error {
        match self {
            Error::Layer { .. } => self,
            other => {
                let source = Box::new(other);
                Error::Layer { name: name.into(), class: class.into(), source }
            }
        }
    }
}

fn shapes(shapes: &[Vec<Option<usize>>]) -> String {
    let mut texts: Vec<String> = shapes.iter().map(|s| crate::symbol::shape_text(s)).collect();
    match texts.pop() {
        Some(last) if !texts.is_empty() => format!("{} and {last}", texts.join(", ")),
        Some(only) => only,
        None => "nothing".into(),
    }
}
