//! The four counts, precision and recall.

use cornu_autodiff::{Result, Tensor};

use super::confusion::{NEVER, Question, Thresholds, add, ratio};
use super::declare::metric;
use super::state::arrays;
use super::{Direction, MetricValue};
use crate::losses::pair::Place;

/// One number of one threshold, several of several.
fn value(numbers: Vec<f64>) -> MetricValue {
    match numbers.as_slice() {
        [one] => MetricValue::Scalar(*one),
        _ => MetricValue::Vector(numbers),
    }
}

macro_rules! count {
    ($(
        $(#[$meta:meta])*
        $Name:ident[$class:literal, $name:literal] counts $field:ident;
    )*) => {$(
        metric! {
            $(#[$meta])*
            pub struct $Name[$class, $name] {
                /// Above it, a prediction is a yes; 0.5 if it isn't set. Several give several
                /// results.
                thresholds: Thresholds = Thresholds::Default;
            }
            state accumulator: Vec<f64>;
            fn check(&self) -> Result<()> {
                self.thresholds.check(Place("metric", &self.name))
            }
            fn update(
                &mut self,
                y_true: &Tensor,
                y_pred: &Tensor,
                sample_weight: Option<&Tensor>,
            ) -> Result<()> {
                let question = Question {
                    place: Place("metric", &self.name),
                    thresholds: &self.thresholds.numbers(0.5),
                    top_k: None,
                    class_id: None,
                    by_label: false,
                    label_weights: None,
                };
                let counts = question.count(y_true, y_pred, sample_weight)?;
                add(&mut self.accumulator, &counts.$field);
                Ok(())
            }
            fn result(&self) -> MetricValue {
                value(self.counted())
            }
            fn state(&self) -> Vec<(&'static str, Tensor)> {
                vec![("accumulator", Tensor::from(self.counted()))]
            }
            fn set_state(&mut self, state: &[Tensor]) -> Result<()> {
                let thresholds = self.thresholds.numbers(0.5).len();
                let place = Place("metric", &self.name);
                self.accumulator = arrays(place, state, 1, thresholds)?.remove(0);
                Ok(())
            }
        }

        impl $Name {
            fn counted(&self) -> Vec<f64> {
                let mut counted = self.accumulator.clone();
                counted.resize(self.thresholds.numbers(0.5).len(), 0.0);
                counted
            }
        }
    )*};
}

count! {
    /// How often the label is 1 and the prediction above the threshold.
    TruePositives["TruePositives", "true_positives"] counts true_positives;
    /// How often the label is 0 and the prediction not above the threshold.
    TrueNegatives["TrueNegatives", "true_negatives"] counts true_negatives;
    /// How often the label is 0 and the prediction above the threshold.
    FalsePositives["FalsePositives", "false_positives"] counts false_positives;
    /// How often the label is 1 and the prediction not above the threshold.
    FalseNegatives["FalseNegatives", "false_negatives"] counts false_negatives;
}

/// Hits, and what they are to be compared with, by threshold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rate {
    hits: Vec<f64>,
    others: Vec<f64>,
}

impl Rate {
    fn padded(&self, thresholds: usize) -> Rate {
        let mut rate = self.clone();
        rate.hits.resize(thresholds, 0.0);
        rate.others.resize(thresholds, 0.0);
        rate
    }
}

macro_rules! rate {
    ($(
        $(#[$meta:meta])*
        $Name:ident[$class:literal, $name:literal] against $field:ident $others:literal;
    )*) => {$(
        metric! {
            $(#[$meta])*
            pub struct $Name[$class, $name] {
                /// Above it, a prediction is a yes; 0.5 if it isn't set, and with `top_k` any
                /// number. Several give several results.
                thresholds: Thresholds = Thresholds::Default;
                /// Only this many largest predictions of a sample can be a yes.
                top_k: Option<usize> = None;
                /// Only this class counts.
                class_id: Option<usize> = None;
            }
            state rate: Rate;
            fn check(&self) -> Result<()> {
                self.thresholds.check(Place("metric", &self.name))
            }
            fn update(
                &mut self,
                y_true: &Tensor,
                y_pred: &Tensor,
                sample_weight: Option<&Tensor>,
            ) -> Result<()> {
                let question = Question {
                    place: Place("metric", &self.name),
                    thresholds: &self.numbers(),
                    top_k: self.top_k,
                    class_id: self.class_id,
                    by_label: false,
                    label_weights: None,
                };
                let counts = question.count(y_true, y_pred, sample_weight)?;
                add(&mut self.rate.hits, &counts.true_positives);
                add(&mut self.rate.others, &counts.$field);
                Ok(())
            }
            fn result(&self) -> MetricValue {
                let Rate { hits, others } = self.rate.padded(self.numbers().len());
                value(hits.iter().zip(&others).map(|(hit, other)| ratio(*hit, hit + other)).collect())
            }
            fn state(&self) -> Vec<(&'static str, Tensor)> {
                let Rate { hits, others } = self.rate.padded(self.numbers().len());
                vec![("true_positives", Tensor::from(hits)), ($others, Tensor::from(others))]
            }
            fn set_state(&mut self, state: &[Tensor]) -> Result<()> {
                let place = Place("metric", &self.name);
                let mut arrays = arrays(place, state, 2, self.numbers().len())?;
                let others = arrays.pop().unwrap_or_default();
                self.rate = Rate { hits: arrays.pop().unwrap_or_default(), others };
                Ok(())
            }
            fn direction(&self) -> Option<Direction> {
                Some(Direction::Up)
            }
        }

        impl $Name {
            fn numbers(&self) -> Vec<f64> {
                self.thresholds.numbers(if self.top_k.is_some() { NEVER } else { 0.5 })
            }
        }
    )*};
}

rate! {
    /// What part of the yeses are right: `TP / (TP + FP)`, 0 without a yes.
    ///
    /// ```
    /// use cornu_models::metrics::Precision;
    /// let strict = Precision::new().thresholds([0.5, 0.9]).class_id(2usize);
    /// ```
    Precision["Precision", "precision"] against false_positives "false_positives";
    /// What part of the ones is found: `TP / (TP + FN)`, 0 without a one.
    Recall["Recall", "recall"] against false_negatives "false_negatives";
}
