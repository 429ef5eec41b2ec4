//! A penalty on what passes through.

use cornu_autodiff::{Spec, Tensor};

use crate::builder::WeightBuilder;
use crate::check::one_float;
use crate::config;
use crate::context::Context;
use crate::error::Result;
use crate::layer::{Inputs, Layer, Masks};
use crate::regularizer::Regularizer;
use crate::setting::Setting;

config! {
    /// `y = x`, and `l1 · Σ |x| + l2 · Σ x²`, divided by the batch size, is added to the loss.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, …)` | `(batch, …)` |
    ///
    /// A mask passes through.
    ///
    /// ```
    /// use cornu_layers::{ActivityRegularization, Apply, input};
    /// let y = ActivityRegularization::new().l2(0.01).apply(&input([8]))?;
    /// assert_eq!(y.shape(), [None, Some(8)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a factor is negative.
    pub struct ActivityRegularization["ActivityRegularization"] {
        ..
        /// Factor of `Σ |x|`.
        l1: f64 = 0.0,
        /// Factor of `Σ x²`.
        l2: f64 = 0.0,
    }
}

impl Layer for ActivityRegularization {
    type Weights = ();
    const BUILT_AT_ONCE: bool = true;
    const MASK: Masks = Masks::Passes;

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        Regularizer::l1_l2(self.l1, self.l2).check()?;
        one_float(inputs, 0).map(drop)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, context: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        // A batch without samples has no penalty, and mustn't be divided by.
        let samples = x.shape().first().copied().unwrap_or(1).max(1);
        let penalty = Regularizer::l1_l2(self.l1, self.l2).penalty(x)?;
        context.add_loss(penalty * (1.0 / samples as f64));
        Ok(x.clone())
    }
}
