//! The plain recurrent layer.

use cornu_autodiff::{Spec, Tensor, ops};
use smallvec::smallvec;

use crate::activation::Activation;
use crate::builder::WeightBuilder;
use crate::context::Context;
use crate::error::Result;
use crate::layer::Tensors;
use crate::rnn::cell::{Cell, CellWeights, Drops, Walk, Whole, project};
use crate::rnn::recurrent::recurrent;
use crate::setting::Config;

recurrent! {
    /// One step of [`SimpleRNN`]: `h' = activation(x · kernel + h · recurrent_kernel + bias)`.
    ///
    /// | inputs | `kernel` | `recurrent_kernel` | `bias` | outputs |
    /// |---|---|---|---|---|
    /// | x `(batch, inputs)`, h `(batch, units)` | `(inputs, units)` | `(units, units)` | `(units)` | h', h' `(batch, units)` |
    ///
    /// # Errors
    /// As [`SimpleRNN`].
    cell SimpleRNNCell["SimpleRNNCell"];
    /// A recurrent layer: `h[t] = activation(x[t] · kernel + h[t-1] · recurrent_kernel + bias)`
    /// (Elman 1990). The output is the last `h`, or all of them.
    ///
    /// | input | `kernel` | `recurrent_kernel` | `bias` | output |
    /// |---|---|---|---|---|
    /// | `(batch, steps, inputs)` | `(inputs, units)` | `(units, units)` | `(units)` | `(batch, units)` or `(batch, steps, units)` |
    ///
    /// A second input, `(batch, units)`, is the initial state; otherwise that is 0. Where the
    /// mask is false a step is skipped: state and output stay what they were.
    ///
    /// ```
    /// use cornu_layers::{Apply, SimpleRNN, input};
    /// let y = SimpleRNN::new(4).return_sequences(true).apply(&input([10, 3]))?;
    /// assert_eq!(y.shape(), [None, Some(10), Some(4)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When `units` is 0, a rate is outside `[0, 1]`, the input isn't floating-point of rank 3
    /// with a known last axis and at least one step, or initial states or mask don't fit.
    ///
    /// # Difference from Keras
    /// Keras forgets `activity_regularizer`, and doesn't write `seed`.
    layer SimpleRNN["SimpleRNN"], "simple_rnn_cell";
    first {
        /// Applied to the sum.
        activation: Activation = Activation::Tanh,
        /// Whether a bias is added.
        use_bias: bool = true,
    }
    last {}
}

impl SimpleRNNCell {
    fn sizes(&self) -> Vec<usize> {
        vec![self.units]
    }

    fn write_own(&self, _: &mut Config) {}
}

impl SimpleRNN {
    fn write_own(&self, config: &mut Config) {
        if self.seed.is_none() {
            config.shift_remove("seed");
        }
    }
}

impl Cell for SimpleRNNCell {
    fn build_cell(&self, step: &Spec, weights: &mut WeightBuilder) -> Result<CellWeights> {
        let (inputs, units) = self.sizes_for(step)?;
        CellWeights::make(self.parts(), [&[inputs, units], &[units, units], &[units]], weights)
    }

    fn state_shapes(&self, _: &CellWeights) -> Vec<Vec<usize>> {
        vec![vec![self.units]]
    }

    fn start<'a>(
        &'a self,
        w: &'a CellWeights,
        x: &Tensor,
        context: &mut Context<'_>,
    ) -> Result<Box<dyn Walk + 'a>> {
        let kernel = w.kernel.value();
        let bias = w.bias.as_ref().map(|bias| bias.value());
        let [drops, recurrent_drops] = self.draw_drops(x, 1, context)?;
        Ok(Box::new(SimpleWalk {
            inputs: project(x, &kernel, bias.as_ref(), drops.as_ref())?,
            recurrent_kernel: w.recurrent_kernel.value(),
            drops: recurrent_drops,
            activation: &self.activation,
        }))
    }

    fn whole(&self, context: &Context<'_>) -> Option<Whole> {
        let fits = self.activation == Activation::Tanh;
        (fits && !self.drops(context)).then_some(ops::simple_rnn)
    }
}

struct SimpleWalk<'a> {
    inputs: Tensor,
    recurrent_kernel: Tensor,
    drops: Option<Drops>,
    activation: &'a Activation,
}

impl Walk for SimpleWalk<'_> {
    fn inputs(&self) -> &Tensor {
        &self.inputs
    }

    fn step(&mut self, x: &Tensor, states: &[Tensor], _: &mut Context<'_>) -> Result<Tensors> {
        let h = match &self.drops {
            Some(drops) => drops.on(&states[0], 0)?,
            None => states[0].clone(),
        };
        let y = self.activation.apply(&(x + h.matmul(&self.recurrent_kernel)))?;
        Ok(smallvec![y.clone(), y])
    }
}
