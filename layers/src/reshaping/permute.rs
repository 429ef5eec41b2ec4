//! Axes in another order.

use cornu_autodiff::{Spec, Tensor};

use crate::builder::WeightBuilder;
use crate::check::one;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Layer};

config! {
    /// The axes of each sample in another order.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, d₁, …, dₙ)` | `(batch, d of dims₁, …, d of dimsₙ)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, Permute, input};
    /// let y = Permute::new([2, 1]).apply(&input([10, 64]))?;
    /// assert_eq!(y.shape(), [None, Some(64), Some(10)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When `dims` doesn't name each axis of a sample once.
    pub struct Permute["Permute"] {
        /// The input's axes in the output's order, counted from 1: the batch axis stays.
        dims: Vec<usize>,
        ..
    }
}

impl Layer for Permute {
    type Weights = ();

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        let axes = one(inputs, 1)?.shape.rank() - 1;
        let mut sorted = self.dims.clone();
        sorted.sort_unstable();
        if sorted.iter().copied().eq(1..=axes) {
            return Ok(());
        }
        let rule = format!("each of the {axes} axes of a sample must be named once, from 1");
        Err(Error::setting("`dims`", rule, format!("{:?}", self.dims)))
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        if x.rank() != self.dims.len() + 1 {
            let rule = format!("there must be {} axes", self.dims.len() + 1);
            return Err(Error::input(rule, &[x.shape()]));
        }
        let axes = self.dims.iter().map(|&d| d as isize);
        Ok(x.permute([0].into_iter().chain(axes).collect::<Vec<_>>()))
    }
}
