//! The layer that finds padding in sequences of vectors.

use cornu_autodiff::{Spec, Tensor, apply, ops};

use crate::builder::WeightBuilder;
use crate::check::one_float;
use crate::config;
use crate::context::Context;
use crate::error::Result;
use crate::layer::{Inputs, Layer};

config! {
    /// Makes a mask: a step counts if any of its features differs from `mask_value`. Steps that
    /// don't count become 0.
    ///
    /// | input | output | mask |
    /// |---|---|---|
    /// | `(batch, steps, features)` | `(batch, steps, features)` | `(batch, steps)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, Masking, input};
    /// let y = Masking::new().mask_value(-1.0).apply(&input([10, 4]))?;
    /// assert_eq!(y.shape(), [None, Some(10), Some(4)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    pub struct Masking["Masking"] {
        ..
        /// The value of padding.
        mask_value: f64 = 0.0,
    }
}

impl Masking {
    fn counts(&self, x: &Tensor, keepdims: bool) -> Tensor {
        x.not_equal_scalar(self.mask_value).any(-1, keepdims)
    }
}

impl Layer for Masking {
    type Weights = ();
    const BUILT_AT_ONCE: bool = true;

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        one_float(inputs, 2).map(drop)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        Ok(apply(ops::Select, &[&self.counts(x, true), x, &x.zeros_like()])?)
    }

    fn mask(&self, _: &(), x: &Inputs<'_>) -> Result<Option<Tensor>> {
        Ok(Some(self.counts(x.only()?, false)))
    }
}
