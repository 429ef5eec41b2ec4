//! The gradients of a sequence: by kernels where nobody asks for gradients of them, else through
//! its composition of small ops.

use std::borrow::Cow;

use super::{Recurrence, RecurrentOptions, STATE, Saved, sizes, slice};
use crate::kernels::gemm::{Gemm, Matrix};
use crate::kernels::recurrent::{Backward, Sizes, View, kept};
use crate::kernels::reduce::sum_rows;
use crate::kernels::simd::Level;
use crate::op::{Call, Gradients, apply, must};
use crate::ops::matmul::matrix;
use crate::ops::{Fused, Reshape, linear, select, stack};
use crate::shape::Shape;
use crate::tape::Tape;
use crate::tensor::Tensor;

/// The gradient by the output: where it lies if its last axis has no gaps.
fn view<T: Gemm>(g: &Tensor) -> View<'_, T> {
    let strides = g.strides();
    let values = g.buffer.as_ref().expect("kernels get tensors with values").slice::<T>();
    View { values, offset: g.offset, batch: strides[0], step: strides[1] }
}

/// The gradients by what comes from the inputs, by what comes from the state if that is apart, and
/// by the states before the first step, `(states, batch, units)`.
fn through_steps<C: Recurrence, T: Gemm>(
    options: RecurrentOptions,
    saved: &Saved,
    call: &Call<'_>,
    g: &Tensor,
) -> [Tensor; 3] {
    let g = if g.strides()[2] == 1 { Cow::Borrowed(g) } else { g.packed() };
    let mask = (call.len() > STATE + C::STATES).then(|| call.input(STATE + C::STATES).packed());
    let sizes @ Sizes { batch, units, .. } = sizes(&[call.spec(0), call.spec(1), call.spec(2)]);
    let all = *saved.gates.shape();
    let apart = if C::APART { all } else { Shape::of(&[0]) };
    let (mut by_sums, mut by_states) = (None, None);
    let by_inputs = Tensor::build(all, |by_inputs: &mut [T]| {
        by_sums = Some(Tensor::build(apart, |by_sums: &mut [T]| {
            let states = Shape::of(&[C::STATES, batch, units]);
            by_states = Some(Tensor::build(states, |by_states: &mut [T]| {
                let backward = Backward {
                    sizes,
                    course: options.course(),
                    recurrent: matrix(call.input(2), 0),
                    mask: mask.as_deref().map(slice),
                    gates: slice(&saved.gates),
                    kept: slice(&saved.kept),
                    g: view(&g),
                    by_inputs,
                    by_sums,
                    by_states,
                };
                backward.run::<C>(Level::best());
            }));
        }));
    });
    [by_inputs, by_sums.expect("just made"), by_states.expect("just made")]
}

/// The gradients by all inputs that want one.
pub(super) fn slopes<C: Recurrence, T: Gemm>(
    options: RecurrentOptions,
    saved: &Saved,
    call: &Call<'_>,
    g: &Tensor,
    into: &mut Gradients<'_>,
) {
    let (x, kernel, recurrent) = (call.input(0).packed(), call.input(1), call.input(2));
    let [by_inputs, by_sums, by_states] = through_steps::<C, T>(options, saved, call, g);
    let Sizes { batch, steps, units } = sizes(&[call.spec(0), call.spec(1), call.spec(2)]);
    let (lines, inputs, wide) = (batch * steps, kernel.dims()[0], C::GATES * units);
    let to_inputs = Matrix::of_rows(slice::<T>(&by_inputs), wide);
    let to_sums = if C::APART { Matrix::of_rows(slice(&by_sums), wide) } else { to_inputs };
    into.add(0, || {
        let size = [lines, inputs, wide]; // (lines, wide) · (wide, inputs)
        let kernel = matrix(kernel, 0).transposed();
        Tensor::build(*x.shape(), |out| T::gemm(size, to_inputs, kernel, out, None, None))
    });
    into.add(1, || {
        let size = [inputs, wide, lines]; // (inputs, lines) · (lines, wide)
        let x = Matrix::of_rows(slice(&x), inputs).transposed();
        Tensor::build(*kernel.shape(), |out| T::gemm(size, x, to_inputs, out, None, None))
    });
    into.add(2, || {
        // (units, lines) · (lines, wide): the states before each step lie in what was kept.
        let before = Matrix::of_rows(slice(&saved.kept), kept::<C>() * units).transposed();
        let size = [units, wide, lines];
        Tensor::build(*recurrent.shape(), |out| T::gemm(size, before, to_sums, out, None, None))
    });
    into.add(3, || {
        Tensor::build(call.spec(3).shape, |out: &mut [T]| {
            let (own, apart) = out.split_at_mut(wide);
            sum_rows(to_inputs.values, own);
            if C::APART {
                sum_rows(to_sums.values, apart);
            }
        })
    });
    for i in 0..C::STATES {
        into.add(STATE + i, || by_states.index(0, i as isize));
    }
}

/// The gradients in ops: those of the composition, which a tape differentiates.
pub(super) fn in_ops<C: Recurrence>(
    options: RecurrentOptions,
    call: &Call<'_>,
    g: &Tensor,
    into: &mut Gradients<'_>,
) {
    // Values of their own, since one tensor may be several inputs.
    let own = |i: usize| must(apply(Reshape(*call.input(i).shape()), &[call.input(i)]));
    let inputs: Vec<Tensor> = (0..STATE + C::STATES).map(own).collect();
    let mask = (call.len() > inputs.len()).then(|| call.input(inputs.len()));
    let tape = Tape::new();
    let y = composed::<C>(options, &inputs, mask);
    let sources: Vec<&Tensor> = inputs.iter().collect();
    let found = must(tape.vjp_options(&y, g, &sources));
    for (i, (gradient, input)) in found.into_iter().zip(&inputs).enumerate() {
        into.add(i, || gradient.unwrap_or_else(|| input.zeros_like()));
    }
}

/// The same output from small ops.
fn composed<C: Recurrence>(
    options: RecurrentOptions,
    inputs: &[Tensor],
    mask: Option<&Tensor>,
) -> Tensor {
    let [x, kernel, recurrent, bias, states @ ..] = inputs else {
        unreachable!("checked by infer")
    };
    let steps = x.dims()[1] as isize;
    let (own, inner) = match C::APART {
        true => (bias.index(0, 0), Some(bias.index(0, 1))),
        false => (bias.clone(), None),
    };
    let x = must(linear(x, kernel, Some(&own), Fused::Linear));
    let (mut states, mut outputs) = (states.to_vec(), Vec::new());
    for s in 0..steps {
        let position = if options.go_backwards { steps - 1 - s } else { s };
        let mut new = C::step(&x.index(1, position), &states, recurrent, inner.as_ref());
        let mut y = new[0].clone();
        if let Some(mask) = mask {
            let counts = mask.index(1, position).expand_dims(-1);
            for (new, old) in new.iter_mut().zip(&states) {
                *new = select(&counts, new, old);
            }
            let zero = options.zero_output_for_mask;
            y = if zero { select(&counts, &y, &y.zeros_like()) } else { new[0].clone() };
        }
        states = new;
        if options.return_sequences || s + 1 == steps {
            outputs.push(y);
        }
    }
    if options.return_state {
        outputs.extend(states);
    }
    stack(&outputs, 1)
}
