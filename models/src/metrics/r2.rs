//! How much of the labels' variance predictions explain.

use cornu_autodiff::{Error, Pause, Result, Tensor};

use super::accuracy::finite;
use super::confusion::{add, ratio};
use super::curve::choice;
use super::declare::metric;
use super::mean::spread;
use super::{Direction, MetricValue};
use crate::losses::pair::{Place, same_shape};

choice! {
    /// How the scores of outputs become one.
    ClassAggregation: "`uniform_average` or `variance_weighted_average`" {
        /// Their mean.
        UniformAverage "uniform_average";
        /// Their mean, weighted by the variances of the labels.
        VarianceWeightedAverage "variance_weighted_average";
    }
}

/// Weighed sums of each output.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sums {
    /// Number of labels, as Keras counts: samples times outputs.
    labels: f64,
    squares: Vec<f64>,
    sums: Vec<f64>,
    residuals: Vec<f64>,
    counts: Vec<f64>,
}

metric! {
    /// `1 - Σ (y - p)² / Σ (y - ȳ)²` of each output: 1 is best, 0 is what the mean of the labels
    /// would reach. Labels and predictions have shape `(samples, outputs)`.
    ///
    /// With `num_regressors` it is adjusted to `1 - (1 - R²)(n - 1) / (n - k - 1)` for `n`
    /// samples, unless these are too few; Keras takes samples times outputs for `n`. Where labels
    /// are constant it is 1 if the predictions equal them, else 0; in Keras NaN and 0.
    ///
    /// ```
    /// use cornu_models::metrics::R2Score;
    /// let each = R2Score::new().class_aggregation(None);
    /// ```
    pub struct R2Score["R2Score", "r2_score"] {
        /// How the scores of outputs become one; with none they stay several.
        class_aggregation: Option<ClassAggregation> = Some(ClassAggregation::UniformAverage);
        /// Number of independent regressors, for the adjusted score.
        num_regressors: usize = 0usize;
    }
    state sums: Sums;
    fn update(
        &mut self,
        y_true: &Tensor,
        y_pred: &Tensor,
        sample_weight: Option<&Tensor>,
    ) -> Result<()> {
        let place = Place("metric", &self.name);
        finite(place, y_true)?;
        let _pause = Pause::new();
        let (y_true, y_pred) = same_shape(place, y_true.clone(), y_pred.clone())?;
        let &[_, outputs] = y_pred.dims() else {
            let rule = "predictions must have shape (samples, outputs)";
            return Err(Error::shape(place.to_string(), rule, &[y_pred.spec()]));
        };
        let known = self.sums.counts.len();
        if known != 0 && known != outputs {
            let rule = format!("there must be {known} outputs, as before");
            return Err(Error::value(place.to_string(), rule, outputs.to_string()));
        }
        let weights = sample_weight.map(|w| spread(place, w, y_pred.dims())).transpose()?;
        self.sums.count(&y_true.to_f64_vec()?, &y_pred.to_f64_vec()?, weights.as_deref(), outputs);
        Ok(())
    }
    fn result(&self) -> MetricValue {
        let outputs = self.sums.counts.len();
        let scores: Vec<f64> = (0..outputs).map(|i| self.sums.score(i)).collect();
        let mean = ratio(scores.iter().sum(), outputs as f64);
        match self.class_aggregation {
            None => MetricValue::Vector(scores.into_iter().map(|s| self.adjusted(s)).collect()),
            Some(ClassAggregation::UniformAverage) => MetricValue::Scalar(self.adjusted(mean)),
            Some(ClassAggregation::VarianceWeightedAverage) => {
                let totals: Vec<f64> = (0..outputs).map(|i| self.sums.total(i)).collect();
                let sum: f64 = totals.iter().sum();
                let weighed: f64 = totals.iter().zip(&scores).map(|(t, s)| t * s).sum();
                let score = if sum > 0.0 { weighed / sum } else { mean };
                MetricValue::Scalar(self.adjusted(score))
            }
        }
    }
    fn state(&self) -> Vec<(&'static str, Tensor)> {
        let sums = &self.sums;
        vec![
            ("num_samples", Tensor::scalar(sums.labels)),
            ("squared_sum", Tensor::from(sums.squares.clone())),
            ("sum", Tensor::from(sums.sums.clone())),
            ("residual", Tensor::from(sums.residuals.clone())),
            ("count", Tensor::from(sums.counts.clone())),
        ]
    }
    fn set_state(&mut self, state: &[Tensor]) -> Result<()> {
        let alike = |x: &Tensor| x.rank() == 1 && x.dims() == state[1].dims();
        match state {
            [labels, arrays @ ..]
                if arrays.len() == 4 && labels.size() == 1 && arrays.iter().all(alike) =>
            {
                self.sums = Sums {
                    labels: labels.to_f64_vec()?[0],
                    squares: arrays[0].to_f64_vec()?,
                    sums: arrays[1].to_f64_vec()?,
                    residuals: arrays[2].to_f64_vec()?,
                    counts: arrays[3].to_f64_vec()?,
                };
                Ok(())
            }
            _ => {
                let rule = "its state is a number and 4 arrays with a number for each output";
                let got: Vec<String> = state.iter().map(|x| x.shape().to_string()).collect();
                let place = Place("metric", &self.name).to_string();
                Err(Error::value(place, rule, format!("shapes {}", got.join(", "))))
            }
        }
    }
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Up)
    }
}

impl R2Score {
    /// The score for this many regressors and samples; as it is where samples are too few.
    fn adjusted(&self, score: f64) -> f64 {
        let samples = ratio(self.sums.labels, self.sums.counts.len() as f64);
        let left = samples - self.num_regressors as f64 - 1.0;
        if self.num_regressors == 0 || left <= 0.0 {
            return score;
        }
        1.0 - (1.0 - score) * (samples - 1.0) / left
    }
}

impl Sums {
    fn count(&mut self, t: &[f64], p: &[f64], weights: Option<&[f64]>, outputs: usize) {
        let fold = |f: &dyn Fn(usize) -> f64| {
            let mut sums = vec![0.0; outputs];
            (0..t.len()).for_each(|i| sums[i % outputs] += f(i) * weights.map_or(1.0, |w| w[i]));
            sums
        };
        add(&mut self.squares, &fold(&|i| t[i] * t[i]));
        add(&mut self.sums, &fold(&|i| t[i]));
        add(&mut self.residuals, &fold(&|i| (t[i] - p[i]) * (t[i] - p[i])));
        add(&mut self.counts, &fold(&|_| 1.0));
        self.labels += t.len() as f64;
    }

    /// `Σ (y - ȳ)²`; what rounding leaves of constant labels is 0.
    fn total(&self, i: usize) -> f64 {
        let total = self.squares[i] - self.sums[i] * ratio(self.sums[i], self.counts[i]);
        if total > 1e-13 * self.squares[i] { total } else { 0.0 }
    }

    fn score(&self, i: usize) -> f64 {
        match (self.total(i), self.residuals[i]) {
            _ if self.counts[i] == 0.0 => 0.0,
            (0.0, 0.0) => 1.0,
            (0.0, _) => 0.0,
            (total, residual) => 1.0 - residual / total,
        }
    }
}
