//! What a loss is: values for each sample, and one number for all of them.

use std::fmt;
use std::str::FromStr;

use cornu_autodiff::{Error, Result, Tensor};
use cornu_layers::{Setting, wrong};
use serde_json::Value;

use super::reduce::{reduce, weigh};
use crate::options::Config;

/// How far predictions are from labels.
///
/// A loss gives [values](Loss::call), one for each sample, or for each step of a sequence or
/// each pixel; [`value`](Loss::value) weighs them and makes them one number. A loss never
/// broadcasts: labels must have the shape of the predictions, but for `[N]` beside `[N, 1]`.
///
/// ```
/// use cornu_autodiff::Tensor;
/// use cornu_models::losses::{Loss, MeanSquaredError};
/// let (y_true, y_pred) = (Tensor::from([[0.0], [1.0]]), Tensor::from([[0.5], [1.0]]));
/// let loss = MeanSquaredError::new();
/// assert_eq!(loss.call(&y_true, &y_pred)?.to_vec::<f64>()?, [0.25, 0.0]);
/// assert_eq!(loss.value(&y_true, &y_pred, None, None)?.item::<f64>()?, 0.125);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub trait Loss: fmt::Debug + Send + Sync {
    /// The name in texts, `mean_squared_error` unless it was given another.
    fn name(&self) -> &str;

    /// The class's name in Keras, `MeanSquaredError`.
    fn class_name(&self) -> &str;

    /// The options as Keras writes them.
    fn config(&self) -> Config;

    /// How [`value`](Loss::value) makes one number of many.
    fn reduction(&self) -> Reduction;

    /// Refuses options outside their range. Called when a model is compiled.
    ///
    /// # Errors
    /// Naming the option.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// The values: those of the elements, folded over the last axis.
    ///
    /// # Errors
    /// When shapes don't fit, or a label is NaN or out of range.
    fn call(&self, y_true: &Tensor, y_pred: &Tensor) -> Result<Tensor>;

    /// The mean of the values. A loss whose mean is cheaper than its values overrides it.
    ///
    /// # Errors
    /// As [`call`](Loss::call).
    fn mean(&self, y_true: &Tensor, y_pred: &Tensor) -> Result<Tensor> {
        reduce(self.name(), self.call(y_true, y_pred)?, None, Reduction::Mean)
    }

    /// Which values count: `None` if all do. Labels that a loss is told to ignore don't.
    ///
    /// # Errors
    /// As [`call`](Loss::call).
    fn valid(&self, _y_true: &Tensor, _y_pred: &Tensor) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// The values, weighed, and made one number by [`reduction`](Loss::reduction).
    ///
    /// `sample_weight` has one weight for each value, or for each sample, or is one number.
    /// `mask` is bool, one for each value. As in Keras, a mean divides by the number of values
    /// that the mask lets through, whatever their weights are; only
    /// [`MeanWithSampleWeight`](Reduction::MeanWithSampleWeight) divides by the sum of the
    /// weights.
    ///
    /// # Errors
    /// As [`call`](Loss::call), and when weights or mask don't fit the values.
    fn value(
        &self,
        y_true: &Tensor,
        y_pred: &Tensor,
        sample_weight: Option<&Tensor>,
        mask: Option<&Tensor>,
    ) -> Result<Tensor> {
        let reduction = self.reduction();
        let valid = self.valid(y_true, y_pred)?;
        let plain = sample_weight.is_none() && mask.is_none() && valid.is_none();
        if plain && reduction.is_mean() {
            return self.mean(y_true, y_pred);
        }
        let values = self.call(y_true, y_pred)?;
        if plain {
            return reduce(self.name(), values, None, reduction);
        }
        let (values, weights) =
            weigh(self.name(), values, sample_weight, [mask, valid.as_ref()], reduction)?;
        reduce(self.name(), values, Some(&weights), reduction)
    }
}

/// How the values of a loss become one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reduction {
    /// Their sum divided by their number, weights or not. Keras's default.
    #[default]
    SumOverBatchSize,
    /// The same.
    Mean,
    /// Their sum divided by the sum of the weights.
    MeanWithSampleWeight,
    /// Their sum.
    Sum,
    /// They stay what they are.
    None,
}

impl Reduction {
    const NAMES: [(&'static str, Reduction); 5] = [
        ("sum_over_batch_size", Reduction::SumOverBatchSize),
        ("mean", Reduction::Mean),
        ("mean_with_sample_weight", Reduction::MeanWithSampleWeight),
        ("sum", Reduction::Sum),
        ("none", Reduction::None),
    ];

    /// Keras's name.
    pub fn name(self) -> &'static str {
        let found = Reduction::NAMES.iter().find(|(_, reduction)| *reduction == self);
        found.expect("the table has all").0
    }

    /// Whether equal weights give the mean.
    pub fn is_mean(self) -> bool {
        !matches!(self, Reduction::Sum | Reduction::None)
    }
}

impl FromStr for Reduction {
    type Err = Error;

    fn from_str(name: &str) -> Result<Reduction> {
        let found = Reduction::NAMES.iter().find(|(known, _)| *known == name);
        let known = Reduction::NAMES.map(|(name, _)| name);
        found.map(|(_, r)| *r).ok_or_else(|| Error::unknown("reduction", name, &known))
    }
}

impl Setting for Reduction {
    fn to_json(&self) -> Value {
        self.name().into()
    }
    fn from_json(value: &Value) -> cornu_layers::Result<Reduction> {
        const KIND: &str =
            "`sum_over_batch_size`, `mean`, `mean_with_sample_weight`, `sum` or `none`";
        let known = || value.as_str()?.parse().ok();
        let reduction = if value.is_null() { Some(Reduction::None) } else { known() };
        reduction.ok_or_else(|| wrong(KIND, value))
    }
}
