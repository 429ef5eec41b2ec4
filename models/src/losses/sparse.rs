//! Cross-entropy of class numbers.

use cornu_autodiff::{DType, Error, Pause, Result, Shape, Tensor};

use super::crossentropy::log_probabilities;
use super::declare::loss;
use super::pair::{Place, cast, check_labels, label_at, not_classes};
use super::reduce::check_axis;

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
        let logs = log_probabilities(y_pred, axis as isize, self.from_logits);
        if y_true.is_symbolic() {
            return Ok(logs.sum(axis as isize, false));
        }
        let chosen = chosen(&self.name, &y_true, y_pred, axis, self.ignore_class)?;
        Ok(-(chosen * logs).sum(axis as isize, false))
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

/// 1 at the label, else 0; all 0 for the class that is ignored.
pub(super) fn chosen(
    name: &str,
    y_true: &Tensor,
    y_pred: &Tensor,
    axis: usize,
    ignored: Option<i64>,
) -> Result<Tensor> {
    let _pause = Pause::new();
    let classes = y_pred.dims()[axis];
    let outer: usize = y_pred.dims()[..axis].iter().product();
    let inner: usize = y_pred.dims()[axis + 1..].iter().product();
    let mut chosen = vec![0f32; outer * classes * inner];
    let counts = ignored.map(|ignored| differs(y_true, ignored).to_vec::<bool>()).transpose()?;
    for (at, label) in y_true.to_f64_vec()?.into_iter().enumerate() {
        if counts.as_ref().is_some_and(|counts| !counts[at]) {
            continue;
        }
        if label.fract() != 0.0 || !(0.0..classes as f64).contains(&label) {
            let rule = format!("labels must be class numbers in 0..{classes}");
            return Err(Error::value(format!("loss `{name}`"), rule, label_at(y_true, at)?));
        }
        chosen[(at / inner * classes + label as usize) * inner + at % inner] = 1.0;
    }
    Ok(cast(&Tensor::new(chosen, Shape::new(y_pred.dims())?)?, y_pred.dtype()))
}
