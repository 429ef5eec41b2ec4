//! A recurrent layer of any cell.

use cornu_autodiff::{Generator, Spec, Tensor};
use smallvec::SmallVec;

use crate::builder::WeightBuilder;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::handle::LayerRef;
use crate::layer::{Inputs, Layer, Tensors, first_of_all};
use crate::parameter::Parameter;
use crate::rnn::StackedRNNCells;
use crate::rnn::cell::{BuiltCell, Walk};
use crate::rnn::sequence::{Course, Recurrent, build_config, course, course_first, output_mask};
use crate::setting::Config;

config! {
    /// Repeats a cell: `y[t], states = cell(x[t], states)`. The output is the last `y`, or all
    /// of them.
    ///
    /// A cell is a layer that is called on one step and its states and gives its output and the
    /// new states, and that says how large its [states](Layer::state_sizes) are: `LSTMCell`,
    /// `GRUCell`, `SimpleRNNCell`, several of them as [`StackedRNNCells`], or one of your own.
    /// A tuple or list of cells stands for `StackedRNNCells`. Clones share the cell.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, steps, …)` | the cell's output, or `(batch, steps, …)` of them |
    ///
    /// Further inputs are initial states; otherwise they are 0. Where the mask is false a step
    /// is skipped: states and output stay what they were. At every step of a sequence the cell
    /// drops the same elements.
    ///
    /// ```
    /// use cornu_layers::{Apply, GRUCell, LSTMCell, RNN, input};
    /// let y = RNN::new((LSTMCell::new(4), GRUCell::new(2))).apply(&input([10, 3]))?;
    /// assert_eq!(y.shape(), [None, Some(2)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When `cell` isn't a cell, or the input isn't floating-point of rank 3 or more with at
    /// least one step, or initial states or mask don't fit.
    pub struct RNN["RNN"] {
        /// What is repeated.
        cell: LayerRef,
        ..
        /// Whether the output is that of every step, or of the last.
        return_sequences: bool = false,
        /// Whether the states after the last step are outputs, too.
        return_state: bool = false,
        /// Whether the last step comes first; the outputs are in the order of steps taken.
        go_backwards: bool = false,
        /// Whether a batch begins with the states in which the one before ended. The size of
        /// the batch must be known; [`reset_state`](LayerRef::reset_state) forgets.
        stateful: bool = false,
        /// Without effect: Keras compiles the steps one by one.
        unroll: bool = false,
        /// Whether the output of a masked step is 0, not that of the step before.
        zero_output_for_mask: bool = false,
    }
}

impl RNN {
    fn course(&self) -> Course {
        course!(self)
    }
}

impl Layer for RNN {
    type Weights = Recurrent;
    const IGNORED: &'static [&'static str] = &["implementation"];
    const REVIVER: Option<crate::Reviver> = Some(crate::revive::<Self>);

    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<Recurrent> {
        Recurrent::build(self.course(), inputs, 0, |step| {
            let states = self.cell.state_sizes();
            if states.is_empty() {
                let rule = "it must be a cell: a layer that has states";
                return Err(Error::setting("`cell`", rule, self.cell.class()));
            }
            build_cell(&self.cell, step, weights)?;
            Ok(Box::new(LayerCell { cell: self.cell.clone(), states }))
        })
    }

    first_of_all!();

    fn call_all(
        &self,
        built: &Recurrent,
        inputs: &Inputs<'_>,
        context: &mut Context<'_>,
    ) -> Result<Tensors> {
        built.call(self.course(), inputs, 0, context)
    }

    fn mask(&self, _: &Recurrent, inputs: &Inputs<'_>) -> Result<Option<Tensor>> {
        Ok(output_mask(self.course(), inputs))
    }

    fn masked_outputs(&self) -> usize {
        1
    }

    fn states(&self, built: &Recurrent) -> Vec<Parameter> {
        built.states.clone()
    }

    fn parts(&self) -> Vec<LayerRef> {
        vec![self.cell.clone()]
    }

    fn write_settings(&self, config: &mut Config) {
        course_first(config);
    }

    fn build_config(shapes: &[serde_json::Value]) -> serde_json::Value {
        build_config(shapes)
    }
}

/// Builds a cell for steps like this one, and states that fit.
pub(super) fn build_cell(cell: &LayerRef, step: &Spec, weights: &mut WeightBuilder) -> Result<()> {
    let mut specs: SmallVec<[Spec; 3]> = SmallVec::from_slice(&[*step]);
    for size in cell.state_sizes() {
        specs.push(step.with(&[step.dims()[0], size])?);
    }
    cell.build_within(&specs, weights)
}

/// A cell that is a layer.
#[derive(Debug)]
struct LayerCell {
    cell: LayerRef,
    states: Vec<usize>,
}

impl BuiltCell for LayerCell {
    fn state_shapes(&self) -> Vec<Vec<usize>> {
        self.states.iter().map(|&size| vec![size]).collect()
    }

    fn output_state(&self) -> usize {
        let own = self.cell.downcast::<StackedRNNCells>();
        own.map_or(0, StackedRNNCells::output_state)
    }

    fn start<'a>(&'a self, x: &Tensor, context: &mut Context<'_>) -> Result<Box<dyn Walk + 'a>> {
        let seed = context.generator().map(Generator::draw_seed);
        Ok(Box::new(LayerWalk { cell: &self.cell, inputs: x.clone(), seed }))
    }
}

struct LayerWalk<'a> {
    cell: &'a LayerRef,
    inputs: Tensor,
    /// Makes what every step draws the same.
    seed: Option<u64>,
}

impl Walk for LayerWalk<'_> {
    fn inputs(&self) -> &Tensor {
        &self.inputs
    }

    fn step(
        &mut self,
        x: &Tensor,
        states: &[Tensor],
        context: &mut Context<'_>,
    ) -> Result<Tensors> {
        let tensors: SmallVec<[Tensor; 3]> = [x].into_iter().chain(states).cloned().collect();
        let generator = self.seed.map(Generator::new);
        let mut inner = match &generator {
            Some(generator) => Context::training(generator),
            None => Context::inference(),
        };
        let (outputs, _) = self.cell.call(&Inputs::new(&tensors), &mut inner)?;
        context.adopt(inner);
        if outputs.len() != states.len() + 1 {
            let rule = format!("it must give its output and {} new states", states.len());
            return Err(Error::setting("`cell`", rule, format!("{} tensors", outputs.len())));
        }
        Ok(outputs)
    }
}
