//! A row times a matrix: sums that stay in registers while the matrix is read once, where it lies.
//! To copy it would double what is read, which is what takes the time.

#![allow(unsafe_code)]

use std::ops::Range;

use super::{Finish, Matrix};
use crate::kernels::float::Float;
use crate::kernels::lanes::{Lanes, MAX_WIDTH, Task};

/// Some columns of `finish(begin + a · b)`, where `a` is a row, and rows of `b` are runs.
pub(super) struct Row<'a, T> {
    pub(super) a: Matrix<'a, T>,
    pub(super) b: Matrix<'a, T>,
    pub(super) depth: usize,
    pub(super) columns: Range<usize>,
    pub(super) out: &'a mut [T],
    pub(super) begin: Option<&'a [T]>,
    pub(super) finish: Finish<'a, T>,
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
        if let Some(finish) = self.finish {
            finish(self.out);
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
        let (width, depth) = (N * L::WIDTH, self.depth);
        let used = width.min(self.columns.len() - first);
        let column = self.columns.start + first;
        let mut copy = [[T::ZERO; MAX_WIDTH]; N];
        if let Some(begin) = self.begin {
            for j in 0..used {
                copy[j / L::WIDTH][j % L::WIDTH] = begin[column + j];
            }
        }
        let whole = if used == width { depth } else { self.readable(column, width) };
        // SAFETY: whole vectors are read where they lie inside the matrix, and otherwise from a
        // copy of what is used of them.
        unsafe {
            let mut sums = [L::zero(); N];
            for j in 0..N {
                sums[j] = L::load(copy[j].as_ptr());
            }
            for p in 0..whole {
                let (x, b) = (L::splat(self.a.pointer(0, p)), self.b.pointer(p, column));
                for j in 0..N {
                    sums[j] = L::multiply_add(x, L::load(b.add(j * L::WIDTH)), sums[j]);
                }
            }
            // A row that isn't whole is that of one vector.
            let mut last = [T::ZERO; MAX_WIDTH];
            for p in whole..depth {
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
            return if self.depth > 0 && inside(0) { self.depth } else { 0 };
        }
        let mut rows = self.depth;
        while rows > 0 && !inside(rows - 1) {
            rows -= 1;
        }
        rows
    }
}
