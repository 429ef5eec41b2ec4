//! Every way in which tensors and gradients fail, with one grammar:
//! `place: rule; got facts; hint`.

use crate::dtype::DType;
use crate::shape::Spec;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong with a tensor, an op or a gradient.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Shapes that don't fit an op.
    #[error("{place}: {rule}; got {}", shapes(.got))]
    Shape {
        /// The op.
        place: String,
        /// What must hold.
        rule: String,
        /// What it was given.
        got: Vec<Spec>,
    },
    /// Element types that don't fit an op.
    #[error("{place}: {rule}; got {}{hint}", dtypes(.got))]
    DType {
        /// The op.
        place: String,
        /// What must hold.
        rule: String,
        /// What it was given.
        got: Vec<DType>,
        /// What to do about it, with its separator.
        hint: &'static str,
    },
    /// A value or an argument outside its range.
    #[error("{place}: {rule}; got {got}")]
    Value {
        /// The op or function.
        place: String,
        /// What must hold.
        rule: String,
        /// What it was given.
        got: String,
    },
    /// A name that stands for nothing, with the names that do, nearest first.
    #[error("unknown {kind} `{got}`; {}", suggest(.known))]
    Unknown {
        /// What the name should have named.
        kind: String,
        /// The name.
        got: String,
        /// Valid names, nearest first.
        known: Vec<String>,
    },
    /// A value asked of a tensor that has none.
    #[error(
        "a symbolic tensor of shape {} has no value; build a model from it and call `predict`",
        .0.shape
    )]
    Symbolic(Spec),
    /// A gradient that does not exist.
    #[error("gradient: {rule}; got {got}")]
    Gradient {
        /// What must hold.
        rule: String,
        /// What it was given.
        got: String,
    },
}

impl Error {
    /// Shapes that don't fit an op.
    pub fn shape(place: impl Into<String>, rule: impl Into<String>, got: &[&Spec]) -> Error {
        let got = got.iter().map(|s| **s).collect();
        Error::Shape { place: place.into(), rule: rule.into(), got }
    }

    /// Element types that don't fit an op.
    pub fn dtype(place: impl Into<String>, rule: impl Into<String>, got: &[&Spec]) -> Error {
        let got = got.iter().map(|s| s.dtype).collect();
        let hint = "; convert with `cast`";
        Error::DType { place: place.into(), rule: rule.into(), got, hint }
    }

    /// A value or an argument outside its range.
    pub fn value(
        place: impl Into<String>,
        rule: impl Into<String>,
        got: impl Into<String>,
    ) -> Error {
        Error::Value { place: place.into(), rule: rule.into(), got: got.into() }
    }

    /// A name that stands for nothing; `known` is sorted by likeness to it.
    pub fn unknown<S: AsRef<str>>(kind: impl Into<String>, got: &str, known: &[S]) -> Error {
        let mut known: Vec<String> = known.iter().map(|s| s.as_ref().to_string()).collect();
        known.sort_by_cached_key(|name| distance(&got.to_lowercase(), &name.to_lowercase()));
        Error::Unknown { kind: kind.into(), got: got.to_string(), known }
    }
}

fn shapes(specs: &[Spec]) -> String {
    join(specs.iter().map(|s| s.shape.to_string()))
}

fn dtypes(dtypes: &[DType]) -> String {
    join(dtypes.iter().map(ToString::to_string))
}

fn join(parts: impl Iterator<Item = String>) -> String {
    let mut parts: Vec<String> = parts.collect();
    match parts.pop() {
        Some(last) if !parts.is_empty() => format!("{} and {last}", parts.join(", ")),
        Some(only) => only,
        None => "nothing".into(),
    }
}

fn suggest(known: &[String]) -> String {
    match known {
        [] => "there is none to choose from".into(),
        [nearest] => format!("did you mean `{nearest}`?"),
        [nearest, rest @ ..] => {
            format!("did you mean `{nearest}`? There are also {}", rest.join(", "))
        }
    }
}

/// Number of insertions, deletions and substitutions between two words (Levenshtein, 1966).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
