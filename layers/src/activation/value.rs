//! What each activation computes.

use cornu_autodiff::{Error as TensorError, Tensor, axis_of, ops::select};

use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::setting::Setting;

impl Activation {
    /// The function's value.
    ///
    /// # Errors
    /// When `x` isn't of floating-point numbers, when an axis is out of range, and when the
    /// activation itself means nothing.
    #[inline]
    pub fn apply(&self, x: &Tensor) -> Result<Tensor> {
        if matches!(self, Activation::Linear) {
            return Ok(x.clone());
        }
        if !x.dtype().is_float() {
            let rule = "it works on floating-point numbers";
            return Err(
                TensorError::dtype(format!("activation `{self}`"), rule, &[x.spec()]).into()
            );
        }
        match self {
            Activation::Relu => Ok(x.relu()),
            Activation::Sigmoid => Ok(x.sigmoid()),
            Activation::Tanh => Ok(x.tanh()),
            other => other.value(x),
        }
    }

    fn value(&self, x: &Tensor) -> Result<Tensor> {
        use Activation as A;
        Ok(match self {
            A::Linear => x.clone(),
            A::Relu => x.relu(),
            A::Sigmoid => x.sigmoid(),
            A::Tanh => x.tanh(),
            A::ReluWith { negative_slope, max_value, threshold } => {
                relu(x, *negative_slope, *max_value, *threshold)
            }
            A::Relu6 => x.relu6(),
            A::LeakyRelu => leaky_relu(x, 0.2),
            A::LeakyReluWith { negative_slope } => leaky_relu(x, *negative_slope),
            A::Elu => elu(x, 1.0),
            A::EluWith { alpha } => elu(x, *alpha),
            A::Celu => celu(x, 1.0),
            A::CeluWith { alpha } => celu(x, *alpha),
            A::Selu => x.selu(),
            A::Gelu => x.gelu(),
            A::GeluTanh => x.gelu_tanh(),
            A::Silu => x.silu(),
            A::HardSilu => x * hard_sigmoid(x),
            A::Mish => x * x.softplus().tanh(),
            A::LogSigmoid => -(-x).softplus(),
            A::HardSigmoid => hard_sigmoid(x),
            A::SparseSigmoid => ((x + 1.0) * 0.5).clip(0.0, 1.0),
            A::HardTanh => x.clip(-1.0, 1.0),
            A::TanhShrink => x - x.tanh(),
            A::HardShrink => hard_shrink(x, 0.5),
            A::HardShrinkWith { threshold } => hard_shrink(x, *threshold),
            A::SoftShrink => soft_shrink(x, 0.5),
            A::SoftShrinkWith { threshold } => soft_shrink(x, *threshold),
            A::Threshold { threshold, default_value } => {
                select(&x.greater_scalar(*threshold), x, &x.full_like(*default_value))
            }
            A::Softplus => x.softplus(),
            A::Squareplus => squareplus(x, 4.0),
            A::SquareplusWith { b } => squareplus(x, *b),
            A::SparsePlus => sparse_plus(x),
            A::Softsign => x.softsign(),
            A::Exponential => x.exp(),
            A::Softmax => self.along(x, -1, softmax)?,
            A::SoftmaxOver { axis } => self.along(x, *axis, softmax)?,
            A::LogSoftmax => self.along(x, -1, log_softmax)?,
            A::LogSoftmaxOver { axis } => self.along(x, *axis, log_softmax)?,
            A::Function(own) => {
                let y = own.call(x);
                if y.dtype() != x.dtype() {
                    let rule = format!("it must keep the dtype {}", x.dtype());
                    return Err(Error::setting(format!("activation `{self}`"), rule, y.dtype()));
                }
                y
            }
            A::Unknown(_) => return Err(self.check().unwrap_err()),
        })
    }

    fn along(&self, x: &Tensor, axis: isize, f: fn(&Tensor, isize) -> Tensor) -> Result<Tensor> {
        let axis = axis_of("softmax", axis, x.rank())?;
        Ok(f(x, axis as isize))
    }
}

fn relu(x: &Tensor, negative_slope: f64, max_value: Option<f64>, threshold: f64) -> Tensor {
    let zero = x.zeros_like();
    let above = select(&x.greater_scalar(threshold), x, &zero);
    let above = match max_value {
        Some(ceiling) => above.clip(0.0, ceiling),
        None => above,
    };
    if negative_slope == 0.0 { above } else { above - (threshold - x).relu() * negative_slope }
}

fn leaky_relu(x: &Tensor, slope: f64) -> Tensor {
    select(&x.greater_scalar(0.0), x, &(x * slope))
}

/// The exponential sees no positive number, so it can't overflow.
fn elu(x: &Tensor, alpha: f64) -> Tensor {
    let below = select(&x.greater_scalar(0.0), &x.zeros_like(), x);
    select(&x.greater_scalar(0.0), x, &(below.expm1() * alpha))
}

fn celu(x: &Tensor, alpha: f64) -> Tensor {
    let below = select(&x.greater_scalar(0.0), &x.zeros_like(), x);
    select(&x.greater_scalar(0.0), x, &((below * (1.0 / alpha)).expm1() * alpha))
}

fn hard_sigmoid(x: &Tensor) -> Tensor {
    (x + 3.0).relu6() * (1.0 / 6.0)
}

fn hard_shrink(x: &Tensor, threshold: f64) -> Tensor {
    select(&x.abs().greater_scalar(threshold), x, &x.zeros_like())
}

fn soft_shrink(x: &Tensor, threshold: f64) -> Tensor {
    (x - threshold).relu() - (-x - threshold).relu()
}

fn squareplus(x: &Tensor, b: f64) -> Tensor {
    (x + (x.square() + b).sqrt()) * 0.5
}

fn sparse_plus(x: &Tensor) -> Tensor {
    let bend = (x + 1.0).square() * 0.25;
    let upper = select(&x.less_scalar(1.0), &bend, x);
    select(&x.greater_scalar(-1.0), &upper, &x.zeros_like())
}

/// The greatest is taken away first, so that nothing overflows.
fn softmax(x: &Tensor, axis: isize) -> Tensor {
    let shifted = (x - x.max(axis, true).stop_gradient()).exp();
    &shifted / shifted.sum(axis, true)
}

fn log_softmax(x: &Tensor, axis: isize) -> Tensor {
    let shifted = x - x.max(axis, true).stop_gradient();
    &shifted - shifted.exp().sum(axis, true).log()
}
