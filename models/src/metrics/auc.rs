//! The area under a curve of rates at many thresholds.

use cornu_autodiff::{Error, Pause, Result, Shape, Tensor};
use cornu_layers::Setting;

use super::confusion::{Counts, Question, check_thresholds, ratio};
use super::curve::{At, Curve, SummationMethod, area};
use super::declare::{metric, plain_dtype};
use super::{Direction, MetricValue};
use crate::losses::pair::Place;
use crate::options::Options;

metric! {
    /// The area under the curve of true over false positive rates, or of precision over recall,
    /// approximated at evenly spaced thresholds: how well predictions sort ones from zeros.
    ///
    /// Predictions must be in `0..=1`; Keras moves others there silently.
    ///
    /// ```
    /// use cornu_models::metrics::{AUC, Curve};
    /// let auc = AUC::new().curve(Curve::Pr).num_thresholds(1000usize).from_logits(true);
    /// ```
    pub struct AUC["AUC", "auc"] {
        /// Number of thresholds, the two ends included.
        num_thresholds: usize = 200usize;
        /// The curve.
        curve: Curve = Curve::Roc;
        /// How high the area is between two thresholds.
        summation_method: SummationMethod = SummationMethod::Interpolation;
        /// Whether the area is the mean of those of the labels on the last axis.
        multi_label: bool = false;
        /// Number of labels, for `multi_label` only; otherwise the first batch tells.
        num_labels: Option<usize> = None;
        /// A weight for each label.
        label_weights: Option<Vec<f64>> = None;
        /// Whether a sigmoid makes probabilities of predictions first.
        from_logits: bool = false;
        /// Thresholds between the two ends, instead of evenly spaced ones.
        thresholds: Option<Vec<f64>> = None, quiet;
    }
    state counts: Counts, config |self| {
        let mut config = plain_dtype(Options::write(self));
        config["num_thresholds"] = self.inner().len().saturating_add(2).to_json();
        config
    };
    fn check(&self) -> Result<()> {
        let place = Place("metric", &self.name);
        let error = |key: &str, rule: &str, got: String| {
            Err(Error::value(format!("{place}: `{key}`"), rule, got))
        };
        if self.num_thresholds < 2 {
            return error("num_thresholds", "it must be above 1", self.num_thresholds.to_string());
        }
        if let (false, Some(labels)) = (self.multi_label, self.num_labels) {
            return error("num_labels", "it is for `multi_label` only", labels.to_string());
        }
        self.thresholds.as_ref().map_or(Ok(()), |given| check_thresholds(place, given))
    }
    fn update(
        &mut self,
        y_true: &Tensor,
        y_pred: &Tensor,
        sample_weight: Option<&Tensor>,
    ) -> Result<()> {
        let place = Place("metric", &self.name);
        self.check_labels(place, y_pred)?;
        let y_pred = if self.from_logits {
            let _pause = Pause::new();
            y_pred.sigmoid()
        } else {
            y_pred.clone()
        };
        let question = Question {
            place,
            thresholds: &self.all(),
            top_k: None,
            class_id: None,
            by_label: self.multi_label,
            label_weights: self.label_weights.as_deref().filter(|_| !self.multi_label),
        };
        let counts = question.count(y_true, &y_pred, sample_weight)?;
        self.counts.add(&counts);
        Ok(())
    }
    fn result(&self) -> MetricValue {
        let labels = self.labels();
        let areas: Vec<f64> = (0..labels).map(|label| self.area(label)).collect();
        MetricValue::Scalar(match self.label_weights.as_ref().filter(|_| self.multi_label) {
            Some(weights) => {
                let sum: f64 = areas.iter().zip(weights).map(|(area, weight)| area * weight).sum();
                ratio(sum, weights.iter().sum())
            }
            None => ratio(areas.iter().sum(), labels as f64),
        })
    }
    fn state(&self) -> Vec<(&'static str, Tensor)> {
        let counts = &self.counts;
        [
            ("true_positives", &counts.true_positives),
            ("false_positives", &counts.false_positives),
            ("true_negatives", &counts.true_negatives),
            ("false_negatives", &counts.false_negatives),
        ]
        .into_iter()
        .map(|(name, values)| (name, self.array(values)))
        .collect()
    }
    fn set_state(&mut self, state: &[Tensor]) -> Result<()> {
        let place = Place("metric", &self.name);
        let rows = self.inner().len() + 2;
        let fits = |x: &Tensor| match x.dims() {
            [n] => !self.multi_label && *n == rows,
            [n, labels] => {
                self.multi_label && *n == rows && self.num_labels.is_none_or(|l| l == *labels)
            }
            _ => false,
        };
        let [tp, fp, tn, fn_] = state else {
            let rule = "its state is 4 arrays";
            return Err(Error::value(place.to_string(), rule, state.len().to_string()));
        };
        if !state.iter().all(|x| fits(x) && x.dims() == tp.dims()) {
            let got: Vec<String> = state.iter().map(|x| x.shape().to_string()).collect();
            let rule = format!("its state is 4 arrays of {rows} thresholds, by labels if several");
            return Err(Error::value(place.to_string(), rule, format!("shapes {}", got.join(", "))));
        }
        self.counts = Counts {
            true_positives: tp.to_f64_vec()?,
            false_positives: fp.to_f64_vec()?,
            true_negatives: tn.to_f64_vec()?,
            false_negatives: fn_.to_f64_vec()?,
        };
        Ok(())
    }
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Up)
    }
}

impl AUC {
    /// The thresholds between the ends, ascending.
    fn inner(&self) -> Vec<f64> {
        match &self.thresholds {
            Some(given) => {
                let mut sorted = given.clone();
                sorted.sort_by(f64::total_cmp);
                sorted
            }
            None => {
                let last = self.num_thresholds.saturating_sub(1);
                (1..last).map(|i| i as f64 / last as f64).collect()
            }
        }
    }

    /// All thresholds; the ends lie a little outside, so that nothing is at them.
    fn all(&self) -> Vec<f64> {
        let mut all = vec![-1e-7];
        all.extend(self.inner());
        all.push(1.0 + 1e-7);
        all
    }

    fn check_labels(&self, place: Place<'_>, y_pred: &Tensor) -> Result<()> {
        if !self.multi_label {
            return Ok(());
        }
        let known =
            self.num_labels.or((!self.counts.true_positives.is_empty()).then(|| self.labels()));
        match y_pred.dims() {
            [_, labels] if known.is_none_or(|known| known == *labels) => Ok(()),
            _ => {
                let known = known.map_or("labels".into(), |known| known.to_string());
                let rule =
                    format!("with `multi_label` predictions must have shape (batch, {known})");
                Err(Error::value(place.to_string(), rule, y_pred.shape().to_string()))
            }
        }
    }

    /// Number of labels that are counted apart.
    fn labels(&self) -> usize {
        let rows = self.inner().len() + 2;
        match self.counts.true_positives.len() / rows {
            0 if self.multi_label => self.num_labels.unwrap_or(0),
            0 => 1,
            labels => labels,
        }
    }

    fn area(&self, label: usize) -> f64 {
        let labels = self.labels();
        let c = &self.counts;
        let at = |cell: usize| At {
            tp: c.true_positives[cell],
            fp: c.false_positives[cell],
            tn: c.true_negatives[cell],
            fn_: c.false_negatives[cell],
        };
        let points: Vec<At> = (label..c.true_positives.len()).step_by(labels).map(at).collect();
        area(&points, self.curve, self.summation_method)
    }

    /// Accumulators as Keras holds them; zeros before the first batch.
    fn array(&self, values: &[f64]) -> Tensor {
        let (rows, labels) = (self.inner().len() + 2, self.labels());
        let mut values = values.to_vec();
        values.resize(rows * labels, 0.0);
        let shape: &[usize] = if self.multi_label { &[rows, labels] } else { &[rows] };
        let shape = Shape::new(shape).expect("two axes at most");
        Tensor::new(values, shape).expect("as many values as the shape has")
    }
}
