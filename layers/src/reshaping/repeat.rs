//! A vector at every step.

use cornu_autodiff::{Spec, Tensor, apply, ops};

use crate::builder::WeightBuilder;
use crate::check::positive;
use crate::config;
use crate::context::Context;
use crate::error::Result;
use crate::layer::{Inputs, Layer, expect_rank};

config! {
    /// Each vector `n` times, as the steps of a sequence.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, features)` | `(batch, n, features)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, RepeatVector, input};
    /// let y = RepeatVector::new(3).apply(&input([32]))?;
    /// assert_eq!(y.shape(), [None, Some(3), Some(32)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When `n` is 0 or the input isn't of vectors.
    pub struct RepeatVector["RepeatVector"] {
        /// Number of steps.
        n: usize,
        ..
    }
}

impl Layer for RepeatVector {
    type Weights = ();

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        positive("n", self.n)?;
        expect_rank(inputs, 2)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        expect_rank(&[*x.spec()], 2)?;
        let shape = x.spec().with(&[x.dims()[0], self.n, x.dims()[1]])?.shape;
        Ok(apply(ops::BroadcastTo(shape), &[&x.expand_dims(1)])?)
    }
}
