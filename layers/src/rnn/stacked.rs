//! Several cells as one.

use cornu_autodiff::{Spec, Tensor};
use smallvec::SmallVec;

use crate::builder::WeightBuilder;
use crate::check::one_float;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::handle::LayerRef;
use crate::layer::{Inputs, Layer, Tensors, first_of_all};
use crate::rnn::generic::build_cell;

config! {
    /// Cells one upon the other as one cell, for [`RNN`](crate::RNN): each is called on the
    /// output of the one before. Its states are those of all, in their order.
    ///
    /// | inputs | outputs |
    /// |---|---|
    /// | x `(batch, …)`, then all states | the last cell's output, then all new states |
    ///
    /// ```
    /// use cornu_layers::{Apply, LSTMCell, RNN, StackedRNNCells, input};
    /// let cells = StackedRNNCells::new((LSTMCell::new(4), LSTMCell::new(2)));
    /// let y = RNN::new(cells).return_sequences(true).apply(&input([10, 3]))?;
    /// assert_eq!(y.shape(), [None, Some(10), Some(2)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no cell, or one isn't a cell.
    pub struct StackedRNNCells["StackedRNNCells"] {
        /// The cells, the first of which gets the input.
        cells: Vec<LayerRef>,
        ..
    }
}

impl StackedRNNCells {
    /// Which of the states is the output: the first of the last cell.
    pub(super) fn output_state(&self) -> usize {
        let before = &self.cells[..self.cells.len().saturating_sub(1)];
        before.iter().map(|cell| cell.state_sizes().len()).sum()
    }

    /// Numbers cells without names, by class.
    fn name_cells(&self) {
        let mut taken: Vec<String> =
            self.cells.iter().filter_map(|cell| cell.given_name().map(str::to_owned)).collect();
        for cell in self.cells.iter().filter(|cell| cell.given_name().is_none()) {
            let base = cell.name();
            let numbered = (1..).map(|i| format!("{base}_{i}"));
            let free = std::iter::once(base.clone()).chain(numbered).find(|n| !taken.contains(n));
            let name = free.expect("numbers don't end");
            taken.push(name.clone());
            cell.set_name(name);
        }
    }
}

impl Layer for StackedRNNCells {
    type Weights = ();

    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<()> {
        let mut step = *one_float(&inputs[..inputs.len().min(1)], 2)?;
        if let Some(other) = self.cells.iter().find(|cell| cell.state_sizes().is_empty()) {
            let rule = "each must be a cell: a layer that has states";
            return Err(Error::setting("`cells`", rule, other.class()));
        }
        if self.cells.is_empty() {
            return Err(Error::setting("`cells`", "there must be a cell", "none"));
        }
        self.name_cells();
        for cell in &self.cells {
            build_cell(cell, &step, weights)?;
            let mut inputs: SmallVec<[Tensor; 3]> = SmallVec::new();
            inputs.push(Tensor::symbolic(step));
            for size in cell.state_sizes() {
                inputs.push(Tensor::symbolic(step.with(&[step.dims()[0], size])?));
            }
            let (outputs, _) = cell.call(&Inputs::new(&inputs), &mut Context::inference())?;
            step = *outputs[0].spec();
        }
        Ok(())
    }

    first_of_all!();

    fn call_all(&self, _: &(), inputs: &Inputs<'_>, context: &mut Context<'_>) -> Result<Tensors> {
        let count = self.state_sizes().len();
        if inputs.tensors.len() != count + 1 {
            let shapes: Vec<_> = inputs.tensors.iter().map(Tensor::shape).collect();
            let rule = format!("a cell takes one step and its {count} states");
            return Err(Error::input(rule, &shapes));
        }
        let (mut y, mut rest) = (inputs.tensors[0].clone(), &inputs.tensors[1..]);
        let mut states = Tensors::new();
        for cell in &self.cells {
            let (own, others) = rest.split_at(cell.state_sizes().len());
            rest = others;
            let tensors: SmallVec<[Tensor; 3]> = [&y].into_iter().chain(own).cloned().collect();
            let (mut outputs, _) = cell.call(&Inputs::new(&tensors), context)?;
            y = outputs.remove(0);
            states.extend(outputs);
        }
        states.insert(0, y);
        Ok(states)
    }

    fn state_sizes(&self) -> Vec<usize> {
        self.cells.iter().flat_map(LayerRef::state_sizes).collect()
    }

    fn parts(&self) -> Vec<LayerRef> {
        self.cells.clone()
    }

    fn build_config(shapes: &[serde_json::Value]) -> serde_json::Value {
        serde_json::json!({ "input_shape": shapes.first() })
    }
}
