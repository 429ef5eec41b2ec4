//! Penalties on weights and outputs, added to the loss.

use std::fmt;
use std::sync::Arc;

use cornu_autodiff::{Error as TensorError, Tensor, ops};
use serde_json::{Value, json};

use crate::envelope::{envelope, function, get, open, plain};
use crate::error::{Error, Result};
use crate::setting::Setting;

/// A penalty on a tensor: Keras's `keras.regularizers`.
///
/// | variant | penalty |
/// |---|---|
/// | `L1` | `l1 · Σ abs(x)` |
/// | `L2` | `l2 · Σ x²` |
/// | `L1L2` | `l1 · Σ abs(x) + l2 · Σ x²` |
/// | `Orthogonal` | `factor ·` mean of `abs(cos)` over all pairs of rows (or columns) of a matrix |
///
/// By name: `"l1"`, `"l2"` (0.01 each), `"l1_l2"` (both 0), `"orthogonal_regularizer"`.
///
/// ```
/// use cornu_autodiff::Tensor;
/// use cornu_layers::Regularizer;
/// let penalty = Regularizer::l2(0.1).penalty(&Tensor::from([1.0, 2.0]))?;
/// assert_eq!(penalty.item::<f64>()?, 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Regularizer {
    /// `l1 · Σ |x|`; its slope at 0 is 0.
    L1 {
        /// The factor; 0.01 in Keras.
        l1: f64,
    },
    /// `l2 · Σ x²`
    L2 {
        /// The factor; 0.01 in Keras.
        l2: f64,
    },
    /// Both.
    L1L2 {
        /// Factor of `Σ |x|`; 0 in Keras.
        l1: f64,
        /// Factor of `Σ x²`; 0 in Keras.
        l2: f64,
    },
    /// Keras's `OrthogonalRegularizer`: zero where the rows (or columns) of a matrix stand
    /// upright on each other.
    Orthogonal {
        /// The factor; 0.01 in Keras.
        factor: f64,
        /// What is compared.
        mode: OrthogonalMode,
    },
    /// A function of your own.
    Function(PenaltyFunction),
    #[doc(hidden)]
    Unknown(String),
}

/// What [`Regularizer::Orthogonal`] compares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrthogonalMode {
    /// Rows.
    #[default]
    Rows,
    /// Columns.
    Columns,
}

/// A penalty of your own, with the name under which it is written.
#[derive(Clone)]
pub struct PenaltyFunction {
    name: Arc<str>,
    function: Arc<dyn Fn(&Tensor) -> Tensor + Send + Sync>,
}

impl fmt::Debug for PenaltyFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl PartialEq for PenaltyFunction {
    /// The same function, not merely one of the same name.
    fn eq(&self, other: &PenaltyFunction) -> bool {
        Arc::ptr_eq(&self.function, &other.function)
    }
}

const NAMES: &[&str] = &["l1", "l2", "l1_l2", "orthogonal_regularizer"];

impl Regularizer {
    /// `l1 · Σ |x|`
    pub fn l1(l1: f64) -> Regularizer {
        Regularizer::L1 { l1 }
    }

    /// `l2 · Σ x²`
    pub fn l2(l2: f64) -> Regularizer {
        Regularizer::L2 { l2 }
    }

    /// `l1 · Σ |x| + l2 · Σ x²`
    pub fn l1_l2(l1: f64, l2: f64) -> Regularizer {
        Regularizer::L1L2 { l1, l2 }
    }

    /// Pushes rows (or columns) of a matrix towards right angles.
    pub fn orthogonal(factor: f64, mode: OrthogonalMode) -> Regularizer {
        Regularizer::Orthogonal { factor, mode }
    }

    /// A penalty of your own: a scalar, made of ops. A config that names it can be written but
    /// not read.
    pub fn function(
        name: impl Into<String>,
        function: impl Fn(&Tensor) -> Tensor + Send + Sync + 'static,
    ) -> Regularizer {
        let name: String = name.into();
        Regularizer::Function(PenaltyFunction { name: name.into(), function: Arc::new(function) })
    }

    /// The penalty, a scalar.
    ///
    /// # Errors
    /// When `x` isn't of floating-point numbers, when `Orthogonal` is asked of anything but a
    /// matrix, and when the regularizer itself means nothing.
    pub fn penalty(&self, x: &Tensor) -> Result<Tensor> {
        if !x.dtype().is_float() {
            let rule = "it must be of floating-point numbers";
            return Err(TensorError::dtype("regularizer", rule, &[x.spec()]).into());
        }
        let absolute = |factor: f64| x.abs().sum(.., false) * factor;
        let squared = |factor: f64| x.square().sum(.., false) * factor;
        Ok(match self {
            Regularizer::L1 { l1 } => absolute(*l1),
            Regularizer::L2 { l2 } | Regularizer::L1L2 { l1: 0.0, l2 } => squared(*l2),
            Regularizer::L1L2 { l1, l2: 0.0 } => absolute(*l1),
            Regularizer::L1L2 { l1, l2 } => absolute(*l1) + squared(*l2),
            Regularizer::Orthogonal { factor, mode } => return orthogonal(x, *factor, *mode),
            Regularizer::Function(own) => {
                let y = (own.function)(x);
                if y.rank() != 0 {
                    let rule = format!("the penalty `{}` must be a scalar", own.name);
                    return Err(Error::setting("regularizer", rule, y.shape()));
                }
                y
            }
            Regularizer::Unknown(_) => return Err(self.check().unwrap_err()),
        })
    }
}

fn orthogonal(x: &Tensor, factor: f64, mode: OrthogonalMode) -> Result<Tensor> {
    let &[rows, columns] = x.dims() else {
        let rule = "the input must be a matrix";
        return Err(TensorError::shape("orthogonal regularizer", rule, &[x.spec()]).into());
    };
    // The vectors to compare are rows of `x`, in columns mode of its transpose.
    let (x, count) = match mode {
        OrthogonalMode::Rows => (x.clone(), rows),
        OrthogonalMode::Columns => (x.t(), columns),
    };
    let lengths = x.square().sum(1, true).sqrt();
    let safe = ops::select(&lengths.equal_scalar(0.0), &lengths.ones_like(), &lengths);
    let unit = x / safe;
    let cosines = unit.matmul(&unit.t()); // (count, count)
    let apart = cosines * (1.0 - Tensor::eye(count, unit.dtype()));
    let pairs = count as f64 * (count as f64 - 1.0) / 2.0;
    Ok(apart.abs().sum(.., false) * (0.5 * factor / pairs))
}

impl From<&str> for Regularizer {
    fn from(name: &str) -> Regularizer {
        match plain(name).as_str() {
            "l1" => Regularizer::l1(0.01),
            "l2" => Regularizer::l2(0.01),
            "l1l2" => Regularizer::l1_l2(0.0, 0.0),
            "orthogonalregularizer" => Regularizer::orthogonal(0.01, OrthogonalMode::Rows),
            _ => Regularizer::Unknown(name.to_owned()),
        }
    }
}

impl From<String> for Regularizer {
    fn from(name: String) -> Regularizer {
        name.as_str().into()
    }
}

impl Setting for Regularizer {
    fn to_json(&self) -> Value {
        // Keras keeps these two factors as float32.
        let single = |factor: f64| f64::from(factor as f32);
        let (class, config) = match self {
            Regularizer::L1 { l1 } => ("L1", json!({ "l1": single(*l1) })),
            Regularizer::L2 { l2 } => ("L2", json!({ "l2": l2 })),
            Regularizer::L1L2 { l1, l2 } => ("L1L2", json!({ "l1": l1, "l2": l2 })),
            Regularizer::Orthogonal { factor, mode } => {
                let mode = match mode {
                    OrthogonalMode::Rows => "rows",
                    OrthogonalMode::Columns => "columns",
                };
                ("OrthogonalRegularizer", json!({ "factor": single(*factor), "mode": mode }))
            }
            Regularizer::Function(own) => return function(&own.name),
            Regularizer::Unknown(name) => return json!(name),
        };
        envelope("keras.regularizers", class, config)
    }

    fn from_json(value: &Value) -> Result<Regularizer> {
        let (class, config) = open(value)?;
        let mut regularizer = Regularizer::from(class.as_str());
        match &mut regularizer {
            Regularizer::L1 { l1 } => *l1 = get(&config, "l1", *l1)?,
            Regularizer::L2 { l2 } => *l2 = get(&config, "l2", *l2)?,
            Regularizer::L1L2 { l1, l2 } => {
                (*l1, *l2) = (get(&config, "l1", *l1)?, get(&config, "l2", *l2)?);
            }
            Regularizer::Orthogonal { factor, mode } => {
                *factor = get(&config, "factor", *factor)?;
                *mode = match get(&config, "mode", "rows".to_owned())?.as_str() {
                    "rows" => OrthogonalMode::Rows,
                    "columns" => OrthogonalMode::Columns,
                    other => {
                        let known = ["rows", "columns"];
                        return Err(TensorError::unknown("mode", other, &known).into());
                    }
                };
            }
            Regularizer::Function(_) | Regularizer::Unknown(_) => {}
        }
        regularizer.check()?;
        Ok(regularizer)
    }

    fn check(&self) -> Result<()> {
        let (key, factors) = match self {
            Regularizer::Unknown(name) => {
                return Err(TensorError::unknown("regularizer", name, NAMES).into());
            }
            Regularizer::L1 { l1 } => ("l1", [*l1, 0.0]),
            Regularizer::L2 { l2 } => ("l2", [*l2, 0.0]),
            Regularizer::L1L2 { l1, l2 } => ("l1 and l2", [*l1, *l2]),
            Regularizer::Orthogonal { factor, .. } => ("factor", [*factor, 0.0]),
            Regularizer::Function(_) => return Ok(()),
        };
        match factors.iter().find(|f| !(f.is_finite() && **f >= 0.0)) {
            None => Ok(()),
            Some(bad) => {
                let rule = format!("`{key}` must be finite and not negative");
                Err(Error::setting("regularizer", rule, bad))
            }
        }
    }
}
