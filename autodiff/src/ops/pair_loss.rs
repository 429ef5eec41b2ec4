//! Losses of one prediction beside one target: element by element, or their mean as one op.

use std::fmt::Debug;

use crate::each_float;
use crate::error::{Error, Result};
use crate::kernels::elementwise::{map2, map3};
use crate::kernels::float::Float;
use crate::kernels::reduce::sum_pairs;
use crate::op::{Call, Gradients, Op, Saves, apply};
use crate::ops::binary::pair;
use crate::ops::select;
use crate::shape::{Shape, Spec};
use crate::tape::is_recording;
use crate::tensor::Tensor;

/// A loss of a prediction `x` and a target `t`. Slopes are written twice: for numbers, where
/// they become one loop, and in ops, where they can be differentiated again.
trait PairLoss: Copy + Debug + Send + Sync + 'static {
    const NAME: &'static str;
    const MEAN_NAME: &'static str;
    fn value<T: Float>(x: T, t: T) -> T;
    /// The derivative by `x`.
    fn slope<T: Float>(x: T, t: T) -> T;
    /// The derivative by `x`, in ops.
    fn slope_of(x: &Tensor, t: &Tensor) -> Tensor;
    /// The derivative by `t`, in ops.
    fn target_slope_of(x: &Tensor, t: &Tensor) -> Tensor;
}

/// `(x - t)²`
#[derive(Clone, Copy, Debug)]
struct SquaredError;

impl PairLoss for SquaredError {
    const NAME: &'static str = "squared_error";
    const MEAN_NAME: &'static str = "mean_squared_error";
    #[inline(always)]
    fn value<T: Float>(x: T, t: T) -> T {
        (x - t) * (x - t)
    }
    #[inline(always)]
    fn slope<T: Float>(x: T, t: T) -> T {
        (x - t) + (x - t)
    }
    fn slope_of(x: &Tensor, t: &Tensor) -> Tensor {
        (x - t) * 2.0
    }
    fn target_slope_of(x: &Tensor, t: &Tensor) -> Tensor {
        (t - x) * 2.0
    }
}

/// `-t · ln σ(x) - (1 - t) · ln (1 - σ(x))` of a logit `x`.
#[derive(Clone, Copy, Debug)]
struct SigmoidCrossEntropy;

impl PairLoss for SigmoidCrossEntropy {
    const NAME: &'static str = "sigmoid_cross_entropy";
    const MEAN_NAME: &'static str = "mean_sigmoid_cross_entropy";
    #[inline(always)]
    fn value<T: Float>(x: T, t: T) -> T {
        x.greatest(T::ZERO) - x * t + (-x.abs_()).exp_().log1p_()
    }
    #[inline(always)]
    fn slope<T: Float>(x: T, t: T) -> T {
        x.sigmoid_() - t
    }
    fn slope_of(x: &Tensor, t: &Tensor) -> Tensor {
        x.sigmoid() - t
    }
    fn target_slope_of(x: &Tensor, _: &Tensor) -> Tensor {
        -x
    }
}

/// `-t · ln p - (1 - t) · ln (1 - p)` of a probability `p`, first moved into `[1e-7, 1 - 1e-7]`.
#[derive(Clone, Copy, Debug)]
struct BinaryCrossEntropy;

/// What Keras keeps probabilities away from 0 and 1 by.
const EPSILON: f64 = 1e-7;

/// Where probabilities are kept.
#[inline(always)]
fn bounds<T: Float>() -> (T, T) {
    (T::from_f64(EPSILON), T::ONE - T::from_f64(EPSILON))
}

impl PairLoss for BinaryCrossEntropy {
    const NAME: &'static str = "binary_cross_entropy";
    const MEAN_NAME: &'static str = "mean_binary_cross_entropy";
    #[inline(always)]
    fn value<T: Float>(p: T, t: T) -> T {
        let (low, high) = bounds();
        let p = if p < low { low } else { p };
        let p = if p > high { high } else { p };
        -(t * p.ln_() + (T::ONE - t) * (T::ONE - p).ln_())
    }
    #[inline(always)]
    fn slope<T: Float>(p: T, t: T) -> T {
        let (low, high) = bounds();
        let slope = (p - t) / (p * (T::ONE - p));
        if p < low || p > high { T::ZERO } else { slope }
    }
    fn slope_of(p: &Tensor, t: &Tensor) -> Tensor {
        let clipped = p.clip(EPSILON, 1.0 - EPSILON);
        let slope = (&clipped - t) / (&clipped * (1.0 - &clipped));
        let outside = p.less_scalar(EPSILON).logical_or(&p.greater_scalar(1.0 - EPSILON));
        select(&outside, &Tensor::scalar_of(p.dtype(), 0.0), &slope)
    }
    fn target_slope_of(p: &Tensor, _: &Tensor) -> Tensor {
        let p = p.clip(EPSILON, 1.0 - EPSILON);
        (1.0 - &p).log() - p.log()
    }
}

/// A loss of each pair; shapes broadcast.
#[derive(Clone, Copy, Debug)]
struct Each<L>(L);

impl<L: PairLoss> Op for Each<L> {
    fn name(&self) -> &'static str {
        L::NAME
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        2..=2
    }
    fn attributes(&self) -> String {
        String::new()
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        expect_floats(self, x)?;
        pair(self, x)
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        Ok(each_float!(out.dtype, T => {
            map2(x[0], x[1], &out.shape, 6, |x: T, t: T| L::value(x, t))
        }))
    }
    fn saves(&self) -> Saves {
        Saves::Inputs
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        let (x, t) = (call.input(0), call.input(1));
        into.add(0, || {
            if is_recording() {
                return L::slope_of(x, t) * g;
            }
            each_float!(x.dtype(), T => {
                map3([x, t, g], g.shape(), 3, |x: T, t: T, g: T| L::slope(x, t) * g)
            })
        });
        into.add(1, || L::target_slope_of(x, t) * g);
    }
}

/// The mean of a loss over all pairs of two tensors of one shape.
#[derive(Clone, Copy, Debug)]
struct MeanOf<L>(L);

impl<L: PairLoss> Op for MeanOf<L> {
    fn name(&self) -> &'static str {
        L::MEAN_NAME
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        2..=2
    }
    fn attributes(&self) -> String {
        String::new()
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        expect_floats(self, x)?;
        if x[0] != x[1] {
            let rule = "predictions and targets must have one dtype and one shape";
            return Err(Error::shape(self.name(), rule, x));
        }
        Ok(Spec::new(x[0].dtype, Shape::SCALAR))
    }
    fn forward(&self, x: &[&Tensor], _: &Spec) -> Result<Tensor> {
        let (x, t) = (x[0].packed(), x[1].packed());
        Ok(each_float!(x.dtype(), T => {
            let (x, t) = (x.contiguous_slice(), t.contiguous_slice());
            let (x, t): (&[T], &[T]) = (x.expect("packed"), t.expect("packed"));
            Tensor::scalar(sum_pairs(x, t, |x: T, t: T| L::value(x, t)) / x.len() as T)
        }))
    }
    fn saves(&self) -> Saves {
        Saves::Inputs
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        let (x, t) = (call.input(0), call.input(1));
        into.add(0, || {
            if is_recording() {
                return L::slope_of(x, t) * (g / x.size() as f64);
            }
            each_float!(x.dtype(), T => {
                let share = g.item::<T>().expect("the gradient of a scalar") / x.size() as T;
                map2(x, t, x.shape(), 3, |x: T, t: T| L::slope(x, t) * share)
            })
        });
        into.add(1, || L::target_slope_of(x, t) * (g / x.size() as f64));
    }
}

fn expect_floats(op: &dyn Op, x: &[&Spec]) -> Result<()> {
    if x[0].dtype.is_float() {
        return Ok(());
    }
    Err(Error::dtype(op.name(), "inputs must be float32 or float64", x))
}

/// `(x - t)²`, element by element. Shapes broadcast.
///
/// # Errors
/// When dtypes differ or are not floating-point, or shapes don't broadcast.
pub fn squared_error(predictions: &Tensor, targets: &Tensor) -> Result<Tensor> {
    apply(Each(SquaredError), &[predictions, targets])
}

/// `max(x, 0) - x·t + ln(1 + e^-|x|)`, element by element: Keras's `binary_crossentropy` with
/// `from_logits=True`. Shapes broadcast.
///
/// # Errors
/// As [`squared_error`].
pub fn sigmoid_cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    apply(Each(SigmoidCrossEntropy), &[logits, targets])
}

/// `-t · ln p - (1 - t) · ln (1 - p)`, element by element, with `p` moved into
/// `[1e-7, 1 - 1e-7]`, outside of which its gradient is 0: Keras's `binary_crossentropy`.
/// Shapes broadcast.
///
/// # Errors
/// As [`squared_error`].
pub fn binary_cross_entropy(probabilities: &Tensor, targets: &Tensor) -> Result<Tensor> {
    apply(Each(BinaryCrossEntropy), &[probabilities, targets])
}

/// The mean of [`squared_error`] over all elements, as one op.
///
/// # Errors
/// When dtypes or shapes differ, or elements are not floating-point.
///
/// ```
/// # use cornu_autodiff::{Tensor, ops::mean_squared_error};
/// let loss = mean_squared_error(&Tensor::from([1.0, 2.0]), &Tensor::from([1.0, 4.0]))?;
/// assert_eq!(loss.item::<f64>()?, 2.0);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub fn mean_squared_error(predictions: &Tensor, targets: &Tensor) -> Result<Tensor> {
    apply(MeanOf(SquaredError), &[predictions, targets])
}

/// The mean of [`sigmoid_cross_entropy`] over all elements, as one op.
///
/// # Errors
/// As [`mean_squared_error`].
pub fn mean_sigmoid_cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    apply(MeanOf(SigmoidCrossEntropy), &[logits, targets])
}

/// The mean of [`binary_cross_entropy`] over all elements, as one op.
///
/// # Errors
/// As [`mean_squared_error`].
pub fn mean_binary_cross_entropy(probabilities: &Tensor, targets: &Tensor) -> Result<Tensor> {
    apply(MeanOf(BinaryCrossEntropy), &[probabilities, targets])
}
