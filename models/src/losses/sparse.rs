//! Cross-entropy of class numbers.

use cornu_autodiff::ops::sparse_softmax_cross_entropy;
use cornu_autodiff::{DType, Error, Pause, Result, Tensor};

use super::declare::loss;
use super::pair::{Place, cast, check_labels, label_at, not_classes};
use super::reduce::check_axis;
use super::regression::EPSILON;

loss! {
    /// `-ln(p[y] / Σp)` for class numbers `y`, with the quotient moved into
    /// `[10⁻⁷, 1 - 10⁻⁷]`. Labels may be whole numbers of any dtype, with the shape of the
    /// predictions without the axis of the classes, or with size 1 there. A label that is no
    /// class is an error, where Keras gives NaN or 0.
    ///
    /// ```
    /// use cornu_autodiff::Tensor;
    /// use cornu_models::losses::{Loss, SparseCategoricalCrossentropy};
    /// let loss = SparseCategoricalCrossentropy::new().from_logits(true);
    /// let (y_true, y_pred) = (Tensor::from([2i32]), Tensor::from([[0.0, 0.0, 0.0]]));
    /// assert_eq!(loss.value(&y_true, &y_pred, None, None)?.item::<f64>()?, 3f64.ln());
    /// # Ok::<(), cornu_autodiff::Error>(())
    /// ```
    pub struct SparseCategoricalCrossentropy[
        "SparseCategoricalCrossentropy", "sparse_categorical_crossentropy"
    ] {
        /// Whether predictions are logits, made probabilities by a softmax: more exact.
        from_logits: bool = false;
        /// A label whose loss is 0 and which doesn't count in a mean.
        ignore_class: Option<i64> = None;
        /// The axis of the classes. Keras leaves it out of the config.
        axis: isize = -1isize, quiet;
    }
    values |self, y_true, y_pred| {
        let axis = check_axis(&self.name, self.axis, y_pred)?;
        let y_true = class_numbers(&self.name, y_true, y_pred, axis)?;
        let counts = self.ignore_class.map(|ignored| differs(&y_true, ignored));
        let labels = labels(&self.name, &y_true, counts.as_ref(), y_pred.dims()[axis])?;
        let values = match self.from_logits {
            true => sparse_softmax_cross_entropy(&with_classes_last(y_pred, axis), &labels)?,
            false => {
                let p = at_labels(y_pred, &labels, axis) / y_pred.sum(axis as isize, false);
                -p.clip(EPSILON, 1.0 - EPSILON).log()
            }
        };
        Ok(counts.map_or_else(|| values.clone(), |counts| counts.select(&values, &values.zeros_like())))
    }
    valid |self, y_true, y_pred| {
        let Some(ignored) = self.ignore_class else { return Ok(None) };
        let axis = check_axis(&self.name, self.axis, y_pred)?;
        let _pause = Pause::new();
        let y_true = class_numbers(&self.name, y_true, y_pred, axis)?;
        Ok(Some(differs(&y_true, ignored)))
    }
}

/// Which labels are not `ignored`, whole numbers of 64 bits included.
fn differs(y_true: &Tensor, ignored: i64) -> Tensor {
    let _pause = Pause::new();
    if y_true.dtype().is_float() {
        return y_true.not_equal_scalar(ignored as f64);
    }
    y_true.cast(DType::I64).not_equal(&Tensor::scalar(ignored))
}

/// Labels without the axis of the classes, in their own dtype: as a float32, a large class number
/// would become another.
pub(super) fn class_numbers(
    name: &str,
    y_true: &Tensor,
    y_pred: &Tensor,
    axis: usize,
) -> Result<Tensor> {
    let mut wanted = y_pred.dims().to_vec();
    wanted[axis] = 1;
    let with_axis = y_true.dims() == wanted;
    wanted.remove(axis);
    if !with_axis && y_true.dims() != wanted {
        return Err(not_classes(Place("loss", name), y_true, y_pred));
    }
    let _pause = Pause::new();
    check_labels(Place("loss", name), y_true, y_pred)?;
    Ok(if with_axis { y_true.squeeze([axis as isize]) } else { y_true.clone() })
}

/// Labels as int64, each checked to be a class; 0 for those that don't count.
///
/// # Errors
/// When a label that counts isn't one of the classes.
pub(super) fn labels(
    name: &str,
    y_true: &Tensor,
    counts: Option<&Tensor>,
    classes: usize,
) -> Result<Tensor> {
    let _pause = Pause::new();
    if y_true.is_symbolic() {
        return Ok(cast(y_true, DType::I64));
    }
    let counts = counts.map(Tensor::to_vec::<bool>).transpose()?;
    let skipped = |at: usize| counts.as_ref().is_some_and(|counts| !counts[at]);
    let wrong = |at: usize| -> Result<Error> {
        let rule = format!("labels must be class numbers in 0..{classes}");
        Ok(Error::value(format!("loss `{name}`"), rule, label_at(y_true, at)?))
    };
    if y_true.dtype().is_float() {
        let whole = y_true.to_f64_vec()?.into_iter().map(|label| label.fract() == 0.0);
        if let Some(at) = whole.enumerate().position(|(at, whole)| !whole && !skipped(at)) {
            return Err(wrong(at)?);
        }
    }
    let mut labels = cast(y_true, DType::I64).to_vec::<i64>()?;
    for (at, label) in labels.iter_mut().enumerate() {
        if skipped(at) {
            *label = 0;
        } else if !(0..classes as i64).contains(label) {
            return Err(wrong(at)?);
        }
    }
    Tensor::new(labels, *y_true.shape())
}

/// The prediction for each label.
pub(super) fn at_labels(y_pred: &Tensor, labels: &Tensor, axis: usize) -> Tensor {
    let axis = axis as isize;
    y_pred.take_along_axis(&labels.expand_dims(axis), axis).squeeze([axis])
}

/// Predictions with the axis of the classes behind all others.
fn with_classes_last(y_pred: &Tensor, axis: usize) -> Tensor {
    let last = y_pred.rank() - 1;
    if axis == last {
        return y_pred.clone();
    }
    let order = (0..last).map(|i| if i < axis { i } else { i + 1 }).chain([axis]);
    y_pred.permute(order.map(|i| i as isize).collect::<Vec<_>>())
}
