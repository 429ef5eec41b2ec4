use std::fmt;
use std::sync::Arc;

use cornu_autodiff::{Pause, Result, Tensor};

use super::declare::total_state;
use super::mean::{Total, Values};
use super::metric::{Metric, MetricValue};
use crate::losses::pair::{Place, aligned};
use crate::options::Config;

type Compare = dyn Fn(&Tensor, &Tensor) -> Result<Tensor> + Send + Sync;

/// The running mean of a user's own function. It cannot be saved with its model's config.
///
/// The function gets labels and predictions of one dtype and one shape, and gives one value for
/// each sample.
///
/// ```
/// use cornu_models::metrics::Function;
/// let worst = Function::new("worst", |y_true, y_pred| {
///     Ok((y_true - y_pred).abs().max(-1, false))
/// });
/// ```
#[derive(Clone)]
pub struct Function {
    name: String,
    values: Arc<Compare>,
    total: Total,
}

impl Function {
    /// A metric from a function of labels and predictions.
    pub fn new(
        name: impl Into<String>,
        values: impl Fn(&Tensor, &Tensor) -> Result<Tensor> + Send + Sync + 'static,
    ) -> Function {
        Function { name: name.into(), values: Arc::new(values), total: Total::default() }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function(`{}`)", self.name)
    }
}

impl Metric for Function {
    fn name(&self) -> &str {
        &self.name
    }
    fn rename(&mut self, name: &str) {
        self.name = name.into();
    }
    fn class_name(&self) -> &str {
        &self.name
    }
    fn config(&self) -> Config {
        Config::new()
    }
    fn reset(&mut self) {
        self.total = Total::default();
    }
    fn update(
        &mut self,
        y_true: &Tensor,
        y_pred: &Tensor,
        sample_weight: Option<&Tensor>,
    ) -> Result<()> {
        let _pause = Pause::new();
        let place = Place("metric", &self.name);
        let (y_true, y_pred) = aligned(place, y_true, y_pred)?;
        let values = Values::of(&(self.values)(&y_true, &y_pred)?)?;
        self.total.add(place, &values, sample_weight)
    }
    fn result(&self) -> MetricValue {
        MetricValue::Scalar(self.total.mean())
    }
    total_state!();
    fn clone_box(&self) -> Box<dyn Metric> {
        Box::new(self.clone())
    }
}
