//! How recurrent layers go through sequences.

use cornu_autodiff::{DType, Error as TensorError, Spec, Tensor, apply, ops};
use smallvec::{SmallVec, smallvec};

use crate::builder::WeightOptions;
use crate::check::one_float;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::layer::{Inputs, Tensors};
use crate::parameter::Parameter;
use crate::rnn::cell::{BuiltCell, Sequence, Walk, check_states};
use crate::setting::Config;
use crate::symbol::{shape_text, unprobed};

/// The options that all recurrent layers have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    pub(crate) return_sequences: bool,
    pub(crate) return_state: bool,
    pub(crate) go_backwards: bool,
    pub(crate) stateful: bool,
    pub(crate) zero_output_for_mask: bool,
}

impl Course {
    /// What of it an op for whole sequences is told.
    fn options(self) -> ops::RecurrentOptions {
        ops::RecurrentOptions {
            go_backwards: self.go_backwards,
            return_sequences: self.return_sequences,
            return_state: self.return_state || self.stateful,
            zero_output_for_mask: self.zero_output_for_mask,
        }
    }
}

/// The [`Course`] of a layer with these options.
macro_rules! course {
    ($layer:expr) => {
        $crate::rnn::sequence::Course {
            return_sequences: $layer.return_sequences,
            return_state: $layer.return_state,
            go_backwards: $layer.go_backwards,
            stateful: $layer.stateful,
            zero_output_for_mask: $layer.zero_output_for_mask,
        }
    };
}
pub(crate) use course;

/// Their keys, which Keras writes first.
const KEYS: [&str; 6] = [
    "return_sequences",
    "return_state",
    "go_backwards",
    "stateful",
    "unroll",
    "zero_output_for_mask",
];

/// Moves the options that all recurrent layers have to the front.
pub(crate) fn course_first(config: &mut Config) {
    for key in KEYS.iter().rev() {
        if let Some(value) = config.shift_remove(*key) {
            config.shift_insert(0, (*key).to_owned(), value);
        }
    }
}

/// Moves a key to where Keras writes it.
pub(crate) fn move_behind(config: &mut Config, key: &str, behind: &str) {
    if let Some(value) = config.shift_remove(key) {
        let at = config.keys().position(|k| k == behind).map_or(config.len(), |at| at + 1);
        config.shift_insert(at, key.to_owned(), value);
    }
}

/// A recurrent layer that is built: its cell with its weights, and its states if it is stateful.
#[derive(Debug)]
pub struct Recurrent {
    pub(crate) cell: Box<dyn BuiltCell>,
    pub(crate) states: Vec<Parameter>,
}

impl Recurrent {
    /// Makes the cell for sequences like the first input, `(batch, steps, …)` of this rank, 0
    /// for any; further inputs are initial states.
    pub(crate) fn build(
        course: Course,
        inputs: &[Spec],
        rank: usize,
        make: impl FnOnce(&Spec) -> Result<Box<dyn BuiltCell>>,
    ) -> Result<Recurrent> {
        let step = step_spec(inputs, rank)?;
        let cell = make(&step)?;
        let shapes = cell.state_shapes();
        check_count(&shapes, inputs.iter().map(|x| &x.shape).collect())?;
        let mut states = Vec::new();
        if course.stateful {
            let batch = step.dims()[0];
            if cornu_autodiff::is_probe(batch) {
                let rule = "the size of the batch must be known where `stateful` is set; give \
                            the model's input a `batch_size`";
                return Err(Error::input(rule, &[&inputs[0].shape]));
            }
            for shape in &shapes {
                states.push(zero_state(batch, shape, step.dtype)?);
            }
        }
        Ok(Recurrent { cell, states })
    }

    /// The outputs: the last step's or every step's, then the states if they are asked for.
    pub(crate) fn call(
        &self,
        course: Course,
        inputs: &Inputs<'_>,
        rank: usize,
        context: &mut Context<'_>,
    ) -> Result<Tensors> {
        let specs: SmallVec<[Spec; 3]> = inputs.tensors.iter().map(|x| *x.spec()).collect();
        step_spec(&specs, rank)?;
        let x = &inputs.tensors[0];
        let shapes = self.cell.state_shapes();
        check_count(&shapes, inputs.tensors.iter().map(Tensor::shape).collect())?;
        let states: Tensors = match &inputs.tensors[1..] {
            [] if course.stateful => self.states.iter().map(Parameter::value).collect(),
            [] => shapes.iter().map(|shape| zeros(x, shape)).collect::<Result<_>>()?,
            given => given.iter().cloned().collect(),
        };
        check_states(x, &states, &shapes)?;
        let mask = check_mask(x, inputs.mask(0))?;
        let sequence = Sequence { x, states: &states, mask };
        let (y, states) = self.run(course, &sequence, context)?;
        if course.stateful && !y.is_symbolic() {
            for (own, state) in self.states.iter().zip(&states) {
                context.update(own, state.stop_gradient());
            }
        }
        let mut outputs: Tensors = smallvec![y];
        if course.return_state {
            outputs.extend(states);
        }
        Ok(outputs)
    }

    fn run(
        &self,
        course: Course,
        sequence: &Sequence<'_>,
        context: &mut Context<'_>,
    ) -> Result<(Tensor, Tensors)> {
        if let Some(found) = self.cell.at_once(sequence, course.options(), context) {
            return found;
        }
        let walk = self.cell.start(sequence.x, context)?;
        if sequence.x.is_symbolic() {
            return shapes_only(walk, course, sequence, context);
        }
        let first = sequence.states[self.cell.output_state()].clone();
        let (mut outputs, states) = step_by_step(walk, course, sequence, first, context)?;
        let y = match course.return_sequences {
            true => ops::stack(&outputs, 1),
            false => outputs.pop().expect("there is a step"),
        };
        Ok((y, states))
    }
}

/// Dtype and shape of a step, `(batch, …)`.
fn step_spec(inputs: &[Spec], rank: usize) -> Result<Spec> {
    let shapes = || inputs.iter().map(|x| &x.shape).collect::<Vec<_>>();
    let x = match inputs.first() {
        Some(x) if x.shape.rank() == rank || (rank == 0 && x.shape.rank() > 2) => x,
        _ if rank == 0 => {
            let rule = "the layer takes sequences, (batch, steps, …) of rank 3 or more";
            return Err(Error::input(rule, &shapes()));
        }
        _ => {
            let rule = format!("the layer takes sequences, (batch, steps, …) of rank {rank}");
            return Err(Error::input(rule, &shapes()));
        }
    };
    one_float(&[*x], 1)?;
    if x.dims()[1] == 0 {
        return Err(Error::input("a sequence must have a step", &shapes()));
    }
    let mut dims: SmallVec<[usize; 8]> = x.dims().into();
    dims.remove(1);
    Ok(x.with(&dims)?)
}

/// Refuses another number of initial states than none or one for each state.
fn check_count(states: &[Vec<usize>], got: Vec<&cornu_autodiff::Shape>) -> Result<()> {
    if got.len() == 1 || got.len() == 1 + states.len() {
        return Ok(());
    }
    let rule = format!("the layer takes a sequence, and {} initial states or none", states.len());
    Err(Error::input(rule, &got))
}

/// Zeros of shape `(batch, …)`, for the batch of `x`.
fn zeros(x: &Tensor, shape: &[usize]) -> Result<Tensor> {
    let mut dims: SmallVec<[usize; 8]> = smallvec![x.dims()[0]];
    dims.extend_from_slice(shape);
    let spec = x.spec().with(&dims)?;
    Ok(match x.is_symbolic() {
        true => Tensor::symbolic(spec),
        false => Tensor::zeros(spec.shape, spec.dtype),
    })
}

/// A state that is kept from one call to the next.
fn zero_state(batch: usize, shape: &[usize], dtype: DType) -> Result<Parameter> {
    let mut dims = vec![batch];
    dims.extend_from_slice(shape);
    let spec = Spec::new(dtype, cornu_autodiff::Shape::new(&dims)?);
    let state = Parameter::new("rnn_state", spec, Initializer::Zeros, WeightOptions::statistic());
    state.set(Tensor::zeros(spec.shape, dtype))?;
    Ok(state)
}

/// The mask, if it is one of steps.
fn check_mask<'a>(x: &Tensor, mask: Option<&'a Tensor>) -> Result<Option<&'a Tensor>> {
    let Some(mask) = mask else { return Ok(None) };
    if mask.dtype() != DType::Bool {
        let rule = "it must be true where a step counts";
        return Err(TensorError::dtype("mask", rule, &[mask.spec()]).into());
    }
    if mask.dims() != &x.dims()[..2] {
        let text = |dims: &[usize]| shape_text(&unprobed(dims));
        let rule =
            format!("it must have the shape (batch, steps) of the input, {}", text(&x.dims()[..2]));
        return Err(Error::setting("mask", rule, text(mask.dims())));
    }
    Ok(Some(mask))
}

/// `a` where `mask` is true, else `b`; axes that the mask lacks are its last.
fn select(mask: &Tensor, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let mask = (mask.rank()..a.rank()).fold(mask.clone(), |mask, _| mask.expand_dims(-1));
    Ok(apply(ops::Select, &[&mask, a, b])?)
}

/// The outputs, all or only the last, and the states after the last step.
fn step_by_step(
    mut walk: Box<dyn Walk + '_>,
    course: Course,
    sequence: &Sequence<'_>,
    first: Tensor,
    context: &mut Context<'_>,
) -> Result<(Vec<Tensor>, Tensors)> {
    let steps = sequence.x.dims()[1];
    let inputs = walk.inputs().unstack(1);
    let masks = sequence.mask.map(|mask| mask.unstack(1));
    let mut states: Tensors = sequence.states.iter().cloned().collect();
    let mut outputs: Vec<Tensor> = Vec::new();
    let mut before = Some(first);
    for i in 0..steps {
        let at = if course.go_backwards { steps - 1 - i } else { i };
        let mut new = walk.step(&inputs[at], &states, context)?;
        if let Some(mask) = masks.as_ref().map(|masks| &masks[at]) {
            let zeros = new[0].zeros_like();
            let kept =
                before.take().filter(|y| y.spec() == zeros.spec() && !course.zero_output_for_mask);
            new[0] = select(mask, &new[0], kept.as_ref().unwrap_or(&zeros))?;
            for (new, old) in new[1..].iter_mut().zip(&states) {
                *new = select(mask, new, old)?;
            }
            before = Some(new[0].clone());
        }
        let y = new.remove(0);
        states = new;
        if !course.return_sequences {
            outputs.clear();
        }
        outputs.push(y);
    }
    Ok((outputs, states))
}

/// What comes out of a sequence without values, from one step.
fn shapes_only(
    mut walk: Box<dyn Walk + '_>,
    course: Course,
    sequence: &Sequence<'_>,
    context: &mut Context<'_>,
) -> Result<(Tensor, Tensors)> {
    let x = walk.inputs().index(1, 0);
    let mut outputs = walk.step(&x, sequence.states, context)?;
    let y = outputs.remove(0);
    if !course.return_sequences {
        return Ok((y, outputs));
    }
    let mut dims: SmallVec<[usize; 8]> = y.dims().into();
    dims.insert(1, sequence.x.dims()[1]);
    Ok((Tensor::symbolic(y.spec().with(&dims)?), outputs))
}

/// The mask of the outputs, from that of the inputs.
pub(crate) fn output_mask(course: Course, inputs: &Inputs<'_>) -> Option<Tensor> {
    inputs.mask(0).filter(|_| course.return_sequences).cloned()
}

/// What Keras writes of the shapes: those of initial states apart.
pub(crate) fn build_config(shapes: &[serde_json::Value]) -> serde_json::Value {
    match shapes {
        [sequences] => serde_json::json!({ "input_shape": sequences }),
        [sequences, states @ ..] => serde_json::json!({
            "shapes_dict": { "sequences_shape": sequences, "initial_state_shape": states },
        }),
        [] => serde_json::Value::Null,
    }
}
