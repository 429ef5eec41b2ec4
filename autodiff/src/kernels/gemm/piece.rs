//! The large products: a rectangle of the output at a time, in tiles that stay in registers
//! (Goto and van de Geijn 2008). A panel of the second factor is copied to where it fits the
//! first cache; the first factor is read where it lies, or copied too.

#![allow(unsafe_code)]

use std::ops::Range;

use super::{Finish, Matrix};
use crate::kernels::float::Float;
use crate::kernels::lanes::{Lanes, MAX_WIDTH, Task};
use crate::kernels::tiles::VECTORS;

/// Depth of a panel: of `VECTORS` vectors of 64 bytes, so many lines are 32 KiB.
pub(super) const DEPTH: usize = 256;
/// Elements that a panel has at most.
pub(super) const PANEL: usize = DEPTH * VECTORS * MAX_WIDTH;
/// Rows whose part of the first factor, as deep as a panel, stays in the second cache; whole
/// tiles of them are taken.
const ROWS_AT_ONCE: usize = 1024;
/// Elements of the first factor that are copied at most.
pub(super) const BLOCK: usize = ROWS_AT_ONCE * DEPTH;

/// A rectangle of a product.
pub(super) struct Piece<'a, T> {
    pub(super) a: Matrix<'a, T>,
    pub(super) b: Matrix<'a, T>,
    pub(super) depth: usize,
    pub(super) rows: Range<usize>,
    pub(super) columns: Range<usize>,
    /// The element `(0, 0)` of the output, whose rows lie `stride` elements apart.
    pub(super) out: *mut T,
    pub(super) stride: usize,
    pub(super) begin: Option<&'a [T]>,
    pub(super) finish: Finish<'a, T>,
    /// Room for a panel.
    pub(super) panel: &'a mut [T],
    /// Room for a block of the first factor, if it is worth copying.
    pub(super) block: &'a mut [T],
}

/// Some columns of the output, and how deep the factors are walked for them at once.
struct Step {
    first: usize,
    used: usize,
    depth: Range<usize>,
}

/// Where the first factor is read: the first row of each tile, and steps from there.
struct Lines<T> {
    first: *const T,
    /// From tile to tile.
    tile: isize,
    /// From row to row.
    row: isize,
    /// From column to column.
    column: isize,
}

impl<T: Float> Task<T> for Piece<'_, T> {
    /// # Safety
    /// Rows, columns and depth lie within both factors and the output, nobody else uses these
    /// elements of the output; `panel` has room for [`PANEL`] elements, `block` for
    /// [`BLOCK`] or none.
    #[inline(always)]
    unsafe fn run<L: Lanes<T>, const ROWS: usize>(&mut self) {
        assert!(self.panel.len() >= PANEL && L::WIDTH <= MAX_WIDTH);
        assert!(self.block.is_empty() || self.block.len() >= BLOCK);
        let blocks = self.depth.div_ceil(DEPTH).max(1);
        let depth = self.depth.div_ceil(blocks);
        let at_once = ROWS_AT_ONCE / ROWS * ROWS;
        for start in self.rows.clone().step_by(at_once) {
            let rows = start..self.rows.end.min(start + at_once);
            for block in 0..blocks {
                let depth = block * depth..self.depth.min((block + 1) * depth);
                // SAFETY: the caller's promise.
                let lines = unsafe { self.lines::<L, ROWS>(&rows, &depth) };
                let mut first = self.columns.start;
                while first < self.columns.end {
                    let rest = self.columns.end - first;
                    let depth = depth.clone();
                    // SAFETY: the caller's promise; the columns lie in the piece.
                    unsafe {
                        if rest > L::WIDTH {
                            let used = rest.min(VECTORS * L::WIDTH);
                            let step = Step { first, used, depth };
                            self.panel::<L, ROWS, VECTORS>(&lines, &rows, &step);
                        } else {
                            let step = Step { first, used: rest, depth };
                            self.panel::<L, ROWS, 1>(&lines, &rows, &step);
                        }
                    }
                    first += VECTORS * L::WIDTH;
                }
            }
            if let Some(finish) = self.finish {
                for row in rows {
                    let (from, len) = (row * self.stride + self.columns.start, self.columns.len());
                    // SAFETY: the caller's promise.
                    finish(unsafe { std::slice::from_raw_parts_mut(self.out.add(from), len) });
                }
            }
        }
    }
}

impl<T: Float> Piece<'_, T> {
    /// Where a block of the first factor is to be read: where it lies, or in a copy, tile after
    /// tile, if there is room for one.
    ///
    /// # Safety
    /// That of `run`.
    #[inline(always)]
    unsafe fn lines<L: Lanes<T>, const ROWS: usize>(
        &mut self,
        rows: &Range<usize>,
        depth: &Range<usize>,
    ) -> Lines<T> {
        let Matrix { row, column, .. } = self.a;
        let first = self.a.pointer(rows.start, depth.start);
        if self.block.is_empty() {
            return Lines { first, tile: ROWS as isize * row, row, column };
        }
        let size = ROWS * depth.len();
        let tiles = self.block.chunks_exact_mut(size.max(1));
        for (tile, out) in rows.clone().step_by(ROWS).zip(tiles) {
            let count = ROWS.min(rows.end - tile);
            let from = self.a.pointer(tile, depth.start);
            // SAFETY: the caller's promise.
            unsafe {
                if row == 1 && count == ROWS {
                    for p in 0..depth.len() {
                        let line = from.offset(p as isize * column).cast::<[T; ROWS]>();
                        out.as_mut_ptr().add(p * ROWS).cast::<[T; ROWS]>().write(*line);
                    }
                } else {
                    pack::<T, L>(from, column, row, [depth.len(), count, ROWS], out);
                }
            }
        }
        let (tile, column) = (size as isize, ROWS as isize);
        Lines { first: self.block.as_ptr(), tile, row: 1, column }
    }

    /// Some columns of some rows.
    ///
    /// # Safety
    /// That of `run`.
    #[inline(always)]
    unsafe fn panel<L: Lanes<T>, const ROWS: usize, const N: usize>(
        &mut self,
        lines: &Lines<T>,
        rows: &Range<usize>,
        step: &Step,
    ) {
        let (from, deep) = (step.depth.start, step.depth.len());
        let width = N * L::WIDTH;
        let b = self.b.pointer(from, step.first);
        // SAFETY: the caller's promise; the assert of `run`.
        unsafe {
            if self.b.column == 1 && step.used == width {
                for p in 0..deep {
                    let from = b.offset(p as isize * self.b.row);
                    let to = self.panel.as_mut_ptr().add(p * width);
                    for j in 0..N {
                        L::store(to.add(j * L::WIDTH), L::load(from.add(j * L::WIDTH)));
                    }
                }
            } else {
                pack::<T, L>(b, self.b.row, self.b.column, [deep, step.used, width], self.panel);
            }
        }
        let mut start = [[T::ZERO; MAX_WIDTH]; N];
        if let Some(row) = self.begin {
            for (i, &x) in row[step.first..step.first + step.used].iter().enumerate() {
                start[i / L::WIDTH][i % L::WIDTH] = x;
            }
        }
        for (tile, row) in rows.clone().step_by(ROWS).enumerate() {
            let count = ROWS.min(rows.end - row);
            let mut a = [lines.first.wrapping_offset(tile as isize * lines.tile); ROWS];
            for (i, a) in a.iter_mut().enumerate() {
                // A tile that isn't full repeats its last row.
                *a = a.wrapping_offset(i.min(count - 1) as isize * lines.row);
            }
            let start = (from == 0).then_some(&start);
            let product = Tile { a, column: lines.column, panel: self.panel.as_ptr(), deep, start };
            // SAFETY: the caller's promise. A tile that isn't full works on a copy.
            unsafe {
                let out = self.out.add(row * self.stride + step.first);
                if count == ROWS && step.used == width {
                    product.run::<L>(out, self.stride);
                } else {
                    let mut copy = [[[T::ZERO; MAX_WIDTH]; N]; ROWS];
                    let to = copy.as_mut_ptr().cast::<T>();
                    for i in 0..count {
                        let (out, to) = (out.add(i * self.stride), to.add(i * N * MAX_WIDTH));
                        std::ptr::copy_nonoverlapping(out, to, step.used);
                    }
                    product.run::<L>(to, N * MAX_WIDTH);
                    for i in 0..count {
                        let (out, to) = (out.add(i * self.stride), to.add(i * N * MAX_WIDTH));
                        std::ptr::copy_nonoverlapping(to, out, step.used);
                    }
                }
            }
        }
    }
}

/// One tile: `out[i] = start + Σ_p a[i][p] · panel[p]`, or added to `out` without a start.
pub(in crate::kernels) struct Tile<'a, T, const ROWS: usize, const N: usize> {
    /// For each row, where its factors begin.
    pub(in crate::kernels) a: [*const T; ROWS],
    /// Distance between a row's factors.
    pub(in crate::kernels) column: isize,
    /// `deep` rows of `N` vectors.
    pub(in crate::kernels) panel: *const T,
    pub(in crate::kernels) deep: usize,
    pub(in crate::kernels) start: Option<&'a [[T; MAX_WIDTH]; N]>,
}

impl<T, const ROWS: usize, const N: usize> Tile<'_, T, ROWS, N> {
    /// # Safety
    /// Each pointer of `a` can be read `deep` times, `panel` is as long as it says, and rows of
    /// `N` vectors, `stride` elements apart, can be written from `out` on.
    #[inline(always)]
    #[allow(clippy::needless_range_loop)] // Constant bounds are what is unrolled into registers.
    pub(in crate::kernels) unsafe fn run<L: Lanes<T>>(&self, out: *mut T, stride: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let mut sums = [[L::zero(); N]; ROWS];
            for i in 0..ROWS {
                for j in 0..N {
                    sums[i][j] = match self.start {
                        Some(start) => L::load(start[j].as_ptr()),
                        None => L::load(out.add(i * stride + j * L::WIDTH)),
                    };
                }
            }
            let (a, mut panel, mut at) = (self.a, self.panel, 0);
            for _ in 0..self.deep {
                let mut b = [L::zero(); N];
                for j in 0..N {
                    b[j] = L::load(panel.add(j * L::WIDTH));
                }
                panel = panel.add(N * L::WIDTH);
                for i in 0..ROWS {
                    let x = L::splat(a[i].offset(at));
                    for j in 0..N {
                        sums[i][j] = L::multiply_add(x, b[j], sums[i][j]);
                    }
                }
                at += self.column;
            }
            for i in 0..ROWS {
                for j in 0..N {
                    L::store(out.add(i * stride + j * L::WIDTH), sums[i][j]);
                }
            }
        }
    }
}

/// Elements that are copied at once.
const RUN: usize = 4;

/// Copies `deep` rows of `used` elements into rows of `width`, filled up with zeros.
///
/// # Safety
/// Every element of the rows can be read.
#[inline(always)]
unsafe fn pack<T: Float, L: Lanes<T>>(
    b: *const T,
    row: isize,
    column: isize,
    [deep, used, width]: [usize; 3],
    out: &mut [T],
) {
    let out = &mut out[..deep * width];
    let at = |p: usize, j: usize| b.wrapping_offset(p as isize * row + j as isize * column);
    if used < width {
        out.fill(T::ZERO);
    }
    let fours = |n: usize| n / RUN * RUN;
    let whole = match (row, column) {
        (_, 1) => [deep, fours(used)],
        (1, _) => [fours(deep), fours(used)],
        _ => [0, 0],
    };
    let to = out.as_mut_ptr();
    if column == 1 {
        for p in 0..deep {
            for j in (0..whole[1]).step_by(RUN) {
                // SAFETY: the caller's promise; the panel has so many rows and columns.
                unsafe { to.add(p * width + j).cast::<[T; RUN]>().write(*at(p, j).cast()) };
            }
        }
    } else {
        for j in (0..whole[1]).step_by(RUN) {
            for p in (0..whole[0]).step_by(RUN) {
                let from = [at(p, j), at(p, j + 1), at(p, j + 2), at(p, j + 3)];
                // SAFETY: as above.
                unsafe { L::turn(from, to.add(p * width + j), width) };
            }
        }
    }
    for p in 0..deep {
        let from = if p < whole[0] { whole[1] } else { 0 };
        for j in from..used {
            // SAFETY: the caller's promise.
            out[p * width + j] = unsafe { *at(p, j) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::lanes::Vectors;
    use crate::kernels::simd::Level;

    /// More rows than are copied at once, as deep as a copy can be.
    #[test]
    fn a_copy_of_the_first_factor_holds_whole_tiles_at_every_level() {
        let [m, n, depth] = if cfg!(miri) { [20, 5, 9] } else { [ROWS_AT_ONCE + 9, 5, DEPTH] };
        let values: Vec<f32> = (0..m * depth).map(|i| (i as f32 * 0.7).sin()).collect();
        let factor = |row, column| Matrix { values: &values, offset: 0, row, column };
        let (a, b) = (factor(1, m as isize), factor(n as isize, 1));
        for level in Level::all() {
            let run = |block: &mut [f32]| {
                let (mut panel, mut out) = (vec![0.0; PANEL], vec![f32::NAN; m * n]);
                let mut piece = Piece {
                    a,
                    b,
                    depth,
                    rows: 0..m,
                    columns: 0..n,
                    out: out.as_mut_ptr(),
                    stride: n,
                    begin: None,
                    finish: None,
                    panel: &mut panel,
                    block,
                };
                // SAFETY: both factors and the output are as large as the piece says.
                unsafe { f32::dispatch(level, &mut piece) };
                out
            };
            let (lying, copied) = (run(&mut []), run(&mut vec![f32::NAN; BLOCK]));
            assert!(lying.iter().all(|y| y.is_finite()), "{level:?}");
            assert!(lying == copied, "{level:?}");
        }
    }
}
