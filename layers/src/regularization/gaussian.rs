//! Normally distributed noise.

use cornu_autodiff::{Spec, Tensor, apply, ops};

use super::dropout::with_own;
use crate::builder::WeightBuilder;
use crate::check::{below_one, one_float, probability};
use crate::config;
use crate::context::Context;
use crate::error::Result;
use crate::layer::{Inputs, Layer, Masks};

config! {
    /// While training, `y = x + n` with `n` normally distributed around 0; otherwise `y = x`.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, …)` | `(batch, …)` |
    ///
    /// A mask passes through.
    ///
    /// ```
    /// use cornu_layers::{Apply, GaussianNoise, input};
    /// let y = GaussianNoise::new(0.1).apply(&input([8]))?;
    /// assert_eq!(y.shape(), [None, Some(8)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When `stddev` is outside `[0, 1]`, as in Keras.
    pub struct GaussianNoise["GaussianNoise"] {
        /// Standard deviation of the noise.
        stddev: f64,
        ..
        /// Chooses a stream of draws for this layer.
        seed: Option<u64> = None,
    }
}

impl Layer for GaussianNoise {
    type Weights = ();
    const BUILT_AT_ONCE: bool = true;
    const MASK: Masks = Masks::Passes;

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        probability("stddev", self.stddev)?;
        one_float(inputs, 0).map(drop)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, context: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        match context.generator() {
            Some(generator) if self.stddev > 0.0 => {
                let noise = with_own(generator, self.seed, |g| g.normal_like(x, 0.0, self.stddev))?;
                Ok(apply(ops::Add, &[x, &noise])?)
            }
            _ => Ok(x.clone()),
        }
    }
}

config! {
    /// While training, `y = x · n` with `n` normally distributed around 1, with standard
    /// deviation `sqrt(rate / (1 - rate))`, that of [`Dropout`](crate::Dropout)'s factors
    /// (Srivastava et al. 2014). Otherwise `y = x`.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, …)` | `(batch, …)` |
    ///
    /// A mask passes through.
    ///
    /// ```
    /// use cornu_layers::{Apply, GaussianDropout, input};
    /// let y = GaussianDropout::new(0.2).apply(&input([8]))?;
    /// assert_eq!(y.shape(), [None, Some(8)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When `rate` is outside `[0, 1)`; Keras accepts 1 and divides by zero.
    pub struct GaussianDropout["GaussianDropout"] {
        /// The rate of the dropout that has the same deviation.
        rate: f64,
        ..
        /// Chooses a stream of draws for this layer.
        seed: Option<u64> = None,
    }
}

impl Layer for GaussianDropout {
    type Weights = ();
    const BUILT_AT_ONCE: bool = true;
    const MASK: Masks = Masks::Passes;

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        below_one("rate", self.rate)?;
        one_float(inputs, 0).map(drop)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, context: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        match context.generator() {
            Some(generator) if self.rate > 0.0 => {
                let stddev = (self.rate / (1.0 - self.rate)).sqrt();
                let noise = with_own(generator, self.seed, |g| g.normal_like(x, 1.0, stddev))?;
                Ok(apply(ops::Multiply, &[x, &noise])?)
            }
            _ => Ok(x.clone()),
        }
    }
}
