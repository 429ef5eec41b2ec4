//! Rectifiers with options.

use cornu_autodiff::{Spec, Tensor};

use crate::activation::Activation;
use crate::builder::WeightBuilder;
use crate::check::one_float;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Layer, Masks};

config! {
    /// Rectifier with options: `min(x, max_value)` above the threshold, else
    /// `negative_slope · (x - threshold)`.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, …)` | `(batch, …)` |
    ///
    /// A mask passes through.
    ///
    /// ```
    /// use cornu_layers::{Apply, ReLU, input};
    /// let y = ReLU::new().max_value(6.0).apply(&input([8]))?;
    /// assert_eq!(y.shape(), [None, Some(8)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When an option is negative.
    pub struct ReLU["ReLU"] {
        ..
        /// The greatest output.
        max_value: Option<f64> = None,
        /// Slope below the threshold.
        negative_slope: f64 = 0.0,
        /// Where the slope changes.
        threshold: f64 = 0.0,
    }
}

impl Layer for ReLU {
    type Weights = ();
    const BUILT_AT_ONCE: bool = true;
    const MASK: Masks = Masks::Passes;

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        not_negative("max_value", self.max_value.unwrap_or(0.0))?;
        not_negative("negative_slope", self.negative_slope)?;
        not_negative("threshold", self.threshold)?;
        one_float(inputs, 0).map(drop)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        Ok(x.only()?.relu_with(self.negative_slope, self.max_value, self.threshold)?)
    }
}

config! {
    /// Leaky rectifier: `x` if `x > 0`, else `negative_slope · x` (Maas et al. 2013).
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, …)` | `(batch, …)` |
    ///
    /// A mask passes through. The function `"leaky_relu"` has another default slope, 0.2, as in
    /// Keras.
    ///
    /// ```
    /// use cornu_layers::{Apply, LeakyReLU, input};
    /// let y = LeakyReLU::new().negative_slope(0.1).apply(&input([8]))?;
    /// assert_eq!(y.shape(), [None, Some(8)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the slope is negative.
    pub struct LeakyReLU["LeakyReLU"] {
        ..
        /// Slope below 0.
        negative_slope: f64 = 0.3,
    }
}

impl Layer for LeakyReLU {
    type Weights = ();
    const BUILT_AT_ONCE: bool = true;
    const MASK: Masks = Masks::Passes;

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        not_negative("negative_slope", self.negative_slope)?;
        one_float(inputs, 0).map(drop)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let negative_slope = self.negative_slope;
        Activation::LeakyReluWith { negative_slope }.apply(x.only()?)
    }
}

config! {
    /// Exponential linear unit: `x` if `x > 0`, else `alpha · (e^x - 1)`
    /// (Clevert et al. 2015, arXiv:1511.07289).
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, …)` | `(batch, …)` |
    ///
    /// A mask passes through.
    ///
    /// ```
    /// use cornu_layers::{Apply, ELU, input};
    /// assert_eq!(ELU::new().apply(&input([8]))?.shape(), [None, Some(8)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    pub struct ELU["ELU"] {
        ..
        /// The negative of the limit at minus infinity.
        alpha: f64 = 1.0,
    }
}

impl Layer for ELU {
    type Weights = ();
    const BUILT_AT_ONCE: bool = true;
    const MASK: Masks = Masks::Passes;

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        one_float(inputs, 0).map(drop)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        Activation::EluWith { alpha: self.alpha }.apply(x.only()?)
    }
}

fn not_negative(option: &str, x: f64) -> Result<()> {
    if x >= 0.0 {
        return Ok(());
    }
    Err(Error::setting(format!("`{option}`"), "it must not be negative", x))
}
