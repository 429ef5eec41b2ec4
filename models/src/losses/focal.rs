//! Cross-entropies that turn to the samples that are hard.

use cornu_autodiff::ops::{binary_cross_entropy, power, sigmoid_cross_entropy};
use cornu_autodiff::{Error, Result, Shape, Tensor};
use serde_json::Value;

use super::crossentropy::{check_smoothing, log_probabilities};
use super::declare::loss;
use super::pair::{Place, aligned, probabilities};
use super::reduce::check_axis;
use cornu_layers::{Arg, Setting};

/// Below it a base of a power is taken for it: its slope there would be infinite.
const SMALLEST: f64 = f32::MIN_POSITIVE as f64;

loss! {
    /// `mean((1 - q)^γ · b)` with `b` the binary cross-entropy of label `y` and prediction `p`,
    /// and `q = y · p + (1 - y) · (1 - p)`, the probability given to the right answer (Lin et
    /// al. 2017, arXiv:1708.02002).
    ///
    /// With `from_logits`, `b` comes from the logits themselves, so that a sample that is quite
    /// wrong still has a gradient; Keras clips the sigmoid first, and such a sample has none.
    /// Labels must be in `0..=1`, which Keras doesn't check.
    ///
    /// ```
    /// use cornu_models::losses::BinaryFocalCrossentropy;
    /// let loss = BinaryFocalCrossentropy::new().gamma(3.0).from_logits(true);
    /// ```
    pub struct BinaryFocalCrossentropy["BinaryFocalCrossentropy", "binary_focal_crossentropy"] {
        /// Whether predictions are logits `x` with `p = 1 / (1 + e^-x)`.
        from_logits: bool = false;
        /// Moves labels towards 1/2 by this part of the way.
        label_smoothing: f64 = 0.0;
        /// The axis that is folded.
        axis: isize = -1isize;
        /// Whether ones weigh `alpha` and zeros `1 - alpha`.
        apply_class_balancing: bool = false;
        /// The weight of ones, with `apply_class_balancing`.
        alpha: f64 = 0.25;
        /// How little the easy samples count; at 0 all count alike.
        gamma: f64 = 2.0;
    }
    check |self| {
        check_smoothing(&self.name, self.label_smoothing)?;
        check_gamma(&self.name, self.gamma)?;
        if (0.0..=1.0).contains(&self.alpha) {
            return Ok(());
        }
        let place = format!("loss `{}`: `alpha`", self.name);
        Err(Error::value(place, "it must be in 0..=1", self.alpha.to_string()))
    }
    fold axis
    elements |self, y_true, y_pred| {
        probabilities(Place("loss", &self.name), y_true)?;
        let s = self.label_smoothing;
        let y = if s == 0.0 { y_true.clone() } else { y_true * (1.0 - s) + 0.5 * s };
        let (p, entropy) = match self.from_logits {
            true => (y_pred.sigmoid(), sigmoid_cross_entropy(y_pred, &y)?),
            false => (y_pred.clip(0.0, 1.0), binary_cross_entropy(y_pred, &y)?),
        };
        let missed = &y * (1.0 - &p) + (1.0 - &y) * p;
        let focal = focus(&missed, self.gamma) * entropy;
        if !self.apply_class_balancing {
            return Ok(focal);
        }
        Ok((&y * self.alpha + (1.0 - &y) * (1.0 - self.alpha)) * focal)
    }
}

loss! {
    /// `-Σ α · (1 - q)^γ · y · ln q` over the classes with `q = p / Σp`, for one-hot labels or
    /// probabilities (Lin et al. 2017, arXiv:1708.02002).
    ///
    /// With `from_logits`, logarithms come from the logits themselves, so that a sample that is
    /// quite wrong still has a gradient; Keras clips the softmax first, and such a sample has
    /// none. With an `axis` that is not the last, Keras smooths labels by the size of the last
    /// one and lays a list of `alpha` along it; here both go by `axis`. Labels must be in
    /// `0..=1`, which Keras doesn't check.
    ///
    /// ```
    /// use cornu_models::losses::CategoricalFocalCrossentropy;
    /// let loss = CategoricalFocalCrossentropy::new().alpha([0.2, 0.3, 0.5]).gamma(1.0);
    /// ```
    pub struct CategoricalFocalCrossentropy[
        "CategoricalFocalCrossentropy", "categorical_focal_crossentropy"
    ] {
        /// Whether predictions are logits, made probabilities by a softmax.
        from_logits: bool = false;
        /// Spreads this part of each label evenly over all classes.
        label_smoothing: f64 = 0.0;
        /// The axis of the classes.
        axis: isize = -1isize;
        /// The weight of all classes, or of each.
        alpha: Alpha = Alpha::One(0.25);
        /// How little the easy samples count; at 0 all count alike.
        gamma: f64 = 2.0;
    }
    check |self| {
        check_smoothing(&self.name, self.label_smoothing)?;
        check_gamma(&self.name, self.gamma)?;
        let alphas = self.alpha.numbers();
        if !alphas.is_empty() && alphas.iter().all(|a| *a >= 0.0 && a.is_finite()) {
            return Ok(());
        }
        let place = format!("loss `{}`: `alpha`", self.name);
        Err(Error::value(place, "there must be at least one, none below 0", format!("{alphas:?}")))
    }
    values |self, y_true, y_pred| {
        let (y_true, y_pred) = aligned(Place("loss", &self.name), y_true, y_pred)?;
        probabilities(Place("loss", &self.name), &y_true)?;
        let at = check_axis(&self.name, self.axis, &y_pred)?;
        let axis = at as isize;
        let (s, classes) = (self.label_smoothing, y_pred.dims()[at]);
        let y_true = if s == 0.0 { y_true } else { y_true * (1.0 - s) + s / classes as f64 };
        let logs = log_probabilities(&y_pred, axis, self.from_logits);
        let missed = 1.0 - logs.exp();
        let terms = focus(&missed, self.gamma) * y_true * logs;
        let terms = match &self.alpha {
            Alpha::One(alpha) => terms * *alpha,
            Alpha::Many(alphas) => terms * self.along(alphas, at, &y_pred)?,
        };
        Ok(-terms.sum(axis, false))
    }
}

impl CategoricalFocalCrossentropy {
    /// Weights of the classes, laid along their axis.
    fn along(&self, alphas: &[f64], axis: usize, y_pred: &Tensor) -> Result<Tensor> {
        let classes = y_pred.dims()[axis];
        if alphas.len() != classes {
            let rule = format!("there must be one number, or one for each of {classes} classes");
            let place = format!("loss `{}`: `alpha`", self.name);
            return Err(Error::value(place, rule, alphas.len().to_string()));
        }
        let mut dims = vec![1; y_pred.rank()];
        dims[axis] = classes;
        Ok(Tensor::new(alphas.to_vec(), Shape::new(&dims)?)?.cast(y_pred.dtype()))
    }
}

/// `missed^γ`, by which a term counts.
fn focus(missed: &Tensor, gamma: f64) -> Tensor {
    power(&missed.clip(SMALLEST, 1.0), &Tensor::scalar_of(missed.dtype(), gamma))
}

fn check_gamma(place: &str, gamma: f64) -> Result<()> {
    if gamma >= 0.0 && gamma.is_finite() {
        return Ok(());
    }
    let place = format!("loss `{place}`: `gamma`");
    Err(Error::value(place, "it must be a number that is not negative", gamma.to_string()))
}

/// The weight of all classes, or of each.
#[derive(Clone, Debug, PartialEq)]
pub enum Alpha {
    /// One for all.
    One(f64),
    /// One for each.
    Many(Vec<f64>),
}

impl Alpha {
    fn numbers(&self) -> &[f64] {
        match self {
            Alpha::One(one) => std::slice::from_ref(one),
            Alpha::Many(many) => many,
        }
    }
}

impl Arg<Alpha> for f64 {
    fn arg(self) -> Alpha {
        Alpha::One(self)
    }
}

impl Arg<Alpha> for Vec<f64> {
    fn arg(self) -> Alpha {
        Alpha::Many(self)
    }
}

impl<const N: usize> Arg<Alpha> for [f64; N] {
    fn arg(self) -> Alpha {
        Alpha::Many(self.into())
    }
}

impl Setting for Alpha {
    fn to_json(&self) -> Value {
        match self {
            Alpha::One(one) => one.to_json(),
            Alpha::Many(many) => many.to_json(),
        }
    }
    fn from_json(value: &Value) -> cornu_layers::Result<Alpha> {
        match value {
            Value::Array(_) => Vec::from_json(value).map(Alpha::Many),
            one => f64::from_json(one).map(Alpha::One),
        }
    }
}
