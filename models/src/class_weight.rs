//! What classes count.

use cornu_autodiff::{DType, Tensor};

use crate::data::Samples;
use crate::error::{Error, Result};

/// A weight for each class.
///
/// ```
/// use cornu_models::ClassWeight;
/// let rare_counts_more = ClassWeight::from([(0, 1.0), (1, 20.0)]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ClassWeight(Vec<(i64, f64)>);

impl<const N: usize> From<[(i64, f64); N]> for ClassWeight {
    fn from(weights: [(i64, f64); N]) -> ClassWeight {
        ClassWeight(weights.into())
    }
}

impl From<Vec<(i64, f64)>> for ClassWeight {
    fn from(weights: Vec<(i64, f64)>) -> ClassWeight {
        ClassWeight(weights)
    }
}

impl ClassWeight {
    /// The same weights by sample: equal, bit for bit, to having given those.
    ///
    /// Targets are class numbers, of shape `(samples,)`, `(samples, 1)` or with an axis of
    /// steps, or one-hot rows. (Keras takes the largest column of a multi-hot row, and weighs a
    /// class that is not listed as 1; both are errors here.)
    pub(crate) fn apply(&self, samples: &Samples) -> Result<Vec<Tensor>> {
        let wrong = |rule: &str, got: String| Err(Error::value("class_weight", rule, got));
        let [y] = samples.y.as_slice() else {
            return wrong("the model must have one target", format!("{}", samples.y.len()));
        };
        if !samples.sample_weight.is_empty() {
            return wrong("it excludes `sample_weight`", "both".into());
        }
        if let Some((class, weight)) = self.0.iter().find(|(_, w)| !(*w >= 0.0 && w.is_finite())) {
            return wrong("weights must be finite, not negative", format!("{weight} for {class}"));
        }
        let classes = match y.dims() {
            [_, columns] if *columns > 1 && !y.dtype().is_integer() => one_hot_classes(y)?,
            [.., 1] if y.rank() > 1 => y.squeeze([-1]),
            _ => y.clone(),
        };
        let values = classes.to_f64_vec()?;
        let mut seen = vec![false; self.0.len()];
        let mut weights = Vec::with_capacity(values.len());
        for value in values {
            let at = self.0.iter().position(|(class, _)| *class as f64 == value);
            let Some(at) = at else {
                let known: Vec<String> = self.0.iter().map(|(c, _)| c.to_string()).collect();
                let rule = "every class of the targets must have a weight";
                let got = format!("class {value}, and weights for {}", known.join(", "));
                return wrong(rule, got);
            };
            seen[at] = true;
            weights.push(self.0[at].1 as f32);
        }
        if let Some(at) = seen.iter().position(|s| !s) {
            let rule = "every class with a weight must occur in the targets";
            return wrong(rule, format!("class {}, which does not", self.0[at].0));
        }
        Ok(vec![Tensor::new(weights, *classes.shape())?])
    }
}

/// The class of each row that has one 1 and otherwise 0.
fn one_hot_classes(y: &Tensor) -> Result<Tensor> {
    let ones = y.equal_scalar(1.0).cast(DType::F32).sum(-1, false);
    let zeros = y.equal_scalar(0.0).cast(DType::F32).sum(-1, false);
    let columns = y.dims()[1] as f64;
    let good = ones.equal_scalar(1.0).logical_and(&zeros.equal_scalar(columns - 1.0));
    if good.all(.., false).item::<bool>()? {
        return Ok(y.argmax(-1));
    }
    let rule = "targets must be class numbers or one-hot rows";
    Err(Error::value("class_weight", rule, "a row with several classes, or none"))
}
