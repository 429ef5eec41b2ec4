//! Gated recurrent units.

use cornu_autodiff::{Spec, Tensor, ops};
use smallvec::smallvec;

use crate::activation::Activation;
use crate::builder::WeightBuilder;
use crate::context::Context;
use crate::error::Result;
use crate::layer::Tensors;
use crate::rnn::cell::{Cell, CellWeights, Gates, Walk, Whole, project};
use crate::rnn::recurrent::recurrent;
use crate::rnn::sequence::move_behind;
use crate::setting::Config;

recurrent! {
    /// One step of [`GRU`].
    ///
    /// | inputs | `kernel` | `recurrent_kernel` | `bias` | outputs |
    /// |---|---|---|---|---|
    /// | x `(batch, inputs)`, h `(batch, units)` | `(inputs, 3 · units)` | `(units, 3 · units)` | `(2, 3 · units)`, or `(3 · units)` without `reset_after` | h', h' `(batch, units)` |
    ///
    /// # Errors
    /// As [`GRU`].
    cell GRUCell["GRUCell"];
    /// Gated recurrent units (Cho et al. 2014, arXiv:1406.1078): with `[x_z, x_r, x_h]` the
    /// thirds of `x[t] · kernel + bias[0]` and `[h_z, h_r, h_h]` those of
    /// `h[t-1] · recurrent_kernel + bias[1]`, `z = σ(x_z + h_z)`, `r = σ(x_r + h_r)`,
    /// `h[t] = z · h[t-1] + (1 - z) · activation(x_h + r · h_h)`, where σ is
    /// `recurrent_activation`. Without `reset_after`, `h_h` is a product of `r · h[t-1]`, and
    /// there is no `bias[1]`. The output is the last `h`, or all of them.
    ///
    /// | input | `kernel` | `recurrent_kernel` | `bias` | output |
    /// |---|---|---|---|---|
    /// | `(batch, steps, inputs)` | `(inputs, 3 · units)` | `(units, 3 · units)` | `(2, 3 · units)`, or `(3 · units)` without `reset_after` | `(batch, units)` or `(batch, steps, units)` |
    ///
    /// A second input, `(batch, units)`, is the initial state; otherwise that is 0. Where the
    /// mask is false a step is skipped: state and output stay what they were.
    ///
    /// ```
    /// use cornu_layers::{Apply, GRU, input};
    /// let y = GRU::new(4).apply(&input([10, 3]))?;
    /// assert_eq!(y.shape(), [None, Some(4)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When `units` is 0, a rate is outside `[0, 1]`, the input isn't floating-point of rank 3
    /// with a known last axis and at least one step, or initial states or mask don't fit.
    ///
    /// # Difference from Keras
    /// A rate of 1 drops all; Keras then drops nothing.
    layer GRU["GRU"], "gru_cell";
    first {
        /// Applied to the candidate.
        activation: Activation = Activation::Tanh,
        /// Applied to the gates.
        recurrent_activation: Activation = Activation::Sigmoid,
        /// Whether a bias is added.
        use_bias: bool = true,
    }
    last {
        /// Whether the reset gate acts after the product with the state, as on GPUs, or before
        /// it, as in the paper.
        reset_after: bool = true,
    }
}

impl GRUCell {
    fn sizes(&self) -> Vec<usize> {
        vec![self.units]
    }

    fn write_own(&self, config: &mut Config) {
        move_behind(config, "reset_after", "recurrent_dropout");
    }
}

impl GRU {
    fn write_own(&self, config: &mut Config) {
        move_behind(config, "reset_after", "recurrent_dropout");
    }
}

impl Cell for GRUCell {
    fn build_cell(&self, step: &Spec, weights: &mut WeightBuilder) -> Result<CellWeights> {
        let (inputs, units) = self.sizes_for(step)?;
        let gates = units.saturating_mul(3);
        let bias: &[usize] = if self.reset_after { &[2, gates] } else { &[gates] };
        CellWeights::make(self.parts(), [&[inputs, gates], &[units, gates], bias], weights)
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
        let [bias, recurrent_bias] = match bias {
            Some(both) if self.reset_after => [0, 1].map(|i| Some(both.index(0, i))),
            one => [one, None],
        };
        let [drops, recurrent_drops] = self.draw_drops(x, 3, context)?;
        Ok(Box::new(GruWalk {
            inputs: project(x, &kernel, bias.as_ref(), drops.as_ref())?,
            gates: Gates::new(&w.recurrent_kernel.value(), recurrent_drops, 3)
                .apart_if(!self.reset_after),
            recurrent_bias,
            cell: self,
        }))
    }

    fn whole(&self, context: &Context<'_>) -> Option<Whole> {
        let fits = self.activation == Activation::Tanh
            && self.recurrent_activation == Activation::Sigmoid
            && self.reset_after;
        (fits && !self.drops(context)).then_some(ops::gru)
    }
}

struct GruWalk<'a> {
    inputs: Tensor,
    gates: Gates,
    recurrent_bias: Option<Tensor>,
    cell: &'a GRUCell,
}

impl Walk for GruWalk<'_> {
    fn inputs(&self) -> &Tensor {
        &self.inputs
    }

    fn step(&mut self, x: &Tensor, states: &[Tensor], _: &mut Context<'_>) -> Result<Tensors> {
        let h = &states[0];
        let x = x.split(3, -1);
        let gate = |z: &Tensor| self.cell.recurrent_activation.apply(z);
        let (z, r, candidate);
        if self.cell.reset_after {
            let mut inner = self.gates.on(h)?;
            if let Some(bias) = &self.recurrent_bias {
                inner += bias;
            }
            let inner = inner.split(3, -1);
            z = gate(&(&x[0] + &inner[0]))?;
            r = gate(&(&x[1] + &inner[1]))?;
            candidate = &x[2] + r * &inner[2];
        } else {
            z = gate(&(&x[0] + self.gates.one(h, 0)?))?;
            r = gate(&(&x[1] + self.gates.one(h, 1)?))?;
            candidate = &x[2] + self.gates.one(&(r * h), 2)?;
        }
        let h = &z * h + (1.0 - z) * self.cell.activation.apply(&candidate)?;
        Ok(smallvec![h.clone(), h])
    }
}
