//! Batch normalization.

use cornu_autodiff::{Spec, Tensor, axis_of, ops};

use super::renorm::{RenormClipping, RenormWeights};
use super::scale::{ScaleWeights, kept, normalize};
use crate::builder::{WeightBuilder, WeightOptions};
use crate::check::{one_float, positive_number, probability};
use crate::config;
use crate::constraint::Constraint;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::layer::{Inputs, Layer, Masks, known_axis};
use crate::parameter::Parameter;
use crate::part::part;
use crate::regularizer::Regularizer;

config! {
    /// Each channel brought to mean 0 and variance 1 over the batch:
    /// `y = (x - mean) / sqrt(variance + epsilon) · gamma + beta`
    /// (Ioffe and Szegedy 2015, arXiv:1502.03167).
    ///
    /// | input | `gamma`, `beta`, `moving_mean`, `moving_variance` | output |
    /// |---|---|---|
    /// | `(batch, …, channels)` | `(channels)` | `(batch, …, channels)` |
    ///
    /// While training, mean and variance are the batch's, and the moving ones follow:
    /// `moving = moving · momentum + batch's · (1 - momentum)`. Otherwise, and whenever the
    /// layer is frozen, they are the moving ones. Masked steps don't count; the mask passes
    /// through.
    ///
    /// With `renorm`, what training computes is corrected towards what prediction will compute
    /// (Ioffe 2017, arXiv:1702.03275).
    ///
    /// ```
    /// use cornu_layers::{Apply, BatchNormalization, input};
    /// let y = BatchNormalization::new().apply(&input([28, 28, 3]))?;
    /// assert_eq!(y.shape(), [None, Some(28), Some(28), Some(3)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the axis is out of range or of unknown size, `momentum` outside `[0, 1]`, or a mask
    /// hasn't one axis less than the input.
    ///
    /// # Difference from Keras
    /// There is no `synchronized`: a model trains on one device.
    pub struct BatchNormalization["BatchNormalization"] {
        ..
        /// The axis of the channels.
        axis: isize = -1,
        /// How much of the moving mean and variance stays at each step.
        momentum: f64 = 0.99,
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
        /// First value of `moving_mean`.
        moving_mean_initializer: Initializer = Initializer::Zeros,
        /// First value of `moving_variance`.
        moving_variance_initializer: Initializer = Initializer::Ones,
        /// Penalty on `beta`.
        beta_regularizer: Option<Regularizer> = None,
        /// Penalty on `gamma`.
        gamma_regularizer: Option<Regularizer> = None,
        /// What `beta` is brought back to after each step.
        beta_constraint: Option<Constraint> = None,
        /// What `gamma` is brought back to after each step.
        gamma_constraint: Option<Constraint> = None,
        /// Statistics over several devices; must be false.
        synchronized: bool = false,
        /// Whether training is corrected by the moving mean and deviation.
        renorm: bool = false,
        /// Bounds of the correction.
        renorm_clipping: Option<RenormClipping> = None,
        /// How much of the correction's own mean and deviation stays at each step.
        renorm_momentum: f64 = 0.99,
    }
}

/// Weights of [`BatchNormalization`].
#[derive(Debug)]
pub struct BatchNormalizationWeights {
    scale: ScaleWeights,
    moving_mean: Parameter,
    moving_variance: Parameter,
    renorm: Option<RenormWeights>,
}

impl Layer for BatchNormalization {
    type Weights = BatchNormalizationWeights;
    const PER_SAMPLE: bool = false;
    const MASK: Masks = Masks::Passes;

    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<Self::Weights> {
        probability("momentum", self.momentum)?;
        probability("renorm_momentum", self.renorm_momentum)?;
        positive_number("epsilon", self.epsilon)?;
        if self.synchronized {
            let rule = "it must be false: a model trains on one device";
            return Err(Error::setting("`synchronized`", rule, true));
        }
        let shape = [known_axis(one_float(inputs, 1)?, self.axis)?];
        let gamma = part!(self, self.scale, gamma);
        let beta = part!(self, self.center, beta);
        let scale = ScaleWeights::make(&gamma, &beta, &shape, weights)?;
        let mut statistic = |name: &str, initializer: &Initializer| {
            weights.add_with(name, &shape, initializer, WeightOptions::statistic())
        };
        let mean = &self.moving_mean_initializer;
        let variance = &self.moving_variance_initializer;
        Ok(BatchNormalizationWeights {
            scale,
            moving_mean: statistic("moving_mean", mean)?,
            moving_variance: statistic("moving_variance", variance)?,
            renorm: match self.renorm {
                true => Some(RenormWeights::make(mean, variance, statistic)?),
                false => None,
            },
        })
    }

    fn call(
        &self,
        w: &BatchNormalizationWeights,
        inputs: &Inputs<'_>,
        context: &mut Context<'_>,
    ) -> Result<Tensor> {
        let x = inputs.only()?;
        let axis = axis_of("`axis`", self.axis, x.rank())?;
        let channels = w.moving_mean.size();
        if x.dims()[axis] != channels {
            let rule = format!("axis {} must have {channels} channels", self.axis);
            return Err(Error::input(rule, &[x.shape()]));
        }
        let shape = kept(x, &[axis]);
        let [mut gamma, mut beta] = w.scale.values(&shape)?;
        if !context.is_training() || context.is_frozen() {
            let (mean, variance) = (w.moving_mean.value(), w.moving_variance.value());
            let (mean, variance) = (mean.try_reshape(&shape)?, variance.try_reshape(&shape)?);
            return Ok(normalize(x, &mean, &variance, self.epsilon, [gamma, beta]));
        }
        if axis + 1 == x.rank() && inputs.mask(0).is_none() && w.renorm.is_none() {
            return self.fused(w, x, context);
        }
        let (mean, variance) = moments(x, axis, inputs.mask(0))?;
        let flat = |t: &Tensor| t.stop_gradient().reshape([-1]); // (channels)
        let (batch_mean, batch_variance) = (flat(&mean), flat(&variance));
        if let Some(renorm) = &w.renorm {
            let deviation = (&batch_variance + self.epsilon).sqrt();
            let clipping = self.renorm_clipping.clone().unwrap_or_default();
            let (r, d) = renorm.correction(&batch_mean, &deviation, self.epsilon, &clipping);
            let (r, d) = (r.reshape(&shape), d.reshape(&shape));
            let shift = gamma.as_ref().map_or_else(|| d.clone(), |gamma| &d * gamma);
            gamma = Some(gamma.map_or_else(|| r.clone(), |gamma| &r * gamma));
            beta = Some(beta.map_or_else(|| shift.clone(), |beta| &shift + beta));
            let deviation = renorm.update(&batch_mean, &deviation, self, context);
            let variance = (deviation.square() - self.epsilon).relu();
            context.update(&w.moving_variance, variance);
        } else {
            let variance = self.follow(context, &w.moving_variance, &batch_variance);
            context.update(&w.moving_variance, variance);
        }
        let mean_after = self.follow(context, &w.moving_mean, &batch_mean);
        context.update(&w.moving_mean, mean_after);
        Ok(normalize(x, &mean, &variance, self.epsilon, [gamma, beta]))
    }
}

impl BatchNormalization {
    /// Training by the fused op: for channels on the last axis, where all elements count.
    fn fused(
        &self,
        w: &BatchNormalizationWeights,
        x: &Tensor,
        context: &mut Context<'_>,
    ) -> Result<Tensor> {
        let [gamma, beta] =
            [&w.scale.gamma, &w.scale.beta].map(|w| w.as_ref().map(Parameter::value));
        let (y, mean, variance) = ops::batch_norm(x, gamma.as_ref(), beta.as_ref(), self.epsilon)?;
        let variance = self.follow(context, &w.moving_variance, &variance);
        context.update(&w.moving_variance, variance);
        let mean = self.follow(context, &w.moving_mean, &mean);
        context.update(&w.moving_mean, mean);
        Ok(y)
    }

    /// A moving statistic brought nearer to the batch's.
    fn follow(&self, context: &Context<'_>, moving: &Parameter, batch: &Tensor) -> Tensor {
        context.latest(moving) * self.momentum + batch * (1.0 - self.momentum)
    }
}

/// Mean and variance of each channel over all other axes, which stay as ones.
fn moments(x: &Tensor, axis: usize, mask: Option<&Tensor>) -> Result<(Tensor, Tensor)> {
    let others: Vec<isize> = (0..x.rank()).filter(|&i| i != axis).map(|i| i as isize).collect();
    let Some(mask) = mask else {
        return Ok((x.mean(others.clone(), true), x.var(others, true)));
    };
    if mask.rank() + 1 != x.rank() {
        let rule = "it must have one axis less than the input";
        return Err(Error::setting("mask", rule, format!("{} for {}", mask.shape(), x.shape())));
    }
    // Keras's `backend.epsilon()`: a batch of which nothing counts has mean and variance 0.
    const EPSILON: f64 = 1e-7;
    let counts = mask.expand_dims(-1);
    let zeros = x.zeros_like();
    let weight = ops::select(&counts, &x.ones_like(), &zeros).sum(others.clone(), true) + EPSILON;
    let mean = ops::select(&counts, x, &zeros).sum(others.clone(), true) / &weight;
    let distance = ops::select(&counts, &(x - &mean), &zeros);
    Ok((mean, distance.square().sum(others, true) / weight))
}
