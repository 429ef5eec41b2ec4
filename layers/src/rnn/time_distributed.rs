//! One layer for every step.

use cornu_autodiff::{Spec, Tensor, ops};
use smallvec::SmallVec;

use crate::builder::WeightBuilder;
use crate::check::one;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::handle::LayerRef;
use crate::layer::{Inputs, Layer};
use crate::symbol::{shape_text, unprobed};

config! {
    /// Calls a layer on every step by itself: `y[:, t] = layer(x[:, t])`. Clones share the layer.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, steps, …)` | `(batch, steps, …)` of the layer's outputs |
    ///
    /// A mask `(batch, steps)` passes through. One with more axes is that of the layer's own
    /// steps.
    ///
    /// ```
    /// use cornu_layers::{Apply, Conv2D, TimeDistributed, input};
    /// let video = input([10, 8, 8, 3]);
    /// let y = TimeDistributed::new(Conv2D::new(4, 3)).apply(&video)?;
    /// assert_eq!(y.shape(), [None, Some(10), Some(6), Some(6), Some(4)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the input has fewer than three axes or no step, the mask is not of its batch and
    /// steps, or the layer can't work with a step or has several outputs.
    ///
    /// # Difference from Keras
    /// All steps are computed at once, unless the layer, in training, depends on the batch as a
    /// whole as batch normalization does.
    pub struct TimeDistributed["TimeDistributed"] {
        /// The layer.
        layer: LayerRef,
        ..
    }
}

impl TimeDistributed {
    /// The layer's output, which must be one.
    fn once(
        &self,
        x: Tensor,
        mask: Option<Tensor>,
        context: &mut Context<'_>,
    ) -> Result<(Tensor, Option<Tensor>)> {
        let masks = [mask];
        let masks = if masks[0].is_some() { &masks[..] } else { &[] };
        let (mut outputs, mask) = self.layer.call(&Inputs { tensors: &[x], masks }, context)?;
        match outputs.len() {
            1 => Ok((outputs.remove(0), mask)),
            n => Err(Error::setting("`layer`", "it must have one output", n)),
        }
    }

    /// All steps at once.
    fn folded(
        &self,
        x: &Tensor,
        mask: Option<&Tensor>,
        context: &mut Context<'_>,
    ) -> Result<Tensor> {
        let inner = mask.filter(|mask| mask.rank() > 2).map(fold).transpose()?;
        let (y, _) = self.once(fold(x)?, inner, context)?;
        unfold(&y, x)
    }

    /// Step by step.
    fn looped(
        &self,
        x: &Tensor,
        mask: Option<&Tensor>,
        context: &mut Context<'_>,
    ) -> Result<Tensor> {
        let masks = mask.map(|mask| mask.unstack(1));
        let step = |(i, x): (usize, Tensor)| {
            let mask = masks.as_ref().map(|masks| masks[i].clone());
            Ok(self.once(x, mask, context)?.0)
        };
        let steps = x.unstack(1).into_iter().enumerate();
        Ok(ops::stack(&steps.map(step).collect::<Result<Vec<_>>>()?, 1))
    }
}

impl Layer for TimeDistributed {
    type Weights = ();

    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<()> {
        let x = one(inputs, 3)?;
        if x.dims()[1] == 0 {
            return Err(Error::input("a sequence must have a step", &[&x.shape]));
        }
        self.layer.build_within(&[x.with(&without_steps(x.dims()))?], weights)
    }

    fn call(&self, _: &(), inputs: &Inputs<'_>, context: &mut Context<'_>) -> Result<Tensor> {
        let x = inputs.only()?;
        let mask = inputs.mask(0);
        if x.is_symbolic() {
            let inner = mask.filter(|mask| mask.rank() > 2).map(|mask| mask.index(1, 0));
            let (y, _) = self.once(x.index(1, 0), inner, context)?;
            return Ok(Tensor::symbolic(y.spec().with(&with_steps(y.dims(), x.dims()[1]))?));
        }
        match context.is_training() && !self.layer.is_per_sample() {
            true => self.looped(x, mask, context),
            false => self.folded(x, mask, context),
        }
    }

    fn mask(&self, _: &(), inputs: &Inputs<'_>) -> Result<Option<Tensor>> {
        let (x, Some(mask)) = (inputs.only()?, inputs.mask(0)) else { return Ok(None) };
        if mask.rank() < 2 || mask.dims()[..2] != x.dims()[..2] {
            let text = |dims: &[usize]| shape_text(&unprobed(dims));
            let own = text(&x.dims()[..2]);
            let rule = format!("it must begin with (batch, steps) of the input, {own}");
            return Err(Error::setting("mask", rule, text(mask.dims())));
        }
        Ok(Some(mask.clone()).filter(|mask| mask.rank() == 2))
    }

    fn parts(&self) -> Vec<LayerRef> {
        vec![self.layer.clone()]
    }
}

fn without_steps(dims: &[usize]) -> SmallVec<[usize; 8]> {
    dims[..1].iter().chain(&dims[2..]).copied().collect()
}

fn with_steps(dims: &[usize], steps: usize) -> SmallVec<[usize; 8]> {
    dims[..1].iter().chain(&[steps]).chain(&dims[1..]).copied().collect()
}

/// `(batch, steps, …)` to `(batch · steps, …)`.
pub(super) fn fold(x: &Tensor) -> Result<Tensor> {
    let mut dims = without_steps(x.dims());
    dims[0] = x.dims()[0] * x.dims()[1];
    Ok(x.try_reshape(&signed(&dims))?)
}

/// `(batch · steps, …)` to `(batch, steps, …)` of `x`.
pub(super) fn unfold(y: &Tensor, x: &Tensor) -> Result<Tensor> {
    let mut dims = with_steps(y.dims(), x.dims()[1]);
    dims[0] = x.dims()[0];
    Ok(y.try_reshape(&signed(&dims))?)
}

fn signed(dims: &[usize]) -> SmallVec<[isize; 8]> {
    dims.iter().map(|&d| d as isize).collect()
}
