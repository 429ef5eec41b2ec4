//! The best of one rate at the thresholds where another is high enough.

use cornu_autodiff::{Error, Result, Tensor};

use super::confusion::{Counts, Question, ratio};
use super::declare::{metric, ordered, plain_dtype};
use super::state::arrays;
use super::{Direction, MetricValue};
use crate::losses::pair::Place;
use crate::options::Options;

/// `TP / (TP + FN)` at a threshold.
fn recall(c: &Counts, i: usize) -> f64 {
    ratio(c.true_positives[i], c.true_positives[i] + c.false_negatives[i])
}

/// `TN / (TN + FP)`
fn specificity(c: &Counts, i: usize) -> f64 {
    ratio(c.true_negatives[i], c.true_negatives[i] + c.false_positives[i])
}

/// `TP / (TP + FP)`
fn precision(c: &Counts, i: usize) -> f64 {
    ratio(c.true_positives[i], c.true_positives[i] + c.false_positives[i])
}

macro_rules! operating_point {
    ($(
        $(#[$meta:meta])*
        $Name:ident[$class:literal, $name:literal]
            best $best:ident where $least:ident: $rate:ident;
    )*) => {$(
        metric! {
            $(#[$meta])*
            pub struct $Name[$class, $name] {
                /// Number of thresholds, evenly spaced from 0 to 1, above which a prediction is
                /// a yes; a single one is 0.5.
                num_thresholds: usize = 200usize;
                /// Only this class counts.
                class_id: Option<usize> = None;
            }
            requires {
                /// What the other rate must be at least.
                $least: f64;
            }
            state counts: Counts, config |self| {
                let keys = ["name", "dtype", "class_id", "num_thresholds", stringify!($least)];
                ordered(plain_dtype(Options::write(self)), &keys)
            };
            fn check(&self) -> Result<()> {
                let place = Place("metric", &self.name);
                check_options(place, stringify!($least), self.$least, self.num_thresholds)
            }
            fn update(
                &mut self,
                y_true: &Tensor,
                y_pred: &Tensor,
                sample_weight: Option<&Tensor>,
            ) -> Result<()> {
                let question = Question {
                    place: Place("metric", &self.name),
                    thresholds: &thresholds(self.num_thresholds),
                    top_k: None,
                    class_id: self.class_id,
                    by_label: false,
                    label_weights: None,
                };
                let counts = question.count(y_true, y_pred, sample_weight)?;
                self.counts.add(&counts);
                Ok(())
            }
            fn result(&self) -> MetricValue {
                let counts = &self.counts;
                let enough = |i: &usize| $rate(counts, *i) >= self.$least;
                let rates = (0..counts.true_positives.len()).filter(enough);
                MetricValue::Scalar(rates.map(|i| $best(counts, i)).fold(0.0, f64::max))
            }
            fn state(&self) -> Vec<(&'static str, Tensor)> {
                state(&self.counts, self.num_thresholds)
            }
            fn set_state(&mut self, state: &[Tensor]) -> Result<()> {
                let place = Place("metric", &self.name);
                self.counts = counts(place, state, self.num_thresholds)?;
                Ok(())
            }
            fn direction(&self) -> Option<Direction> {
                Some(Direction::Up)
            }
        }
    )*};
}

operating_point! {
    /// The best sensitivity `TP / (TP + FN)` at the thresholds where the specificity
    /// `TN / (TN + FP)` is high enough; 0 without one.
    SensitivityAtSpecificity["SensitivityAtSpecificity", "sensitivity_at_specificity"]
        best recall where specificity: specificity;
    /// The best specificity `TN / (TN + FP)` at the thresholds where the sensitivity
    /// `TP / (TP + FN)` is high enough; 0 without one.
    SpecificityAtSensitivity["SpecificityAtSensitivity", "specificity_at_sensitivity"]
        best specificity where sensitivity: recall;
    /// The best precision `TP / (TP + FP)` at the thresholds where the recall `TP / (TP + FN)`
    /// is high enough; 0 without one.
    PrecisionAtRecall["PrecisionAtRecall", "precision_at_recall"]
        best precision where recall: recall;
    /// The best recall `TP / (TP + FN)` at the thresholds where the precision `TP / (TP + FP)`
    /// is high enough; 0 without one.
    RecallAtPrecision["RecallAtPrecision", "recall_at_precision"]
        best recall where precision: precision;
}

/// Evenly spaced thresholds from 0 to 1.
fn thresholds(n: usize) -> Vec<f64> {
    if n == 1 {
        return vec![0.5];
    }
    let last = n.saturating_sub(1) as f64;
    (0..n).map(|i| i as f64 / last).collect()
}

fn check_options(place: Place<'_>, key: &str, least: f64, thresholds: usize) -> Result<()> {
    if !(0.0..=1.0).contains(&least) {
        let place = format!("{place}: `{key}`");
        return Err(Error::value(place, "it must be in 0..=1", least.to_string()));
    }
    if thresholds == 0 {
        return Err(Error::value(format!("{place}: `num_thresholds`"), "it must be above 0", "0"));
    }
    Ok(())
}

fn state(counts: &Counts, thresholds: usize) -> Vec<(&'static str, Tensor)> {
    let padded = |values: &[f64]| {
        let mut values = values.to_vec();
        values.resize(thresholds, 0.0);
        Tensor::from(values)
    };
    vec![
        ("true_positives", padded(&counts.true_positives)),
        ("false_positives", padded(&counts.false_positives)),
        ("true_negatives", padded(&counts.true_negatives)),
        ("false_negatives", padded(&counts.false_negatives)),
    ]
}

fn counts(place: Place<'_>, state: &[Tensor], thresholds: usize) -> Result<Counts> {
    let mut arrays = arrays(place, state, 4, thresholds)?.into_iter();
    let mut next = || arrays.next().unwrap_or_default();
    Ok(Counts {
        true_positives: next(),
        false_positives: next(),
        true_negatives: next(),
        false_negatives: next(),
    })
}
