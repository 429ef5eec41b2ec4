//! Recurrent layers: whole sequences, forwards and backwards.
//!
//! Rows of a batch know nothing of one another, so a thread takes some of them from the first
//! step to the last and waits for nobody. What comes from the inputs is one large product before
//! the first step. A step adds the state times the recurrent kernel, which is laid out for tiles
//! once a sequence, and goes on with a few loops over what is then in the first cache: gates lie
//! one behind the other, each `(rows, units)` with rows filled up to whole vectors.
//!
//! Every row has the bits that it has alone, on any number of threads.

mod backward;
mod cells;
mod forward;
mod product;
#[cfg(test)]
mod tests;

use super::gemm::Gemm;
use super::parallel;
use super::simd::Level;
use super::simd::vectorized;
use crate::dtype::Element;
pub(crate) use backward::Backward;
pub(crate) use cells::{Cell, Gru, Lstm, Simple};
pub(crate) use forward::Forward;

/// Rows of scratch memory are filled up to this, a multiple of the width of any vector.
const WIDTH: usize = super::lanes::MAX_WIDTH;
/// Multiply-adds under which a sequence stays on one thread.
const WORTH_THREADS: usize = 1 << 17;

/// Sizes of a sequence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) batch: usize,
    pub(crate) steps: usize,
    pub(crate) units: usize,
}

/// How a sequence is read, and what of it is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    /// Whether the last step comes first. Outputs are in the order of steps taken.
    pub(crate) backwards: bool,
    /// Whether the output of every step is asked for, or only of the last.
    pub(crate) sequences: bool,
    /// Whether the states after the last step follow behind the outputs.
    pub(crate) states: bool,
    /// Whether the output of a masked step is 0, not that of the step before.
    pub(crate) zero_masked: bool,
}

impl Course {
    /// Number of outputs, without states.
    pub(crate) fn outputs(self, steps: usize) -> usize {
        if self.sequences { steps } else { 1 }
    }

    /// Which step of the input is read at step `s`.
    fn position(self, s: usize, steps: usize) -> usize {
        if self.backwards { steps - 1 - s } else { s }
    }

    /// Which output step `s` makes, if any.
    fn output(self, s: usize, steps: usize) -> Option<usize> {
        match self.sequences {
            true => Some(s),
            false => (s + 1 == steps).then_some(0),
        }
    }
}

/// Numbers kept of each unit and step for the backward pass: the states before it, and what the
/// cell adds.
pub(crate) fn kept<C: Cell>() -> usize {
    C::STATES + usize::from(C::EXTRA)
}

impl Sizes {
    /// Length of a row in scratch memory.
    fn row(self) -> usize {
        self.units.next_multiple_of(WIDTH)
    }

    /// How many rows of the batch a thread takes at once.
    fn rows_at_once<T: Gemm>(self, level: Level, gates: usize) -> usize {
        let (tile, _) = T::tile(level);
        let work = self.batch * self.steps * gates * self.units * self.units;
        let most = if work < WORTH_THREADS {
            self.batch
        } else {
            self.batch.div_ceil(2 * parallel::threads())
        };
        most.clamp(1, 2 * tile)
    }
}

/// Which rows of the batch count at a step; all if there is no mask.
#[derive(Clone, Copy)]
struct Mask<'a> {
    /// `(batch, steps)`
    values: Option<&'a [bool]>,
    first: usize,
    steps: usize,
}

impl Mask<'_> {
    /// Whether row `row` skips the step at `position`.
    #[inline]
    fn skips(self, row: usize, position: usize) -> bool {
        self.values.is_some_and(|mask| !mask[(self.first + row) * self.steps + position])
    }
}

/// Rows in a slice: the first begins at `offset`, the others `apart` from one another.
#[derive(Clone, Copy)]
struct Spread {
    offset: usize,
    apart: usize,
    units: usize,
}

vectorized! {
    /// Copies rows from where they lie apart.
    fn load[T: Element](from: &[T], spread: Spread, row: usize, to: &mut [T]) {
        for (r, to) in to.chunks_exact_mut(row).enumerate() {
            let start = spread.offset + r * spread.apart;
            to[..spread.units].copy_from_slice(&from[start..start + spread.units]);
        }
    }
}

vectorized! {
    /// Copies rows to where they lie apart.
    fn store[T: Element](from: &[T], spread: Spread, row: usize, to: &mut [T]) {
        for (r, from) in from.chunks_exact(row).enumerate() {
            let start = spread.offset + r * spread.apart;
            to[start..start + spread.units].copy_from_slice(&from[..spread.units]);
        }
    }
}

/// A tensor `(batch, steps, units)` whose last axis lies without gaps.
#[derive(Clone, Copy)]
pub(crate) struct View<'a, T> {
    pub(crate) values: &'a [T],
    pub(crate) offset: usize,
    pub(crate) batch: isize,
    pub(crate) step: isize,
}

impl<T> View<'_, T> {
    /// A row.
    #[inline]
    fn row(&self, row: usize, step: usize, units: usize) -> &[T] {
        let from = self.offset as isize + row as isize * self.batch + step as isize * self.step;
        &self.values[from as usize..from as usize + units]
    }
}

/// Copies rows of `states` over those of `to` that skip a step.
fn skip<T: Copy>(mask: Mask<'_>, position: usize, row: usize, from: &[T], to: &mut [T]) {
    let rows = from.chunks_exact(row).zip(to.chunks_exact_mut(row)).enumerate();
    for (_, (from, to)) in rows.filter(|(r, _)| mask.skips(*r, position)) {
        to.copy_from_slice(from);
    }
}
