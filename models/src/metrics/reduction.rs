//! Means and sums of values that are no comparison of labels and predictions.

use cornu_autodiff::{Result, Tensor};

use super::MetricValue;
use super::declare::{metric, total_state};
use super::mean::{Total, Values, spread};
use super::state::scalars;
use crate::losses::pair::Place;

metric! {
    /// Mean of values. As a model's metric, that of the predictions.
    ///
    /// ```
    /// use cornu_autodiff::Tensor;
    /// use cornu_models::metrics::{Mean, Metric};
    /// let mut mean = Mean::new();
    /// mean.add(&Tensor::from([1.0, 2.0]), None)?;
    /// mean.add(&Tensor::scalar(6.0), None)?;
    /// assert_eq!(mean.result().to_scalar(), Some(3.0));
    /// # Ok::<(), cornu_autodiff::Error>(())
    /// ```
    pub struct Mean["Mean", "mean"] {}
    state total: Total;
    fn update(&mut self, _: &Tensor, y_pred: &Tensor, weights: Option<&Tensor>) -> Result<()> {
        self.add(y_pred, weights)
    }
    fn result(&self) -> MetricValue {
        MetricValue::Scalar(self.total.mean())
    }
    total_state!();
}

impl Mean {
    /// Takes in values.
    ///
    /// # Errors
    /// When the weights don't fit them.
    pub fn add(&mut self, values: &Tensor, sample_weight: Option<&Tensor>) -> Result<()> {
        self.total.add(Place("metric", &self.name), &Values::of(values)?, sample_weight)
    }
}

metric! {
    /// Sum of values. As a model's metric, that of the predictions.
    pub struct Sum["Sum", "sum"] {}
    state total: f64;
    fn update(&mut self, _: &Tensor, y_pred: &Tensor, weights: Option<&Tensor>) -> Result<()> {
        self.add(y_pred, weights)
    }
    fn result(&self) -> MetricValue {
        MetricValue::Scalar(self.total)
    }
    fn state(&self) -> Vec<(&'static str, Tensor)> {
        vec![("total", Tensor::scalar(self.total))]
    }
    fn set_state(&mut self, state: &[Tensor]) -> Result<()> {
        [self.total] = scalars(Place("metric", &self.name), state)?;
        Ok(())
    }
}

impl Sum {
    /// Takes in values.
    ///
    /// # Errors
    /// When the weights don't fit them.
    pub fn add(&mut self, values: &Tensor, sample_weight: Option<&Tensor>) -> Result<()> {
        let place = Place("metric", &self.name);
        let weights = sample_weight.map(|w| spread(place, w, values.dims())).transpose()?;
        let values = values.to_f64_vec()?;
        self.total += match weights {
            None => values.iter().sum::<f64>(),
            Some(weights) => values.iter().zip(&weights).map(|(v, w)| v * w).sum(),
        };
        Ok(())
    }
}
