//! A sequence from the first step to the last.

#![allow(unsafe_code)]

use super::product::Product;
use super::{Cell, Course, Mask, Sizes, Spread, kept, load, skip, store};
use crate::kernels::gemm::{Gemm, Matrix};
use crate::kernels::parallel::{self, Start};
use crate::kernels::simd::Level;
use crate::kernels::tiles;
use crate::storage::Buffer;

/// What a sequence is computed from, and where to.
pub(crate) struct Forward<'a, T> {
    pub(crate) sizes: Sizes,
    pub(crate) course: Course,
    /// `(units, gates · units)`
    pub(crate) recurrent: Matrix<'a, T>,
    /// What the last gate's product begins with if it is apart, `(units)`.
    pub(crate) start: &'a [T],
    /// The states before the first step, each `(batch, units)`.
    pub(crate) states: &'a [&'a [T]],
    /// `(batch, steps)`, false where a step is to be skipped.
    pub(crate) mask: Option<&'a [bool]>,
    /// `(batch, steps, gates · units)`: what comes from the inputs; becomes the gates' values if
    /// they are kept.
    pub(crate) gates: &'a mut [T],
    /// `(batch, steps, kept · units)` for the backward pass, or nothing.
    pub(crate) kept: &'a mut [T],
    /// `(batch, outputs, units)`
    pub(crate) out: &'a mut [T],
}

/// What all rows share.
struct Shared<'a, T> {
    level: Level,
    sizes: Sizes,
    course: Course,
    /// One packed kernel behind the other, one a gate.
    weights: &'a [T],
    start: &'a [T],
    states: &'a [&'a [T]],
    mask: Option<&'a [bool]>,
}

/// Some rows of the batch.
struct Rows<'a, T> {
    first: usize,
    count: usize,
    gates: &'a mut [T],
    kept: &'a mut [T],
    out: &'a mut [T],
}

/// Scratch memory: each part `(rows, units)`, rows filled up.
struct Scratch<'a, T> {
    gates: &'a mut [T],
    states: &'a mut [T],
    /// The states before a step that may be skipped.
    before: &'a mut [T],
    input: &'a mut [T],
    extra: &'a mut [T],
}

impl<T: Gemm> Forward<'_, T> {
    /// Computes it.
    pub(crate) fn run<C: Cell>(self, level: Level) {
        let Sizes { batch, steps, units } = self.sizes;
        let outputs = self.course.outputs(steps) + if self.course.states { C::STATES } else { 0 };
        let gates = steps * C::GATES * units;
        let kept = if self.kept.is_empty() { 0 } else { steps * kept::<C>() * units };
        assert!(self.gates.len() == batch * gates && self.out.len() == batch * outputs * units);
        assert!(self.kept.len() == batch * kept && self.states.len() == C::STATES);
        let weights = packed(level, self.sizes, self.recurrent, C::GATES);
        let shared = Shared {
            level,
            sizes: self.sizes,
            course: self.course,
            weights: &weights.slice::<T>()[..C::GATES * units * self.sizes.row()],
            start: self.start,
            states: self.states,
            mask: self.mask,
        };
        let at_once = self.sizes.rows_at_once::<T>(level, C::GATES);
        let (all_gates, all_kept) = (Start::of(self.gates), Start::of(self.kept));
        let all_out = Start::of(self.out);
        parallel::each(batch.div_ceil(at_once), &|i| {
            let first = i * at_once;
            let count = at_once.min(batch - first);
            // SAFETY: the asserts; no two of these share a row.
            let rows = unsafe {
                Rows {
                    first,
                    count,
                    gates: all_gates.part(first * gates, count * gates),
                    kept: all_kept.part(first * kept, count * kept),
                    out: all_out.part(first * outputs * units, count * outputs * units),
                }
            };
            shared.run::<C>(rows);
        });
    }
}

/// The recurrent kernel's parts, one a gate, laid out for tiles.
fn packed<T: Gemm>(level: Level, sizes: Sizes, kernel: Matrix<'_, T>, gates: usize) -> Buffer {
    let (units, row, (_, width)) = (sizes.units, sizes.row(), T::tile(level));
    let mut weights = Buffer::scratch(T::DTYPE, gates * units * row);
    let values = weights.slice_mut::<T>().expect("a new buffer has one owner");
    for (gate, out) in values.chunks_exact_mut((units * row).max(1)).take(gates).enumerate() {
        tiles::pack(units, row, width, out, |p, j| match j < units {
            true => kernel.at(p, gate * units + j),
            false => T::ZERO,
        });
    }
    weights
}

impl<T: Gemm> Shared<'_, T> {
    fn run<C: Cell>(&self, mut rows: Rows<'_, T>) {
        let Sizes { steps, units, .. } = self.sizes;
        let row = self.sizes.row();
        let n = rows.count * row;
        let parts = C::GATES + 2 * C::STATES + 2;
        let mut buffer = Buffer::scratch(T::DTYPE, parts * n);
        let memory = &mut buffer.slice_mut::<T>().expect("a new buffer has one owner")[..parts * n];
        memory.fill(T::ZERO);
        let (gates, rest) = memory.split_at_mut(C::GATES * n);
        let (states, rest) = rest.split_at_mut(C::STATES * n);
        let (before, rest) = rest.split_at_mut(C::STATES * n);
        let (input, extra) = rest.split_at_mut(n);
        let mut scratch = Scratch { gates, states, before, input, extra };
        let given = Spread { offset: rows.first * units, apart: units, units };
        for (from, to) in self.states.iter().zip(scratch.states.chunks_exact_mut(n)) {
            load(from, given, row, to);
        }
        for s in 0..steps {
            self.step::<C>(s, &mut rows, &mut scratch);
        }
        if self.course.states {
            let outputs = self.course.outputs(steps);
            let apart = (outputs + C::STATES) * units;
            for (i, state) in scratch.states.chunks_exact(n).enumerate() {
                store(state, Spread { offset: (outputs + i) * units, apart, units }, row, rows.out);
            }
        }
    }

    fn step<C: Cell>(&self, s: usize, rows: &mut Rows<'_, T>, scratch: &mut Scratch<'_, T>) {
        let Sizes { steps, units, .. } = self.sizes;
        let (row, position) = (self.sizes.row(), self.course.position(s, steps));
        let n = rows.count * row;
        let mask = Mask { values: self.mask, first: rows.first, steps };
        let gate = |gate: usize| {
            let (offset, apart) = ((position * C::GATES + gate) * units, steps * C::GATES * units);
            Spread { offset, apart, units }
        };
        let keep = |part: usize| {
            let many = kept::<C>();
            Spread { offset: (position * many + part) * units, apart: steps * many * units, units }
        };
        for (g, sums) in scratch.gates.chunks_exact_mut(n).enumerate() {
            if C::APART && g + 1 == C::GATES {
                load(rows.gates, gate(g), row, scratch.input);
                load(self.start, Spread { offset: 0, apart: 0, units }, row, sums);
            } else {
                load(rows.gates, gate(g), row, sums);
            }
        }
        if mask.values.is_some() {
            scratch.before.copy_from_slice(scratch.states);
        }
        if !rows.kept.is_empty() {
            for (part, state) in scratch.states.chunks_exact(n).enumerate() {
                store(state, keep(part), row, rows.kept);
            }
        }
        self.add_products(scratch, n, row);
        C::forward(scratch.gates, scratch.input, scratch.states, scratch.extra);
        if !rows.kept.is_empty() {
            for (g, values) in scratch.gates.chunks_exact(n).enumerate() {
                store(values, gate(g), row, rows.gates);
            }
            if C::EXTRA {
                store(scratch.extra, keep(C::STATES), row, rows.kept);
            }
        }
        if mask.values.is_some() {
            let parts = scratch.before.chunks_exact(n).zip(scratch.states.chunks_exact_mut(n));
            parts.for_each(|(before, state)| skip(mask, position, row, before, state));
        }
        if let Some(output) = self.course.output(s, steps) {
            self.write::<C>(output, mask, position, rows, &scratch.states[..n]);
        }
    }

    /// The state times the recurrent kernel, added to each gate.
    fn add_products(&self, scratch: &mut Scratch<'_, T>, n: usize, row: usize) {
        let units = self.sizes.units;
        let weights = self.weights.chunks_exact((units * row).max(1));
        for (out, weights) in scratch.gates.chunks_exact_mut(n).zip(weights) {
            let a = &scratch.states[..n];
            let mut product = Product { a, taps: 1, depth: units, weights, out, row };
            // SAFETY: a product asks for nothing but the level.
            unsafe { T::dispatch(self.level, &mut product) };
        }
    }

    /// The output of a step.
    fn write<C: Cell>(
        &self,
        output: usize,
        mask: Mask<'_>,
        position: usize,
        rows: &mut Rows<'_, T>,
        h: &[T],
    ) {
        let Sizes { steps, units, .. } = self.sizes;
        let states = if self.course.states { C::STATES } else { 0 };
        let apart = (self.course.outputs(steps) + states) * units;
        store(h, Spread { offset: output * units, apart, units }, self.sizes.row(), rows.out);
        if self.course.zero_masked {
            for r in (0..rows.count).filter(|&r| mask.skips(r, position)) {
                let from = r * apart + output * units;
                rows.out[from..from + units].fill(T::ZERO);
            }
        }
    }
}
