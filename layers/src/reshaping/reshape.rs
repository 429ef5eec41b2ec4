//! Samples in another shape.

use cornu_autodiff::{Shape, Spec, Tensor, is_probe};

use crate::builder::WeightBuilder;
use crate::check::one;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Layer};

config! {
    /// The elements of each sample, in the same order, in another shape.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, …)` | `(batch, target_shape…)` |
    ///
    /// One size may be -1: it is what is left.
    ///
    /// ```
    /// use cornu_layers::{Apply, Reshape, input};
    /// let y = Reshape::new([-1, 2]).apply(&input([3, 4]))?;
    /// assert_eq!(y.shape(), [None, Some(6), Some(2)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the numbers of elements differ, or more than one size is unknown.
    pub struct Reshape["Reshape"] {
        /// Sizes of a sample's axes.
        target_shape: Vec<isize>,
        ..
    }
}

impl Layer for Reshape {
    type Weights = ();
    const BUILT_AT_ONCE: bool = true;

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        self.target(&one(inputs, 1)?.shape).map(drop)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        let target = self.target(x.shape())?;
        if x.is_symbolic() && target.size() != x.size() {
            // An unknown axis that doesn't divide by a number may do so once it is known.
            return Ok(Tensor::symbolic(x.spec().with(&target)?));
        }
        let target: Vec<isize> = target.iter().map(|&d| d as isize).collect();
        Ok(x.try_reshape(&target)?)
    }
}

impl Reshape {
    /// The whole output shape, with -1 worked out.
    fn target(&self, x: &Shape) -> Result<Shape> {
        let refuse = |rule: &str| {
            let got = format!("{:?} for an input of shape {x}", self.target_shape);
            Err(Error::setting("`target_shape`", rule, got))
        };
        if x.rank() == 0 {
            return Err(Error::input("there must be a batch axis", &[x]));
        }
        if self.target_shape.iter().any(|&d| d < -1)
            || self.target_shape.iter().filter(|&&d| d == -1).count() > 1
        {
            return refuse("sizes must not be negative, but for one -1");
        }
        let sizes = self.target_shape.iter().filter(|d| **d >= 0).map(|d| *d as usize);
        let Some(given) = sizes.clone().try_fold(1usize, usize::checked_mul) else {
            return refuse("it must hold as many elements as a sample");
        };
        let unknown = x[1..].iter().copied().find(|&d| is_probe(d));
        let elements: usize = x[1..].iter().product();
        let whole = elements.checked_rem(given) == Some(0) || (given == 0 && elements == 0);
        let inferred = match unknown {
            _ if whole => elements.checked_div(given).unwrap_or(0),
            Some(unknown) => unknown,
            None => return refuse("it must hold as many elements as a sample"),
        };
        if !self.target_shape.contains(&-1) && unknown.is_none() && given != elements {
            return refuse("it must hold as many elements as a sample");
        }
        let sizes = self.target_shape.iter().map(|&d| if d < 0 { inferred } else { d as usize });
        let dims: Vec<usize> = [x[0]].into_iter().chain(sizes).collect();
        Ok(Shape::new(&dims)?)
    }
}
