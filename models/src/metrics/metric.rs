//! What a metric is: an accumulator of batches with a value that people read.

use std::fmt;

use cornu_autodiff::{Result, Tensor};

use crate::options::Config;

/// A number, or a few, that tell how good predictions are, accumulated over batches.
///
/// Accumulators are float64, whatever the predictions are. Nothing that a metric computes is
/// recorded on a tape.
///
/// ```
/// use cornu_autodiff::Tensor;
/// use cornu_models::metrics::{Metric, BinaryAccuracy};
/// let mut accuracy = BinaryAccuracy::new();
/// accuracy.update(&Tensor::from([1.0, 0.0]), &Tensor::from([0.9, 0.8]), None)?;
/// assert_eq!(accuracy.result().to_scalar(), Some(0.5));
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub trait Metric: fmt::Debug + Send + Sync {
    /// The name under which logs and histories hold it.
    fn name(&self) -> &str;

    /// Gives it another name. As in Keras, a metric that was asked for by a name keeps that
    /// name: `"mse"` is logged as `mse`.
    fn rename(&mut self, name: &str);

    /// The class's name in Keras, `MeanSquaredError`.
    fn class_name(&self) -> &str;

    /// The options as Keras writes them.
    fn config(&self) -> Config;

    /// Refuses options outside their range. Called when a model is compiled.
    ///
    /// # Errors
    /// Naming the option.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Forgets all batches.
    fn reset(&mut self);

    /// Takes in a batch.
    ///
    /// # Errors
    /// When shapes don't fit, or a label is NaN or out of range; then the batch is not counted.
    fn update(
        &mut self,
        y_true: &Tensor,
        y_pred: &Tensor,
        sample_weight: Option<&Tensor>,
    ) -> Result<()>;

    /// The value over all batches since the last [`reset`](Metric::reset).
    fn result(&self) -> MetricValue;

    /// The accumulators with Keras's names, in Keras's order, in float64.
    fn state(&self) -> Vec<(&'static str, Tensor)>;

    /// Puts accumulators back.
    ///
    /// # Errors
    /// When their number or shapes are not those of [`state`](Metric::state).
    fn set_state(&mut self, state: &[Tensor]) -> Result<()>;

    /// Whether a larger value is a better one, where that is known.
    fn direction(&self) -> Option<Direction> {
        None
    }

    /// A metric with the same options and accumulators.
    fn clone_box(&self) -> Box<dyn Metric>;
}

impl Clone for Box<dyn Metric> {
    fn clone(&self) -> Box<dyn Metric> {
        (**self).clone_box()
    }
}

/// Which way a metric improves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Larger is better.
    Up,
    /// Smaller is better.
    Down,
}

/// The value of a metric: one number, or one for each threshold or class.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricValue {
    /// One number.
    Scalar(f64),
    /// Several.
    Vector(Vec<f64>),
}

impl MetricValue {
    /// The number, if there is one.
    pub fn to_scalar(&self) -> Option<f64> {
        match self {
            MetricValue::Scalar(value) => Some(*value),
            MetricValue::Vector(_) => None,
        }
    }

    /// All numbers.
    pub fn values(&self) -> &[f64] {
        match self {
            MetricValue::Scalar(value) => std::slice::from_ref(value),
            MetricValue::Vector(values) => values,
        }
    }
}

impl fmt::Display for MetricValue {
    /// Four decimals; several numbers in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MetricValue::Scalar(value) => write!(f, "{value:.4}"),
            MetricValue::Vector(values) => {
                let texts: Vec<String> = values.iter().map(|v| format!("{v:.4}")).collect();
                write!(f, "[{}]", texts.join(", "))
            }
        }
    }
}
