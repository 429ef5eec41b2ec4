//! Loss of embeddings.

use cornu_autodiff::{Error, Pause, Result, Tensor};

use super::declare::loss;
use super::pair::{Place, labels, not_classes};

/// What stands for minus infinity: its differences are numbers.
const NEVER: f64 = -1e30;

loss! {
    /// `ln(1 + Σₙ e^(γ · (1 + m - dₙ)₊ · (1 - m - dₙ)) · Σₚ e^(-γ · (m + dₚ) · (m - dₚ)))` for
    /// each sample, with `d = max(1 - a · b, 0)` its cosine distance from samples of other
    /// classes, `n`, and of its own, `p` (Sun et al. 2020, arXiv:2002.10857).
    ///
    /// Labels are class numbers, one for each sample; predictions `(samples, units)` must be of
    /// length 1: put a `UnitNormalization` last. A sample that has no other of its class, or none
    /// of another, has the value 0 and, as in Keras, doesn't count in a mean. Labels are compared
    /// as they are; Keras makes them float32 first, where class numbers above 2²⁴ become equal.
    ///
    /// ```
    /// use cornu_models::losses::Circle;
    /// let loss = Circle::new().gamma(64.0).margin(0.25);
    /// ```
    pub struct Circle["Circle", "circle"] {
        /// The scale of similarities.
        gamma: f64 = 80.0;
        /// How far from the optimum a similarity may stay.
        margin: f64 = 0.4;
        /// Whether a sample is left out of its own class.
        remove_diagonal: bool = true;
    }
    check |self| {
        for (key, value) in [("gamma", self.gamma), ("margin", self.margin)] {
            if !value.is_finite() {
                let place = format!("loss `{}`: `{key}`", self.name);
                return Err(Error::value(place, "it must be finite", value.to_string()));
            }
        }
        Ok(())
    }
    values |self, y_true, y_pred| {
        let same = self.same_class(y_true, y_pred)?;
        let (gamma, m) = (self.gamma, self.margin);
        let distance = (1.0 - y_pred.matmul(&y_pred.t())).relu();
        let own = (&distance + m).relu() * (&distance - m) * gamma;
        let others = (1.0 + m - &distance).relu() * (1.0 - m - &distance) * gamma;
        let never = distance.full_like(NEVER);
        let own_mask = match self.remove_diagonal && !y_pred.is_symbolic() {
            true => {
                let _pause = Pause::new();
                let diagonal = Tensor::eye(y_pred.dims()[0], y_pred.dtype());
                same.logical_and(&diagonal.equal_scalar(0.0))
            }
            false => same.clone(),
        };
        let own = own_mask.select(&own, &never).logsumexp(1, false);
        let others = same.select(&never, &others).logsumexp(1, false);
        Ok((own + others).softplus())
    }
    valid |self, y_true, y_pred| {
        let _pause = Pause::new();
        Ok(Some(self.call(y_true, y_pred)?.greater_scalar(0.0)))
    }
}

impl Circle {
    /// Whether two samples are of one class, `(samples, samples)`.
    fn same_class(&self, y_true: &Tensor, y_pred: &Tensor) -> Result<Tensor> {
        let _pause = Pause::new();
        let place = Place("loss", &self.name);
        labels(place, y_true, y_pred)?;
        let &[samples, _] = y_pred.dims() else {
            let rule = "predictions must be embeddings of shape (samples, units)";
            return Err(Error::shape(place.to_string(), rule, &[y_pred.spec()]));
        };
        let classes = match *y_true.dims() {
            [n] if n == samples => y_true.clone(),
            [n, 1] if n == samples => y_true.squeeze([-1]),
            _ => return Err(not_classes(place, y_true, y_pred)),
        };
        if !classes.is_symbolic()
            && let Some(bad) = classes.to_f64_vec()?.into_iter().find(|c| c.fract() != 0.0)
        {
            let rule = "labels must be class numbers";
            return Err(Error::value(place.to_string(), rule, bad.to_string()));
        }
        Ok(classes.expand_dims(1).equal(&classes.expand_dims(0)))
    }
}
