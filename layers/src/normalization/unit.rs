//! Unit normalization.

use cornu_autodiff::{Spec, Tensor};

use super::scale::positions;
use crate::axes::AxisOrAxes;
use crate::builder::WeightBuilder;
use crate::check::one_float;
use crate::config;
use crate::context::Context;
use crate::error::Result;
use crate::layer::{Inputs, Layer, Masks};

config! {
    /// Each sample divided by its length along `axis`: `y = x / max(sqrt(Σ x²), 1e-12)`.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, …)` | `(batch, …)` |
    ///
    /// A mask passes through.
    ///
    /// ```
    /// use cornu_layers::{Apply, UnitNormalization, input};
    /// let y = UnitNormalization::new().apply(&input([5, 8]))?;
    /// assert_eq!(y.shape(), [None, Some(5), Some(8)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When an axis is out of range or named twice.
    pub struct UnitNormalization["UnitNormalization"] {
        ..
        /// One axis or several, along which lengths are taken.
        axis: AxisOrAxes = AxisOrAxes::One(-1),
    }
}

impl Layer for UnitNormalization {
    type Weights = ();
    const BUILT_AT_ONCE: bool = true;
    const MASK: Masks = Masks::Passes;

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        positions(self.axis.as_slice(), one_float(inputs, 1)?).map(drop)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        positions(self.axis.as_slice(), x.spec())?;
        // At zero length the gradient must not be that of a square root.
        let squares = x.square().sum(self.axis.as_slice(), true).clip(1e-24, f64::INFINITY);
        Ok(x * squares.rsqrt())
    }
}
