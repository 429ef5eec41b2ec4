//! The gradients of a sequence, from the last step to the first.

#![allow(unsafe_code)]

use super::product::Product;
use super::{Cell, Course, Mask, Sizes, Spread, View, kept, load, skip, store};
use crate::kernels::gemm::{Gemm, Matrix};
use crate::kernels::parallel::{self, Start};
use crate::kernels::simd::Level;
use crate::kernels::tiles;
use crate::storage::Buffer;

/// What the gradients are computed from, and where to.
pub(crate) struct Backward<'a, T> {
    pub(crate) sizes: Sizes,
    pub(crate) course: Course,
    /// `(units, gates · units)`
    pub(crate) recurrent: Matrix<'a, T>,
    /// `(batch, steps)`, false where a step was skipped.
    pub(crate) mask: Option<&'a [bool]>,
    /// `(batch, steps, gates · units)`, as the forward pass left them.
    pub(crate) gates: &'a [T],
    /// `(batch, steps, kept · units)`
    pub(crate) kept: &'a [T],
    /// The gradient by the output, `(batch, outputs, units)`.
    pub(crate) g: View<'a, T>,
    /// The gradient by what comes from the inputs, `(batch, steps, gates · units)`.
    pub(crate) by_inputs: &'a mut [T],
    /// The gradient by what comes from the state, if the cell keeps it apart.
    pub(crate) by_sums: &'a mut [T],
    /// The gradients by the states before the first step, `(states, batch, units)`.
    pub(crate) by_states: &'a mut [T],
}

/// What all rows share.
struct Shared<'a, T> {
    level: Level,
    sizes: Sizes,
    course: Course,
    /// The recurrent kernel, transposed and packed.
    weights: &'a [T],
    mask: Option<&'a [bool]>,
    gates: &'a [T],
    kept: &'a [T],
    g: View<'a, T>,
}

/// Some rows of the batch.
struct Rows<'a, T> {
    first: usize,
    count: usize,
    by_inputs: &'a mut [T],
    by_sums: &'a mut [T],
}

/// Scratch memory: each part `(rows, units)`, rows filled up.
struct Scratch<'a, T> {
    gates: &'a mut [T],
    /// Gradients by the states.
    slopes: &'a mut [T],
    /// Those after a step that may have been skipped.
    after: &'a mut [T],
    /// The states before the step.
    before: &'a mut [T],
    extra: &'a mut [T],
}

impl<T: Gemm> Backward<'_, T> {
    /// Computes them.
    pub(crate) fn run<C: Cell>(self, level: Level) {
        let Sizes { batch, steps, units } = self.sizes;
        let (row, gates) = (self.sizes.row(), steps * C::GATES * units);
        let sums = if C::APART { gates } else { 0 };
        assert!(self.gates.len() == batch * gates && self.by_inputs.len() == batch * gates);
        assert!(self.kept.len() == batch * steps * kept::<C>() * units);
        assert!(self.by_sums.len() == batch * sums);
        assert!(self.by_states.len() == C::STATES * batch * units);
        let (_, width) = T::tile(level);
        let lines = C::GATES * units;
        let mut weights = Buffer::scratch(T::DTYPE, lines * row);
        let values = weights.slice_mut::<T>().expect("a new buffer has one owner");
        tiles::pack(lines, row, width, &mut values[..lines * row], |line, p| match p < units {
            true => self.recurrent.at(p, line),
            false => T::ZERO,
        });
        let shared = Shared {
            level,
            sizes: self.sizes,
            course: self.course,
            weights: &weights.slice::<T>()[..lines * row],
            mask: self.mask,
            gates: self.gates,
            kept: self.kept,
            g: self.g,
        };
        let at_once = self.sizes.rows_at_once::<T>(level, C::GATES);
        let (all_inputs, all_sums) = (Start::of(self.by_inputs), Start::of(self.by_sums));
        let all_states = Start::of(self.by_states);
        parallel::each(batch.div_ceil(at_once), &|i| {
            let first = i * at_once;
            let count = at_once.min(batch - first);
            // SAFETY: the asserts; no two of these share a row.
            let rows = unsafe {
                Rows {
                    first,
                    count,
                    by_inputs: all_inputs.part(first * gates, count * gates),
                    by_sums: all_sums.part(first * sums, count * sums),
                }
            };
            shared.run::<C>(rows, &|state, slopes| {
                let from = (state * batch + first) * units;
                // SAFETY: as above.
                let out = unsafe { all_states.part(from, count * units) };
                store(slopes, Spread { offset: 0, apart: units, units }, row, out);
            });
        });
    }
}

impl<T: Gemm> Shared<'_, T> {
    /// Goes through the steps; `finish` takes the gradients by each state.
    fn run<C: Cell>(&self, mut rows: Rows<'_, T>, finish: &dyn Fn(usize, &[T])) {
        let Sizes { steps, .. } = self.sizes;
        let n = rows.count * self.sizes.row();
        let parts = C::GATES + 3 * C::STATES + 1;
        let mut buffer = Buffer::scratch(T::DTYPE, parts * n);
        let memory = &mut buffer.slice_mut::<T>().expect("a new buffer has one owner")[..parts * n];
        memory.fill(T::ZERO);
        let (gates, rest) = memory.split_at_mut(C::GATES * n);
        let (slopes, rest) = rest.split_at_mut(C::STATES * n);
        let (after, rest) = rest.split_at_mut(C::STATES * n);
        let (before, extra) = rest.split_at_mut(C::STATES * n);
        let mut scratch = Scratch { gates, slopes, after, before, extra };
        if self.course.states {
            let outputs = self.course.outputs(steps);
            for (i, slopes) in scratch.slopes.chunks_exact_mut(n).enumerate() {
                self.add_output(outputs + i, rows.first, slopes, |_| true);
            }
        }
        for s in (0..steps).rev() {
            self.step::<C>(s, &mut rows, &mut scratch);
        }
        for (i, slopes) in scratch.slopes.chunks_exact(n).enumerate() {
            finish(i, slopes);
        }
    }

    /// Adds the gradient by output `output` to the rows that `counts` says.
    fn add_output(
        &self,
        output: usize,
        first: usize,
        slopes: &mut [T],
        counts: impl Fn(usize) -> bool,
    ) {
        let (units, row) = (self.sizes.units, self.sizes.row());
        for (r, slopes) in slopes.chunks_exact_mut(row).enumerate().filter(|(r, _)| counts(*r)) {
            let g = self.g.row(first + r, output, units);
            slopes.iter_mut().zip(g).for_each(|(slope, &g)| *slope += g);
        }
    }

    fn step<C: Cell>(&self, s: usize, rows: &mut Rows<'_, T>, scratch: &mut Scratch<'_, T>) {
        let Sizes { steps, units, .. } = self.sizes;
        let (row, position) = (self.sizes.row(), self.course.position(s, steps));
        let n = rows.count * row;
        let mask = Mask { values: self.mask, first: rows.first, steps };
        // Of `many` parts of a step; `from` is the first row.
        let spread = |part: usize, many: usize, from: usize| {
            let apart = steps * many * units;
            Spread { offset: from * apart + (position * many + part) * units, apart, units }
        };
        if let Some(output) = self.course.output(s, steps) {
            let zero = self.course.zero_masked;
            let counts = |r: usize| !(zero && mask.skips(r, position));
            self.add_output(output, rows.first, &mut scratch.slopes[..n], counts);
        }
        if mask.values.is_some() {
            scratch.after.copy_from_slice(scratch.slopes);
        }
        for (g, values) in scratch.gates.chunks_exact_mut(n).enumerate() {
            load(self.gates, spread(g, C::GATES, rows.first), row, values);
        }
        for (i, state) in scratch.before.chunks_exact_mut(n).enumerate() {
            load(self.kept, spread(i, kept::<C>(), rows.first), row, state);
        }
        if C::EXTRA {
            load(self.kept, spread(C::STATES, kept::<C>(), rows.first), row, scratch.extra);
        }
        C::backward(scratch.gates, scratch.before, scratch.extra, scratch.slopes);
        if mask.values.is_some() {
            for r in (0..rows.count).filter(|&r| mask.skips(r, position)) {
                let range = r * row..(r + 1) * row;
                let gates = scratch.gates.chunks_exact_mut(n);
                let all = gates.chain(std::iter::once(&mut *scratch.extra));
                all.for_each(|part| part[range.clone()].fill(T::ZERO));
            }
            let parts = scratch.after.chunks_exact(n).zip(scratch.slopes.chunks_exact_mut(n));
            parts.for_each(|(after, slopes)| skip(mask, position, row, after, slopes));
        }
        for (g, slopes) in scratch.gates.chunks_exact(n).enumerate() {
            let apart = C::APART && g + 1 == C::GATES;
            let by_input = if apart { &*scratch.extra } else { slopes };
            store(by_input, spread(g, C::GATES, 0), row, rows.by_inputs);
            if C::APART {
                store(slopes, spread(g, C::GATES, 0), row, rows.by_sums);
            }
        }
        let (a, out) = (&*scratch.gates, &mut scratch.slopes[..n]);
        let mut product =
            Product { a, taps: C::GATES, depth: units, weights: self.weights, out, row };
        // SAFETY: a product asks for nothing but the level.
        unsafe { T::dispatch(self.level, &mut product) };
    }
}
