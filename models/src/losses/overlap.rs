//! Losses of the overlap of regions, for segmentation.

use cornu_autodiff::ops::Axes;
use cornu_autodiff::{Error, Result, Tensor};
use serde_json::Value;

use super::declare::loss;
use super::pair::{Place, aligned, probabilities};
use super::reduce::check_axis;
use super::regression::EPSILON;
use cornu_layers::{Arg, Setting};

loss! {
    /// `1 - 2 Σ y · p / (Σ y + Σ p + 10⁻⁷)`, with sums over `axis` (Milletari et al. 2016,
    /// arXiv:1606.04797).
    ///
    /// As in Keras, sums go over the whole batch unless `axis` is set, so that the loss is one
    /// number that depends on how samples are batched; for a mean over samples set the axes
    /// after the first. Keras weighs that one number by the mean of sample weights, which is no
    /// weighing: here weights and masks then are errors. Labels must be in `0..=1`, which Keras
    /// doesn't check.
    ///
    /// ```
    /// use cornu_models::losses::Dice;
    /// let loss = Dice::new().axis([1, 2, 3]);
    /// ```
    pub struct Dice["Dice", "dice"] {
        /// The axes of the sums.
        axis: FoldedAxes = FoldedAxes::All;
    }
    values |self, y_true, y_pred| {
        let (y_true, y_pred) = regions(&self.name, y_true, y_pred)?;
        let axes = self.axis.of(&self.name, &y_pred)?;
        let sum = |x: &Tensor| x.sum(axes.clone(), false);
        Ok(1.0 - sum(&(&y_true * &y_pred)) * 2.0 / (sum(&y_true) + sum(&y_pred) + EPSILON))
    }
}

loss! {
    /// `1 - h / (h + α · m + β · w + 10⁻⁷)` with hits `h = Σ y · p`, misses `m = Σ y · (1 - p)`
    /// and wrong alarms `w = Σ (1 - y) · p`, with sums over `axis` (Salehi et al. 2017,
    /// arXiv:1706.05721). With both weights 1/2 it is [`Dice`], of which all else holds here, too.
    ///
    /// Keras's text says that `alpha` weighs wrong alarms and `beta` misses; its numbers, which
    /// are these, are the other way round.
    ///
    /// ```
    /// use cornu_models::losses::Tversky;
    /// let rather_too_much = Tversky::new().alpha(0.7).beta(0.3).axis([1, 2, 3]);
    /// ```
    pub struct Tversky["Tversky", "tversky"] {
        /// The weight of misses.
        alpha: f64 = 0.5;
        /// The weight of wrong alarms.
        beta: f64 = 0.5;
        /// The axes of the sums.
        axis: FoldedAxes = FoldedAxes::All;
    }
    check |self| {
        for (key, value) in [("alpha", self.alpha), ("beta", self.beta)] {
            if !(value >= 0.0 && value.is_finite()) {
                let place = format!("loss `{}`: `{key}`", self.name);
                let rule = "it must be a number that is not negative";
                return Err(Error::value(place, rule, value.to_string()));
            }
        }
        Ok(())
    }
    values |self, y_true, y_pred| {
        let (y_true, y_pred) = regions(&self.name, y_true, y_pred)?;
        let axes = self.axis.of(&self.name, &y_pred)?;
        let sum = |x: Tensor| x.sum(axes.clone(), false);
        let hits = sum(&y_true * &y_pred);
        let misses = sum((1.0 - &y_pred) * &y_true);
        let alarms = sum(y_pred * (1.0 - y_true));
        Ok(1.0 - &hits / (&hits + misses * self.alpha + alarms * self.beta + EPSILON))
    }
}

/// Labels and predictions of one shape, the labels in `0..=1`.
fn regions(name: &str, y_true: &Tensor, y_pred: &Tensor) -> Result<(Tensor, Tensor)> {
    let (y_true, y_pred) = aligned(Place("loss", name), y_true, y_pred)?;
    probabilities(Place("loss", name), &y_true)?;
    Ok((y_true, y_pred))
}

/// The axes that a loss folds: all, one, or several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FoldedAxes {
    /// All, the first included.
    #[default]
    All,
    /// One; negative ones count from the last.
    One(isize),
    /// Several.
    Many(Vec<isize>),
}

impl FoldedAxes {
    fn of(&self, place: &str, x: &Tensor) -> Result<Axes> {
        let axes = match self {
            FoldedAxes::All => return Ok(Axes::All),
            FoldedAxes::One(axis) => std::slice::from_ref(axis),
            FoldedAxes::Many(axes) => axes,
        };
        let mut seen = Vec::new();
        for &axis in axes {
            let at = check_axis(place, axis, x)?;
            if seen.contains(&at) {
                let place = format!("loss `{place}`: `axis`");
                let rule = "an axis must not be named twice";
                return Err(Error::value(place, rule, format!("{axes:?}")));
            }
            seen.push(at);
        }
        Ok(Axes::from(axes))
    }
}

impl Arg<FoldedAxes> for isize {
    fn arg(self) -> FoldedAxes {
        FoldedAxes::One(self)
    }
}

impl Arg<FoldedAxes> for Vec<isize> {
    fn arg(self) -> FoldedAxes {
        FoldedAxes::Many(self)
    }
}

impl<const N: usize> Arg<FoldedAxes> for [isize; N] {
    fn arg(self) -> FoldedAxes {
        FoldedAxes::Many(self.into())
    }
}

impl Setting for FoldedAxes {
    fn to_json(&self) -> Value {
        match self {
            FoldedAxes::All => Value::Null,
            FoldedAxes::One(axis) => axis.to_json(),
            FoldedAxes::Many(axes) => axes.to_json(),
        }
    }
    fn from_json(value: &Value) -> cornu_layers::Result<FoldedAxes> {
        match value {
            Value::Null => Ok(FoldedAxes::All),
            Value::Array(_) => Vec::from_json(value).map(FoldedAxes::Many),
            one => isize::from_json(one).map(FoldedAxes::One),
        }
    }
}
