//! The inner loop of a convolution's gradient by its kernel: sums of products that stay in
//! registers, over positions of which the factors lie one a step behind the other.

#![allow(unsafe_code)]

use super::float::Float;
use super::lanes::{Lanes, MAX_WIDTH, Task};
use super::tiles::{Panel, VECTORS, panels};

/// Neighbouring lines of [`StripProducts`].
pub(crate) struct Run<T> {
    /// From where the first line's factors are found.
    pub(crate) factors: *const T,
    /// Where the first line's weights lie, one a column, filled up to whole vectors.
    pub(crate) weights: *const T,
    /// How many lines.
    pub(crate) count: usize,
}

/// `out[r] += Σ_line factors[line][offsets[r]] · weights[line]` for one strip of rows.
pub(crate) struct StripProducts<'a, T> {
    pub(crate) runs: &'a [Run<T>],
    /// How far apart neighbouring lines' factors are, and their weights.
    pub(crate) steps: [usize; 2],
    /// Where each row's factor is; not fewer than a tile has rows.
    pub(crate) offsets: &'a [usize],
    /// Whether these are one behind the other.
    pub(crate) dense: bool,
    /// The rows to compute.
    pub(crate) rows: std::ops::Range<usize>,
    pub(crate) columns: usize,
    /// From the first of these rows and columns on.
    pub(crate) out: &'a mut [T],
    /// Distance between rows of `out`.
    pub(crate) stride: usize,
}

impl<T: Float> Task<T> for StripProducts<'_, T> {
    /// # Safety
    /// Every line's pointer to factors is valid for reading at all offsets, and that to weights
    /// for reading `columns`, filled up to whole vectors.
    #[inline(always)]
    unsafe fn run<L: Lanes<T>, const ROWS: usize>(&mut self) {
        assert!(self.offsets.len() >= ROWS && self.rows.end <= self.offsets.len());
        let rows = self.rows.len();
        assert!(rows == 0 || self.out.len() >= (rows - 1) * self.stride + self.columns);
        let tiles = rows.div_ceil(ROWS).max(1);
        // SAFETY: the asserts, and the caller's promise.
        unsafe {
            // Nine rows, the taps of a window, are two low tiles rather than two high ones.
            if rows.div_ceil(tiles) <= LOW && LOW < ROWS {
                self.tiles::<L, LOW>();
            } else {
                self.tiles::<L, ROWS>();
            }
        }
    }
}

/// Rows of a low tile: enough sums to keep the processor busy.
const LOW: usize = 5;

impl<T: Float> StripProducts<'_, T> {
    /// All rows, in tiles of `ROWS`.
    ///
    /// # Safety
    /// That of `run`; there are `ROWS` offsets or more, and one for each row.
    #[inline(always)]
    unsafe fn tiles<L: Lanes<T>, const ROWS: usize>(&mut self) {
        for panel in panels(self.columns, L::WIDTH) {
            let mut row = self.rows.start;
            while row < self.rows.end {
                // SAFETY: the caller's promise.
                unsafe {
                    match (panel.width == L::WIDTH, self.dense) {
                        (true, true) => self.tile::<L, ROWS, 1, true>(panel, row),
                        (true, false) => self.tile::<L, ROWS, 1, false>(panel, row),
                        (false, true) => self.tile::<L, ROWS, VECTORS, true>(panel, row),
                        (false, false) => self.tile::<L, ROWS, VECTORS, false>(panel, row),
                    }
                }
                row += ROWS;
            }
        }
    }

    /// The rows from `row` on, in one panel. A tile that would reach beyond the offsets begins
    /// earlier; the rows that it repeats are dropped.
    ///
    /// # Safety
    /// That of `run`; `DENSE` is `self.dense`.
    #[inline(always)]
    #[allow(clippy::needless_range_loop)] // Constant bounds are what is unrolled into registers.
    unsafe fn tile<L: Lanes<T>, const ROWS: usize, const N: usize, const DENSE: bool>(
        &mut self,
        Panel { first, used, .. }: Panel,
        row: usize,
    ) {
        let base = row.min(self.offsets.len() - ROWS);
        let mut offsets = [0; ROWS];
        for i in 0..ROWS {
            offsets[i] = if DENSE { i } else { self.offsets[base + i] };
        }
        let start = if DENSE { self.offsets[base] } else { 0 };
        let mut copy = [[[T::ZERO; MAX_WIDTH]; N]; ROWS];
        let whole = used == N * L::WIDTH && base == row && base + ROWS <= self.rows.end;
        // SAFETY: `base + ROWS` offsets are there; pointers are the caller's promise; `out` holds
        // all rows.
        unsafe {
            let mut sums = [[L::zero(); N]; ROWS];
            for run in 0..self.runs.len() {
                let run = self.runs.get_unchecked(run);
                let mut from = run.factors.wrapping_add(start);
                let mut weights = run.weights.wrapping_add(first);
                for _ in 0..run.count {
                    let mut w = [L::zero(); N];
                    for j in 0..N {
                        w[j] = L::load(weights.add(j * L::WIDTH));
                    }
                    for i in 0..ROWS {
                        let x = L::splat(from.add(offsets[i]));
                        for j in 0..N {
                            sums[i][j] = L::multiply_add(x, w[j], sums[i][j]);
                        }
                    }
                    from = from.wrapping_add(self.steps[0]);
                    weights = weights.wrapping_add(self.steps[1]);
                }
            }
            if whole {
                let one = L::splat(&T::ONE);
                let at = (row - self.rows.start) * self.stride + first;
                let out = self.out.as_mut_ptr().add(at);
                for i in 0..ROWS {
                    for j in 0..N {
                        let to = out.add(i * self.stride + j * L::WIDTH);
                        L::store(to, L::multiply_add(sums[i][j], one, L::load(to)));
                    }
                }
                return;
            }
            for i in 0..ROWS {
                for j in 0..N {
                    L::store(copy[i][j].as_mut_ptr(), sums[i][j]);
                }
            }
        }
        let end = ROWS.min(self.rows.end - base);
        for (i, copy) in copy.iter().enumerate().take(end).skip(row - base) {
            let start = (base + i - self.rows.start) * self.stride + first;
            let out = &mut self.out[start..start + used];
            for (j, copy) in copy.iter().enumerate().take(used.div_ceil(L::WIDTH)) {
                let from = j * L::WIDTH;
                let len = L::WIDTH.min(used - from);
                let (out, copy) = (&mut out[from..from + len], &copy[..len]);
                for i in 0..len {
                    out[i] += copy[i];
                }
            }
        }
    }
}
