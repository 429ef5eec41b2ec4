//! Activations as Keras names and writes them.

use std::fmt;

use cornu_autodiff::Error as TensorError;
use serde_json::{Value, json};

use crate::activation::{Activation, ActivationFunction};
use crate::envelope::{envelope, function, get, open};
use crate::error::{Error, Result};
use crate::setting::{Config, Setting, wrong};

/// Keras's functions at their default arguments.
const NAMES: &[(&str, Activation)] = &[
    ("linear", Activation::Linear),
    ("relu", Activation::Relu),
    ("relu6", Activation::Relu6),
    ("leaky_relu", Activation::LeakyRelu),
    ("elu", Activation::Elu),
    ("celu", Activation::Celu),
    ("selu", Activation::Selu),
    ("gelu", Activation::Gelu),
    ("silu", Activation::Silu),
    ("hard_silu", Activation::HardSilu),
    ("mish", Activation::Mish),
    ("sigmoid", Activation::Sigmoid),
    ("log_sigmoid", Activation::LogSigmoid),
    ("hard_sigmoid", Activation::HardSigmoid),
    ("sparse_sigmoid", Activation::SparseSigmoid),
    ("tanh", Activation::Tanh),
    ("hard_tanh", Activation::HardTanh),
    ("tanh_shrink", Activation::TanhShrink),
    ("hard_shrink", Activation::HardShrink),
    ("soft_shrink", Activation::SoftShrink),
    ("softplus", Activation::Softplus),
    ("squareplus", Activation::Squareplus),
    ("sparse_plus", Activation::SparsePlus),
    ("softsign", Activation::Softsign),
    ("exponential", Activation::Exponential),
    ("softmax", Activation::Softmax),
    ("log_softmax", Activation::LogSoftmax),
    ("sparsemax", Activation::Sparsemax),
    ("glu", Activation::Glu),
    ("swish", Activation::Silu),
    ("hard_swish", Activation::HardSilu),
];

impl From<&str> for Activation {
    fn from(name: &str) -> Activation {
        match NAMES.iter().find(|(known, _)| *known == name) {
            Some((_, activation)) => activation.clone(),
            None => ActivationFunction::find(name)
                .map_or_else(|| Activation::Unknown(name.to_owned()), Activation::Function),
        }
    }
}

impl From<String> for Activation {
    fn from(name: String) -> Activation {
        name.as_str().into()
    }
}

impl fmt::Display for Activation {
    /// The function's name in Keras.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Activation as A;
        f.write_str(match self {
            A::ReluWith { .. } => "relu",
            A::LeakyReluWith { .. } => "leaky_relu",
            A::EluWith { .. } => "elu",
            A::CeluWith { .. } => "celu",
            A::GeluTanh => "gelu",
            A::HardShrinkWith { .. } => "hard_shrink",
            A::SoftShrinkWith { .. } => "soft_shrink",
            A::Threshold { .. } => "threshold",
            A::SquareplusWith { .. } => "squareplus",
            A::SoftmaxOver { .. } => "softmax",
            A::LogSoftmaxOver { .. } => "log_softmax",
            A::SparsemaxOver { .. } => "sparsemax",
            A::GluOver { .. } => "glu",
            A::Function(own) => own.name(),
            A::Unknown(name) => name,
            plain => NAMES.iter().find(|(_, known)| known == plain).map_or("", |(name, _)| name),
        })
    }
}

/// What is written of an activation whose arguments aren't Keras's defaults. Where Keras has a
/// layer for it, that layer, as when one is passed as an activation; otherwise, as Keras has no
/// form for it, the function's name beside its arguments.
fn with_arguments(activation: &Activation) -> Option<Value> {
    use Activation as A;
    let layer = |class: &str, config: Value| Some(envelope("keras.layers", class, config));
    let arguments = match activation {
        A::ReluWith { negative_slope, max_value, threshold } => {
            let (negative_slope, threshold) = (json!(negative_slope), json!(threshold));
            return layer(
                "ReLU",
                json!({
                    "max_value": max_value,
                    "negative_slope": negative_slope,
                    "threshold": threshold,
                }),
            );
        }
        A::LeakyReluWith { negative_slope } => {
            return layer("LeakyReLU", json!({ "negative_slope": negative_slope }));
        }
        A::EluWith { alpha } => return layer("ELU", json!({ "alpha": alpha })),
        A::SoftmaxOver { axis } => return layer("Softmax", json!({ "axis": axis })),
        A::CeluWith { alpha } => json!({ "alpha": alpha }),
        A::GeluTanh => json!({ "approximate": true }),
        A::HardShrinkWith { threshold } | A::SoftShrinkWith { threshold } => {
            json!({ "threshold": threshold })
        }
        A::Threshold { threshold, default_value } => {
            json!({ "threshold": threshold, "default_value": default_value })
        }
        A::SquareplusWith { b } => json!({ "b": b }),
        A::LogSoftmaxOver { axis } | A::SparsemaxOver { axis } | A::GluOver { axis } => {
            json!({ "axis": axis })
        }
        _ => return None,
    };
    Some(envelope("keras.activations", &activation.to_string(), arguments))
}

/// Layers that Keras lets stand for an activation.
const LAYERS: &[&str] = &["ReLU", "LeakyReLU", "ELU", "Softmax"];

/// The reverse of [`with_arguments`].
fn from_arguments(class: &str, config: &Config) -> Result<Activation> {
    use Activation as A;
    let axis = || get(config, "axis", -1isize);
    let relu = |ceiling: Option<f64>| -> Result<Activation> {
        Ok(A::ReluWith {
            negative_slope: get(config, "negative_slope", 0.0)?,
            max_value: get(config, "max_value", ceiling)?,
            threshold: get(config, "threshold", 0.0)?,
        })
    };
    Ok(match class {
        "ReLU" | "relu" => relu(None)?,
        "LeakyReLU" => A::LeakyReluWith { negative_slope: get(config, "negative_slope", 0.3)? },
        "leaky_relu" => A::LeakyReluWith { negative_slope: get(config, "negative_slope", 0.2)? },
        "ELU" | "elu" => A::EluWith { alpha: get(config, "alpha", 1.0)? },
        "Softmax" | "softmax" => A::SoftmaxOver { axis: axis()? },
        "celu" => A::CeluWith { alpha: get(config, "alpha", 1.0)? },
        "gelu" if get(config, "approximate", false)? => A::GeluTanh,
        "hard_shrink" => A::HardShrinkWith { threshold: get(config, "threshold", 0.5)? },
        "soft_shrink" => A::SoftShrinkWith { threshold: get(config, "threshold", 0.5)? },
        "squareplus" => A::SquareplusWith { b: get(config, "b", 4.0)? },
        "log_softmax" => A::LogSoftmaxOver { axis: axis()? },
        "sparsemax" => A::SparsemaxOver { axis: axis()? },
        "glu" => A::GluOver { axis: axis()? },
        "threshold" => {
            let must = |key: &str| {
                config.get(key).map_or_else(
                    || {
                        Err(Error::config(
                            "activation `threshold`",
                            format!("the key `{key}` must be there"),
                            "no such key",
                        ))
                    },
                    f64::from_json,
                )
            };
            A::Threshold { threshold: must("threshold")?, default_value: must("default_value")? }
        }
        name => name.into(),
    })
}

impl Setting for Activation {
    fn to_json(&self) -> Value {
        match self {
            Activation::Function(own) => function(own.name()),
            other => with_arguments(other).unwrap_or_else(|| json!(other.to_string())),
        }
    }

    fn from_json(value: &Value) -> Result<Activation> {
        let activation = match value {
            Value::Null => Activation::Linear,
            Value::String(name) => name.as_str().into(),
            Value::Object(_) => {
                let (class, config) = open(value)?;
                if config.is_empty() && !LAYERS.contains(&class.as_str()) {
                    class.as_str().into()
                } else {
                    from_arguments(&class, &config)?
                }
            }
            _ => return Err(wrong("the name of an activation, or an object", value)),
        };
        activation.check()?;
        Ok(activation)
    }

    fn check(&self) -> Result<()> {
        match self {
            Activation::Unknown(name) => {
                let own = ActivationFunction::names();
                let known: Vec<&str> =
                    NAMES.iter().map(|(n, _)| *n).chain(own.iter().map(String::as_str)).collect();
                Err(TensorError::unknown("activation", name, &known).into())
            }
            Activation::CeluWith { alpha } if *alpha == 0.0 => {
                Err(Error::setting("activation `celu`", "`alpha` must not be 0", alpha))
            }
            Activation::ReluWith { max_value: Some(ceiling), .. } if *ceiling < 0.0 => {
                let rule = "`max_value` must not be negative";
                Err(Error::setting("activation `relu`", rule, ceiling))
            }
            Activation::ReluWith { negative_slope, .. } if *negative_slope < 0.0 => {
                let rule = "`negative_slope` must not be negative";
                Err(Error::setting("activation `relu`", rule, negative_slope))
            }
            _ => Ok(()),
        }
    }
}
