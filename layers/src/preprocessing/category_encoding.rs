//! Categories as vectors.

use cornu_autodiff::{Spec, Tensor};

use super::encoding::{OutputMode, check_dense, check_rank, encode};
use crate::builder::WeightBuilder;
use crate::check::positive;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Layer};
use crate::setting::{Config, Configured};

config! {
    /// Numbers of categories as vectors of `num_tokens` elements.
    ///
    /// | `output_mode` | input | output |
    /// |---|---|---|
    /// | `"multi_hot"` | `(batch, n)` | `(batch, num_tokens)`: 1 where a number occurs |
    /// | `"count"` | `(batch, n)` | `(batch, num_tokens)`: how often it does |
    /// | `"one_hot"` | `(batch, n)` or `(batch, 1)` | `(batch, n, num_tokens)` or `(batch, num_tokens)` |
    ///
    /// With `"count"`, a second input of the same shape may say how much each number counts. An
    /// input `(n)` is one sample.
    ///
    /// ```
    /// use cornu_autodiff::DType;
    /// use cornu_layers::{Apply, CategoryEncoding, Input};
    /// let colours = Input::new([3]).dtype(DType::I32).symbol();
    /// let y = CategoryEncoding::new(4).output_mode("count").apply(&colours)?;
    /// assert_eq!(y.shape(), [None, Some(4)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a number isn't in `0..num_tokens`, or the input has more than two axes (but for
    /// `"one_hot"`).
    ///
    /// # Difference from Keras
    /// Keras on JAX ignores numbers out of range.
    pub struct CategoryEncoding["CategoryEncoding"] {
        /// Number of categories.
        num_tokens: usize,
        ..
        /// `"multi_hot"`, `"one_hot"` or `"count"`.
        output_mode: OutputMode = OutputMode::MultiHot,
        /// Must be false.
        sparse: bool = false,
    }
}

impl Layer for CategoryEncoding {
    type Weights = ();

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        positive("num_tokens", self.num_tokens)?;
        check_dense(self.sparse)?;
        let modes = [OutputMode::MultiHot, OutputMode::OneHot, OutputMode::Count];
        self.output_mode.check_among(&modes)?;
        match inputs {
            [x] => check_rank(&self.output_mode, x.shape.rank()),
            [x, _] if self.output_mode == OutputMode::Count => {
                check_rank(&self.output_mode, x.shape.rank())
            }
            _ => {
                let shapes: Vec<_> = inputs.iter().map(|x| &x.shape).collect();
                let rule = "the layer takes one input, and weights of its numbers with `count`";
                Err(Error::input(rule, &shapes))
            }
        }
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let [numbers, weights @ ..] = x.tensors else {
            return Err(Error::input("the layer takes one input", &[]));
        };
        let dtype = self.common().dtype.unwrap_or_default();
        encode(numbers, &self.output_mode, self.num_tokens, weights.first(), dtype)
    }

    fn write_settings(&self, config: &mut Config) {
        config.shift_remove("sparse");
    }
}
