//! A factor and an offset.

use cornu_autodiff::{Spec, Tensor};

use super::floating;
use super::numbers::Numbers;
use crate::arg::Arg;
use crate::builder::WeightBuilder;
use crate::check::one;
use crate::config;
use crate::context::Context;
use crate::error::Result;
use crate::layer::{Inputs, Layer, Masks};
use crate::setting::Configured;

config! {
    /// `y = x · scale + offset`.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, …)`, numbers of any dtype | `(batch, …)`, floating-point |
    ///
    /// A mask passes through.
    ///
    /// ```
    /// use cornu_autodiff::DType;
    /// use cornu_layers::{Apply, Input, Rescaling};
    /// let bytes = Input::new([28, 28, 1]).dtype(DType::U8).symbol();
    /// let y = Rescaling::new(1.0 / 127.5).offset(-1.0).apply(&bytes)?;
    /// assert_eq!(y.dtype(), DType::F32);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When `scale` or `offset` don't broadcast to the input.
    pub struct Rescaling["Rescaling"] {
        /// One factor, or one for each channel.
        scale: Numbers,
        ..
        /// One summand, or one for each channel.
        offset: Numbers = 0.0.arg(),
    }
}

impl Layer for Rescaling {
    type Weights = ();
    const MASK: Masks = Masks::Passes;

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        one(inputs, 0).map(drop)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = floating(x.only()?, self.common());
        let (scale, offset) = (self.scale.beside("scale", &x)?, self.offset.beside("offset", &x)?);
        Ok(x * scale + offset)
    }
}
