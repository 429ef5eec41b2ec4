//! Folds that are made of other ops, or need more than one pass.

use super::reduce::{Axes, folded, unfold};
use crate::error::Result;
use crate::op::{Call, Gradients, Op, Saves, apply, must};
use crate::ops::unary::float_only;
use crate::shape::Spec;
use crate::tensor::Tensor;

/// `ln Σ e^x` over axes, without overflow.
#[derive(Clone, Debug)]
pub struct LogSumExp {
    /// The axes to fold.
    pub axes: Axes,
    /// Whether folded axes stay, with size 1.
    pub keepdims: bool,
}

impl Op for LogSumExp {
    fn name(&self) -> &'static str {
        "logsumexp"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        float_only(self, x)?;
        let mask = self.axes.mask("logsumexp", x[0].shape.rank())?;
        Ok(Spec::new(x[0].dtype, folded(&x[0].shape, &mask, self.keepdims)))
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let x = x[0];
        if x.size() == 0 {
            return Ok(Tensor::full(out.shape, f64::NEG_INFINITY, out.dtype));
        }
        // Less the largest, no power is above 1. An infinite one would leave NaN behind.
        let largest = x.max(self.axes.clone(), true);
        let largest = largest.isfinite().select(&largest, &Tensor::scalar_of(out.dtype, 0.0));
        let sum = (x - &largest).exp().sum(self.axes.clone(), true);
        apply(super::Reshape(out.shape), &[&(sum.log() + largest)])
    }
    fn saves(&self) -> Saves {
        Saves::All
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        into.add(0, || {
            let x = call.input(0);
            let mask = must(self.axes.mask("logsumexp", x.rank()));
            let y = unfold(call.output(), x.spec(), &mask);
            // Where all elements are -inf, so is `y`, and every slope is 0: e^(-inf - 0).
            let none = y.equal_scalar(f64::NEG_INFINITY);
            let y = none.select(&Tensor::scalar_of(y.dtype(), 0.0), &y);
            unfold(g, x.spec(), &mask) * (x - y).exp()
        });
    }
}

impl Tensor {
    /// Variance, the mean squared distance from the mean (not the sample variance), as NumPy's
    /// and Keras's `var`.
    ///
    /// # Panics
    /// When an axis is out of range or the elements are not floating-point numbers.
    #[track_caller]
    pub fn var(&self, axes: impl Into<Axes>, keepdims: bool) -> Tensor {
        let axes = axes.into();
        let centred = self - self.mean(axes.clone(), true);
        centred.square().mean(axes, keepdims)
    }

    /// Standard deviation, the root of [`var`](Tensor::var).
    ///
    /// # Panics
    /// As [`var`](Tensor::var).
    #[track_caller]
    pub fn std(&self, axes: impl Into<Axes>, keepdims: bool) -> Tensor {
        self.var(axes, keepdims).sqrt()
    }

    /// `ln Σ e^x` over axes, without overflow. Of no element, and where all are `-inf`, it is
    /// `-inf`, with gradient 0.
    ///
    /// # Panics
    /// As [`var`](Tensor::var).
    ///
    /// ```
    /// # use cornu_autodiff::Tensor;
    /// let x = Tensor::from([1000.0f64, 1000.0]);
    /// assert_eq!(x.logsumexp(.., false).item::<f64>()?, 1000.0 + 2f64.ln());
    /// # Ok::<(), cornu_autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn logsumexp(&self, axes: impl Into<Axes>, keepdims: bool) -> Tensor {
        must(apply(LogSumExp { axes: axes.into(), keepdims }, &[self]))
    }
}
