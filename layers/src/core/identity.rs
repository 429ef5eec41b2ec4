//! The layer that changes nothing.

use cornu_autodiff::{Spec, Tensor};

use crate::builder::WeightBuilder;
use crate::check::one;
use crate::config;
use crate::context::Context;
use crate::error::Result;
use crate::layer::{Inputs, Layer, Masks};

config! {
    /// `y = x`, to hold a place or to give a tensor a name. A mask passes through.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, …)` | `(batch, …)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, Identity, input};
    /// assert_eq!(Identity::new().apply(&input([3]))?.shape(), [None, Some(3)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    pub struct Identity["Identity"] {
        ..
    }
}

impl Layer for Identity {
    type Weights = ();
    const BUILT_AT_ONCE: bool = true;
    const MASK: Masks = Masks::Passes;

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        one(inputs, 0).map(drop)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        x.only().cloned()
    }
}
