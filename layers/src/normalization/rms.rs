//! Root-mean-square normalization.

use cornu_autodiff::{Spec, Tensor, ops};

use super::scale::{are_last, kept, positions};
use crate::builder::WeightBuilder;
use crate::check::{one_float, positive_number};
use crate::config;
use crate::context::Context;
use crate::error::Result;
use crate::initializer::Initializer;
use crate::layer::{Inputs, Layer, Masks, known_axis};
use crate::parameter::Parameter;

config! {
    /// Each sample divided by its root mean square along `axis`:
    /// `y = x / sqrt(mean(x²) + epsilon) · scale`
    /// (Zhang and Sennrich 2019, arXiv:1910.07467).
    ///
    /// | input | `scale` | output |
    /// |---|---|---|
    /// | `(batch, …, n)` | `(n)` | `(batch, …, n)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, RMSNormalization, input};
    /// let y = RMSNormalization::new().apply(&input([5, 8]))?;
    /// assert_eq!(y.shape(), [None, Some(5), Some(8)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When an axis is out of range, named twice or of unknown size.
    ///
    /// # Difference from Keras
    /// A mask passes through, where Keras drops it.
    pub struct RMSNormalization["RMSNormalization"] {
        ..
        /// One axis or several, along which the mean is taken.
        axis: Vec<isize> = vec![-1],
        /// Added to the mean.
        epsilon: f64 = 1e-6,
    }
}

impl Layer for RMSNormalization {
    type Weights = Parameter;
    const MASK: Masks = Masks::Passes;

    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<Parameter> {
        positive_number("epsilon", self.epsilon)?;
        let x = one_float(inputs, 1)?;
        let at = positions(&self.axis, x)?;
        let shape =
            at.iter().map(|&axis| known_axis(x, axis as isize)).collect::<Result<Vec<_>>>()?;
        weights.add("scale", &shape, &Initializer::Ones)
    }

    fn call(&self, scale: &Parameter, x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        let at = positions(&self.axis, x.spec())?;
        if are_last(&at, x) {
            return Ok(ops::rms_norm(x, Some(&scale.value()), at.len(), self.epsilon)?);
        }
        let scale = scale.value().try_reshape(&kept(x, &at))?;
        let mean = x.square().mean(self.axis.as_slice(), true);
        Ok(x * (mean + self.epsilon).rsqrt() * scale)
    }
}
