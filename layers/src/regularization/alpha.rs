//! Dropout for `selu`.

use cornu_autodiff::{Spec, Tensor};

use super::dropout::{noise_shape, with_own};
use crate::builder::WeightBuilder;
use crate::check::{below_one, one_float};
use crate::config;
use crate::context::Context;
use crate::error::Result;
use crate::layer::{Inputs, Layer, Masks};

config! {
    /// Dropout that keeps mean 0 and variance 1 of what `selu` gives: while training, dropped
    /// elements get the value that `selu` tends to at minus infinity, and all are scaled and
    /// shifted back (Klambauer et al. 2017, arXiv:1706.02515). Otherwise `y = x`.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, …)` | `(batch, …)` |
    ///
    /// A mask passes through.
    ///
    /// ```
    /// use cornu_layers::{AlphaDropout, Apply, input};
    /// let y = AlphaDropout::new(0.2).apply(&input([8]))?;
    /// assert_eq!(y.shape(), [None, Some(8)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When `rate` is outside `[0, 1)`, or `noise_shape` doesn't broadcast to the input's. Keras
    /// accepts a rate of 1 and divides by zero.
    pub struct AlphaDropout["AlphaDropout"] {
        /// The probability with which an element is dropped.
        rate: f64,
        ..
        /// Chooses a stream of draws for this layer.
        seed: Option<u64> = None,
        /// As in [`Dropout`](crate::Dropout).
        noise_shape: Option<Vec<Option<usize>>> = None,
    }
}

impl Layer for AlphaDropout {
    type Weights = ();
    const BUILT_AT_ONCE: bool = true;
    const MASK: Masks = Masks::Passes;

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        below_one("rate", self.rate)?;
        noise_shape(self.noise_shape.as_deref(), &one_float(inputs, 0)?.shape).map(drop)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, context: &mut Context<'_>) -> Result<Tensor> {
        /// What `selu` tends to at minus infinity: its scale times its alpha, negated.
        const LOWEST: f64 = -1.050_700_987_355_480_5 * 1.673_263_242_354_377_2;
        let x = x.only()?;
        let Some(generator) = context.generator().filter(|_| self.rate > 0.0) else {
            return Ok(x.clone());
        };
        if x.is_symbolic() {
            return Ok(x.clone());
        }
        let shape = noise_shape(self.noise_shape.as_deref(), x.shape())?.unwrap_or(*x.shape());
        let keep = 1.0 - self.rate;
        let kept = with_own(generator, self.seed, |g| g.bernoulli(shape, keep, x.dtype()))?;
        let scale = (keep * (1.0 + self.rate * LOWEST * LOWEST)).powf(-0.5);
        let shift = -scale * LOWEST * self.rate;
        let y = x * &kept + (1.0 - kept) * LOWEST;
        Ok(y * scale + shift)
    }
}
