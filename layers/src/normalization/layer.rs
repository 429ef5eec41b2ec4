//! Layer normalization.

use cornu_autodiff::{Spec, Tensor, ops};

use super::scale::{ScaleWeights, are_last, kept, normalize, positions};
use crate::builder::WeightBuilder;
use crate::check::{one_float, positive_number};
use crate::config;
use crate::constraint::Constraint;
use crate::context::Context;
use crate::error::Result;
use crate::initializer::Initializer;
use crate::layer::{Inputs, Layer, Masks, known_axis};
use crate::parameter::Parameter;
use crate::part::part;
use crate::regularizer::Regularizer;

config! {
    /// Each sample brought to mean 0 and variance 1 along `axis`:
    /// `y = (x - mean) / sqrt(variance + epsilon) · gamma + beta`
    /// (Ba, Kiros and Hinton 2016, arXiv:1607.06450).
    ///
    /// | input | `gamma`, `beta` | output |
    /// |---|---|---|
    /// | `(batch, …, n)` | `(n)` | `(batch, …, n)` |
    /// | any, with axes `[i, j]` | `(size i, size j)` | as the input |
    ///
    /// A mask passes through.
    ///
    /// ```
    /// use cornu_layers::{Apply, LayerNormalization, input};
    /// let y = LayerNormalization::new().apply(&input([5, 8]))?;
    /// assert_eq!(y.shape(), [None, Some(5), Some(8)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When an axis is out of range, named twice or of unknown size.
    pub struct LayerNormalization["LayerNormalization"] {
        ..
        /// One axis or several, along which mean and variance are taken.
        axis: Vec<isize> = vec![-1],
        /// Added to the variance.
        epsilon: f64 = 1e-3,
        /// Whether there is an offset `beta`.
        center: bool = true,
        /// Whether there is a scale `gamma`.
        scale: bool = true,
        /// Keras's deprecated division by the deviation alone, without taking the mean away;
        /// see [`RMSNormalization`](crate::RMSNormalization) for what its name says.
        rms_scaling: bool = false,
        /// First value of `beta`.
        beta_initializer: Initializer = Initializer::Zeros,
        /// First value of `gamma`.
        gamma_initializer: Initializer = Initializer::Ones,
        /// Penalty on `beta`.
        beta_regularizer: Option<Regularizer> = None,
        /// Penalty on `gamma`.
        gamma_regularizer: Option<Regularizer> = None,
        /// What `beta` is brought back to after each step.
        beta_constraint: Option<Constraint> = None,
        /// What `gamma` is brought back to after each step.
        gamma_constraint: Option<Constraint> = None,
    }
}

impl Layer for LayerNormalization {
    type Weights = ScaleWeights;
    const MASK: Masks = Masks::Passes;

    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<ScaleWeights> {
        positive_number("epsilon", self.epsilon)?;
        let x = one_float(inputs, 1)?;
        let at = positions(&self.axis, x)?;
        let shape =
            at.iter().map(|&axis| known_axis(x, axis as isize)).collect::<Result<Vec<_>>>()?;
        let gamma = part!(self, self.scale || self.rms_scaling, gamma);
        let beta = part!(self, self.center && !self.rms_scaling, beta);
        ScaleWeights::make(&gamma, &beta, &shape, weights)
    }

    fn call(&self, w: &ScaleWeights, x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        let at = positions(&self.axis, x.spec())?;
        if !self.rms_scaling && are_last(&at, x) {
            let [gamma, beta] = [&w.gamma, &w.beta].map(|w| w.as_ref().map(Parameter::value));
            let (gamma, beta) = (gamma.as_ref(), beta.as_ref());
            return Ok(ops::layer_norm(x, gamma, beta, at.len(), self.epsilon)?);
        }
        let values = w.values(&kept(x, &at))?;
        let axes = self.axis.as_slice();
        let (mean, variance) = (x.mean(axes, true), x.var(axes, true));
        let mean = if self.rms_scaling { mean.zeros_like() } else { mean };
        Ok(normalize(x, &mean, &variance, self.epsilon, values))
    }
}
