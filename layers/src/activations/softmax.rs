//! Softmax as a layer, which obeys masks.

use cornu_autodiff::{Spec, Tensor, apply, ops};

use crate::axes::AxisOrAxes;
use crate::builder::WeightBuilder;
use crate::check::one_float;
use crate::config;
use crate::context::Context;
use crate::error::Result;
use crate::layer::{Inputs, Layer, Masks};
use crate::normalization::positions;

config! {
    /// `y = e^x / Σ e^x` along one axis or several.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, …)` | `(batch, …)` |
    ///
    /// Elements that a mask of the input's own shape, or one that broadcasts to it, leaves out
    /// get 0. The mask passes through.
    ///
    /// ```
    /// use cornu_layers::{Apply, Softmax, input};
    /// assert_eq!(Softmax::new().apply(&input([8]))?.shape(), [None, Some(8)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When an axis is out of range.
    pub struct Softmax["Softmax"] {
        ..
        /// One axis or several; negative ones count from the last.
        axis: AxisOrAxes = AxisOrAxes::One(-1),
    }
}

impl Layer for Softmax {
    type Weights = ();
    const BUILT_AT_ONCE: bool = true;
    const MASK: Masks = Masks::Passes;

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        positions(self.axis.as_slice(), one_float(inputs, 1)?).map(drop)
    }

    fn call(&self, _: &(), inputs: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = inputs.only()?;
        let Some(mask) = inputs.mask(0) else { return self.along(x) };
        // Keras's large negative number, at which the exponential is 0.
        let left_out = x.full_like(-1e9);
        let y = self.along(&apply(ops::Select, &[mask, x, &left_out])?)?;
        Ok(apply(ops::Select, &[mask, &y, &y.zeros_like()])?)
    }
}

impl Softmax {
    fn along(&self, x: &Tensor) -> Result<Tensor> {
        match self.axis.as_slice() {
            &[axis] => Ok(apply(ops::Softmax { axis }, &[x])?),
            axes => {
                positions(axes, x.spec())?;
                Ok((x - x.logsumexp(axes, true)).exp())
            }
        }
    }
}
