//! Losses of numbers.

use cornu_autodiff::ops::{mean_squared_error, squared_error};
use cornu_autodiff::{Error, Result, Tensor};

use super::declare::loss;
use super::pair::{Place, aligned};

/// Keras's `epsilon`, which keeps divisors and logarithms away from zero.
pub(super) const EPSILON: f64 = 1e-7;

loss! {
    /// `mean((y - p)²)`
    pub struct MeanSquaredError["MeanSquaredError", "mean_squared_error"] {}
    elements |self, y_true, y_pred| { squared_error(y_pred, y_true) }
    mean |self, y_true, y_pred| { mean_squared_error(y_pred, y_true) }
}

loss! {
    /// `mean(|y - p|)`
    pub struct MeanAbsoluteError["MeanAbsoluteError", "mean_absolute_error"] {}
    elements |self, y_true, y_pred| { Ok((y_pred - y_true).abs()) }
}

loss! {
    /// `100 · mean(|y - p| / max(|y|, 10⁻⁷))`
    pub struct MeanAbsolutePercentageError[
        "MeanAbsolutePercentageError", "mean_absolute_percentage_error"
    ] {}
    elements |self, y_true, y_pred| {
        let size = y_true.abs().clip(EPSILON, f64::INFINITY);
        Ok(((y_true - y_pred) / size).abs() * 100.0)
    }
}

loss! {
    /// `mean((ln(1 + y) - ln(1 + p))²)`, with what is below 10⁻⁷ raised to it.
    pub struct MeanSquaredLogarithmicError[
        "MeanSquaredLogarithmicError", "mean_squared_logarithmic_error"
    ] {}
    elements |self, y_true, y_pred| {
        let log = |x: &Tensor| x.clip(EPSILON, f64::INFINITY).log1p();
        Ok((log(y_pred) - log(y_true)).square())
    }
}

loss! {
    /// `mean(h(y - p))` with `h(e) = e²/2` where `|e| <= delta`, else `delta |e| - delta²/2`
    /// (Huber 1964, "Robust estimation of a location parameter").
    pub struct Huber["Huber", "huber_loss"] {
        /// Where the square becomes a straight line. Keras leaves it out of the config.
        delta: f64 = 1.0, quiet;
    }
    check |self| {
        if self.delta > 0.0 {
            return Ok(());
        }
        let place = format!("loss `{}`: `delta`", self.name);
        Err(Error::value(place, "it must be above 0", self.delta.to_string()))
    }
    elements |self, y_true, y_pred| {
        let error = y_pred - y_true;
        let size = error.abs();
        let line = &size * self.delta - 0.5 * self.delta * self.delta;
        Ok(size.less_equal_scalar(self.delta).select(&(error.square() * 0.5), &line))
    }
}

loss! {
    /// `mean(ln(cosh(p - y)))`: a square near zero, a straight line far from it.
    pub struct LogCosh["LogCosh", "log_cosh"] {}
    elements |self, y_true, y_pred| {
        let error = y_pred - y_true;
        Ok(&error + (&error * -2.0).softplus() - std::f64::consts::LN_2)
    }
}

loss! {
    /// `-Σ ŷ · p̂`, the cosine of the angle between `y` and `p`, negated: -1 is best.
    pub struct CosineSimilarity["CosineSimilarity", "cosine_similarity"] {
        /// The axis of the vectors. Keras leaves it out of the config.
        axis: isize = -1isize, quiet;
    }
    values |self, y_true, y_pred| {
        let (y_true, y_pred) = aligned(Place("loss", &self.name), y_true, y_pred)?;
        Ok(-cosine(&self.name, &y_true, &y_pred, self.axis)?)
    }
}

/// The cosine of the angle between the vectors along an axis; 0 where one is zero.
pub(crate) fn cosine(place: &str, a: &Tensor, b: &Tensor, axis: isize) -> Result<Tensor> {
    super::reduce::check_axis(place, axis, a)?;
    Ok((unit(a, axis) * unit(b, axis)).sum(axis, false))
}

/// Vectors of length one. As in Keras, a length under 10⁻⁷ is taken for 10⁻⁷.
fn unit(x: &Tensor, axis: isize) -> Tensor {
    x * x.square().sum(axis, true).clip(EPSILON * EPSILON, f64::INFINITY).rsqrt()
}
