//! Long short-term memory.

use cornu_autodiff::{Spec, Tensor, ops};
use smallvec::smallvec;

use crate::activation::Activation;
use crate::builder::WeightBuilder;
use crate::context::Context;
use crate::error::Result;
use crate::layer::Tensors;
use crate::rnn::cell::{Cell, CellWeights, Gates, Walk, Whole, project, unit_forget};
use crate::rnn::recurrent::recurrent;
use crate::rnn::sequence::move_behind;
use crate::setting::Config;

recurrent! {
    /// One step of [`LSTM`].
    ///
    /// | inputs | `kernel` | `recurrent_kernel` | `bias` | outputs |
    /// |---|---|---|---|---|
    /// | x `(batch, inputs)`, h and c `(batch, units)` | `(inputs, 4 · units)` | `(units, 4 · units)` | `(4 · units)` | h', h', c' `(batch, units)` |
    ///
    /// # Errors
    /// As [`LSTM`].
    cell LSTMCell["LSTMCell"];
    /// Long short-term memory (Hochreiter and Schmidhuber 1997): with
    /// `[i, f, g, o] = x[t] · kernel + h[t-1] · recurrent_kernel + bias`,
    /// `c[t] = σ(f) · c[t-1] + σ(i) · activation(g)` and `h[t] = σ(o) · activation(c[t])`, where
    /// σ is `recurrent_activation`. The output is the last `h`, or all of them.
    ///
    /// | input | `kernel` | `recurrent_kernel` | `bias` | output |
    /// |---|---|---|---|---|
    /// | `(batch, steps, inputs)` | `(inputs, 4 · units)` | `(units, 4 · units)` | `(4 · units)` | `(batch, units)` or `(batch, steps, units)` |
    ///
    /// Two more inputs, `(batch, units)`, are the initial `h` and `c`; otherwise they are 0.
    /// Where the mask is false a step is skipped: states and output stay what they were.
    ///
    /// ```
    /// use cornu_layers::{Apply, LSTM, input};
    /// let x = input([10, 3]);
    /// let [y, h, c] = <[_; 3]>::try_from(LSTM::new(4).return_state(true).apply_all(&x)?).unwrap();
    /// assert_eq!(h.shape(), [None, Some(4)]);
    /// let more = LSTM::new(4).return_sequences(true).apply([&x, &h, &c])?;
    /// assert_eq!(more.shape(), [None, Some(10), Some(4)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When `units` is 0, a rate is outside `[0, 1]`, the input isn't floating-point of rank 3
    /// with a known last axis and at least one step, or initial states or mask don't fit.
    ///
    /// # Difference from Keras
    /// A rate of 1 drops all; Keras then drops nothing.
    layer LSTM["LSTM"], "lstm_cell";
    first {
        /// Applied to the candidate and to the cell state.
        activation: Activation = Activation::Tanh,
        /// Applied to the gates.
        recurrent_activation: Activation = Activation::Sigmoid,
        /// Whether a bias is added.
        use_bias: bool = true,
    }
    last {
        /// Whether the forget gate's part of `bias` begins at 1.
        unit_forget_bias: bool = true,
    }
}

impl LSTMCell {
    fn sizes(&self) -> Vec<usize> {
        vec![self.units; 2]
    }

    fn write_own(&self, config: &mut Config) {
        move_behind(config, "unit_forget_bias", "use_bias");
    }
}

impl LSTM {
    fn write_own(&self, _: &mut Config) {}
}

impl Cell for LSTMCell {
    fn build_cell(&self, step: &Spec, weights: &mut WeightBuilder) -> Result<CellWeights> {
        let (inputs, units) = self.sizes_for(step)?;
        let gates = units.saturating_mul(4);
        let first = match self.unit_forget_bias {
            true => unit_forget(&self.bias_initializer, units),
            false => self.bias_initializer.clone(),
        };
        let mut parts = self.parts();
        parts[2].initializer = &first;
        CellWeights::make(parts, [&[inputs, gates], &[units, gates], &[gates]], weights)
    }

    fn state_shapes(&self, _: &CellWeights) -> Vec<Vec<usize>> {
        vec![vec![self.units]; 2]
    }

    fn start<'a>(
        &'a self,
        w: &'a CellWeights,
        x: &Tensor,
        context: &mut Context<'_>,
    ) -> Result<Box<dyn Walk + 'a>> {
        let kernel = w.kernel.value();
        let bias = w.bias.as_ref().map(|bias| bias.value());
        let [drops, recurrent_drops] = self.draw_drops(x, 4, context)?;
        Ok(Box::new(LstmWalk {
            inputs: project(x, &kernel, bias.as_ref(), drops.as_ref())?,
            gates: Gates::new(&w.recurrent_kernel.value(), recurrent_drops, 4),
            cell: self,
        }))
    }

    fn whole(&self, context: &Context<'_>) -> Option<Whole> {
        let fits =
            self.activation == Activation::Tanh && self.recurrent_activation == Activation::Sigmoid;
        (fits && !self.drops(context)).then_some(ops::lstm)
    }
}

struct LstmWalk<'a> {
    inputs: Tensor,
    gates: Gates,
    cell: &'a LSTMCell,
}

impl Walk for LstmWalk<'_> {
    fn inputs(&self) -> &Tensor {
        &self.inputs
    }

    fn step(&mut self, x: &Tensor, states: &[Tensor], _: &mut Context<'_>) -> Result<Tensors> {
        let (h, c) = (&states[0], &states[1]);
        let z = (x + self.gates.on(h)?).split(4, -1);
        let gate = |z: &Tensor| self.cell.recurrent_activation.apply(z);
        let candidate = self.cell.activation.apply(&z[2])?;
        let c = gate(&z[1])? * c + gate(&z[0])? * candidate;
        let h = gate(&z[3])? * self.cell.activation.apply(&c)?;
        Ok(smallvec![h.clone(), h, c])
    }
}
