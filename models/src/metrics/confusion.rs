//! Counts of right and wrong at thresholds, from which precision, recall and AUC are made.

use cornu_autodiff::{DType, Error, Pause, Result, Tensor};
use cornu_layers::{Arg, Setting, wrong};
use serde_json::Value;

use super::accuracy::finite;
use super::mean::spread;
use crate::losses::pair::{Place, same_shape};

/// Where a prediction becomes a yes: one number, or several, each with a result of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Thresholds {
    /// 0.5.
    #[default]
    Default,
    /// One.
    One(f64),
    /// Several.
    Many(Vec<f64>),
}

impl Thresholds {
    /// The numbers.
    pub(crate) fn numbers(&self, default: f64) -> Vec<f64> {
        match self {
            Thresholds::Default => vec![default],
            Thresholds::One(one) => vec![*one],
            Thresholds::Many(many) => many.clone(),
        }
    }

    pub(crate) fn check(&self, place: Place<'_>) -> Result<()> {
        check_thresholds(place, &self.numbers(0.5))
    }
}

/// Thresholds must be in `0..=1`.
pub(crate) fn check_thresholds(place: Place<'_>, thresholds: &[f64]) -> Result<()> {
    if !thresholds.is_empty() && thresholds.iter().all(|t| (0.0..=1.0).contains(t)) {
        return Ok(());
    }
    let rule = "there must be at least one, each in 0..=1";
    Err(Error::value(format!("{place}: `thresholds`"), rule, format!("{thresholds:?}")))
}

impl Arg<Thresholds> for f64 {
    fn arg(self) -> Thresholds {
        Thresholds::One(self)
    }
}

impl Arg<Thresholds> for Vec<f64> {
    fn arg(self) -> Thresholds {
        Thresholds::Many(self)
    }
}

impl<const N: usize> Arg<Thresholds> for [f64; N] {
    fn arg(self) -> Thresholds {
        Thresholds::Many(self.into())
    }
}

impl Setting for Thresholds {
    fn to_json(&self) -> Value {
        match self {
            Thresholds::Default => Value::Null,
            Thresholds::One(one) => one.to_json(),
            Thresholds::Many(many) => many.to_json(),
        }
    }
    fn from_json(value: &Value) -> cornu_layers::Result<Thresholds> {
        match value {
            Value::Null => Ok(Thresholds::Default),
            Value::Array(_) => Vec::from_json(value).map(Thresholds::Many),
            Value::Number(_) => f64::from_json(value).map(Thresholds::One),
            _ => Err(wrong("a number or a list of numbers", value)),
        }
    }
}

/// What is to be counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) place: Place<'a>,
    pub(crate) thresholds: &'a [f64],
    /// Only this many largest predictions of a sample can be a yes.
    pub(crate) top_k: Option<usize>,
    /// Only this class counts.
    pub(crate) class_id: Option<usize>,
    /// Whether each label on the last axis is counted by itself.
    pub(crate) by_label: bool,
    /// A weight for each label.
    pub(crate) label_weights: Option<&'a [f64]>,
}

/// Weighed counts, `(thresholds, labels)` in row-major order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) true_positives: Vec<f64>,
    pub(crate) false_positives: Vec<f64>,
    pub(crate) true_negatives: Vec<f64>,
    pub(crate) false_negatives: Vec<f64>,
}

/// A batch, flat.
struct Answers {
    truth: Vec<bool>,
    scores: Vec<f64>,
    weights: Option<Vec<f64>>,
    /// Labels that are counted apart.
    labels: usize,
    dtype: DType,
}

impl Question<'_> {
    /// Counts a batch.
    ///
    /// # Errors
    /// When shapes don't fit, a label is neither 0 nor 1, or a prediction is NaN.
    pub(crate) fn count(
        &self,
        y_true: &Tensor,
        y_pred: &Tensor,
        sample_weight: Option<&Tensor>,
    ) -> Result<Counts> {
        let answers = self.answers(y_true, y_pred, sample_weight)?;
        if evenly_distributed(self.thresholds) {
            self.by_bucket(&answers)
        } else {
            Ok(self.one_by_one(&answers))
        }
    }

    fn answers(
        &self,
        y_true: &Tensor,
        y_pred: &Tensor,
        sample_weight: Option<&Tensor>,
    ) -> Result<Answers> {
        let _pause = Pause::new();
        finite(self.place, y_true)?;
        let (y_true, y_pred) = same_shape(self.place, y_true.clone(), y_pred.clone())?;
        let last = y_pred.dims().last().copied().unwrap_or(1).max(1);
        let mut scores = y_pred.to_f64_vec()?;
        if scores.iter().any(|p| p.is_nan()) {
            let rule = "predictions must be numbers";
            return Err(Error::value(self.place.to_string(), rule, "a NaN"));
        }
        let mut truth = self.truth(&y_true)?;
        let mut weights =
            sample_weight.map(|w| spread(self.place, w, y_pred.dims())).transpose()?;
        if let Some(k) = self.top_k {
            scores.chunks_exact_mut(last).for_each(|row| keep_largest(row, k));
        }
        if let Some(class) = self.class_id {
            if y_pred.rank() < 2 || class >= last {
                let rule = "it must be one of the classes on the last axis";
                let got = format!("{class} with predictions of shape {}", y_pred.shape());
                return Err(Error::value(format!("{}: `class_id`", self.place), rule, got));
            }
            truth = truth.into_iter().skip(class).step_by(last).collect();
            scores = scores.into_iter().skip(class).step_by(last).collect();
            weights = weights.map(|w| w.into_iter().skip(class).step_by(last).collect());
        }
        if let Some(label_weights) = self.label_weights {
            if label_weights.len() != last {
                let rule = format!("there must be one for each of {last} labels");
                let place = format!("{}: `label_weights`", self.place);
                return Err(Error::value(place, rule, label_weights.len().to_string()));
            }
            let all = weights.unwrap_or_else(|| vec![1.0; scores.len()]);
            weights =
                Some(all.iter().zip(label_weights.iter().cycle()).map(|(w, l)| w * l).collect());
        }
        let labels = if self.by_label { last } else { 1 };
        Ok(Answers { truth, scores, weights, labels, dtype: y_pred.dtype() })
    }

    fn truth(&self, y_true: &Tensor) -> Result<Vec<bool>> {
        let labels = y_true.to_f64_vec()?;
        if let Some(bad) = labels.iter().find(|&&t| t != 0.0 && t != 1.0) {
            return Err(Error::value(
                self.place.to_string(),
                "labels must be 0 or 1",
                bad.to_string(),
            ));
        }
        Ok(labels.iter().map(|&t| t == 1.0).collect())
    }

    fn one_by_one(&self, answers: &Answers) -> Counts {
        let mut counts = Counts::new(self.thresholds.len(), answers.labels);
        for (row, &threshold) in self.thresholds.iter().enumerate() {
            let threshold = in_dtype(threshold, answers.dtype);
            for (i, (&truth, &score)) in answers.truth.iter().zip(&answers.scores).enumerate() {
                let cell = row * answers.labels + i % answers.labels;
                *counts.cell(truth, score > threshold, cell) += answers.weight(i);
            }
        }
        counts
    }

    /// For evenly spaced thresholds `i / (n - 1)`: a prediction is above those up to its bucket.
    /// As in Keras, it is moved into `0..=1` before.
    fn by_bucket(&self, answers: &Answers) -> Result<Counts> {
        let (n, labels) = (self.thresholds.len(), answers.labels);
        if let Some(bad) = answers.scores.iter().find(|p| !(-1e-6..=1.0 + 1e-6).contains(*p)) {
            let rule = "predictions must be in 0..=1; for logits set `from_logits`, or put a \
                        sigmoid before";
            return Err(Error::value(self.place.to_string(), rule, bad.to_string()));
        }
        let mut counts = Counts::new(n, labels);
        let last = (n - 1) as f64;
        // Thresholds just below 0: even a prediction of 0 is above the first.
        let lowest = if self.thresholds[0] < 0.0 { 0.0 } else { -1.0 };
        for (i, (&truth, &score)) in answers.truth.iter().zip(&answers.scores).enumerate() {
            let scaled = in_dtype(score.clamp(0.0, 1.0) * last, answers.dtype);
            let bucket = (scaled.ceil() - 1.0).max(lowest);
            let (label, weight) = (i % labels, answers.weight(i));
            // Gathered by bucket first: positives where they begin, totals in the last row.
            let total = (n - 1) * labels + label;
            *counts.cell(truth, false, total) += weight;
            if bucket >= 0.0 {
                *counts.cell(truth, true, bucket as usize * labels + label) += weight;
            }
        }
        for label in 0..labels {
            let cells = |row: usize| row * labels + label;
            let positives = counts.false_negatives[cells(n - 1)];
            let negatives = counts.true_negatives[cells(n - 1)];
            let (mut tp, mut fp) = (0.0, 0.0);
            for cell in (0..n).rev().map(cells) {
                tp += counts.true_positives[cell];
                fp += counts.false_positives[cell];
                counts.true_positives[cell] = tp;
                counts.false_positives[cell] = fp;
                counts.false_negatives[cell] = positives - tp;
                counts.true_negatives[cell] = negatives - fp;
            }
        }
        Ok(counts)
    }
}

impl Answers {
    fn weight(&self, i: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| w[i])
    }
}

impl Counts {
    pub(crate) fn new(thresholds: usize, labels: usize) -> Counts {
        let zeros = || vec![0.0; thresholds * labels];
        Counts {
            true_positives: zeros(),
            false_positives: zeros(),
            true_negatives: zeros(),
            false_negatives: zeros(),
        }
    }

    fn cell(&mut self, truth: bool, yes: bool, cell: usize) -> &mut f64 {
        match (truth, yes) {
            (true, true) => &mut self.true_positives[cell],
            (false, true) => &mut self.false_positives[cell],
            (false, false) => &mut self.true_negatives[cell],
            (true, false) => &mut self.false_negatives[cell],
        }
    }

    /// Adds the counts of a batch; an empty one is replaced.
    pub(crate) fn add(&mut self, batch: &Counts) {
        add(&mut self.true_positives, &batch.true_positives);
        add(&mut self.false_positives, &batch.false_positives);
        add(&mut self.true_negatives, &batch.true_negatives);
        add(&mut self.false_negatives, &batch.false_negatives);
    }
}

/// Adds up element by element; an empty sum is replaced.
pub(crate) fn add(sum: &mut Vec<f64>, more: &[f64]) {
    sum.resize(more.len(), 0.0);
    sum.iter_mut().zip(more).for_each(|(sum, x)| *sum += x);
}

/// `a / b`, 0 where `b` is 0.
pub(crate) fn ratio(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}

/// A number as predictions of this dtype would hold it.
pub(crate) fn in_dtype(number: f64, dtype: DType) -> f64 {
    if dtype == DType::F32 { f64::from(number as f32) } else { number }
}

/// What Keras gives predictions that are not among the largest.
pub(crate) const NEVER: f64 = -1e10;

/// All but the `k` largest can't be a yes; of equal ones the first are kept.
fn keep_largest(row: &mut [f64], k: usize) {
    let mut order: Vec<usize> = (0..row.len()).collect();
    order.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
    order.iter().skip(k).for_each(|&i| row[i] = NEVER);
}

/// Whether thresholds are `i / (n - 1)`, of at least three. The ends may lie a little outside.
pub(crate) fn evenly_distributed(thresholds: &[f64]) -> bool {
    let last = thresholds.len().saturating_sub(1) as f64;
    let even = |(i, t): (usize, &f64)| {
        let wanted = i as f64 / last;
        (t - wanted).abs() <= 1.000_001e-7 + 1e-5 * wanted
    };
    thresholds.len() >= 3 && thresholds.iter().enumerate().all(even)
}
