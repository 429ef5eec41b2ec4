//! A contraction by letters.

use cornu_autodiff::{Shape, Spec, Tensor, is_probe, ops};

use super::equation::{Equation, Weights};
use crate::activation::Activation;
use crate::builder::WeightBuilder;
use crate::check::one_float;
use crate::config;
use crate::constraint::Constraint;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::layer::{Inputs, Layer};
use crate::parameter::Parameter;
use crate::part::{KernelWeights, Part, part};
use crate::regularizer::Regularizer;
use crate::setting::{Config, Configured, move_key, write_penalty};

config! {
    /// `y = activation(einsum(equation, x, kernel) + bias)`: a product over axes named by letters.
    ///
    /// | equation | input | `kernel` | output |
    /// |---|---|---|---|
    /// | `"ab,bc->ac"` | `(a, b)` | `(b, c)` | `(a, c)`: what [`Dense`](crate::Dense) does |
    /// | `"abc,cde->abde"` | `(a, b, c)` | `(c, d, e)` | `(a, b, d, e)` |
    /// | `"...x,xy->...y"` | `(…, x)` | `(x, y)` | `(…, y)` |
    /// | `"ab...,bc->ac..."` | `(a, b, …)` | `(b, c)` | `(a, c, …)` |
    ///
    /// `output_shape` are the sizes of the output's axes, without the batch axis and those that
    /// dots stand for; `None` for one that the input has. The bias has the output's axes that
    /// `bias_axes` names.
    ///
    /// ```
    /// use cornu_layers::{Apply, EinsumDense, input};
    /// let y = EinsumDense::new("abc,cde->abde", [None, Some(2), Some(8)])
    ///     .bias_axes("de")
    ///     .apply(&input([10, 16]))?;
    /// assert_eq!(y.shape(), [None, Some(10), Some(2), Some(8)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the equation isn't of one of these forms, doesn't fit the input and `output_shape`, or
    /// a size that the kernel needs is unknown.
    ///
    /// # Difference from Keras
    /// There is no quantization and no LoRA; files that ask for them are refused.
    pub struct EinsumDense["EinsumDense"] {
        /// Letters for the axes of input, kernel and output.
        equation: String,
        /// Sizes of the output's axes behind the batch; one number for one axis.
        output_shape: Vec<Option<usize>>,
        ..
        /// Applied to the sum.
        activation: Activation = Activation::Linear,
        /// The output's letters along which there is a bias; no bias without.
        bias_axes: Option<String> = None,
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

impl Layer for EinsumDense {
    type Weights = KernelWeights;
    const FIXED: &'static [(&'static str, &'static str)] = &[("quantization_config", "null")];

    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<KernelWeights> {
        let x = one_float(inputs, 1)?;
        let Weights { kernel: shape, bias: bias_shape, axes: [ins, outs] } =
            self.weights(&x.shape)?;
        let initializer = self.kernel_initializer.clone();
        let initializer =
            if initializer.has_axes() { initializer } else { initializer.axes(ins, outs) };
        let kernel = Part {
            used: true,
            initializer: &initializer,
            regularizer: &self.kernel_regularizer,
            constraint: &self.kernel_constraint,
        };
        let bias = part!(self, self.bias_axes.is_some(), bias);
        let kernel = kernel.make_always("kernel", &shape, weights)?;
        Ok(KernelWeights { kernel, bias: bias.make("bias", &bias_shape, weights)? })
    }

    fn call(&self, w: &KernelWeights, x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        self.weights(x.shape())?;
        let mut y = ops::try_einsum(&self.equation, &[x, &w.kernel.value()])?;
        if let Some(bias) = w.bias.as_ref().map(Parameter::value) {
            y = cornu_autodiff::apply(ops::Add, &[&y, &bias])?;
        }
        self.activation.apply(&y)
    }

    fn write_settings(&self, config: &mut Config) {
        move_key(config, "output_shape", 0);
        write_penalty(self.common(), config, "bias_regularizer");
    }
}

impl EinsumDense {
    /// The shapes of the weights for an input of this shape.
    fn weights(&self, x: &Shape) -> Result<Weights> {
        let equation = Equation::parse(&self.equation)?;
        let sizes = equation.sizes(x, &self.output_shape)?;
        let weights = equation.weights(&sizes, self.bias_axes.as_deref(), x)?;
        if weights.kernel.iter().chain(&weights.bias).any(|&n| is_probe(n)) {
            let rule = "the sizes of axes that the kernel or the bias has must be known";
            return Err(Error::input(rule, &[x]));
        }
        Ok(weights)
    }
}
