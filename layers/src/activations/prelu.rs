//! The rectifier that learns its slope.

use cornu_autodiff::{Spec, Tensor, apply, ops};

use crate::builder::{WeightBuilder, WeightOptions};
use crate::check::one_float;
use crate::config;
use crate::constraint::Constraint;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::layer::{Inputs, Layer, Masks, known_axis};
use crate::parameter::Parameter;
use crate::regularizer::Regularizer;

config! {
    /// Rectifier with a learned slope: `x` if `x > 0`, else `alpha · x`
    /// (He et al. 2015, arXiv:1502.01852).
    ///
    /// | input | `alpha` | output |
    /// |---|---|---|
    /// | `(batch, d₁, …, dₙ)` | `(d₁, …, dₙ)`, 1 at shared axes | `(batch, d₁, …, dₙ)` |
    ///
    /// A mask passes through.
    ///
    /// ```
    /// use cornu_layers::{Apply, PReLU, input};
    /// let y = PReLU::new().shared_axes([1, 2]).apply(&input([28, 28, 3]))?;
    /// assert_eq!(y.shape(), [None, Some(28), Some(28), Some(3)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When an axis that isn't shared is of unknown size, or a shared one doesn't exist.
    pub struct PReLU["PReLU"] {
        ..
        /// First value of `alpha`.
        alpha_initializer: Initializer = Initializer::Zeros,
        /// Penalty on `alpha`.
        alpha_regularizer: Option<Regularizer> = None,
        /// What `alpha` is brought back to after each step.
        alpha_constraint: Option<Constraint> = None,
        /// Axes along which one slope serves all, counted from 1.
        shared_axes: Option<Vec<usize>> = None,
    }
}

impl Layer for PReLU {
    type Weights = Parameter;
    const MASK: Masks = Masks::Passes;

    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<Parameter> {
        let x = one_float(inputs, 1)?;
        let axes = x.shape.rank() - 1;
        let shared = self.shared_axes.as_deref().unwrap_or(&[]);
        if shared.iter().any(|axis| !(1..=axes).contains(axis)) {
            let rule = format!("axes of a sample are counted from 1 to {axes}");
            return Err(Error::setting("`shared_axes`", rule, format!("{shared:?}")));
        }
        let size = |axis: usize| match shared.contains(&axis) {
            true => Ok(1),
            false => known_axis(x, axis as isize),
        };
        let shape = (1..=axes).map(size).collect::<Result<Vec<usize>>>()?;
        let options = WeightOptions::learned(&self.alpha_regularizer, &self.alpha_constraint);
        weights.add_with("alpha", &shape, &self.alpha_initializer, options)
    }

    fn call(&self, alpha: &Parameter, x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        let below = apply(ops::Multiply, &[&(-x).relu(), &alpha.value()])?;
        Ok(x.relu() - below)
    }
}
