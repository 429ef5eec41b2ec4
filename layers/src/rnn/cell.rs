//! What recurrent layers repeat at each step.

use std::fmt::Debug;

use cornu_autodiff::ops::{RecurrentInputs, RecurrentOptions};
use cornu_autodiff::{Generator, Spec, Tensor, apply, ops};
use smallvec::{SmallVec, smallvec};

use crate::builder::{WeightBuilder, WeightOptions};
use crate::check::{positive, probability};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::layer::{Inputs, Tensors};
use crate::parameter::Parameter;
use crate::part::Part;
use crate::regularization::with_own;

/// A cell with weights of its own.
pub(crate) trait Cell: Clone + Debug + Send + Sync + 'static {
    /// Makes the weights for steps of this dtype and shape, `(batch, …)`.
    fn build_cell(&self, step: &Spec, weights: &mut WeightBuilder) -> Result<CellWeights>;

    /// Shapes of the states, without the batch axis.
    fn state_shapes(&self, weights: &CellWeights) -> Vec<Vec<usize>>;

    /// Computes what doesn't depend on the states, for all steps of `x`, `(batch, steps, …)`,
    /// at once.
    fn start<'a>(
        &'a self,
        weights: &'a CellWeights,
        x: &Tensor,
        context: &mut Context<'_>,
    ) -> Result<Box<dyn Walk + 'a>>;

    /// The op that goes through a whole sequence, if there is one for the cell's options and
    /// nothing is dropped.
    fn whole(&self, _context: &Context<'_>) -> Option<Whole> {
        None
    }
}

/// An op that goes through a whole sequence.
pub(crate) type Whole =
    fn(&RecurrentInputs<'_>, RecurrentOptions) -> cornu_autodiff::Result<(Tensor, Vec<Tensor>)>;

/// What a recurrent layer does at each step.
pub(crate) trait BuiltCell: Debug + Send + Sync {
    /// Shapes of the states, without the batch axis.
    fn state_shapes(&self) -> Vec<Vec<usize>>;

    /// Which state is the output.
    fn output_state(&self) -> usize {
        0
    }

    /// A walk through `x`, `(batch, steps, …)`.
    fn start<'a>(&'a self, x: &Tensor, context: &mut Context<'_>) -> Result<Box<dyn Walk + 'a>>;

    /// The output and the states after the last step, from one op; `None` if the cell must go
    /// step by step.
    fn at_once(
        &self,
        _sequence: &Sequence<'_>,
        _options: RecurrentOptions,
        _context: &Context<'_>,
    ) -> Option<Result<(Tensor, Tensors)>> {
        None
    }
}

/// A cell and its weights.
#[derive(Debug)]
pub(crate) struct WithWeights<C> {
    pub(crate) cell: C,
    pub(crate) weights: CellWeights,
}

impl<C: Cell> BuiltCell for WithWeights<C> {
    fn state_shapes(&self) -> Vec<Vec<usize>> {
        self.cell.state_shapes(&self.weights)
    }
    fn start<'a>(&'a self, x: &Tensor, context: &mut Context<'_>) -> Result<Box<dyn Walk + 'a>> {
        self.cell.start(&self.weights, x, context)
    }
    fn at_once(
        &self,
        sequence: &Sequence<'_>,
        options: RecurrentOptions,
        context: &Context<'_>,
    ) -> Option<Result<(Tensor, Tensors)>> {
        let whole = self.cell.whole(context)?;
        let bias = self.weights.bias.as_ref().map(Parameter::value);
        let inputs = RecurrentInputs {
            x: sequence.x,
            kernel: &self.weights.kernel.value(),
            recurrent_kernel: &self.weights.recurrent_kernel.value(),
            bias: bias.as_ref(),
            initial_state: sequence.states,
            mask: sequence.mask,
        };
        let found = whole(&inputs, options).map(|(y, states)| (y, states.into()));
        Some(found.map_err(Error::from))
    }
}

/// A sequence and where to begin.
#[derive(Debug)]
pub(crate) struct Sequence<'a> {
    /// `(batch, steps, …)`
    pub(crate) x: &'a Tensor,
    /// A tensor for each state, `(batch, …)`.
    pub(crate) states: &'a [Tensor],
    /// `(batch, steps)`, false where a step is to be skipped.
    pub(crate) mask: Option<&'a Tensor>,
}

/// A cell on its way through a sequence.
pub(crate) trait Walk {
    /// What the steps read, `(batch, steps, …)`.
    fn inputs(&self) -> &Tensor;

    /// The output and the new states, from what this step reads and the states before it.
    fn step(&mut self, x: &Tensor, states: &[Tensor], context: &mut Context<'_>)
    -> Result<Tensors>;
}

/// One step of a cell that is called as a layer: on the step and the states.
pub(crate) fn call_cell<C: Cell>(
    cell: &C,
    weights: &CellWeights,
    inputs: &Inputs<'_>,
    context: &mut Context<'_>,
) -> Result<Tensors> {
    let (x, states) = split_states(cell, weights, inputs)?;
    let mut walk = cell.start(weights, &x.expand_dims(1), context)?;
    let x = walk.inputs().squeeze([1]);
    walk.step(&x, states, context)
}

/// The first input, and a state for each that the cell has.
fn split_states<'a, C: Cell>(
    cell: &C,
    weights: &CellWeights,
    inputs: &Inputs<'a>,
) -> Result<(&'a Tensor, &'a [Tensor])> {
    let shapes = cell.state_shapes(weights);
    match inputs.tensors {
        [x, states @ ..] if states.len() == shapes.len() => {
            check_states(x, states, &shapes)?;
            Ok((x, states))
        }
        others => {
            let rule = format!("a cell takes one step and its {} states", shapes.len());
            Err(Error::input(rule, &others.iter().map(Tensor::shape).collect::<Vec<_>>()))
        }
    }
}

/// Refuses states of other shapes than the cell's, for the batch of `x`.
pub(crate) fn check_states(x: &Tensor, states: &[Tensor], shapes: &[Vec<usize>]) -> Result<()> {
    for (state, shape) in states.iter().zip(shapes) {
        let fits = state.rank() == shape.len() + 1
            && state.dims().first() == x.dims().first()
            && state.dims()[1..] == shape[..]
            && state.dtype() == x.dtype();
        if !fits {
            let mut whole: Vec<Option<usize>> = crate::symbol::unprobed(&x.dims()[..1]);
            whole.extend(shape.iter().map(|&d| Some(d)));
            let rule =
                format!("it must be {} of shape {}", x.dtype(), crate::symbol::shape_text(&whole));
            let got = crate::symbol::shape_text(&crate::symbol::unprobed(state.dims()));
            return Err(Error::setting("state", rule, format!("{} {got}", state.dtype())));
        }
    }
    Ok(())
}

/// The weights of a cell: `kernel`, `recurrent_kernel`, and `bias` if it is used.
#[derive(Debug)]
pub struct CellWeights {
    pub(crate) kernel: Parameter,
    pub(crate) recurrent_kernel: Parameter,
    pub(crate) bias: Option<Parameter>,
}

impl CellWeights {
    /// Makes them, in Keras's order.
    pub(crate) fn make(
        parts: [Part<'_>; 3],
        shapes: [&[usize]; 3],
        weights: &mut WeightBuilder,
    ) -> Result<CellWeights> {
        let [kernel, recurrent, bias] = parts;
        let mut learned = |name: &str, part: &Part<'_>, shape: &[usize]| {
            let options = WeightOptions::learned(part.regularizer, part.constraint);
            weights.add_with(name, shape, part.initializer, options)
        };
        Ok(CellWeights {
            kernel: learned("kernel", &kernel, shapes[0])?,
            recurrent_kernel: learned("recurrent_kernel", &recurrent, shapes[1])?,
            bias: bias.make("bias", shapes[2], weights)?,
        })
    }
}

/// Refuses options that no cell can have.
pub(crate) fn check_cell(units: usize, dropout: f64, recurrent_dropout: f64) -> Result<()> {
    positive("units", units)?;
    probability("dropout", dropout)?;
    probability("recurrent_dropout", recurrent_dropout)
}

/// First values of a bias for four gates, of which the second, which forgets, begins at 1, so
/// that a cell begins by remembering (Jozefowicz et al. 2015).
pub(crate) fn unit_forget(first: &Initializer, units: usize) -> Initializer {
    let twice = units.saturating_mul(2);
    Initializer::SideBySide(vec![
        (first.clone(), units),
        (Initializer::Ones, units),
        (first.clone(), twice),
    ])
}

/// Patterns of what is dropped, one for each of `count` gates; the same at every step.
pub(crate) struct Drops(SmallVec<[Tensor; 4]>);

impl Drops {
    /// For what is dropped from tensors like `x`; `None` while nothing is.
    pub(crate) fn draw(
        x: &Tensor,
        rate: f64,
        count: usize,
        generator: &Generator,
    ) -> Result<Option<Drops>> {
        if rate == 0.0 {
            return Ok(None);
        }
        let draw = |_| Ok(generator.dropout_mask_like(x, rate)?);
        Ok(Some(Drops((0..count).map(draw).collect::<Result<_>>()?)))
    }

    /// Number of patterns.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// `x` with what gate `gate` doesn't see dropped.
    pub(crate) fn on(&self, x: &Tensor, gate: usize) -> Result<Tensor> {
        Ok(apply(ops::Multiply, &[x, &self.0[gate]])?)
    }
}

/// What is dropped from the inputs `x`, `(batch, steps, inputs)`, and from the states,
/// `(batch, units)`. Gates have patterns of their own where states are dropped from, as in Keras.
pub(crate) fn draw_drops(
    context: &Context<'_>,
    seed: Option<u64>,
    x: &Tensor,
    units: usize,
    [dropout, recurrent_dropout]: [f64; 2],
    gates: usize,
) -> Result<[Option<Drops>; 2]> {
    let Some(generator) = context.generator().filter(|_| dropout > 0.0 || recurrent_dropout > 0.0)
    else {
        return Ok([None, None]);
    };
    let count = if recurrent_dropout > 0.0 { gates } else { 1 };
    let first = x.slice(1, 0..1); // (batch, 1, inputs)
    let state = first.slice(-1, 0..1).squeeze([1]).tile([1, units]); // (batch, units)
    with_own(generator, seed, |generator| {
        Ok([
            Drops::draw(&first, dropout, count, generator)?,
            Drops::draw(&state, recurrent_dropout, gates, generator)?,
        ])
    })
}

/// `x · kernel + bias` for all steps, `(batch, steps, inputs)` to `(batch, steps, gates · units)`.
pub(crate) fn project(
    x: &Tensor,
    kernel: &Tensor,
    bias: Option<&Tensor>,
    drops: Option<&Drops>,
) -> Result<Tensor> {
    let linear = |x: &Tensor, kernel: &Tensor, bias: Option<&Tensor>| {
        ops::linear(x, kernel, bias, ops::Fused::Linear)
    };
    match drops {
        None => Ok(linear(x, kernel, bias)?),
        Some(drops) if drops.count() == 1 => Ok(linear(&drops.on(x, 0)?, kernel, bias)?),
        Some(drops) => {
            let gates = drops.count();
            let kernels = kernel.split(gates, -1);
            let biases = bias.map(|bias| bias.split(gates, -1));
            let gate = |g: usize| {
                let bias = biases.as_ref().map(|b| &b[g]);
                Ok(linear(&drops.on(x, g)?, &kernels[g], bias)?)
            };
            Ok(ops::concat(&(0..gates).map(gate).collect::<Result<Vec<_>>>()?, -1))
        }
    }
}

/// Products of the state with the parts of the recurrent kernel.
pub(crate) struct Gates {
    /// The kernel as a whole, or apart for each gate.
    kernels: SmallVec<[Tensor; 4]>,
    count: usize,
    drops: Option<Drops>,
}

impl Gates {
    /// For a kernel `(units, count · units)`.
    pub(crate) fn new(kernel: &Tensor, drops: Option<Drops>, count: usize) -> Gates {
        let apart = drops.is_some();
        Gates { kernels: smallvec![kernel.clone()], count, drops }.apart_if(apart)
    }

    /// With the kernel's parts apart, so that each can be multiplied alone.
    pub(crate) fn apart_if(mut self, apart: bool) -> Gates {
        if apart && self.kernels.len() == 1 {
            self.kernels = self.kernels[0].split(self.count, -1).into();
        }
        self
    }

    /// `h · kernel`, `(batch, count · units)`.
    pub(crate) fn on(&self, h: &Tensor) -> Result<Tensor> {
        match self.kernels.as_slice() {
            [whole] => Ok(h.matmul(whole)),
            _ => {
                let gates = (0..self.count).map(|gate| self.one(h, gate));
                Ok(ops::concat(&gates.collect::<Result<Vec<_>>>()?, -1))
            }
        }
    }

    /// The part of `h · kernel` for one gate; the parts must be apart.
    pub(crate) fn one(&self, h: &Tensor, gate: usize) -> Result<Tensor> {
        let h = match &self.drops {
            Some(drops) => &drops.on(h, gate)?,
            None => h,
        };
        Ok(h.matmul(&self.kernels[gate]))
    }
}
