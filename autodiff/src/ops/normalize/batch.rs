//! Batch normalization.

use super::{Normalized, affine, expect, part};
use crate::each_float;
use crate::error::{Error, Result};
use crate::kernels::normalize::{self as kernels, Affine};
use crate::op::{Call, Gradients, Op, Saves, apply, must};
use crate::ops::softmax::moved;
use crate::ops::window::{floats, values};
use crate::shape::{Shape, Spec, Strides, axis_of};
use crate::tape::is_recording;
use crate::tensor::Tensor;

/// Mean and biased variance of each channel, over all axes but one: `(2, channels)`. Without
/// gradient: [`BatchNorm`]'s knows that they change with `x`.
#[derive(Clone, Copy, Debug)]
pub struct BatchMoments {
    /// The axis of the channels.
    pub axis: isize,
}

/// `(x - mean) / sqrt(variance + epsilon) · gamma + beta` for each channel. Inputs are `x`, its
/// [`BatchMoments`], and gamma and beta as far as there are any.
#[derive(Clone, Copy, Debug)]
pub struct BatchNorm {
    /// The axis of the channels.
    pub axis: isize,
    /// Added to the variance.
    pub epsilon: f64,
    /// Whether there is a gamma.
    pub scale: bool,
    /// Whether there is a beta.
    pub center: bool,
}

impl Op for BatchMoments {
    fn name(&self) -> &'static str {
        "batch_moments"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        floats(self.name(), x)?;
        let axis = axis_of(self.name(), self.axis, x[0].shape.rank())?;
        x[0].with(&[2, x[0].shape[axis]])
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let (x, _) = channels_last(x[0], self.axis);
        Ok(each_float!(out.dtype, T => Tensor::build(out.shape, |moments: &mut [T]| {
            kernels::moments(values::<T>(&x), moments, out.shape[1]);
        })))
    }
    fn saves(&self) -> Saves {
        Saves::Nothing
    }
    fn is_differentiable(&self, _: usize) -> bool {
        false
    }
    fn vjp(&self, _: &Call<'_>, _: &Tensor, _: &mut Gradients<'_>) {}
}

/// The same elements with the channels' axis moved to the end, packed, and where it was.
fn channels_last(x: &Tensor, axis: isize) -> (Tensor, usize) {
    let axis = must(axis_of("batch_norm", axis, x.rank()));
    (moved(x, axis, x.rank() - 1).packed(), axis)
}

impl BatchNorm {
    fn count(&self) -> usize {
        usize::from(self.scale) + usize::from(self.center)
    }

    fn recorded(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        let x = call.input(0);
        let channels = must(axis_of(self.name(), self.axis, x.rank()));
        let axes: Vec<isize> =
            (0..x.rank()).filter(|&a| a != channels).map(|a| a as isize).collect();
        let normalized = Normalized::new(x, axes.clone(), self.epsilon);
        into.add(0, || {
            if !self.scale {
                return normalized.gradient(g);
            }
            let mut shape = vec![1; x.rank()];
            shape[channels] = -1;
            normalized.gradient(&(g * call.input(2).reshape(shape)))
        });
        if self.scale {
            into.add(2, || (g * &normalized.x).sum(axes.clone(), false));
        }
        if self.center {
            into.add(1 + self.count(), || g.sum(axes, false));
        }
    }
}

impl Op for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        floats(self.name(), x)?;
        let channels = x[0].shape[axis_of(self.name(), self.axis, x[0].shape.rank())?];
        if x.len() < 2 || x[1].dims() != [2, channels] {
            let rule = format!("moments must have shape (2, {channels})");
            return Err(Error::shape(self.name(), rule, x));
        }
        expect(self.name(), &[channels], x, 2, self.count())?;
        Ok(*x[0])
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let packed: Vec<Tensor> = x[1..].iter().map(|x| x.packed()).collect();
        let (x, axis) = channels_last(x[0], self.axis);
        let [gamma, beta] = affine(&packed[1..], self.scale);
        let y = each_float!(out.dtype, T => Tensor::build(*x.shape(), |y: &mut [T]| {
            let affine = Affine { gamma: part(gamma), beta: part(beta) };
            kernels::batch_norm(values(&x), values(&packed[0]), affine, self.epsilon as T, y);
        }));
        Ok(moved(&y, y.rank() - 1, axis))
    }
    fn saves(&self) -> Saves {
        Saves::Some(if self.scale { 0b111 } else { 0b011 })
    }
    fn is_differentiable(&self, index: usize) -> bool {
        index != 1 // the gradient by `x` takes the way through the moments, too
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        if is_recording() {
            return self.recorded(call, g, into);
        }
        let ((x, axis), (g, _)) =
            (channels_last(call.input(0), self.axis), channels_last(g, self.axis));
        let moments = call.input(1).packed();
        let gamma = self.scale.then(|| call.input(2).packed());
        let epsilon = self.epsilon;
        each_float!(x.dtype(), T => {
            let sums = Tensor::build(*moments.shape(), |sums: &mut [T]| {
                let inputs = [values(&x), values(&g)];
                kernels::batch_norm_sums(inputs, values(&moments), epsilon as T, sums);
            });
            into.add(0, || {
                let by_x = Tensor::build(*x.shape(), |out: &mut [T]| {
                    let columns = [values(&moments), values(&sums), part(gamma.as_ref())];
                    let inputs = [values(&x), values(&g)];
                    kernels::batch_norm_gradient(inputs, columns, epsilon as T, out);
                });
                moved(&by_x, x.rank() - 1, axis)
            });
            if self.scale {
                into.add(2, || half(&sums, 0));
            }
            if self.center {
                into.add(1 + self.count(), || half(&sums, 1));
            }
        });
    }
}

/// One of the two rows of a tensor, as a constant.
fn half(x: &Tensor, row: usize) -> Tensor {
    let offset = x.offset as isize + row as isize * x.strides()[0];
    x.view(Shape::of(&x.dims()[1..]), Strides::of(&x.strides()[1..]), offset as usize)
}

/// Batch normalization as in training:
/// `(x - mean) / sqrt(variance + epsilon) · gamma + beta`, with mean and (biased) variance of each
/// channel over all other axes (Ioffe and Szegedy 2015, arXiv 1502.03167).
///
/// Returns the output, which has the shape of `x`, then mean and variance, `(channels)`, for
/// moving averages: they are constants to a tape, while the output's gradient takes into account
/// that they change with `x`.
///
/// # Errors
/// When the axis is out of range, gamma or beta don't have one entry for each channel, or dtypes
/// are not all float32 or all float64.
///
/// ```
/// use cornu_autodiff::{Tensor, ops};
/// let x = Tensor::from([[1.0f32, 5.0], [3.0, 5.0]]);
/// let (y, mean, variance) = ops::batch_norm(&x, None, None, -1, 0.0001)?;
/// assert_eq!(y.round().to_vec::<f32>()?, [-1.0, 0.0, 1.0, 0.0]);
/// assert_eq!(mean.to_vec::<f32>()?, [2.0, 5.0]);
/// assert_eq!(variance.to_vec::<f32>()?, [1.0, 0.0]);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub fn batch_norm(
    x: &Tensor,
    gamma: Option<&Tensor>,
    beta: Option<&Tensor>,
    axis: isize,
    epsilon: f64,
) -> Result<(Tensor, Tensor, Tensor)> {
    let moments = apply(BatchMoments { axis }, &[x])?;
    let op = BatchNorm { axis, epsilon, scale: gamma.is_some(), center: beta.is_some() };
    let inputs: Vec<&Tensor> =
        [Some(x), Some(&moments), gamma, beta].into_iter().flatten().collect();
    let y = apply(op, &inputs)?;
    Ok((y, half(&moments, 0), half(&moments, 1)))
}
