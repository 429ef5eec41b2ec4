//! Layer normalization.

use super::{Normalized, affine, expect, part};
use crate::each_float;
use crate::error::{Error, Result};
use crate::kernels::normalize::{self as kernels, Affine};
use crate::op::{Call, Gradients, Op, Saves, apply};
use crate::ops::window::{floats, values};
use crate::shape::{Shape, Spec};
use crate::tape::is_recording;
use crate::tensor::Tensor;

/// `(x - mean) / sqrt(variance + epsilon) · gamma + beta` over the last axes; gamma and beta are
/// the inputs after `x`, as far as there are any.
#[derive(Clone, Copy, Debug)]
pub struct LayerNorm {
    /// How many of the last axes are normalized together.
    pub axes: usize,
    /// Added to the variance.
    pub epsilon: f64,
    /// Whether there is a gamma.
    pub scale: bool,
    /// Whether there is a beta.
    pub center: bool,
}

impl LayerNorm {
    /// Elements normalized together.
    fn len(&self, x: &Shape) -> usize {
        x[x.rank() - self.axes..].iter().product()
    }

    fn count(&self) -> usize {
        usize::from(self.scale) + usize::from(self.center)
    }

    fn recorded(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        let x = call.input(0);
        let axes = (1..=self.axes as isize).map(|axis| -axis).collect();
        let normalized = Normalized::new(x, axes, self.epsilon);
        into.add(0, || match self.scale {
            true => normalized.gradient(&(g * call.input(1))),
            false => normalized.gradient(g),
        });
        if self.scale {
            into.add(1, || g * &normalized.x); // the tape sums it to gamma's shape
        }
        if self.center {
            into.add(self.count(), || g.clone());
        }
    }
}

impl Op for LayerNorm {
    fn name(&self) -> &'static str {
        "layer_norm"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        floats(self.name(), x)?;
        let rank = x[0].shape.rank();
        if self.axes == 0 || self.axes > rank {
            let rule = format!("the input must have the {} axes to normalize", self.axes.max(1));
            return Err(Error::shape(self.name(), rule, x));
        }
        expect(self.name(), &x[0].dims()[rank - self.axes..], x, 1, self.count())?;
        Ok(*x[0])
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let packed: Vec<Tensor> = x.iter().map(|x| x.packed()).collect();
        let [gamma, beta] = affine(&packed[1..], self.scale);
        let (epsilon, len) = (self.epsilon, self.len(&out.shape));
        Ok(each_float!(out.dtype, T => Tensor::build(out.shape, |y: &mut [T]| {
            let affine = Affine { gamma: part(gamma), beta: part(beta) };
            kernels::layer_norm(values(&packed[0]), affine, epsilon as T, y, len);
        })))
    }
    fn saves(&self) -> Saves {
        Saves::Some(if self.scale { 0b11 } else { 0b01 })
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        if is_recording() {
            return self.recorded(call, g, into);
        }
        let (x, g) = (call.input(0).packed(), g.packed());
        let gamma = self.scale.then(|| call.input(1).packed());
        let (epsilon, len) = (self.epsilon, self.len(x.shape()));
        let mut sums = None;
        let by_x = each_float!(x.dtype(), T => Tensor::build(*x.shape(), |out: &mut [T]| {
            let mut both = vec![T::default(); 2 * len];
            let inputs = [values(&x), values(&g)];
            let gamma = part(gamma.as_ref());
            kernels::layer_norm_gradient(inputs, gamma, epsilon as T, out, &mut both, len);
            let shape = Shape::of(&x.dims()[x.rank() - self.axes..]);
            let sum = |v: &[T]| Tensor::build(shape, |out: &mut [T]| out.copy_from_slice(v));
            sums = Some([sum(&both[..len]), sum(&both[len..])]);
        }));
        let [by_gamma, by_beta] = sums.expect("the kernel has run");
        into.add(0, || by_x);
        if self.scale {
            into.add(1, || by_gamma);
        }
        if self.center {
            into.add(self.count(), || by_beta);
        }
    }
}

/// Layer normalization over the last `axes` axes:
/// `(x - mean) / sqrt(variance + epsilon) · gamma + beta`, with mean and (biased) variance of
/// each slice of these axes (Ba, Kiros and Hinton 2016, arXiv 1607.06450).
///
/// | `x` | gamma, beta | output |
/// |---|---|---|
/// | `(rest…, normalized…)` | `(normalized…)` | as `x` |
///
/// # Errors
/// When `x` has fewer axes, gamma or beta have other shapes than the normalized axes, or dtypes
/// are not all float32 or all float64.
///
/// ```
/// use cornu_autodiff::{Tensor, ops};
/// let x = Tensor::from([[1.0f32, 3.0], [10.0, 10.0]]);
/// let y = ops::layer_norm(&x, None, None, 1, 0.0001)?;
/// assert_eq!(y.round().to_vec::<f32>()?, [-1.0, 1.0, 0.0, 0.0]);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub fn layer_norm(
    x: &Tensor,
    gamma: Option<&Tensor>,
    beta: Option<&Tensor>,
    axes: usize,
    epsilon: f64,
) -> Result<Tensor> {
    let op = LayerNorm { axes, epsilon, scale: gamma.is_some(), center: beta.is_some() };
    let inputs: Vec<&Tensor> = [Some(x), gamma, beta].into_iter().flatten().collect();
    apply(op, &inputs)
}
