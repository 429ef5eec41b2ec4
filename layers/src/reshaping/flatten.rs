//! Samples as vectors.

use cornu_autodiff::{Spec, Tensor};

use crate::builder::WeightBuilder;
use crate::check::one;
use crate::choice::DataFormat;
use crate::config;
use crate::context::Context;
use crate::error::Result;
use crate::layer::{Inputs, Layer};

config! {
    /// Each sample as a vector.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, d₁, …, dₙ)` | `(batch, d₁ · … · dₙ)` |
    /// | `(batch)` | `(batch, 1)` |
    ///
    /// With `"channels_first"`, channels are moved behind the other axes first, so that the
    /// vector is the same in both formats.
    ///
    /// ```
    /// use cornu_layers::{Apply, Flatten, input};
    /// let y = Flatten::new().apply(&input([28, 28, 1]))?;
    /// assert_eq!(y.shape(), [None, Some(784)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    pub struct Flatten["Flatten"] {
        ..
        /// Where the input has its channels.
        data_format: DataFormat = DataFormat::ChannelsLast,
    }
}

impl Layer for Flatten {
    type Weights = ();

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        one(inputs, 1).map(drop)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        let [batch, sample @ ..] = x.dims() else {
            return Err(crate::Error::input("there must be a batch axis", &[x.shape()]));
        };
        let shape = [*batch as isize, sample.iter().product::<usize>() as isize];
        if self.data_format == DataFormat::ChannelsFirst && sample.len() > 1 {
            let behind = 2..x.rank() as isize;
            let axes: Vec<isize> = [0].into_iter().chain(behind).chain([1]).collect();
            return Ok(x.permute(axes).try_reshape(&shape)?);
        }
        Ok(x.try_reshape(&shape)?)
    }
}
