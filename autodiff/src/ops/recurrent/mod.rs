//! Recurrent layers as one op: a whole sequence forwards, and all of its gradients backwards.

mod gru;
mod lstm;
mod simple;
mod slopes;

use std::fmt::{self, Debug};
use std::marker::PhantomData;
use std::sync::OnceLock;

use crate::dtype::{DType, Element};
use crate::each_float;
use crate::error::{Error, Result};
use crate::kernels::gemm::{Gemm, Matrix};
use crate::kernels::recurrent::{Cell, Course, Forward, Sizes, kept};
use crate::kernels::simd::Level;
use crate::op::{Call, Gradients, Op, Saves, apply};
use crate::ops::matmul::matrix;
use crate::shape::{Shape, Spec};
use crate::tape::{Pause, is_recording};
use crate::tensor::Tensor;
pub use gru::gru;
pub use lstm::lstm;
pub use simple::simple_rnn;

/// What a recurrent layer computes from.
#[derive(Clone, Copy, Debug)]
pub struct RecurrentInputs<'a> {
    /// `(batch, steps, inputs)`
    pub x: &'a Tensor,
    /// `(inputs, gates · units)`
    pub kernel: &'a Tensor,
    /// `(units, gates · units)`
    pub recurrent_kernel: &'a Tensor,
    /// `(gates · units)`, for [`gru`] `(2, gates · units)`; 0 if there is none.
    pub bias: Option<&'a Tensor>,
    /// The states before the first step, each `(batch, units)`; 0 if there are none.
    pub initial_state: &'a [Tensor],
    /// `(batch, steps)`, false where a step is skipped: the states stay what they were.
    pub mask: Option<&'a Tensor>,
}

/// How a sequence is read, and what of it is asked for; Keras's options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecurrentOptions {
    /// Whether the last step comes first. Outputs are in the order of steps taken.
    pub go_backwards: bool,
    /// Whether the output is that of every step, or of the last.
    pub return_sequences: bool,
    /// Whether the states after the last step are asked for.
    pub return_state: bool,
    /// Whether the output of a masked step is 0, not that of the step before.
    pub zero_output_for_mask: bool,
}

impl RecurrentOptions {
    fn course(self) -> Course {
        Course {
            backwards: self.go_backwards,
            sequences: self.return_sequences,
            states: self.return_state,
            zero_masked: self.zero_output_for_mask,
        }
    }
}

/// A cell whose steps can be written in ops, too.
trait Recurrence: Cell + Debug {
    const NAME: &'static str;
    /// The rule of the shapes.
    const RULE: &'static str;

    /// The states after a step, from what comes from the input, `(batch, gates · units)`, and the
    /// states before. `bias` is added to the product with the state, if the cell has such a one.
    fn step(
        x: &Tensor,
        states: &[Tensor],
        recurrent: &Tensor,
        bias: Option<&Tensor>,
    ) -> Vec<Tensor>;
}

/// A sequence through a cell: x, kernel, recurrent kernel, bias, the states, and the mask if
/// there is one, to `(batch, outputs, units)`, behind which states lie as further outputs.
struct Sequence<C> {
    options: RecurrentOptions,
    /// Whether the gradients will be asked for.
    keeps: bool,
    /// What they are computed from.
    saved: OnceLock<Saved>,
    cell: PhantomData<C>,
}

/// The values of the gates, and what [`kept`] says.
struct Saved {
    gates: Tensor,
    kept: Tensor,
}

/// Position of the first state among the inputs.
const STATE: usize = 4;

impl<C: Recurrence> Debug for Sequence<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.options.fmt(f)
    }
}

fn slice<T: Element>(x: &Tensor) -> &[T] {
    x.contiguous_slice().expect("packed before")
}

/// Sizes of a sequence whose shapes fit.
fn sizes(x: &[&Spec]) -> Sizes {
    Sizes { batch: x[0].dims()[0], steps: x[0].dims()[1], units: x[2].dims()[0] }
}

/// The row with which sums begin, and what the last gate's product begins with if it is apart.
fn biases<C: Cell, T: Gemm>(bias: &[T], units: usize) -> (Vec<T>, &[T]) {
    if !C::APART {
        return (bias.to_vec(), &[]);
    }
    let (own, recurrent) = bias.split_at(C::GATES * units);
    let (before, apart) = recurrent.split_at((C::GATES - 1) * units);
    let mut own = own.to_vec();
    own.iter_mut().zip(before).for_each(|(b, &r)| *b += r);
    (own, apart)
}

impl<C: Recurrence> Sequence<C> {
    fn values<T: Gemm>(&self, x: &[&Tensor], out: &Spec) -> Tensor {
        let (image, kernel, bias) = (x[0].packed(), x[1], x[3].packed());
        let specs = [x[0].spec(), x[1].spec(), x[2].spec()];
        let sizes @ Sizes { batch, steps, units } = sizes(&specs);
        let (inputs, wide) = (kernel.dims()[0], C::GATES * units);
        let (begin, start) = biases::<C, T>(slice(&bias), units);
        let mut gates = Tensor::build(Shape::of(&[batch, steps, wide]), |out: &mut [T]| {
            let size = [batch * steps, wide, inputs];
            let rows = Matrix::of_rows(slice(&image), inputs);
            T::gemm(size, rows, matrix(kernel, 0), out, Some(&begin), None);
        });
        let states: Vec<_> = (0..C::STATES).map(|i| x[STATE + i].packed()).collect();
        let states: Vec<&[T]> = states.iter().map(|state| slice(state)).collect();
        let mask = x.get(STATE + C::STATES).map(|mask| mask.packed());
        let mut y = Tensor::symbolic(*out);
        let many = if self.keeps { kept::<C>() } else { 0 };
        let kept = Tensor::build(Shape::of(&[batch, steps, many * units]), |kept: &mut [T]| {
            y = Tensor::build(out.shape, |out: &mut [T]| {
                let forward = Forward {
                    sizes,
                    course: self.options.course(),
                    recurrent: matrix(x[2], 0),
                    start,
                    states: &states,
                    mask: mask.as_deref().map(slice),
                    gates: gates.unique_slice().expect("a new tensor has one owner"),
                    kept,
                    out,
                };
                forward.run::<C>(Level::best());
            });
        });
        if self.keeps {
            // Err: an earlier call left the same.
            let _ = self.saved.set(Saved { gates, kept });
        }
        y
    }
}

impl<C: Recurrence> Op for Sequence<C> {
    fn name(&self) -> &'static str {
        C::NAME
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        // With a mask or without.
        STATE + C::STATES..=STATE + C::STATES + 1
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        let masked = x.len() > STATE + C::STATES;
        let floats = &x[..STATE + C::STATES];
        if !x[0].dtype.is_float() || floats.iter().any(|s| s.dtype != x[0].dtype) {
            let rule = "inputs must all be float32 or all float64";
            return Err(Error::dtype(C::NAME, rule, x));
        }
        if masked && x[x.len() - 1].dtype != DType::Bool {
            return Err(Error::dtype(C::NAME, "the mask must be bool", &x[x.len() - 1..]));
        }
        let fits = || {
            let [batch, steps, inputs] = *x[0].dims() else { return false };
            let [units, wide] = *x[2].dims() else { return false };
            let bias: &[usize] = if C::APART { &[2, wide] } else { &[wide] };
            steps > 0
                && units > 0
                && wide == C::GATES * units
                && x[1].dims() == [inputs, wide]
                && x[3].dims() == bias
                && floats[STATE..].iter().all(|s| s.dims() == [batch, units])
                && (!masked || x[x.len() - 1].dims() == [batch, steps])
        };
        if !fits() {
            return Err(Error::shape(C::NAME, C::RULE, x));
        }
        let Sizes { batch, steps, units } = sizes(x);
        let states = if self.options.return_state { C::STATES } else { 0 };
        x[0].with(&[batch, self.options.course().outputs(steps) + states, units])
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        Ok(each_float!(out.dtype, T => self.values::<T>(x, out)))
    }
    fn saves(&self) -> Saves {
        Saves::Inputs
    }
    fn is_differentiable(&self, index: usize) -> bool {
        index < STATE + C::STATES
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        if is_recording() {
            return slopes::in_ops::<C>(self.options, call, g, into);
        }
        let saved = self.saved.get().expect("what is recorded was kept");
        each_float!(g.dtype(), T => slopes::slopes::<C, T>(self.options, saved, call, g, into));
    }
}

/// The output and the states, from one op.
fn sequence<C: Recurrence>(
    inputs: &RecurrentInputs<'_>,
    options: RecurrentOptions,
) -> Result<(Tensor, Vec<Tensor>)> {
    let RecurrentInputs { x, kernel, recurrent_kernel, bias, initial_state, mask } = *inputs;
    let constant = |dims: &[usize]| -> Result<Tensor> {
        let _pause = Pause::new();
        Ok(Tensor::symbolic(x.spec().with(dims)?)).map(|zeros| {
            if x.is_symbolic() { zeros } else { Tensor::zeros(*zeros.shape(), x.dtype()) }
        })
    };
    let units = recurrent_kernel.dims().first().copied().unwrap_or(0);
    let zeros = match bias {
        Some(bias) => bias.clone(),
        None if C::APART => constant(&[2, C::GATES * units])?,
        None => constant(&[C::GATES * units])?,
    };
    let mut all = vec![x, kernel, recurrent_kernel, &zeros];
    let none = match initial_state {
        [] => (0..C::STATES)
            .map(|_| constant(&[x.dims().first().copied().unwrap_or(0), units]))
            .collect::<Result<Vec<_>>>()?,
        _ => Vec::new(),
    };
    all.extend(initial_state.iter().chain(&none));
    if all.len() != STATE + C::STATES {
        let rule = format!("there must be {} initial states, or none", C::STATES);
        return Err(Error::value(C::NAME, rule, initial_state.len().to_string()));
    }
    all.extend(mask);
    let op =
        Sequence { options, keeps: is_recording(), saved: OnceLock::new(), cell: PhantomData::<C> };
    let y = apply(op, &all)?;
    if !options.return_state {
        return Ok((if options.return_sequences { y } else { y.squeeze([1]) }, Vec::new()));
    }
    let outputs = y.dims()[1] - C::STATES;
    let one = |at: usize| y.index(1, at as isize);
    let states = (0..C::STATES).map(|i| one(outputs + i)).collect();
    Ok((if options.return_sequences { y.slice(1, 0..outputs) } else { one(0) }, states))
}
