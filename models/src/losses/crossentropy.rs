//! Cross-entropies.

use cornu_autodiff::ops::{
    binary_cross_entropy, mean_binary_cross_entropy, mean_sigmoid_cross_entropy,
    sigmoid_cross_entropy,
};
use cornu_autodiff::{Error, Result, Tensor};

use super::declare::loss;
use super::pair::{Place, aligned, probabilities};
use super::reduce::check_axis;
use super::regression::EPSILON;

loss! {
    /// `mean(-y · ln p - (1 - y) · ln(1 - p))`, with `p` moved into `[10⁻⁷, 1 - 10⁻⁷]`. Labels
    /// must be in `0..=1`, which Keras doesn't check.
    ///
    /// ```
    /// use cornu_models::losses::BinaryCrossentropy;
    /// let loss = BinaryCrossentropy::new().from_logits(true).label_smoothing(0.1);
    /// ```
    pub struct BinaryCrossentropy["BinaryCrossentropy", "binary_crossentropy"] {
        /// Whether predictions are logits `x` with `p = 1 / (1 + e^-x)`: more exact.
        from_logits: bool = false;
        /// Moves labels towards 1/2 by this part of the way.
        label_smoothing: f64 = 0.0;
        /// The axis that is folded.
        axis: isize = -1isize;
    }
    check |self| { check_smoothing(&self.name, self.label_smoothing) }
    fold axis
    elements |self, y_true, y_pred| {
        let y_true = self.targets(y_true)?;
        match self.from_logits {
            true => sigmoid_cross_entropy(y_pred, &y_true),
            false => binary_cross_entropy(y_pred, &y_true),
        }
    }
    mean |self, y_true, y_pred| {
        let y_true = self.targets(y_true)?;
        match self.from_logits {
            true => mean_sigmoid_cross_entropy(y_pred, &y_true),
            false => mean_binary_cross_entropy(y_pred, &y_true),
        }
    }
}

impl BinaryCrossentropy {
    /// Labels that are probabilities, smoothed.
    fn targets(&self, y_true: &Tensor) -> Result<Tensor> {
        probabilities(Place("loss", &self.name), y_true)?;
        let s = self.label_smoothing;
        Ok(if s == 0.0 { y_true.clone() } else { y_true * (1.0 - s) + 0.5 * s })
    }
}

loss! {
    /// `-Σ y · ln(p / Σp)` over the classes, with the quotient moved into `[10⁻⁷, 1 - 10⁻⁷]`,
    /// for one-hot labels or probabilities. Labels must be in `0..=1`, which Keras doesn't check.
    ///
    /// ```
    /// use cornu_models::losses::CategoricalCrossentropy;
    /// let loss = CategoricalCrossentropy::new().from_logits(true);
    /// ```
    pub struct CategoricalCrossentropy["CategoricalCrossentropy", "categorical_crossentropy"] {
        /// Whether predictions are logits, made probabilities by a softmax: more exact.
        from_logits: bool = false;
        /// Spreads this part of each label evenly over all classes.
        label_smoothing: f64 = 0.0;
        /// The axis of the classes.
        axis: isize = -1isize;
    }
    check |self| { check_smoothing(&self.name, self.label_smoothing) }
    values |self, y_true, y_pred| {
        let (y_true, y_pred) = aligned(Place("loss", &self.name), y_true, y_pred)?;
        probabilities(Place("loss", &self.name), &y_true)?;
        let axis = check_axis(&self.name, self.axis, &y_pred)?;
        let (s, classes) = (self.label_smoothing, y_pred.dims()[axis] as f64);
        let y_true = if s == 0.0 { y_true } else { y_true * (1.0 - s) + s / classes };
        let logs = log_probabilities(&y_pred, axis as isize, self.from_logits);
        Ok(-(y_true * logs).sum(axis as isize, false))
    }
}

/// Logarithms of the probabilities of classes.
pub(super) fn log_probabilities(y_pred: &Tensor, axis: isize, from_logits: bool) -> Tensor {
    if from_logits {
        return y_pred.log_softmax(axis);
    }
    (y_pred / y_pred.sum(axis, true)).clip(EPSILON, 1.0 - EPSILON).log()
}

pub(super) fn check_smoothing(place: &str, smoothing: f64) -> Result<()> {
    if (0.0..=1.0).contains(&smoothing) {
        return Ok(());
    }
    let place = format!("loss `{place}`: `label_smoothing`");
    Err(Error::value(place, "it must be in 0..=1", smoothing.to_string()))
}
