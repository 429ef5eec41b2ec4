//! Scores of precision and recall together.

use cornu_autodiff::{Error, Pause, Result, Tensor};

use super::accuracy::finite;
use super::confusion::{add, in_dtype, ratio};
use super::curve::choice;
use super::declare::metric;
use super::mean::spread;
use super::{Direction, MetricValue};
use crate::losses::pair::{Place, same_shape};

choice! {
    /// How the scores of classes become one.
    Average: "`micro`, `macro` or `weighted`" {
        /// One score of the counts of all classes.
        Micro "micro";
        /// The mean of the scores.
        Macro "macro";
        /// The mean of the scores, weighed by how often their classes are right.
        Weighted "weighted";
    }
}

/// Weighed counts of each class; of all together with [`Average::Micro`].
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    true_positives: Vec<f64>,
    false_positives: Vec<f64>,
    false_negatives: Vec<f64>,
    weights: Vec<f64>,
}

macro_rules! f_score {
    ($(
        $(#[$meta:meta])*
        $Name:ident[$class:literal, $name:literal] { $($beta:tt)* }
        beta |$this:ident| $value:expr;
    )*) => {$(
        metric! {
            $(#[$meta])*
            pub struct $Name[$class, $name] {
                /// How the scores of classes become one; by default they stay several.
                average: Option<Average> = None;
                $($beta)*
                /// Above it, a prediction is a yes. Without one the largest of a sample is,
                /// and others as large.
                threshold: Option<f64> = None;
            }
            state tally: Tally;
            fn check(&self) -> Result<()> {
                let $this = self;
                check_options(Place("metric", &self.name), $value, self.threshold)
            }
            fn update(
                &mut self,
                y_true: &Tensor,
                y_pred: &Tensor,
                sample_weight: Option<&Tensor>,
            ) -> Result<()> {
                let place = Place("metric", &self.name);
                let batch = Tally::count(place, [y_true, y_pred], sample_weight, self.threshold)?;
                self.tally.add(place, &batch, self.average == Some(Average::Micro))
            }
            fn result(&self) -> MetricValue {
                let $this = self;
                self.tally.score($value, self.average)
            }
            fn state(&self) -> Vec<(&'static str, Tensor)> {
                self.tally.state(self.average == Some(Average::Micro))
            }
            fn set_state(&mut self, state: &[Tensor]) -> Result<()> {
                let place = Place("metric", &self.name);
                let one = self.average == Some(Average::Micro);
                self.tally = Tally::from_state(place, state, one)?;
                Ok(())
            }
            fn direction(&self) -> Option<Direction> {
                Some(Direction::Up)
            }
        }
    )*};
}

f_score! {
    /// `(1 + β²) · P · R / (β² · P + R)` of precision and recall of each class (van Rijsbergen
    /// 1979, "Information retrieval"), for labels 0 and 1 of shape `(samples, classes)`.
    ///
    /// Keras adds 10⁻⁷ to each divisor; here what is divided by 0 is 0.
    ///
    /// ```
    /// use cornu_models::metrics::{Average, FBetaScore};
    /// let score = FBetaScore::new().beta(2.0).average(Average::Macro).threshold(0.5);
    /// ```
    FBetaScore["FBetaScore", "fbeta_score"] {
        /// How much more recall counts than precision.
        beta: f64 = 1.0;
    } beta |this| this.beta;
    /// `2 · P · R / (P + R)` of precision and recall of each class: [`FBetaScore`] with β = 1.
    F1Score["F1Score", "f1_score"] {} beta |_this| 1.0;
}

fn check_options(place: Place<'_>, beta: f64, threshold: Option<f64>) -> Result<()> {
    if !(beta > 0.0 && beta.is_finite()) {
        return Err(Error::value(
            format!("{place}: `beta`"),
            "it must be above 0",
            beta.to_string(),
        ));
    }
    match threshold {
        Some(t) if !(t > 0.0 && t <= 1.0) => {
            let rule = "it must be above 0 and not above 1";
            Err(Error::value(format!("{place}: `threshold`"), rule, t.to_string()))
        }
        _ => Ok(()),
    }
}

impl Tally {
    fn count(
        place: Place<'_>,
        [y_true, y_pred]: [&Tensor; 2],
        sample_weight: Option<&Tensor>,
        threshold: Option<f64>,
    ) -> Result<Tally> {
        finite(place, y_true)?;
        let _pause = Pause::new();
        let (y_true, y_pred) = same_shape(place, y_true.clone(), y_pred.clone())?;
        let &[_, classes] = y_pred.dims() else {
            let rule = "predictions must have shape (samples, classes)";
            return Err(Error::shape(place.to_string(), rule, &[y_pred.spec()]));
        };
        let weights = sample_weight.map(|w| spread(place, w, y_pred.dims())).transpose()?;
        let (t, p) = (y_true.to_f64_vec()?, y_pred.to_f64_vec()?);
        if let Some(bad) = t.iter().find(|&&t| t != 0.0 && t != 1.0) {
            return Err(Error::value(place.to_string(), "labels must be 0 or 1", bad.to_string()));
        }
        if p.iter().any(|p| p.is_nan()) {
            return Err(Error::value(place.to_string(), "predictions must be numbers", "a NaN"));
        }
        let threshold = threshold.map(|t| in_dtype(t, y_pred.dtype()));
        let mut tally = Tally::zeros(classes);
        for (i, (&truth, &score)) in t.iter().zip(&p).enumerate() {
            let class = i % classes;
            let yes = match threshold {
                Some(threshold) => score > threshold,
                None => {
                    let row = &p[i - class..i - class + classes];
                    score.abs() > 1e-9 && row.iter().all(|&other| other <= score)
                }
            };
            let weight = weights.as_ref().map_or(1.0, |w| w[i]);
            tally.weights[class] += weight * truth;
            match (yes, truth == 1.0) {
                (true, true) => tally.true_positives[class] += weight,
                (true, false) => tally.false_positives[class] += weight,
                (false, true) => tally.false_negatives[class] += weight,
                (false, false) => {}
            }
        }
        Ok(tally)
    }

    fn zeros(n: usize) -> Tally {
        let zeros = || vec![0.0; n];
        Tally {
            true_positives: zeros(),
            false_positives: zeros(),
            false_negatives: zeros(),
            weights: zeros(),
        }
    }

    fn fields(&self) -> [&Vec<f64>; 4] {
        [&self.true_positives, &self.false_positives, &self.false_negatives, &self.weights]
    }

    fn add(&mut self, place: Place<'_>, batch: &Tally, together: bool) -> Result<()> {
        let known = self.weights.len();
        if !together && known != 0 && known != batch.weights.len() {
            let rule = format!("there must be {known} classes, as before");
            return Err(Error::value(place.to_string(), rule, batch.weights.len().to_string()));
        }
        let of = |x: &[f64]| if together { vec![x.iter().sum()] } else { x.to_vec() };
        add(&mut self.true_positives, &of(&batch.true_positives));
        add(&mut self.false_positives, &of(&batch.false_positives));
        add(&mut self.false_negatives, &of(&batch.false_negatives));
        add(&mut self.weights, &of(&batch.weights));
        Ok(())
    }

    fn score(&self, beta: f64, average: Option<Average>) -> MetricValue {
        let square = beta * beta;
        let one = |i: usize| {
            let hits = self.true_positives[i];
            let precision = ratio(hits, hits + self.false_positives[i]);
            let recall = ratio(hits, hits + self.false_negatives[i]);
            (1.0 + square) * ratio(precision * recall, square * precision + recall)
        };
        let scores: Vec<f64> = (0..self.weights.len()).map(one).collect();
        let Some(average) = average else { return MetricValue::Vector(scores) };
        MetricValue::Scalar(match average {
            Average::Micro | Average::Macro => ratio(scores.iter().sum(), scores.len() as f64),
            Average::Weighted => {
                let sum = scores.iter().zip(&self.weights).map(|(s, w)| s * w).sum();
                ratio(sum, self.weights.iter().sum())
            }
        })
    }

    fn state(&self, one: bool) -> Vec<(&'static str, Tensor)> {
        let names =
            ["true_positives", "false_positives", "false_negatives", "intermediate_weights"];
        let array = |x: &Vec<f64>| match one {
            true => Tensor::scalar(x.first().copied().unwrap_or(0.0)),
            false => Tensor::from(x.clone()),
        };
        names.into_iter().zip(self.fields().map(array)).collect()
    }

    fn from_state(place: Place<'_>, state: &[Tensor], one: bool) -> Result<Tally> {
        let rank = if one { 0 } else { 1 };
        let alike = |x: &Tensor| x.rank() == rank && x.dims() == state[0].dims();
        let [tp, fp, fn_, weights] = state else {
            let rule = "its state is 4 arrays";
            return Err(Error::value(place.to_string(), rule, state.len().to_string()));
        };
        if !state.iter().all(alike) {
            let rule = "its state is 4 arrays with a number for each class";
            let got: Vec<String> = state.iter().map(|x| x.shape().to_string()).collect();
            return Err(Error::value(
                place.to_string(),
                rule,
                format!("shapes {}", got.join(", ")),
            ));
        }
        Ok(Tally {
            true_positives: tp.to_f64_vec()?,
            false_positives: fp.to_f64_vec()?,
            false_negatives: fn_.to_f64_vec()?,
            weights: weights.to_f64_vec()?,
        })
    }
}
