//! What weights are brought back to after each step.

use std::fmt;
use std::sync::Arc;

use cornu_autodiff::{Error as TensorError, Tensor, axis_of};
use serde_json::{Value, json};

use crate::envelope::{envelope, function, get, open, plain};
use crate::error::{Error, Result};
use crate::setting::Setting;

/// A rule that a weight must obey after each step of training: Keras's `keras.constraints`.
///
/// With `n` the length of `x` along `axis` and `ε = 1e-7`:
///
/// | variant | result |
/// |---|---|
/// | `MaxNorm` | `x · clip(n, 0, max_value) / (ε + n)` |
/// | `MinMaxNorm` | `x · (rate · clip(n, min_value, max_value) + (1 - rate) · n) / (ε + n)` |
/// | `NonNeg` | `max(x, 0)` |
/// | `UnitNorm` | `x / (ε + n)` |
///
/// Each unit of a `Dense` layer has its weights along axis 0, each filter of a `Conv2D` along
/// `[0, 1, 2]`. By name: `"max_norm"`, `"min_max_norm"`, `"non_neg"`, `"unit_norm"`.
///
/// ```
/// use cornu_autodiff::{Tensor, testing::assert_close};
/// use cornu_layers::Constraint;
/// let kernel = Tensor::from([[3.0], [4.0]]);
/// let short = Constraint::max_norm(1.0).apply(&kernel)?;
/// assert_close(&short, &Tensor::from([[0.6], [0.8]]), 1e-6, 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Constraint {
    /// Lengths of at most `max_value`.
    MaxNorm {
        /// The greatest length; 2 in Keras.
        max_value: f64,
        /// Axes along which lengths are taken; 0 in Keras.
        axis: Vec<isize>,
    },
    /// Lengths between two bounds.
    MinMaxNorm {
        /// The least length; 0 in Keras.
        min_value: f64,
        /// The greatest length; 1 in Keras.
        max_value: f64,
        /// How far towards the bounds a step goes; 1 in Keras.
        rate: f64,
        /// Axes along which lengths are taken; 0 in Keras.
        axis: Vec<isize>,
    },
    /// No negative values.
    NonNeg,
    /// Lengths of 1.
    UnitNorm {
        /// Axes along which lengths are taken; 0 in Keras.
        axis: Vec<isize>,
    },
    /// A function of your own.
    Function(ConstraintFunction),
    #[doc(hidden)]
    Unknown(String),
}

/// A constraint of your own, with the name under which it is written.
#[derive(Clone)]
pub struct ConstraintFunction {
    name: Arc<str>,
    function: Arc<dyn Fn(&Tensor) -> Tensor + Send + Sync>,
}

impl fmt::Debug for ConstraintFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl PartialEq for ConstraintFunction {
    /// The same function, not merely one of the same name.
    fn eq(&self, other: &ConstraintFunction) -> bool {
        Arc::ptr_eq(&self.function, &other.function)
    }
}

const NAMES: &[&str] = &["max_norm", "min_max_norm", "non_neg", "unit_norm"];
/// Keras's `backend.epsilon()`.
const EPSILON: f64 = 1e-7;

impl Constraint {
    /// Lengths of at most `max_value` along axis 0.
    pub fn max_norm(max_value: f64) -> Constraint {
        Constraint::MaxNorm { max_value, axis: vec![0] }
    }

    /// Lengths between two bounds along axis 0, at once.
    pub fn min_max_norm(min_value: f64, max_value: f64) -> Constraint {
        Constraint::MinMaxNorm { min_value, max_value, rate: 1.0, axis: vec![0] }
    }

    /// Lengths of 1 along axis 0.
    pub fn unit_norm() -> Constraint {
        Constraint::UnitNorm { axis: vec![0] }
    }

    /// A constraint of your own. A config that names it can be written but not read.
    pub fn function(
        name: impl Into<String>,
        function: impl Fn(&Tensor) -> Tensor + Send + Sync + 'static,
    ) -> Constraint {
        let name: String = name.into();
        Constraint::Function(ConstraintFunction { name: name.into(), function: Arc::new(function) })
    }

    /// The same constraint with lengths taken along other axes.
    #[must_use]
    pub fn axis(mut self, axes: impl IntoIterator<Item = isize>) -> Constraint {
        if let Constraint::MaxNorm { axis, .. }
        | Constraint::MinMaxNorm { axis, .. }
        | Constraint::UnitNorm { axis } = &mut self
        {
            *axis = axes.into_iter().collect();
        }
        self
    }

    /// The weight as the rule wants it.
    ///
    /// # Errors
    /// When `x` isn't of floating-point numbers or lacks one of the axes, and when the
    /// constraint itself means nothing.
    pub fn apply(&self, x: &Tensor) -> Result<Tensor> {
        if !x.dtype().is_float() {
            let rule = "it must be of floating-point numbers";
            return Err(TensorError::dtype("constraint", rule, &[x.spec()]).into());
        }
        Ok(match self {
            Constraint::MaxNorm { max_value, axis } => {
                let norms = lengths(x, axis)?;
                x * (norms.clip(0.0, *max_value) / (norms + EPSILON))
            }
            Constraint::MinMaxNorm { min_value, max_value, rate, axis } => {
                let norms = lengths(x, axis)?;
                let desired = norms.clip(*min_value, *max_value) * *rate + &norms * (1.0 - rate);
                x * (desired / (norms + EPSILON))
            }
            Constraint::NonNeg => x.relu(),
            Constraint::UnitNorm { axis } => x / (lengths(x, axis)? + EPSILON),
            Constraint::Function(own) => {
                let y = (own.function)(x);
                if y.spec() != x.spec() {
                    let rule = format!("the constraint `{}` must keep dtype and shape", own.name);
                    return Err(
                        TensorError::shape("constraint", rule, &[x.spec(), y.spec()]).into()
                    );
                }
                y
            }
            Constraint::Unknown(_) => return Err(self.check().unwrap_err()),
        })
    }
}

/// `sqrt(Σ x²)` along the axes, which stay as ones.
fn lengths(x: &Tensor, axes: &[isize]) -> Result<Tensor> {
    for &axis in axes {
        axis_of("constraint", axis, x.rank())?;
    }
    Ok(x.square().sum(axes, true).sqrt())
}

impl From<&str> for Constraint {
    fn from(name: &str) -> Constraint {
        match plain(name).as_str() {
            "maxnorm" => Constraint::max_norm(2.0),
            "minmaxnorm" => Constraint::min_max_norm(0.0, 1.0),
            "nonneg" => Constraint::NonNeg,
            "unitnorm" => Constraint::unit_norm(),
            _ => Constraint::Unknown(name.to_owned()),
        }
    }
}

impl From<String> for Constraint {
    fn from(name: String) -> Constraint {
        name.as_str().into()
    }
}

impl Setting for Constraint {
    fn to_json(&self) -> Value {
        // One axis is written as a number.
        let written = |axis: &[isize]| match axis {
            [axis] => json!(axis),
            axes => json!(axes),
        };
        let (class, config) = match self {
            Constraint::MaxNorm { max_value, axis } => {
                // Keras's default is the whole number 2.
                let whole = max_value.fract() == 0.0 && max_value.abs() < 1e15;
                let value = if whole { json!(*max_value as i64) } else { json!(max_value) };
                ("MaxNorm", json!({ "max_value": value, "axis": written(axis) }))
            }
            Constraint::MinMaxNorm { min_value, max_value, rate, axis } => (
                "MinMaxNorm",
                json!({
                    "min_value": min_value,
                    "max_value": max_value,
                    "rate": rate,
                    "axis": written(axis),
                }),
            ),
            Constraint::NonNeg => ("NonNeg", json!({})),
            Constraint::UnitNorm { axis } => ("UnitNorm", json!({ "axis": written(axis) })),
            Constraint::Function(own) => return function(&own.name),
            Constraint::Unknown(name) => return json!(name),
        };
        envelope("keras.constraints", class, config)
    }

    fn from_json(value: &Value) -> Result<Constraint> {
        let (class, config) = open(value)?;
        let mut constraint = Constraint::from(class.as_str());
        match &mut constraint {
            Constraint::MaxNorm { max_value, axis } => {
                *max_value = get(&config, "max_value", *max_value)?;
                *axis = get(&config, "axis", axis.clone())?;
            }
            Constraint::MinMaxNorm { min_value, max_value, rate, axis } => {
                *min_value = get(&config, "min_value", *min_value)?;
                *max_value = get(&config, "max_value", *max_value)?;
                *rate = get(&config, "rate", *rate)?;
                *axis = get(&config, "axis", axis.clone())?;
            }
            Constraint::UnitNorm { axis } => *axis = get(&config, "axis", axis.clone())?,
            Constraint::NonNeg | Constraint::Function(_) | Constraint::Unknown(_) => {}
        }
        constraint.check()?;
        Ok(constraint)
    }

    fn check(&self) -> Result<()> {
        let (low, high, rate) = match self {
            Constraint::Unknown(name) => {
                return Err(TensorError::unknown("constraint", name, NAMES).into());
            }
            Constraint::MaxNorm { max_value, .. } => (0.0, *max_value, 1.0),
            Constraint::MinMaxNorm { min_value, max_value, rate, .. } => {
                (*min_value, *max_value, *rate)
            }
            Constraint::NonNeg | Constraint::UnitNorm { .. } | Constraint::Function(_) => {
                return Ok(());
            }
        };
        if !(0.0 <= low && low <= high && high.is_finite()) {
            let rule = "lengths must be finite, not negative, the least not above the greatest";
            return Err(Error::setting("constraint", rule, format!("{low} and {high}")));
        }
        if !(0.0..=1.0).contains(&rate) {
            return Err(Error::setting("constraint", "`rate` must be in [0, 1]", rate));
        }
        Ok(())
    }
}
