//! The correction of batch renormalization.

use cornu_autodiff::{Generator, Tensor, ops};
use serde_json::{Map, Value, json};

use super::batch::BatchNormalization;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::parameter::Parameter;
use crate::setting::{Setting, wrong};

/// Bounds of the correction in [`BatchNormalization`] with `renorm`: `r` is kept in
/// `[rmin, rmax]`, `d` in `[-dmax, dmax]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RenormClipping {
    /// Greatest ratio of deviations.
    pub rmax: Option<f64>,
    /// Least ratio of deviations.
    pub rmin: Option<f64>,
    /// Greatest distance of means, in deviations.
    pub dmax: Option<f64>,
}

impl Setting for RenormClipping {
    /// An object with the bounds that there are.
    fn to_json(&self) -> Value {
        let all = [("rmax", self.rmax), ("rmin", self.rmin), ("dmax", self.dmax)];
        let there = all.into_iter().filter_map(|(key, bound)| Some((key.into(), json!(bound?))));
        Value::Object(there.collect::<Map<String, Value>>())
    }

    fn from_json(value: &Value) -> Result<RenormClipping> {
        let object = value.as_object().ok_or_else(|| wrong("an object", value))?;
        let known = ["rmax", "rmin", "dmax"];
        if let Some(key) = object.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(cornu_autodiff::Error::unknown("bound", key, &known).into());
        }
        let bound = |key: &str| object.get(key).map_or(Ok(None), Option::from_json);
        Ok(RenormClipping { rmax: bound("rmax")?, rmin: bound("rmin")?, dmax: bound("dmax")? })
    }

    fn check(&self) -> Result<()> {
        let crossed = matches!((self.rmin, self.rmax), (Some(low), Some(high)) if low > high);
        if crossed || self.dmax.is_some_and(|d| d < 0.0) {
            let rule = "`rmin` must not be above `rmax`, nor `dmax` negative";
            return Err(Error::setting("`renorm_clipping`", rule, self.to_json()));
        }
        Ok(())
    }
}

/// Statistics that only renormalization has.
#[derive(Debug)]
pub(super) struct RenormWeights {
    moving_stddev: Parameter,
    renorm_mean: Parameter,
    renorm_stddev: Parameter,
}

impl RenormWeights {
    pub(super) fn make(
        mean: &Initializer,
        variance: &Initializer,
        mut statistic: impl FnMut(&str, &Initializer) -> Result<Parameter>,
    ) -> Result<RenormWeights> {
        let variance = variance.clone();
        let stddev = Initializer::function("moving_stddev", move |shape, dtype| {
            let drawn = variance.sample(shape, dtype, &Generator::new(0));
            drawn.expect("`moving_variance` was made by it before").sqrt()
        });
        Ok(RenormWeights {
            moving_stddev: statistic("moving_stddev", &stddev)?,
            renorm_mean: statistic("renorm_mean", mean)?,
            renorm_stddev: statistic("renorm_stddev", &stddev)?,
        })
    }

    /// The ratio of the batch's deviation to the moving one, and the distance of its mean from
    /// the moving one in moving deviations. Both are constants to the gradient.
    pub(super) fn correction(
        &self,
        mean: &Tensor,
        deviation: &Tensor,
        epsilon: f64,
        clipping: &RenormClipping,
    ) -> (Tensor, Tensor) {
        let moving = self.renorm_stddev.value();
        let moving = ops::maximum(&moving, &moving.full_like(epsilon.sqrt()));
        let r = deviation / &moving;
        let d = (mean - self.renorm_mean.value()) / moving;
        let r = r.clip(
            clipping.rmin.unwrap_or(f64::NEG_INFINITY),
            clipping.rmax.unwrap_or(f64::INFINITY),
        );
        let dmax = clipping.dmax.unwrap_or(f64::INFINITY);
        (r.stop_gradient(), d.clip(-dmax, dmax).stop_gradient())
    }

    /// Lets the statistics follow the batch; gives the new moving deviation.
    pub(super) fn update(
        &self,
        mean: &Tensor,
        deviation: &Tensor,
        layer: &BatchNormalization,
        context: &mut Context<'_>,
    ) -> Tensor {
        let follow = |moving: &Parameter, batch: &Tensor, momentum: f64| {
            moving.value() * momentum + batch * (1.0 - momentum)
        };
        let own = layer.renorm_momentum;
        context.update(&self.renorm_mean, follow(&self.renorm_mean, mean, own));
        context.update(&self.renorm_stddev, follow(&self.renorm_stddev, deviation, own));
        let moving = follow(&self.moving_stddev, deviation, layer.momentum);
        context.update(&self.moving_stddev, moving.clone());
        moving
    }
}
