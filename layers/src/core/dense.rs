//! The fully connected layer.

use cornu_autodiff::{Spec, Tensor, ops};

use crate::activation::Activation;
use crate::builder::WeightBuilder;
use crate::check::{one_float, positive};
use crate::config;
use crate::constraint::Constraint;
use crate::context::Context;
use crate::error::Result;
use crate::initializer::Initializer;
use crate::layer::{Inputs, Layer, Masks, known_axis};
use crate::parameter::Parameter;
use crate::part::{KernelWeights, part};
use crate::regularizer::Regularizer;

config! {
    /// Fully connected layer: `y = activation(x · kernel + bias)`.
    ///
    /// | input | `kernel` | `bias` | output |
    /// |---|---|---|---|
    /// | `(batch, …, inputs)` | `(inputs, units)` | `(units)` | `(batch, …, units)` |
    ///
    /// A mask passes through.
    ///
    /// ```
    /// use cornu_layers::{Apply, Dense, input};
    /// let y = Dense::new(10).activation("softmax").apply(&input([64]))?;
    /// assert_eq!(y.shape(), [None, Some(10)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When `units` is 0, the input has fewer than two axes or isn't floating-point, or the
    /// size of its last axis is unknown.
    ///
    /// # Difference from Keras
    /// There is no quantization and no LoRA; files that ask for them are refused.
    pub struct Dense["Dense"] {
        /// Size of the output's last axis.
        units: usize,
        ..
        /// Applied to the sum.
        activation: Activation = Activation::Linear,
        /// Whether a bias is added.
        use_bias: bool = true,
        /// First value of `kernel`.
        kernel_initializer: Initializer = Initializer::glorot_uniform(),
        /// First value of `bias`.
        bias_initializer: Initializer = Initializer::Zeros,
        /// Penalty on `kernel`.
        kernel_regularizer: Option<Regularizer> = None,
        /// Penalty on `bias`.
        bias_regularizer: Option<Regularizer> = None,
        /// What `kernel` is brought back to after each step.
        kernel_constraint: Option<Constraint> = None,
        /// What `bias` is brought back to after each step.
        bias_constraint: Option<Constraint> = None,
    }
}

impl Layer for Dense {
    type Weights = KernelWeights;
    const MASK: Masks = Masks::Passes;
    const FIXED: &'static [(&'static str, &'static str)] = &[("quantization_config", "null")];

    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<KernelWeights> {
        positive("units", self.units)?;
        let width = known_axis(one_float(inputs, 2)?, -1)?;
        let kernel = part!(self, true, kernel);
        let bias = part!(self, self.use_bias, bias);
        KernelWeights::make(&kernel, &bias, &[width, self.units], weights)
    }

    #[inline]
    fn call(&self, w: &KernelWeights, x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let (x, kernel) = (x.only()?, w.kernel.value());
        let bias = w.bias.as_ref().map(Parameter::value);
        let activation = self.activation.fused();
        let y = ops::linear(x, &kernel, bias.as_ref(), activation.unwrap_or_default())?;
        if activation.is_some() { Ok(y) } else { self.activation.apply(&y) }
    }
}
