//! How often predictions are right.

use cornu_autodiff::{Error, Pause, Result, Tensor};

use super::confusion::in_dtype;
use super::declare::mean_metric;
use super::mean::Values;
use crate::losses::pair::{Place, label_at, mismatch, not_classes, same_shape};

mean_metric! {
    /// How often labels and predictions are equal.
    pub struct Accuracy["Accuracy", "accuracy", Up] {}
    values |self, y_true, y_pred| {
        let (y_true, y_pred) = elements(&self.name, y_true, y_pred)?;
        let (t, p) = (y_true.to_f64_vec()?, y_pred.to_f64_vec()?);
        Ok(Values::matches(y_pred.dims(), t.iter().zip(&p).map(|(t, p)| t == p)))
    }
}

mean_metric! {
    /// How often predictions lie on the same side of a threshold as their labels, which are 0
    /// or 1. A prediction at the threshold is a 0.
    pub struct BinaryAccuracy["BinaryAccuracy", "binary_accuracy", Up] {
        /// Above it, a prediction is a 1.
        threshold: f64 = 0.5;
    }
    values |self, y_true, y_pred| {
        let (y_true, y_pred) = elements(&self.name, y_true, y_pred)?;
        let (t, p) = (y_true.to_f64_vec()?, y_pred.to_f64_vec()?);
        let threshold = in_dtype(self.threshold, y_pred.dtype());
        let predicted = p.iter().map(|&p| f64::from(u8::from(p > threshold)));
        Ok(Values::matches(y_pred.dims(), t.iter().zip(predicted).map(|(&t, p)| t == p)))
    }
}

mean_metric! {
    /// How often the largest prediction is where the label's largest element is, for one-hot
    /// labels.
    pub struct CategoricalAccuracy["CategoricalAccuracy", "categorical_accuracy", Up] {}
    values |self, y_true, y_pred| {
        one_hot(&self.name, y_true, y_pred)?;
        let _pause = Pause::new();
        equal_classes(&y_true.argmax(-1), &y_pred.argmax(-1))
    }
}

mean_metric! {
    /// How often the largest prediction is at the label, for labels that are class numbers.
    pub struct SparseCategoricalAccuracy[
        "SparseCategoricalAccuracy", "sparse_categorical_accuracy", Up
    ] {}
    values |self, y_true, y_pred| {
        let y_true = class_numbers(&self.name, y_true, y_pred)?;
        let _pause = Pause::new();
        equal_classes(&y_true, &y_pred.argmax(-1))
    }
}

mean_metric! {
    /// How often the class of the label is among the `k` with the largest predictions, for
    /// one-hot labels.
    pub struct TopKCategoricalAccuracy[
        "TopKCategoricalAccuracy", "top_k_categorical_accuracy", Up
    ] {
        /// How many predictions count.
        k: usize = 5usize;
    }
    values |self, y_true, y_pred| {
        one_hot(&self.name, y_true, y_pred)?;
        let _pause = Pause::new();
        in_top_k(&y_true.argmax(-1), y_pred, self.k)
    }
}

mean_metric! {
    /// How often the label is among the `k` classes with the largest predictions, for labels
    /// that are class numbers.
    pub struct SparseTopKCategoricalAccuracy[
        "SparseTopKCategoricalAccuracy", "sparse_top_k_categorical_accuracy", Up
    ] {
        /// How many predictions count.
        k: usize = 5usize;
        /// Whether predictions are class numbers, best first, instead of scores.
        from_sorted_ids: bool = false, quiet;
    }
    values |self, y_true, y_pred| {
        if !self.from_sorted_ids {
            let y_true = class_numbers(&self.name, y_true, y_pred)?;
            return in_top_k(&y_true, y_pred, self.k);
        }
        let y_true = without_axis(&self.name, y_true, y_pred)?;
        let (t, p) = (y_true.to_f64_vec()?, y_pred.to_f64_vec()?);
        let ids = y_pred.dims().last().copied().unwrap_or(1);
        let rows = p.chunks_exact(ids.max(1));
        let hit = |(t, row): (&f64, &[f64])| row[..self.k.min(ids)].contains(t);
        Ok(Values::matches(y_true.dims(), t.iter().zip(rows).map(hit)))
    }
}

/// Labels and predictions that are compared element by element.
fn elements(name: &str, y_true: &Tensor, y_pred: &Tensor) -> Result<(Tensor, Tensor)> {
    let place = Place("metric", name);
    finite(place, y_true)?;
    let _pause = Pause::new();
    same_shape(place, y_true.clone(), y_pred.clone())
}

/// Labels and predictions must both have an axis of classes.
fn one_hot(name: &str, y_true: &Tensor, y_pred: &Tensor) -> Result<()> {
    let place = Place("metric", name);
    finite(place, y_true)?;
    if y_true.dims() != y_pred.dims() || y_true.dims().last().is_none_or(|&classes| classes == 0) {
        return Err(mismatch(place, y_true, y_pred));
    }
    Ok(())
}

/// Class numbers, without the axis of the classes.
fn class_numbers(name: &str, y_true: &Tensor, y_pred: &Tensor) -> Result<Tensor> {
    let labels = without_axis(name, y_true, y_pred)?;
    let classes = y_pred.dims().last().copied().unwrap_or(0) as f64;
    let wrong = |&t: &f64| t.fract() != 0.0 || !(0.0..classes).contains(&t);
    match labels.to_f64_vec()?.iter().position(wrong) {
        None => Ok(labels),
        Some(at) => {
            let rule = format!("labels must be class numbers in 0..{classes}");
            Err(Error::value(Place("metric", name).to_string(), rule, label_at(&labels, at)?))
        }
    }
}

/// Labels of the predictions' shape without the last axis.
fn without_axis(name: &str, y_true: &Tensor, y_pred: &Tensor) -> Result<Tensor> {
    let place = Place("metric", name);
    let _pause = Pause::new();
    match (y_true.dims(), y_pred.dims().split_last()) {
        (_, Some((0, _))) => Err(not_classes(place, y_true, y_pred)),
        (labels, Some((_, rest))) if labels == rest => Ok(y_true.clone()),
        ([labels @ .., 1], Some((_, rest))) if labels == rest => Ok(y_true.squeeze([-1])),
        _ => Err(not_classes(place, y_true, y_pred)),
    }
}

/// A label that is NaN or infinite is a mistake in the data.
pub(crate) fn finite(place: Place<'_>, y_true: &Tensor) -> Result<()> {
    if y_true.is_finite() {
        return Ok(());
    }
    let bad = y_true.to_f64_vec()?.into_iter().find(|v| !v.is_finite());
    let got = bad.unwrap_or(f64::NAN).to_string();
    Err(Error::value(place.to_string(), "labels must be finite", got))
}

fn equal_classes(t: &Tensor, p: &Tensor) -> Result<Values> {
    let (labels, predicted) = (t.to_f64_vec()?, p.to_f64_vec()?);
    Ok(Values::matches(p.dims(), labels.iter().zip(&predicted).map(|(t, p)| t == p)))
}

/// Whether the prediction at the label is among the `k` largest: fewer than `k` are larger.
fn in_top_k(t: &Tensor, p: &Tensor, k: usize) -> Result<Values> {
    let (labels, scores) = (t.to_f64_vec()?, p.to_f64_vec()?);
    let classes = p.dims().last().copied().unwrap_or(1).max(1);
    let hit = |(&t, row): (&f64, &[f64])| {
        let own = row[t as usize];
        // A NaN, here or in the row, is never a hit.
        own.is_finite() && row.iter().filter(|&&p| p > own || p.is_nan()).count() < k
    };
    Ok(Values::matches(t.dims(), labels.iter().zip(scores.chunks_exact(classes)).map(hit)))
}
