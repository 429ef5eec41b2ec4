//! Cross-entropy that bears wrong labels.

use cornu_autodiff::ops::power;
use cornu_autodiff::{Error, Result, Tensor};

use super::declare::loss;
use super::reduce::check_axis;
use super::sparse::{at_labels, class_numbers, labels};

loss! {
    /// `(1 - p[y]^q) / q` for class numbers `y` and probabilities `p`: near a cross-entropy for a
    /// small `q`, near an absolute error, which bears wrong labels, for one near 1 (Zhang and
    /// Sabuncu 2018, arXiv:1805.07836).
    ///
    /// Labels have the shape of the predictions without the last axis, or with size 1 there,
    /// where Keras silently compares every sample with every other. A label that is no class is
    /// an error; Keras gives it the probability 0. A probability below the smallest normal
    /// float32, or a negative one, is taken for that, with gradient 0; in Keras its gradient is
    /// infinite or NaN.
    ///
    /// ```
    /// use cornu_models::losses::CategoricalGeneralizedCrossEntropy;
    /// let loss = CategoricalGeneralizedCrossEntropy::new().q(0.7);
    /// ```
    pub struct CategoricalGeneralizedCrossEntropy[
        "CategoricalGeneralizedCrossEntropy", "categorical_generalized_cross_entropy"
    ] {
        /// How much wrong labels are borne.
        q: f64 = 0.5;
    }
    check |self| {
        if self.q > 0.0 && self.q < 1.0 {
            return Ok(());
        }
        let place = format!("loss `{}`: `q`", self.name);
        Err(Error::value(place, "it must be above 0 and below 1", self.q.to_string()))
    }
    values |self, y_true, y_pred| {
        let axis = check_axis(&self.name, -1, y_pred)?;
        let y_true = class_numbers(&self.name, y_true, y_pred, axis)?;
        let labels = labels(&self.name, &y_true, None, y_pred.dims()[axis])?;
        let p = at_labels(y_pred, &labels, axis);
        let p = p.clip(f64::from(f32::MIN_POSITIVE), f64::INFINITY);
        let exponent = Tensor::scalar_of(p.dtype(), self.q);
        Ok((1.0 - power(&p, &exponent)) * (1.0 / self.q))
    }
}
