//! Labels and predictions brought together, without broadcasting.

use std::fmt;

use cornu_autodiff::{DType, Error, Pause, Result, Tensor};

/// Labels and predictions with one dtype and one shape.
///
/// # Errors
/// When the predictions are not floating-point, a label is not finite, or the shapes differ by
/// more than `[N]` does from `[N, 1]`.
pub(crate) fn aligned(
    place: Place<'_>,
    y_true: &Tensor,
    y_pred: &Tensor,
) -> Result<(Tensor, Tensor)> {
    let y_true = labels(place, y_true, y_pred)?;
    same_shape(place, y_true, y_pred.clone())
}

/// Labels and predictions with one shape.
///
/// # Errors
/// When the shapes differ by more than `[N]` does from `[N, 1]`.
pub(crate) fn same_shape(
    place: Place<'_>,
    y_true: Tensor,
    y_pred: Tensor,
) -> Result<(Tensor, Tensor)> {
    let (a, b) = (y_true.dims(), y_pred.dims());
    if a.is_empty() && b.is_empty() {
        let rule = "labels and predictions need an axis of samples";
        return Err(Error::shape(place.to_string(), rule, &[y_true.spec(), y_pred.spec()]));
    }
    if a == b {
        return Ok((y_true, y_pred));
    }
    match (a.split_last(), b.split_last()) {
        // [N] beside [N, 1] becomes [N, 1]; of higher ranks the one is dropped, as in Keras.
        (_, Some((1, rest))) if rest == a => Ok(match a.len() {
            1 => (y_true.expand_dims(-1), y_pred),
            _ => (y_true, y_pred.squeeze([-1])),
        }),
        (Some((1, rest)), _) if rest == b => Ok(match b.len() {
            1 => (y_true, y_pred.expand_dims(-1)),
            _ => (y_true.squeeze([-1]), y_pred),
        }),
        _ => Err(mismatch(place, &y_true, &y_pred)),
    }
}

/// What an error is about: a loss or a metric, and its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a>(pub(crate) &'static str, pub(crate) &'a str);

impl Place<'_> {
    /// What a class of its kind for categories is called.
    fn family(self) -> &'static str {
        if self.0 == "metric" { "accuracy" } else { "crossentropy" }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.0, self.1)
    }
}

/// Labels in the dtype of the predictions.
///
/// # Errors
/// When the predictions are not floating-point or a label is not finite.
pub(crate) fn labels(place: Place<'_>, y_true: &Tensor, y_pred: &Tensor) -> Result<Tensor> {
    check_labels(place, y_true, y_pred)?;
    Ok(cast(y_true, y_pred.dtype()))
}

/// Predictions must be floating-point, and labels finite.
pub(crate) fn check_labels(place: Place<'_>, y_true: &Tensor, y_pred: &Tensor) -> Result<()> {
    if !y_pred.dtype().is_float() {
        let rule = "predictions must be float32 or float64";
        return Err(Error::dtype(place.to_string(), rule, &[y_pred.spec()]));
    }
    if !y_true.is_finite() {
        let bad = y_true.to_f64_vec()?.into_iter().find(|v| !v.is_finite());
        let got = bad.map_or("none".into(), |v| v.to_string());
        return Err(Error::value(place.to_string(), "labels must be finite", got));
    }
    Ok(())
}

/// The label at a place, exact whatever its dtype is: for errors.
pub(crate) fn label_at(y_true: &Tensor, at: usize) -> Result<String> {
    let _pause = Pause::new();
    Ok(match y_true.dtype().is_float() {
        true => y_true.to_f64_vec()?[at].to_string(),
        false => y_true.cast(DType::I64).to_vec::<i64>()?[at].to_string(),
    })
}

/// The same values in another dtype; no op where it is the same.
pub(crate) fn cast(x: &Tensor, dtype: DType) -> Tensor {
    if x.dtype() == dtype { x.clone() } else { x.cast(dtype) }
}

/// Labels outside `0..=1` are a mistake where they are probabilities.
///
/// # Errors
/// Naming the first of them.
pub(crate) fn probabilities(place: Place<'_>, y_true: &Tensor) -> Result<()> {
    if y_true.is_symbolic() {
        return Ok(());
    }
    let inside = match y_true.dtype() {
        DType::F32 => y_true.with_slice(|v: &[f32]| all(v, |x| (0.0..=1.0).contains(&x)))?,
        DType::F64 => y_true.with_slice(|v: &[f64]| all(v, |x| (0.0..=1.0).contains(&x)))?,
        _ => true,
    };
    if inside {
        return Ok(());
    }
    let bad = y_true.to_f64_vec()?.into_iter().find(|v| !(0.0..=1.0).contains(v));
    let got = format!(
        "{}; for labels -1 and 1 take a hinge loss, for class numbers \
         `sparse_categorical_crossentropy`",
        bad.unwrap_or(f64::NAN)
    );
    Err(Error::value(place.to_string(), "labels must be in 0..=1", got))
}

/// Without an early exit within a block, so that the loop vectorises.
fn all<T: Copy>(values: &[T], holds: impl Fn(T) -> bool) -> bool {
    values.chunks(1024).all(|block| block.iter().fold(true, |ok, &x| ok & holds(x)))
}

/// Labels and predictions whose shapes don't fit, with what may mend it.
pub(crate) fn mismatch(place: Place<'_>, y_true: &Tensor, y_pred: &Tensor) -> Error {
    let (a, b) = (y_true.dims(), y_pred.dims());
    let hint = if a.len() + 1 == b.len() && b.starts_with(a) {
        format!("; for class numbers take `sparse_categorical_{}`", place.family())
    } else if a.len() == b.len() && a.first() != b.first() {
        "; there must be one label for each sample".into()
    } else if let (Some(labels), Some(units)) = (a.last(), b.last())
        && a.len() == b.len()
    {
        format!("; the labels have {labels} values a sample, the model's output {units}")
    } else {
        String::new()
    };
    let rule = "labels must have the shape of the predictions, and are never broadcast";
    let got = format!("labels {} and predictions {}{hint}", y_true.shape(), y_pred.shape());
    Error::value(place.to_string(), rule, got)
}

/// Labels that should be class numbers but whose shape doesn't fit.
pub(crate) fn not_classes(place: Place<'_>, y_true: &Tensor, y_pred: &Tensor) -> Error {
    let hint = if y_true.dims() == y_pred.dims() {
        format!("; for one-hot labels take `categorical_{}`", place.family())
    } else if y_true.dims().first() != y_pred.dims().first() {
        "; there must be one label for each sample".into()
    } else {
        String::new()
    };
    let rule = "labels must be class numbers, without the axis of the classes";
    let got = format!("labels {} and predictions {}{hint}", y_true.shape(), y_pred.shape());
    Error::value(place.to_string(), rule, got)
}
