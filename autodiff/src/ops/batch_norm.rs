//! Batch normalization in training: statistics of each channel over everything else.

use crate::dtype::Element;
use crate::each_float;
use crate::error::{Error, Result};
use crate::kernels::float::Float;
use crate::kernels::normalize::{affine, column_means, column_slopes, column_variances, combine};
use crate::op::{Call, Gradients, Op, Saves, apply};
use crate::shape::{Shape, Spec};
use crate::tape::{Pause, is_recording};
use crate::tensor::Tensor;

/// `(x - mean) / √(variance + epsilon) · gamma + beta` of `x`, mean, variance, gamma and beta,
/// one number a channel. Mean and variance must be those of `x` over all axes but the last: the
/// gradient by `x` takes them for such, and none flows to them.
#[derive(Clone, Copy, Debug)]
pub struct BatchNorm {
    /// What keeps the divisor from 0.
    pub epsilon: f64,
}

fn slice<T: Element>(x: &Tensor) -> &[T] {
    x.contiguous_slice().expect("packed before")
}

/// Number of channels: the last axis.
fn channels(x: &Spec) -> usize {
    x.dims()[x.shape.rank() - 1]
}

impl BatchNorm {
    /// One over the standard deviations.
    fn scales<T: Float>(&self, variances: &[T]) -> Vec<T> {
        let epsilon = T::from_f64(self.epsilon);
        variances.iter().map(|&v| T::ONE / (v + epsilon).sqrt_()).collect()
    }

    /// The gradients by x, gamma and beta, `None` for those that aren't wanted.
    fn slopes<T: Float>(
        &self,
        [x, mean, variance, gamma, g]: [&Tensor; 5],
        wanted: [bool; 3],
    ) -> [Option<Tensor>; 3] {
        let (means, gammas) = (slice::<T>(mean), slice::<T>(gamma));
        let scales = self.scales::<T>(slice(variance));
        let sums = column_slopes(slice(x), slice(g), means);
        let len = means.len();
        let n = T::from_f64(x.size().checked_div(len).unwrap_or(0) as f64);
        let shape = Shape::of(&[len]);
        let column = |f: &dyn Fn(usize) -> T| (0..len).map(f).collect::<Vec<T>>();
        let by_gamma = column(&|i| sums[len + i] * scales[i]);
        let by_x = wanted[0].then(|| {
            // gamma · scale · (g - Σg / n - x̂ · Σg·x̂ / n)
            let a = column(&|i| gammas[i] * scales[i]);
            let b = column(&|i| -(a[i] * scales[i] * by_gamma[i] / n));
            let c = column(&|i| -(a[i] * sums[i] / n) - b[i] * means[i]);
            Tensor::build(*x.shape(), |out| combine(slice(x), slice(g), [&a, &b, &c], out))
        });
        let vector = |values: &[T]| Tensor::build(shape, |out| out.copy_from_slice(values));
        [by_x, wanted[1].then(|| vector(&by_gamma)), wanted[2].then(|| vector(&sums[..len]))]
    }

    /// The gradients in ops, mean and variance computed anew from `x`.
    fn in_ops(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        let (x, gamma) = (call.input(0), call.input(3));
        let axes: Vec<isize> = (0..x.rank() as isize - 1).collect();
        let mean = |x: &Tensor| x.mean(axes.clone(), true);
        let centred = x - mean(x);
        let scale = (mean(&centred.square()) + self.epsilon).rsqrt();
        let normal = centred * &scale;
        into.add(0, || {
            let rest = mean(g) + &normal * mean(&(g * &normal));
            (g - rest) * (&scale * gamma)
        });
        into.add(3, || g * &normal);
        into.add(4, || g.clone());
    }
}

impl Op for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        5..=5
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        if !x[0].dtype.is_float() || x.iter().any(|s| s.dtype != x[0].dtype) {
            let rule = "inputs must all be float32 or all float64";
            return Err(Error::dtype("batch_norm", rule, x));
        }
        let fits = x[0].shape.rank() >= 2 && x[1..].iter().all(|s| s.dims() == [channels(x[0])]);
        if !fits {
            let rule = "shapes must be (batch, …, channels) and, for the rest, (channels)";
            return Err(Error::shape("batch_norm", rule, x));
        }
        Ok(*x[0])
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let [x, mean, variance, gamma, beta] = [0, 1, 2, 3, 4].map(|i| x[i].packed());
        Ok(each_float!(out.dtype, T => {
            let scales = self.scales::<T>(slice(&variance));
            let (means, betas) = (slice::<T>(&mean), slice::<T>(&beta));
            let factors: Vec<T> = scales.iter().zip(slice::<T>(&gamma)).map(|(s, c)| s * c).collect();
            let summands = factors.iter().zip(means).zip(betas).map(|((f, m), b)| b - m * f);
            let summands: Vec<T> = summands.collect();
            Tensor::build(out.shape, |y| affine(slice(&x), &factors, &summands, y))
        }))
    }
    fn saves(&self) -> Saves {
        Saves::Some(0b1111)
    }
    fn is_differentiable(&self, index: usize) -> bool {
        index != 1 && index != 2
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        if is_recording() {
            return self.in_ops(call, g, into);
        }
        let [x, mean, variance, gamma] = [0, 1, 2, 3].map(|i| call.input(i).packed());
        let g = g.packed();
        let wanted = [into.wants(0), into.wants(3), into.wants(4)];
        let inputs = [&*x, &*mean, &*variance, &*gamma, &*g];
        let found = each_float!(g.dtype(), T => self.slopes::<T>(inputs, wanted));
        for (index, gradient) in [0, 3, 4].into_iter().zip(found) {
            if let Some(gradient) = gradient {
                into.add(index, || gradient);
            }
        }
    }
}

/// Mean and variance of each channel over all axes but the last, in one pass each. No tape
/// records it, so no gradient flows to either.
///
/// # Errors
/// When `x` is not floating-point or has no axis.
pub fn batch_moments(x: &Tensor) -> Result<(Tensor, Tensor)> {
    if !x.dtype().is_float() || x.rank() == 0 {
        let rule = "the input must be float32 or float64, with a last axis of channels";
        return Err(Error::dtype("batch_moments", rule, &[x.spec()]));
    }
    let spec = x.spec().with(&[channels(x.spec())])?;
    if x.is_symbolic() {
        return Ok((Tensor::symbolic(spec), Tensor::symbolic(spec)));
    }
    let x = x.packed();
    Ok(each_float!(x.dtype(), T => {
        let mean = Tensor::build(spec.shape, |out: &mut [T]| column_means(slice(&x), out));
        let variance = Tensor::build(spec.shape, |out: &mut [T]| {
            column_variances(slice(&x), slice(&mean), out);
        });
        (mean, variance)
    }))
}

/// Batch normalization in training (Ioffe and Szegedy 2015, arXiv:1502.03167):
/// `(x - mean) / √(variance + epsilon) · gamma + beta`, with mean and variance of each channel,
/// the last axis, over all others. Returns the result, the mean and the variance (not the sample
/// variance), both `(channels)` and constants. Without gamma it is 1, without beta 0.
///
/// # Errors
/// When shapes or dtypes don't fit.
///
/// ```
/// # use cornu_autodiff::{Tensor, ops::batch_norm};
/// let x = Tensor::from([[1.0f32, 10.0], [3.0, 30.0]]);
/// let (y, mean, variance) = batch_norm(&x, None, None, 0.0)?;
/// assert_eq!(y.to_vec::<f32>()?, [-1.0, -1.0, 1.0, 1.0]);
/// assert_eq!(mean.to_vec::<f32>()?, [2.0, 20.0]);
/// assert_eq!(variance.to_vec::<f32>()?, [1.0, 100.0]);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub fn batch_norm(
    x: &Tensor,
    gamma: Option<&Tensor>,
    beta: Option<&Tensor>,
    epsilon: f64,
) -> Result<(Tensor, Tensor, Tensor)> {
    let (mean, variance) = batch_moments(x)?;
    let [gamma, beta] = [(gamma, 1.0), (beta, 0.0)].map(|(given, value)| {
        let _pause = Pause::new();
        given.cloned().unwrap_or_else(|| mean.full_like(value))
    });
    let y = apply(BatchNorm { epsilon }, &[x, &mean, &variance, &gamma, &beta])?;
    Ok((y, mean, variance))
}
