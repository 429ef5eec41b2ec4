//! The two inner loops of convolutions: sums of products that stay in registers, whose factors
//! are found by pointers. No patch of the input is ever copied to be multiplied (the indirect
//! convolution of Dukhan 2019, arXiv 1907.02129).

#![allow(unsafe_code)]

use super::float::Float;
use super::lanes::{Lanes, MAX_WIDTH, Task};

/// Columns of a tile are at most this many vectors.
pub(crate) const VECTORS: usize = 2;

/// A matrix `(depth, columns)` laid out for tiles: panels of `VECTORS · width` columns, the last
/// of a single vector if that is enough; in each panel row after row, filled up with zeros.
pub(crate) fn packed_len(depth: usize, columns: usize, width: usize) -> usize {
    depth * columns.div_ceil(width) * width
}

/// The panels of a matrix.
#[derive(Clone, Copy)]
pub(crate) struct Panels {
    first: usize,
    columns: usize,
    width: usize,
}

/// The panels of a matrix of `columns`, with vectors of `width` elements.
#[inline(always)]
pub(crate) fn panels(columns: usize, width: usize) -> Panels {
    Panels { first: 0, columns, width }
}

/// One panel: its columns, and those in use.
#[derive(Clone, Copy)]
pub(crate) struct Panel {
    pub(crate) first: usize,
    pub(crate) used: usize,
    pub(crate) width: usize,
}

impl Iterator for Panels {
    type Item = Panel;

    #[inline(always)]
    fn next(&mut self) -> Option<Panel> {
        let (first, rest) = (self.first, self.columns.saturating_sub(self.first));
        if rest == 0 {
            return None;
        }
        let width = if rest > self.width { VECTORS * self.width } else { self.width };
        self.first += width;
        Some(Panel { first, used: rest.min(width), width })
    }
}

/// Lays out the matrix whose element `(row, column)` is `value(row, column)`.
pub(crate) fn pack<T: Copy + Default>(
    depth: usize,
    columns: usize,
    width: usize,
    out: &mut [T],
    value: impl Fn(usize, usize) -> T,
) {
    let mut out = out.chunks_exact_mut(width);
    for Panel { first, used, width: panel } in panels(columns, width) {
        for row in 0..depth {
            for start in (0..panel).step_by(width) {
                let part = out.next().expect("`packed_len` has counted");
                for (i, v) in part.iter_mut().enumerate() {
                    let column = start + i;
                    *v = if column < used { value(row, first + column) } else { T::default() };
                }
            }
        }
    }
}

/// `out[r] = start + Σ_tap Σ_c factor[r, tap][c] · weights[tap, c]` for many rows.
///
/// A tile is as many rows as the registers hold sums for; a tile that isn't full repeats its
/// last row.
pub(crate) struct RowProducts<'a, T> {
    /// For each tile and each tap, where each row's `depth` factors lie.
    pub(crate) factors: &'a [*const T],
    pub(crate) taps: usize,
    /// Added to each of these pointers: where a group of channels begins.
    pub(crate) shift: usize,
    /// Number of factors at each tap.
    pub(crate) depth: usize,
    /// `(taps · depth, columns)`, packed.
    pub(crate) weights: &'a [T],
    /// What the sums begin with, as many as columns filled up to whole vectors.
    pub(crate) start: &'a [T],
    pub(crate) columns: usize,
    /// For each tile, where the rows of the output begin.
    pub(crate) out: &'a [*mut T],
}

impl<T: Copy + Default> Task<T> for RowProducts<'_, T> {
    /// # Safety
    /// Every pointer in `factors` is valid for reading from `shift` to `shift + depth`, and every
    /// one in `out` for writing `columns` elements.
    #[inline(always)]
    unsafe fn run<L: Lanes<T>, const ROWS: usize>(&mut self) {
        let lines = self.taps * self.depth;
        assert!(self.weights.len() == packed_len(lines, self.columns, L::WIDTH));
        assert!(self.start.len() >= self.columns.next_multiple_of(L::WIDTH));
        assert!(self.factors.len() == self.out.len() * self.taps);
        for panel in panels(self.columns, L::WIDTH) {
            let weights = self.weights[lines * panel.first..].as_ptr();
            if panel.width == L::WIDTH {
                // SAFETY: the asserts, and the caller's promise.
                unsafe { self.panel::<L, ROWS, 1>(panel, weights) }
            } else {
                // SAFETY: the same.
                unsafe { self.panel::<L, ROWS, VECTORS>(panel, weights) }
            }
        }
    }
}

impl<T: Copy + Default> RowProducts<'_, T> {
    /// One panel of columns for all tiles.
    ///
    /// # Safety
    /// That of `run`, and `weights` is a panel of `N` vectors and `taps · depth` rows.
    #[inline(always)]
    unsafe fn panel<L: Lanes<T>, const ROWS: usize, const N: usize>(
        &self,
        Panel { first, used, .. }: Panel,
        weights: *const T,
    ) {
        for (tile, out) in self.out.chunks_exact(ROWS).enumerate() {
            let factors = &self.factors[tile * self.taps * ROWS..][..self.taps * ROWS];
            // SAFETY: `start` holds whole vectors for every panel; pointers are the caller's
            // promise; `weights` advances by one row of the panel for each tap and factor.
            unsafe {
                let mut sums = [[L::zero(); N]; ROWS];
                for j in 0..N {
                    let start = L::load(self.start.as_ptr().add(first + j * L::WIDTH));
                    for row in &mut sums {
                        row[j] = start;
                    }
                }
                let mut line = weights;
                for tap in factors.chunks_exact(ROWS) {
                    let mut from = [std::ptr::null(); ROWS];
                    for (from, &factor) in from.iter_mut().zip(tap) {
                        *from = factor.add(self.shift);
                    }
                    for c in 0..self.depth {
                        let mut w = [L::zero(); N];
                        for (j, w) in w.iter_mut().enumerate() {
                            *w = L::load(line.add(j * L::WIDTH));
                        }
                        line = line.add(N * L::WIDTH);
                        for (row, from) in sums.iter_mut().zip(from) {
                            let x = L::splat(from.add(c));
                            for j in 0..N {
                                row[j] = L::multiply_add(x, w[j], row[j]);
                            }
                        }
                    }
                }
                for (row, &out) in sums.iter().zip(out) {
                    store::<T, L, N>(row, out.add(first), used);
                }
            }
        }
    }
}

/// Writes the first `used` elements of some vectors.
///
/// # Safety
/// `out` must be valid for writing `used` elements.
#[inline(always)]
pub(super) unsafe fn store<T: Copy + Default, L: Lanes<T>, const N: usize>(
    row: &[L::Vector; N],
    out: *mut T,
    used: usize,
) {
    // SAFETY: whole vectors are written to `out` only if all are used; else the first `used`
    // elements of a copy are.
    unsafe {
        if used == N * L::WIDTH {
            for (j, &v) in row.iter().enumerate() {
                L::store(out.add(j * L::WIDTH), v);
            }
        } else {
            let mut copy = [[T::default(); MAX_WIDTH]; N];
            for (&v, copy) in row.iter().zip(&mut copy) {
                L::store(copy.as_mut_ptr(), v);
            }
            for i in 0..used {
                *out.add(i) = copy[i / L::WIDTH][i % L::WIDTH];
            }
        }
    }
}

/// `out[r] += Σ_line factors[line][r] · weights[line]` for one strip of rows.
pub(crate) struct StripProducts<'a, T> {
    /// For each line, where its factors lie, one a row.
    pub(crate) factors: &'a [*const T],
    /// For each line, where its weights lie, one a column, filled up to whole vectors.
    pub(crate) weights: &'a [*const T],
    /// How many factors can be read at each pointer; not fewer than a tile has rows.
    pub(crate) available: usize,
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
    /// Every pointer in `factors` is valid for reading `available` elements, and every one in `weights` for reading `columns`, filled up to whole vectors.
    #[inline(always)]
    unsafe fn run<L: Lanes<T>, const ROWS: usize>(&mut self) {
        assert!(self.available >= ROWS && self.rows.end <= self.available);
        assert!(self.factors.len() == self.weights.len());
        for panel in panels(self.columns, L::WIDTH) {
            let mut row = self.rows.start;
            while row < self.rows.end {
                if panel.width == L::WIDTH {
                    // SAFETY: the asserts, and the caller's promise.
                    unsafe { self.tile::<L, ROWS, 1>(panel, row) }
                } else {
                    // SAFETY: the same.
                    unsafe { self.tile::<L, ROWS, VECTORS>(panel, row) }
                }
                row += ROWS;
            }
        }
    }
}

impl<T: Float> StripProducts<'_, T> {
    /// The rows from `row` on, in one panel. A tile that would reach beyond what can be read
    /// begins earlier; the rows that it repeats are dropped.
    ///
    /// # Safety
    /// That of `run`.
    #[inline(always)]
    unsafe fn tile<L: Lanes<T>, const ROWS: usize, const N: usize>(
        &mut self,
        Panel { first, used, .. }: Panel,
        row: usize,
    ) {
        let base = row.min(self.available - ROWS);
        let mut copy = [[[T::ZERO; MAX_WIDTH]; N]; ROWS];
        // SAFETY: `base + ROWS <= available`; pointers are the caller's promise.
        unsafe {
            let mut sums = [[L::zero(); N]; ROWS];
            for (&from, &weights) in self.factors.iter().zip(self.weights) {
                let (from, weights) = (from.add(base), weights.add(first));
                let mut w = [L::zero(); N];
                for (j, w) in w.iter_mut().enumerate() {
                    *w = L::load(weights.add(j * L::WIDTH));
                }
                for (i, row) in sums.iter_mut().enumerate() {
                    let x = L::splat(from.add(i));
                    for j in 0..N {
                        row[j] = L::multiply_add(x, w[j], row[j]);
                    }
                }
            }
            for (row, copy) in sums.iter().zip(&mut copy) {
                for (&v, copy) in row.iter().zip(copy) {
                    L::store(copy.as_mut_ptr(), v);
                }
            }
        }
        let end = ROWS.min(self.rows.end - base);
        for (i, copy) in copy.iter().enumerate().take(end).skip(row - base) {
            let start = (base + i - self.rows.start) * self.stride + first;
            let out = &mut self.out[start..start + used];
            for (out, copy) in out.chunks_mut(L::WIDTH).zip(copy) {
                out.iter_mut().zip(copy).for_each(|(out, &v)| *out += v);
            }
        }
    }
}
