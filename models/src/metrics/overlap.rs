//! How often each class was taken for each: what intersections and unions are made of.

use cornu_autodiff::{DType, Error, Pause, Result, Shape, Tensor};

use super::accuracy::finite;
use super::confusion::{add, ratio};
use super::mean::spread;
use super::state::arrays;
use crate::losses::pair::{Place, same_shape};

/// More classes than anybody has; a matrix of as many squared fits into memory.
const MOST_CLASSES: usize = 10_000;

/// Weighed counts, `(labels, predictions)` in row-major order; empty before the first batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Matrix(Vec<f64>);

/// How labels and predictions are to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading<'a> {
    pub(crate) place: Place<'a>,
    pub(crate) classes: usize,
    /// A label that doesn't count.
    pub(crate) ignored: Option<i64>,
    /// Whether labels, and predictions, are class numbers.
    pub(crate) sparse: [bool; 2],
    /// The axis of scores.
    pub(crate) axis: isize,
}

/// Number of classes must be within reason.
pub(crate) fn check(reading: Reading<'_>) -> Result<()> {
    if (1..=MOST_CLASSES).contains(&reading.classes) {
        return Ok(());
    }
    let place = format!("{}: `num_classes`", reading.place);
    let rule = format!("it must be in 1..={MOST_CLASSES}");
    Err(Error::value(place, rule, reading.classes.to_string()))
}

/// There must be at least one class to look at, and each must exist.
pub(crate) fn check_targets(place: Place<'_>, classes: usize, targets: &[usize]) -> Result<()> {
    if !targets.is_empty() && targets.iter().all(|&class| class < classes) {
        return Ok(());
    }
    let rule = format!("there must be at least one, each in 0..{classes}");
    Err(Error::value(format!("{place}: `target_class_ids`"), rule, format!("{targets:?}")))
}

impl Reading<'_> {
    /// The counts of a batch.
    ///
    /// # Errors
    /// When shapes don't fit, or a label or prediction is no class.
    pub(crate) fn count(
        &self,
        y_true: &Tensor,
        y_pred: &Tensor,
        sample_weight: Option<&Tensor>,
    ) -> Result<Vec<f64>> {
        check(*self)?;
        finite(self.place, y_true)?;
        let _pause = Pause::new();
        let y_true = self.numbers(y_true, self.sparse[0])?;
        let y_pred = self.numbers(y_pred, self.sparse[1])?;
        let (y_true, y_pred) = same_shape(self.place, y_true, y_pred)?;
        let weights = sample_weight.map(|w| spread(self.place, w, y_pred.dims())).transpose()?;
        let (labels, predicted) = (y_true.to_f64_vec()?, y_pred.to_f64_vec()?);
        let mut counts = vec![0.0; self.classes * self.classes];
        for (i, (&label, &prediction)) in labels.iter().zip(&predicted).enumerate() {
            if self.ignored.is_some_and(|ignored| ignored as f64 == label) {
                continue;
            }
            let row = self.class("labels", label, "")?;
            let hint = "; for scores set `sparse_y_pred(false)`";
            let hint = if self.sparse[1] && prediction.fract() != 0.0 { hint } else { "" };
            let column = self.class("predictions", prediction, hint)?;
            counts[row * self.classes + column] += weights.as_ref().map_or(1.0, |w| w[i]);
        }
        Ok(counts)
    }

    /// Class numbers: as they are, or where the largest score is.
    fn numbers(&self, x: &Tensor, sparse: bool) -> Result<Tensor> {
        if sparse {
            return Ok(x.clone());
        }
        let rank = x.rank() as isize;
        if !(-rank..rank).contains(&self.axis) {
            let place = format!("{}: `axis`", self.place);
            let rule = format!("it must be in {}..{rank} for scores {}", -rank, x.shape());
            return Err(Error::value(place, rule, self.axis.to_string()));
        }
        let scores = x.dims()[self.axis.rem_euclid(rank) as usize];
        if scores != self.classes {
            let rule = format!("there must be a score for each of {} classes", self.classes);
            let got = format!("{scores} on axis {} of {}", self.axis, x.shape());
            return Err(Error::value(self.place.to_string(), rule, got));
        }
        if x.to_f64_vec()?.iter().any(|p| p.is_nan()) {
            let rule = "predictions must be numbers";
            return Err(Error::value(self.place.to_string(), rule, "a NaN"));
        }
        Ok(x.argmax(self.axis))
    }

    fn class(&self, what: &str, number: f64, hint: &str) -> Result<usize> {
        if number.fract() == 0.0 && (0.0..self.classes as f64).contains(&number) {
            return Ok(number as usize);
        }
        let rule = format!("{what} must be class numbers in 0..{}", self.classes);
        Err(Error::value(self.place.to_string(), rule, format!("{number}{hint}")))
    }
}

impl Matrix {
    pub(crate) fn add(&mut self, counts: &[f64]) {
        add(&mut self.0, counts);
    }

    /// Mean of `TP / (TP + FP + FN)` over those of the classes that occur; 0 if none does.
    pub(crate) fn mean_iou(&self, classes: usize, targets: &[usize]) -> f64 {
        if self.0.is_empty() {
            return 0.0;
        }
        let (mut sum, mut occurring) = (0.0, 0.0);
        for &class in targets {
            let row: f64 = self.0[class * classes..][..classes].iter().sum();
            let column: f64 = self.0[class..].iter().step_by(classes).sum();
            let hits = self.0[class * classes + class];
            let union = row + column - hits;
            if union > 1e-9 {
                sum += hits / union;
                occurring += 1.0;
            }
        }
        ratio(sum, occurring)
    }

    /// As Keras holds it; zeros before the first batch.
    pub(crate) fn to_tensor(&self, classes: usize) -> Tensor {
        let shape = Shape::new(&[classes, classes]).expect("two axes");
        if self.0.is_empty() {
            return Tensor::zeros(shape, DType::F64);
        }
        Tensor::new(self.0.clone(), shape).expect("as many values as the shape has")
    }

    pub(crate) fn from_state(place: Place<'_>, state: &[Tensor], classes: usize) -> Result<Matrix> {
        Ok(Matrix(arrays(place, state, 1, classes.saturating_mul(classes))?.remove(0)))
    }
}
