//! Running means: what most metrics are.

use cornu_autodiff::{Error, Pause, Result, Tensor};

use crate::losses::Loss;
use crate::losses::pair::Place;

/// Values of a batch, one for each sample, step or pixel.
#[derive(Debug)]
pub(crate) struct Values {
    pub(crate) dims: Vec<usize>,
    pub(crate) values: Vec<f64>,
    /// Which values count, if not all do.
    pub(crate) valid: Option<Vec<f64>>,
}

impl Values {
    pub(crate) fn of(x: &Tensor) -> Result<Values> {
        Ok(Values { dims: x.dims().to_vec(), values: x.to_f64_vec()?, valid: None })
    }

    /// 1 where something holds, else 0.
    pub(crate) fn matches(dims: &[usize], holds: impl Iterator<Item = bool>) -> Values {
        let values = holds.map(|hit| f64::from(u8::from(hit))).collect();
        Values { dims: dims.to_vec(), values, valid: None }
    }

    /// The values of a loss. Labels that it ignores don't count; Keras counts them as zeros
    /// unless there are sample weights.
    pub(crate) fn of_loss(loss: &dyn Loss, y_true: &Tensor, y_pred: &Tensor) -> Result<Values> {
        let _pause = Pause::new();
        let values = loss.call(y_true, y_pred).map_err(in_metric)?;
        let valid = loss.valid(y_true, y_pred).map_err(in_metric)?;
        let mut values = Values::of(&values)?;
        values.valid = valid.map(|valid| valid.to_f64_vec()).transpose()?;
        Ok(values)
    }

    /// The weight of each value.
    fn weights(&self, place: Place<'_>, weights: Option<&Tensor>) -> Result<Option<Vec<f64>>> {
        let weights = weights.map(|w| spread(place, w, &self.dims)).transpose()?;
        Ok(match (weights, &self.valid) {
            (None, valid) => valid.clone(),
            (weights, None) => weights,
            (Some(weights), Some(valid)) => {
                Some(weights.iter().zip(valid).map(|(w, v)| w * v).collect())
            }
        })
    }
}

/// An error of a loss that a metric is made of.
fn in_metric(error: Error) -> Error {
    let renamed = |place: String| match place.strip_prefix("loss ") {
        Some(rest) => format!("metric {rest}"),
        None => place,
    };
    match error {
        Error::Value { place, rule, got } => Error::Value { place: renamed(place), rule, got },
        Error::Shape { place, rule, got } => Error::Shape { place: renamed(place), rule, got },
        Error::DType { place, rule, got, hint } => {
            Error::DType { place: renamed(place), rule, got, hint }
        }
        other => other,
    }
}

/// One weight for each value, from one number, one for each sample, or one for each of the
/// leading axes.
pub(crate) fn spread(place: Place<'_>, weights: &Tensor, dims: &[usize]) -> Result<Vec<f64>> {
    let given = weights.dims();
    let leading = given.iter().zip(dims).take_while(|(a, b)| a == b).count();
    if given[leading..].iter().any(|&d| d != 1) {
        let rule = "sample weights must be one number, or one for each sample or each value";
        let got = format!("weights of shape {} for values of {dims:?}", weights.shape());
        return Err(Error::value(place.to_string(), rule, got));
    }
    let weights = weights.to_f64_vec()?;
    if let Some(bad) = weights.iter().find(|w| !w.is_finite()) {
        let rule = "sample weights must be finite";
        return Err(Error::value(place.to_string(), rule, bad.to_string()));
    }
    let each = dims[leading..].iter().product();
    Ok(weights.iter().flat_map(|&w| std::iter::repeat_n(w, each)).collect())
}

/// A weighed sum and what it is divided by.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Total {
    pub(crate) sum: f64,
    pub(crate) count: f64,
}

impl Total {
    /// Takes in the values of a batch. As in Keras, a sample counts with the mean of its values
    /// and of its weights.
    pub(crate) fn add(
        &mut self,
        place: Place<'_>,
        values: &Values,
        weights: Option<&Tensor>,
    ) -> Result<()> {
        let samples = values.dims.first().copied().unwrap_or(1);
        if samples == 0 || values.values.is_empty() {
            return Ok(());
        }
        let each = (values.values.len() / samples) as f64;
        match values.weights(place, weights)? {
            None => {
                self.sum += values.values.iter().sum::<f64>() / each;
                self.count += samples as f64;
            }
            Some(weights) => {
                let products = values.values.iter().zip(&weights).map(|(v, w)| v * w);
                self.sum += products.sum::<f64>() / each;
                self.count += weights.iter().sum::<f64>() / each;
            }
        }
        Ok(())
    }

    /// The mean; 0 of nothing.
    pub(crate) fn mean(self) -> f64 {
        if self.count == 0.0 { 0.0 } else { self.sum / self.count }
    }
}
