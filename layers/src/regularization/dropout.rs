//! Dropout.

use cornu_autodiff::{Generator, Shape, Spec, Tensor, apply, ops};
use smallvec::SmallVec;

use crate::builder::WeightBuilder;
use crate::check::{one_float, probability};
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Layer, Masks};
use crate::symbol::{shape_text, unprobed};

config! {
    /// While training, sets elements to 0 with probability `rate` and multiplies the others by
    /// `1 / (1 - rate)`, so that the expected sum stays the same (Srivastava et al. 2014).
    /// Otherwise `y = x`.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, …)` | `(batch, …)` |
    ///
    /// A mask passes through.
    ///
    /// ```
    /// use cornu_layers::{Apply, Dropout, input};
    /// let y = Dropout::new(0.5).apply(&input([8]))?;
    /// assert_eq!(y.shape(), [None, Some(8)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When `rate` is outside `[0, 1]`, or `noise_shape` doesn't broadcast to the input's.
    ///
    /// # Difference from Keras
    /// What is dropped follows from the model's seed, so that a run that is stopped and resumed
    /// goes on with the same draws. A `seed` of the layer's own chooses another stream of it.
    pub struct Dropout["Dropout"] {
        /// The probability with which an element is dropped.
        rate: f64,
        ..
        /// Chooses a stream of draws for this layer.
        seed: Option<u64> = None,
        /// Sizes of the pattern of what is dropped, `None` for the input's: along axes of size
        /// 1 elements are dropped together.
        noise_shape: Option<Vec<Option<usize>>> = None,
    }
}

/// `generator`, or the layer's own stream of it.
pub(crate) fn with_own<R>(
    generator: &Generator,
    seed: Option<u64>,
    draw: impl FnOnce(&Generator) -> R,
) -> R {
    match seed {
        Some(seed) => draw(&Generator::new(generator.draw_seed()).split_index(seed)),
        None => draw(generator),
    }
}

/// `x` with elements dropped; `noise` is the shape of what is dropped together.
pub(crate) fn drop_elements(
    x: &Tensor,
    rate: f64,
    noise: Option<Shape>,
    generator: &Generator,
) -> Result<Tensor> {
    let mask = match noise {
        Some(shape) if !x.is_symbolic() => generator.dropout_mask(shape, rate, x.dtype())?,
        _ => generator.dropout_mask_like(x, rate)?,
    };
    Ok(apply(ops::Multiply, &[x, &mask])?)
}

impl Layer for Dropout {
    type Weights = ();
    const BUILT_AT_ONCE: bool = true;
    const MASK: Masks = Masks::Passes;

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        probability("rate", self.rate)?;
        let x = one_float(inputs, 0)?;
        noise_shape(self.noise_shape.as_deref(), &x.shape).map(drop)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, context: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        match context.generator() {
            Some(generator) if self.rate > 0.0 => {
                let noise = noise_shape(self.noise_shape.as_deref(), x.shape())?;
                with_own(generator, self.seed, |g| drop_elements(x, self.rate, noise, g))
            }
            _ => Ok(x.clone()),
        }
    }
}

/// The shape of what is dropped together, where it isn't the input's.
pub(super) fn noise_shape(own: Option<&[Option<usize>]>, x: &Shape) -> Result<Option<Shape>> {
    let Some(noise) = own else { return Ok(None) };
    let dims: SmallVec<[usize; 8]> =
        noise.iter().zip(x.iter()).map(|(own, &all)| own.unwrap_or(all)).collect();
    let fits = dims.iter().zip(x.iter()).all(|(&d, &all)| d == 1 || d == all);
    if noise.len() != x.rank() || !fits {
        let rule = format!(
            "each size must be 1, the input's or `None`, for the input {}",
            shape_text(&unprobed(x))
        );
        return Err(Error::setting("`noise_shape`", rule, shape_text(noise)));
    }
    Ok(Some(Shape::new(&dims)?))
}
