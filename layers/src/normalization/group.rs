//! Group normalization.

use cornu_autodiff::{Spec, Tensor, axis_of};

use super::scale::{ScaleWeights, normalize};
use crate::builder::WeightBuilder;
use crate::check::{one_float, positive_number};
use crate::config;
use crate::constraint::Constraint;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::layer::{Inputs, Layer, Masks, known_axis};
use crate::part::part;
use crate::regularizer::Regularizer;

config! {
    /// Channels in groups, each group of each sample brought to mean 0 and variance 1:
    /// `y = (x - mean) / sqrt(variance + epsilon) · gamma + beta`
    /// (Wu and He 2018, arXiv:1803.08494).
    ///
    /// | input | `gamma`, `beta` | output |
    /// |---|---|---|
    /// | `(batch, …, channels)` | `(channels)` | `(batch, …, channels)` |
    ///
    /// One group is layer normalization over all axes, -1 groups are instance normalization. A
    /// mask passes through.
    ///
    /// ```
    /// use cornu_layers::{Apply, GroupNormalization, input};
    /// let y = GroupNormalization::new().groups(4).apply(&input([6, 6, 8]))?;
    /// assert_eq!(y.shape(), [None, Some(6), Some(6), Some(8)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When `groups` doesn't divide the number of channels, or that is unknown.
    pub struct GroupNormalization["GroupNormalization"] {
        ..
        /// Number of groups; -1 for as many as there are channels.
        groups: isize = 32,
        /// The axis of the channels; not the batch's.
        axis: isize = -1,
        /// Added to the variance.
        epsilon: f64 = 1e-3,
        /// Whether there is an offset `beta`.
        center: bool = true,
        /// Whether there is a scale `gamma`.
        scale: bool = true,
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

impl Layer for GroupNormalization {
    type Weights = ScaleWeights;
    const MASK: Masks = Masks::Passes;

    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<ScaleWeights> {
        positive_number("epsilon", self.epsilon)?;
        let x = one_float(inputs, 2)?;
        let channels = known_axis(x, self.axis)?;
        if axis_of("`axis`", self.axis, x.shape.rank())? == 0 {
            return Err(Error::setting("`axis`", "it must not be the batch's", self.axis));
        }
        let fits = match self.groups {
            -1 => true,
            n => n > 0 && channels % n as usize == 0,
        };
        if !fits {
            let rule = format!("it must divide the number of channels, {channels}, or be -1");
            return Err(Error::setting("`groups`", rule, self.groups));
        }
        let gamma = part!(self, self.scale, gamma);
        let beta = part!(self, self.center, beta);
        ScaleWeights::make(&gamma, &beta, &[channels], weights)
    }

    fn call(&self, w: &ScaleWeights, x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        let axis = axis_of("`axis`", self.axis, x.rank())?;
        let channels = x.dims()[axis];
        let groups = if self.groups == -1 { channels } else { self.groups as usize };
        // (batch, …, channels, …) -> (batch, …, groups, channels / groups, …)
        let whole: Vec<isize> = x.dims().iter().map(|&d| d as isize).collect();
        let pair = [groups as isize, (channels / groups) as isize];
        let split = [&whole[..axis], &pair, &whole[axis + 1..]].concat();
        let grouped = x.try_reshape(&split)?;
        let folded: Vec<isize> =
            (1..split.len() as isize).filter(|&i| i != axis as isize).collect();
        let mut flat = vec![1; split.len()];
        flat[axis..axis + 2].copy_from_slice(&pair);
        let (mean, variance) = (grouped.mean(folded.clone(), true), grouped.var(folded, true));
        let y = normalize(&grouped, &mean, &variance, self.epsilon, w.values(&flat)?);
        Ok(y.try_reshape(&whole)?)
    }
}
