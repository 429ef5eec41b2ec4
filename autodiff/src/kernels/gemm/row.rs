//! A row times a matrix: sums that stay in registers while the matrix is read once, where it lies.
//! To copy it would double what is read, which is what takes the time.
//!
//! Where each thread's part of the matrix stays in its second cache from call to call, reading is
//! four times as fast. But columns of a matrix whose rows lie a power of two apart fall into a part
//! of that cache only, and push one another out: so threads change columns half way down.

#![allow(unsafe_code)]

use std::ops::Range;

use super::{Gemm, Matrix, Product};
use crate::kernels::float::Float;
use crate::kernels::lanes::{Lanes, MAX_WIDTH, Task};
use crate::kernels::parallel::{self, Start};
use crate::kernels::simd::Level;

/// Elements of the matrix from which threads change columns: fewer stay in the first caches.
const WORTH_A_CHANGE: usize = 128 * 1024;

/// The elements of a product of one row, of which rows of the second factor are runs.
pub(super) fn product<T: Gemm>(product: Product<'_, T>, level: Level, out: &mut [T]) {
    let Product { size: [_, n, k], a, b, begin, finish, .. } = product;
    let parts = if n * k <= parallel::WORTH_A_THREAD { 1 } else { parallel::threads() };
    let width = n.div_ceil(parts).next_multiple_of(MAX_WIDTH);
    let parts = n.div_ceil(width);
    let turns = if parts > 1 && n * k >= WORTH_A_CHANGE { 2 } else { 1 };
    let start = Start::of(out);
    for turn in 0..turns {
        let depth = k * turn / turns..k * (turn + 1) / turns;
        parallel::each(parts, &|i| {
            let first = (i + turn) % parts * width;
            let columns = first..n.min(first + width);
            // SAFETY: the parts of the output are handed out once in each turn.
            let out = unsafe { start.part(first, columns.len()) };
            if turn == 0 {
                match begin {
                    Some(row) => out.copy_from_slice(&row[columns.clone()]),
                    None => out.fill(T::ZERO),
                }
            }
            let mut row = Row { a, b, depth: depth.clone(), columns, out };
            // SAFETY: the product has seen that the factors lie inside their slices.
            unsafe { T::dispatch(level, &mut row) };
            if let (Some(finish), true) = (finish, turn + 1 == turns) {
                finish(row.out);
            }
        });
    }
}

/// Some columns of `out + a · b`, where `a` is a row, and rows of `b` are runs.
struct Row<'a, T> {
    a: Matrix<'a, T>,
    b: Matrix<'a, T>,
    depth: Range<usize>,
    columns: Range<usize>,
    out: &'a mut [T],
}

/// Vectors at a time, if there are so many columns: rows of memory are read in long runs, and
/// sums don't wait for one another.
const MANY: usize = 8;
const SOME: usize = 4;

impl<T: Float> Task<T> for Row<'_, T> {
    /// # Safety
    /// Both factors hold their parts of the product, and `out` has as many elements as there are
    /// columns.
    #[inline(always)]
    unsafe fn run<L: Lanes<T>, const ROWS: usize>(&mut self) {
        let mut first = 0;
        while first < self.columns.len() {
            let rest = self.columns.len() - first;
            // SAFETY: the caller's promise; these columns are there.
            first += unsafe {
                if rest >= MANY * L::WIDTH {
                    self.vectors::<L, MANY>(first)
                } else if rest >= SOME * L::WIDTH {
                    self.vectors::<L, SOME>(first)
                } else {
                    self.vectors::<L, 1>(first)
                }
            };
        }
    }
}

impl<T: Float> Row<'_, T> {
    /// `N` vectors of columns from number `first` on, or as many as are left for one; returns
    /// their number.
    ///
    /// # Safety
    /// That of `run`.
    #[inline(always)]
    #[allow(clippy::needless_range_loop)] // an iterator's constructor is a call
    unsafe fn vectors<L: Lanes<T>, const N: usize>(&mut self, first: usize) -> usize {
        let width = N * L::WIDTH;
        let used = width.min(self.columns.len() - first);
        let column = self.columns.start + first;
        let mut copy = [[T::ZERO; MAX_WIDTH]; N];
        for j in 0..used {
            copy[j / L::WIDTH][j % L::WIDTH] = self.out[first + j];
        }
        let Range { start, end } = self.depth;
        let whole = if used == width { end } else { self.readable(column, width) };
        // SAFETY: whole vectors are read where they lie inside the matrix, and otherwise from a
        // copy of what is used of them.
        unsafe {
            let mut sums = [L::zero(); N];
            for j in 0..N {
                sums[j] = L::load(copy[j].as_ptr());
            }
            for p in start..whole {
                let (x, b) = (L::splat(self.a.pointer(0, p)), self.b.pointer(p, column));
                for j in 0..N {
                    sums[j] = L::multiply_add(x, L::load(b.add(j * L::WIDTH)), sums[j]);
                }
            }
            // A row that isn't whole is that of one vector.
            let mut last = [T::ZERO; MAX_WIDTH];
            for p in whole.max(start)..end {
                let (x, b) = (L::splat(self.a.pointer(0, p)), self.b.pointer(p, column));
                for j in 0..used {
                    last[j] = *b.add(j);
                }
                sums[0] = L::multiply_add(x, L::load(last.as_ptr()), sums[0]);
            }
            for j in 0..N {
                L::store(copy[j].as_mut_ptr(), sums[j]);
            }
        }
        for j in 0..used {
            self.out[first + j] = copy[j / L::WIDTH][j % L::WIDTH];
        }
        used
    }

    /// From how many rows of `b`, the first ones, so many elements can be read, behind the row's
    /// end if need be.
    fn readable(&self, column: usize, count: usize) -> usize {
        let inside = |p: usize| self.b.position(p, column) as usize + count <= self.b.values.len();
        if self.b.row < 0 {
            return if inside(0) { self.depth.end } else { 0 };
        }
        let mut rows = self.depth.end;
        while rows > 0 && !inside(rows - 1) {
            rows -= 1;
        }
        rows
    }
}
