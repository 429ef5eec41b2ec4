//! Multiplying the loss, so that small gradients do not vanish.

use cornu_autodiff::{Error, Result, Tensor};
use serde_json::{Value, json};

use super::{IntoOptimizer, Optimizer};
use crate::options::{Config, only, take};

/// Another optimizer, for which the loss is multiplied by as large a number as gradients bear
/// without becoming infinite (Micikevicius et al. 2017, arXiv:1710.03740).
///
/// A step whose gradients are not finite is left out, and halves the scale; so many others in a
/// row as `dynamic_growth_steps` says double it. In `fit`, where gradients that are not finite
/// are an error otherwise, a loss that is not finite still is one. So is a scale that was halved
/// to nothing, which in Keras goes on for ever.
///
/// What the inner optimizer's `loss_scale_factor` says is an error here; Keras forgets it.
///
/// ```
/// use cornu_models::optimizers::{Adam, LossScaleOptimizer};
/// let optimizer = LossScaleOptimizer::new(Adam::new(1e-3)).dynamic_growth_steps(1000);
/// ```
#[derive(Clone, Debug)]
pub struct LossScaleOptimizer {
    /// The name, which begins the paths of counter and scale.
    pub name: String,
    /// What changes the variables.
    pub inner_optimizer: Optimizer,
    /// The scale to begin with.
    pub initial_scale: f64,
    /// After how many steps with finite gradients the scale is doubled.
    pub dynamic_growth_steps: u64,
}

impl LossScaleOptimizer {
    pub(crate) const CLASS: &'static str = "LossScaleOptimizer";

    /// With Keras's scale, 2¹⁵, and 2000 steps.
    #[must_use]
    pub fn new(inner_optimizer: impl Into<Optimizer>) -> LossScaleOptimizer {
        LossScaleOptimizer {
            name: "loss_scale_optimizer".into(),
            inner_optimizer: inner_optimizer.into(),
            initial_scale: 32768.0,
            dynamic_growth_steps: 2000,
        }
    }

    /// The name, which begins the paths of counter and scale.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> LossScaleOptimizer {
        self.name = name.into();
        self
    }

    /// The scale to begin with. One that is too large is soon halved.
    #[must_use]
    pub fn initial_scale(mut self, scale: f64) -> LossScaleOptimizer {
        self.initial_scale = scale;
        self
    }

    /// After how many steps with finite gradients the scale is doubled.
    #[must_use]
    pub fn dynamic_growth_steps(mut self, steps: u64) -> LossScaleOptimizer {
        self.dynamic_growth_steps = steps;
        self
    }

    pub(crate) fn read(config: &Config) -> Result<Optimizer> {
        let class = LossScaleOptimizer::CLASS;
        only(class, config, &["name", "inner_optimizer", "initial_scale", "dynamic_growth_steps"])?;
        let Some(inner) = config.get("inner_optimizer") else {
            let rule = "the key `inner_optimizer` must be there";
            return Err(Error::value(format!("config of `{class}`"), rule, "no such key"));
        };
        let new = LossScaleOptimizer::new(super::from_json(inner)?);
        LossScaleOptimizer {
            name: take(class, config, "name", new.name)?,
            initial_scale: take(class, config, "initial_scale", new.initial_scale)?,
            dynamic_growth_steps: take(
                class,
                config,
                "dynamic_growth_steps",
                new.dynamic_growth_steps,
            )?,
            inner_optimizer: new.inner_optimizer,
        }
        .into_optimizer()
    }
}

impl From<LossScaleOptimizer> for Optimizer {
    fn from(options: LossScaleOptimizer) -> Optimizer {
        let mut optimizer = options.inner_optimizer;
        optimizer.scaling = Some(Scaling {
            name: options.name,
            initial: options.initial_scale,
            growth: options.dynamic_growth_steps,
            scale: options.initial_scale,
            counter: 0,
            nested: optimizer.scaling.is_some(),
        });
        optimizer
    }
}

impl IntoOptimizer for LossScaleOptimizer {
    fn into_optimizer(self) -> Result<Optimizer> {
        Optimizer::from(self).into_optimizer()
    }
}

/// What an optimizer knows of the scale of its loss.
#[derive(Clone, Debug)]
pub(super) struct Scaling {
    pub(super) name: String,
    initial: f64,
    growth: u64,
    pub(super) scale: f64,
    /// Steps since the scale changed.
    pub(super) counter: u64,
    /// Whether there was one already.
    nested: bool,
}

impl Scaling {
    pub(super) fn config(&self, inner: Value) -> Config {
        let config = json!({
            "name": self.name,
            "inner_optimizer": inner,
            "initial_scale": self.initial,
            "dynamic_growth_steps": self.growth,
        });
        config.as_object().cloned().unwrap_or_default()
    }

    pub(super) fn check(&self, factor: Option<f64>) -> Result<()> {
        let error = |key: &str, rule: &str, got: String| {
            let place = format!("optimizer `{}`: `{key}`", LossScaleOptimizer::CLASS);
            Err(Error::value(place, rule, got))
        };
        if self.nested {
            let rule = "it must not scale the loss itself";
            return error("inner_optimizer", rule, format!("a `{}`", LossScaleOptimizer::CLASS));
        }
        if let Some(factor) = factor {
            let rule = "its `loss_scale_factor` must not be set, since the scale is found here";
            return error("inner_optimizer", rule, factor.to_string());
        }
        if !(self.initial > 0.0 && self.initial.is_finite()) {
            return error(
                "initial_scale",
                "it must be above 0 and finite",
                self.initial.to_string(),
            );
        }
        if self.growth == 0 {
            return error("dynamic_growth_steps", "it must be at least 1", "0".into());
        }
        Ok(())
    }

    /// Whether gradients can be used. The scale is adapted to the next step.
    ///
    /// # Errors
    /// When they can't, and no smaller scale is left.
    pub(super) fn bears(&mut self, gradients: &[Tensor]) -> Result<bool> {
        if gradients.iter().all(Tensor::is_finite) {
            self.counter += 1;
            if self.counter >= self.growth {
                // Beyond this a float32 could not hold it.
                self.scale = (self.scale * 2.0).min(f64::from(f32::MAX));
                self.counter = 0;
            }
            return Ok(true);
        }
        self.counter = 0;
        self.scale /= 2.0;
        if self.scale < f64::from(f32::MIN_POSITIVE) {
            let rule = "gradients must be finite at some scale of the loss";
            let got = "NaN or infinity at every one";
            return Err(Error::value(format!("optimizer `{}`", self.name), rule, got));
        }
        Ok(false)
    }
}
