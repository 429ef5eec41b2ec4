//! What each activation computes.

use cornu_autodiff::ops::{Fused, LogSoftmax, Softmax, Sparsemax};
use cornu_autodiff::{Error as TensorError, Tensor, apply, axis_of, is_probe};

use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::setting::Setting;

impl Activation {
    /// The function's value.
    ///
    /// # Errors
    /// When `x` isn't of floating-point numbers, when an axis is out of range or has an odd size
    /// where it is to be halved, and when the activation itself means nothing.
    #[inline]
    pub fn apply(&self, x: &Tensor) -> Result<Tensor> {
        if matches!(self, Activation::Linear) {
            return Ok(x.clone());
        }
        if !x.dtype().is_float() {
            let place = format!("activation `{self}`");
            let rule = "it works on floating-point numbers";
            return Err(TensorError::dtype(place, rule, &[x.spec()]).into());
        }
        match self {
            Activation::Relu => Ok(x.relu()),
            Activation::Sigmoid => Ok(x.sigmoid()),
            Activation::Tanh => Ok(x.tanh()),
            other => other.rarer(x),
        }
    }

    /// What a dense layer can compute in the same pass as its product.
    #[inline]
    pub(crate) fn fused(&self) -> Option<Fused> {
        Some(match self {
            Activation::Linear => Fused::Linear,
            Activation::Relu => Fused::Relu,
            Activation::Sigmoid => Fused::Sigmoid,
            Activation::Tanh => Fused::Tanh,
            Activation::Elu => Fused::Elu,
            Activation::Selu => Fused::Selu,
            Activation::Softplus => Fused::Softplus,
            _ => return None,
        })
    }

    fn rarer(&self, x: &Tensor) -> Result<Tensor> {
        use Activation as A;
        Ok(match self {
            A::Linear => x.clone(),
            A::Relu => x.relu(),
            A::Sigmoid => x.sigmoid(),
            A::Tanh => x.tanh(),
            A::ReluWith { negative_slope, max_value, threshold } => {
                x.relu_with(*negative_slope, *max_value, *threshold)?
            }
            A::Relu6 => x.relu6(),
            A::LeakyRelu => x.leaky_relu(0.2),
            A::LeakyReluWith { negative_slope } => x.leaky_relu(*negative_slope),
            A::Elu => x.elu(1.0),
            A::EluWith { alpha } => x.elu(*alpha),
            A::Celu => x.celu(1.0),
            A::CeluWith { alpha } => x.celu(*alpha),
            A::Selu => x.selu(),
            A::Gelu => x.gelu(),
            A::GeluTanh => x.gelu_tanh(),
            A::Silu => x.silu(),
            A::HardSilu => x.hard_silu(),
            A::Mish => x.mish(),
            A::LogSigmoid => x.log_sigmoid(),
            A::HardSigmoid => x.hard_sigmoid(),
            A::SparseSigmoid => x.sparse_sigmoid(),
            A::HardTanh => x.hard_tanh(),
            A::TanhShrink => x.tanh_shrink(),
            A::HardShrink => x.hard_shrink(0.5),
            A::HardShrinkWith { threshold } => x.hard_shrink(*threshold),
            A::SoftShrink => x.soft_shrink(0.5),
            A::SoftShrinkWith { threshold } => x.soft_shrink(*threshold),
            A::Threshold { threshold, default_value } => x.threshold(*threshold, *default_value),
            A::Softplus => x.softplus(),
            A::Squareplus => x.squareplus(4.0),
            A::SquareplusWith { b } => x.squareplus(*b),
            A::SparsePlus => x.sparse_plus(),
            A::Softsign => x.softsign(),
            A::Exponential => x.exp(),
            A::Softmax => apply(Softmax { axis: -1 }, &[x])?,
            A::SoftmaxOver { axis } => apply(Softmax { axis: *axis }, &[x])?,
            A::LogSoftmax => apply(LogSoftmax { axis: -1 }, &[x])?,
            A::LogSoftmaxOver { axis } => apply(LogSoftmax { axis: *axis }, &[x])?,
            A::Sparsemax => apply(Sparsemax { axis: -1 }, &[x])?,
            A::SparsemaxOver { axis } => apply(Sparsemax { axis: *axis }, &[x])?,
            A::Glu => glu(x, -1)?,
            A::GluOver { axis } => glu(x, *axis)?,
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
}

/// `a · sigmoid(b)` with `a` and `b` the halves of `x`.
fn glu(x: &Tensor, axis: isize) -> Result<Tensor> {
    let at = axis_of("glu", axis, x.rank())?;
    let size = x.dims()[at];
    if size % 2 == 1 && !(x.is_symbolic() && is_probe(size)) {
        let rule = format!("axis {axis} is halved, so its size must be even");
        return Err(TensorError::shape("activation `glu`", rule, &[x.spec()]).into());
    }
    let (a, b) = (x.slice(axis, ..size / 2), x.slice(axis, size / 2..size / 2 * 2));
    Ok(a * b.sigmoid())
}
