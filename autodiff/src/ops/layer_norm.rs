//! Layer normalization and its kin: statistics of each example over its trailing axes.

use crate::dtype::Element;
use crate::each_float;
use crate::error::{Error, Result};
use crate::kernels::normalize::{Rows, normalize, scale_slope, slope};
use crate::kernels::reduce::sum_rows;
use crate::op::{Call, Gradients, Op, Saves, apply};
use crate::shape::Spec;
use crate::tape::is_recording;
use crate::tensor::Tensor;

/// `(x - mean) / √(variance + epsilon) · gamma + beta`, statistics over the last `axes` axes.
#[derive(Clone, Copy, Debug)]
pub struct LayerNorm {
    /// Number of trailing axes that are normalised together.
    pub axes: usize,
    /// What keeps the divisor from 0.
    pub epsilon: f64,
    /// Whether the mean is subtracted; if not, the divisor is the root mean square.
    pub centred: bool,
}

fn slice<T: Element>(x: &Tensor) -> &[T] {
    x.contiguous_slice().expect("packed before")
}

impl LayerNorm {
    fn rows<'a, T: Element>(&self, x: &'a Tensor) -> Rows<'a, T> {
        let len = x.dims()[x.rank() - self.axes..].iter().product();
        Rows { x: slice(x), len, centred: self.centred, epsilon: T::from_f64(self.epsilon) }
    }

    /// The gradients in ops.
    fn in_ops(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        let x = call.input(0);
        let axes: Vec<isize> = (1..=self.axes as isize).map(|a| -a).collect();
        let mean = |x: &Tensor| x.mean(axes.clone(), true);
        let centred = if self.centred { x - mean(x) } else { x.clone() };
        let scale = (mean(&centred.square()) + self.epsilon).rsqrt();
        let normal = &centred * &scale;
        into.add(0, || {
            let g = if call.len() > 1 { g * call.input(1) } else { g.clone() };
            let rest = &normal * mean(&(&g * &normal));
            let rest = if self.centred { rest + mean(&g) } else { rest };
            (g - rest) * &scale
        });
        if call.len() > 1 {
            into.add(1, || g * &normal);
        }
        if call.len() > 2 {
            into.add(2, || g.clone());
        }
    }
}

impl Op for LayerNorm {
    fn name(&self) -> &'static str {
        "layer_norm"
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        1..=3
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        if !x[0].dtype.is_float() || x.iter().any(|s| s.dtype != x[0].dtype) {
            let rule = "inputs must all be float32 or all float64";
            return Err(Error::dtype("layer_norm", rule, x));
        }
        if self.axes == 0 || self.axes > x[0].shape.rank() {
            let rule = "at least one axis, and no more than there are, can be normalised";
            return Err(Error::value("layer_norm", rule, self.axes.to_string()));
        }
        let trailing = &x[0].dims()[x[0].shape.rank() - self.axes..];
        if x[1..].iter().any(|s| s.dims() != trailing) {
            let rule = "gamma and beta must have the shape of the normalised axes";
            return Err(Error::shape("layer_norm", rule, x));
        }
        Ok(*x[0])
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let image = x[0].packed();
        let [gamma, beta] = [1, 2].map(|i| x.get(i).map(|x| x.packed()));
        Ok(each_float!(out.dtype, T => Tensor::build(out.shape, |y: &mut [T]| {
            normalize(self.rows(&image), gamma.as_deref().map(slice), beta.as_deref().map(slice), y);
        })))
    }
    fn saves(&self) -> Saves {
        Saves::Some(0b11)
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        if is_recording() {
            return self.in_ops(call, g, into);
        }
        let (x, g) = (call.input(0).packed(), g.packed());
        let gamma = (call.len() > 1).then(|| call.input(1).packed());
        each_float!(g.dtype(), T => {
            let rows = self.rows::<T>(&x);
            let moments = rows.moments();
            into.add(0, || Tensor::build(*x.shape(), |out| {
                slope(rows, &moments, gamma.as_deref().map(slice), slice(&g), out);
            }));
            if call.len() > 1 {
                into.add(1, || Tensor::build(call.spec(1).shape, |out| {
                    scale_slope(rows, &moments, slice(&g), out);
                }));
            }
            if call.len() > 2 {
                into.add(2, || Tensor::build(call.spec(2).shape, |out: &mut [T]| {
                    sum_rows(slice(&g), out);
                }));
            }
        });
    }
}

fn normalized(
    op: LayerNorm,
    x: &Tensor,
    gamma: Option<&Tensor>,
    beta: Option<&Tensor>,
) -> Result<Tensor> {
    match (gamma, beta) {
        (Some(gamma), Some(beta)) => apply(op, &[x, gamma, beta]),
        (Some(gamma), None) => apply(op, &[x, gamma]),
        (None, None) => apply(op, &[x]),
        (None, Some(beta)) => {
            let y = apply(op, &[x])?;
            apply(super::Add, &[&y, beta])
        }
    }
}

/// `(x - mean) / √(variance + epsilon) · gamma + beta` in one op, with mean and variance of each
/// example over the last `axes` axes, whose shape gamma and beta have (Ba et al. 2016,
/// arXiv:1607.06450). Keras's `layer_normalization`, for trailing axes.
///
/// # Errors
/// When shapes or dtypes don't fit, or there are fewer axes.
///
/// ```
/// # use cornu_autodiff::{Tensor, ops::layer_norm};
/// let y = layer_norm(&Tensor::from([[1.0f32, 3.0], [10.0, 30.0]]), None, None, 1, 0.0)?;
/// assert_eq!(y.to_vec::<f32>()?, [-1.0, 1.0, -1.0, 1.0]);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub fn layer_norm(
    x: &Tensor,
    gamma: Option<&Tensor>,
    beta: Option<&Tensor>,
    axes: usize,
    epsilon: f64,
) -> Result<Tensor> {
    normalized(LayerNorm { axes, epsilon, centred: true }, x, gamma, beta)
}

/// `x / √(mean(x²) + epsilon) · gamma` in one op, over the last `axes` axes (Zhang and Sennrich
/// 2019, arXiv:1910.07467). Keras's `rms_normalization`, for trailing axes.
///
/// # Errors
/// As [`layer_norm`].
pub fn rms_norm(x: &Tensor, gamma: Option<&Tensor>, axes: usize, epsilon: f64) -> Result<Tensor> {
    normalized(LayerNorm { axes, epsilon, centred: false }, x, gamma, None)
}
