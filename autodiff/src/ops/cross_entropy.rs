//! Cross-entropies of several classes, fused with the softmax before them.

use crate::dtype::DType;
use crate::each_float;
use crate::error::{Error, Result};
use crate::kernels::softmax;
use crate::op::{Call, Gradients, Op, Saves, apply};
use crate::shape::Spec;
use crate::tape::is_recording;
use crate::tensor::Tensor;

/// `-ln softmax(logits)[label]`, `(…, classes)` and whole numbers `(…)` to `(…)`.
#[derive(Clone, Copy, Debug)]
pub struct SparseSoftmaxCrossEntropy;

impl SparseSoftmaxCrossEntropy {
    /// The labels, each checked to be a class.
    fn labels(self, targets: &Tensor, classes: usize) -> Result<Vec<i64>> {
        let labels = targets.cast(DType::I64).to_vec::<i64>()?;
        match labels.iter().find(|&&label| label < 0 || label >= classes as i64) {
            None => Ok(labels),
            Some(label) => {
                let rule = format!("labels must be in 0..{classes}, the number of classes");
                Err(Error::value(self.name(), rule, format!("label {label}")))
            }
        }
    }
}

impl Op for SparseSoftmaxCrossEntropy {
    fn name(&self) -> &'static str {
        "sparse_softmax_cross_entropy"
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        2..=2
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        if !x[0].dtype.is_float() || !x[1].dtype.is_integer() {
            let rule = "logits must be float32 or float64, and labels whole numbers";
            return Err(Error::dtype(self.name(), rule, x));
        }
        match x[0].dims() {
            [lead @ .., classes] if *classes > 0 && lead == x[1].dims() => x[0].with(lead),
            _ => {
                let rule = "shapes must be (…, classes) for logits and (…) for labels";
                Err(Error::shape(self.name(), rule, x))
            }
        }
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let len = x[0].dims()[out.shape.rank()];
        let labels = self.labels(x[1], len)?;
        let logits = x[0].packed();
        Ok(each_float!(out.dtype, T => Tensor::build(out.shape, |out: &mut [T]| {
            softmax::sparse(slice(&logits), &labels, out, len);
        })))
    }
    fn saves(&self) -> Saves {
        Saves::All
    }
    fn is_differentiable(&self, index: usize) -> bool {
        index == 0
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        into.add(0, || {
            let (x, targets) = (call.input(0), call.input(1));
            let len = x.dims()[g.rank()];
            if is_recording() {
                let targets = targets.cast(DType::I64).expand_dims(-1);
                let hit = targets.equal(&Tensor::arange(len, DType::I64)).cast(x.dtype());
                return (x.softmax(-1) - hit) * g.expand_dims(-1);
            }
            let labels = self.labels(targets, len).expect("`forward` has checked the labels");
            let (x, losses, g) = (x.packed(), call.output().packed(), g.packed());
            each_float!(x.dtype(), T => Tensor::build(*x.shape(), |out: &mut [T]| {
                softmax::sparse_slope(slice(&x), &labels, slice(&losses), slice(&g), out, len);
            }))
        });
    }
}

/// `-Σ t · ln softmax(logits)` along the last axis, twice `(…, classes)` to `(…)`.
#[derive(Clone, Copy, Debug)]
pub struct SoftmaxCrossEntropy;

impl Op for SoftmaxCrossEntropy {
    fn name(&self) -> &'static str {
        "softmax_cross_entropy"
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        2..=2
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        if x[0].dtype != x[1].dtype || !x[0].dtype.is_float() {
            let rule = "logits and targets must both be float32 or both float64";
            return Err(Error::dtype(self.name(), rule, x));
        }
        match x[0].dims() {
            [lead @ .., classes] if *classes > 0 && x[0].dims() == x[1].dims() => x[0].with(lead),
            _ => {
                let rule = "logits and targets must have one shape, (…, classes)";
                Err(Error::shape(self.name(), rule, x))
            }
        }
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let len = x[0].dims()[out.shape.rank()];
        let (logits, targets) = (x[0].packed(), x[1].packed());
        Ok(each_float!(out.dtype, T => Tensor::build(out.shape, |out: &mut [T]| {
            softmax::dense(slice(&logits), slice(&targets), out, len);
        })))
    }
    fn saves(&self) -> Saves {
        Saves::Inputs
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        let (x, targets) = (call.input(0), call.input(1));
        into.add(0, || {
            if is_recording() {
                let slope = x.softmax(-1) * targets.sum(-1, true) - targets;
                return slope * g.expand_dims(-1);
            }
            let (x, targets, g) = (x.packed(), targets.packed(), g.packed());
            let len = x.dims()[g.rank()];
            each_float!(x.dtype(), T => Tensor::build(*x.shape(), |out: &mut [T]| {
                softmax::dense_slope(slice(&x), slice(&targets), slice(&g), out, len);
            }))
        });
        into.add(1, || -(x.log_softmax(-1) * g.expand_dims(-1)));
    }
}

/// The elements of a packed tensor.
fn slice<T: crate::Element>(x: &Tensor) -> &[T] {
    x.contiguous_slice().expect("packed before")
}

/// `-ln softmax(logits)[label]`: logits `(…, classes)` and whole numbers `(…)` give `(…)`.
/// Keras's `sparse_categorical_crossentropy` with `from_logits=True` on the last axis; there a
/// label that is no class gives NaN, here it is an error.
///
/// # Errors
/// When a label is negative or not below the number of classes, or shapes or dtypes don't fit.
///
/// ```
/// # use cornu_autodiff::{Tensor, ops::sparse_softmax_cross_entropy};
/// let logits = Tensor::from([[0.0f32, 0.0]]);
/// let loss = sparse_softmax_cross_entropy(&logits, &Tensor::from([1i32]))?;
/// assert!((loss.item::<f32>()? - 2f32.ln()).abs() < 1e-6);
/// let error = sparse_softmax_cross_entropy(&logits, &Tensor::from([2i32])).unwrap_err();
/// assert!(error.to_string().ends_with("in 0..2, the number of classes; got label 2"));
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub fn sparse_softmax_cross_entropy(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    apply(SparseSoftmaxCrossEntropy, &[logits, labels])
}

/// `-Σ t · ln softmax(logits)` along the last axis: twice `(…, classes)` gives `(…)`. Keras's
/// `categorical_crossentropy` with `from_logits=True`. A class whose target is 0 adds nothing,
/// even if its logit is minus infinity.
///
/// # Errors
/// When shapes or dtypes differ or are not floating-point.
pub fn softmax_cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    apply(SoftmaxCrossEntropy, &[logits, targets])
}
