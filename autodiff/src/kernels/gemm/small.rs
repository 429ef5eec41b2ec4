//! Small products: plain loops, without a copy of a factor.

#![allow(unsafe_code)]

use super::{Finish, Matrix};
use crate::kernels::float::Float;
use crate::kernels::lanes::{Lanes, MAX_WIDTH, Task, Vectors};
use crate::kernels::simd::Level;

/// A product.
pub(super) struct Small<'a, T> {
    pub(super) a: Matrix<'a, T>,
    pub(super) b: Matrix<'a, T>,
    pub(super) depth: usize,
    pub(super) columns: usize,
    pub(super) out: &'a mut [T],
    pub(super) begin: Option<&'a [T]>,
    pub(super) finish: Finish<'a, T>,
}

impl<T: Vectors> Small<'_, T> {
    /// # Safety
    /// Both factors hold their parts of the product.
    #[inline]
    pub(super) unsafe fn run(mut self, level: Level) {
        // SAFETY: the caller's promise.
        unsafe { T::dispatch(level, &mut self) };
    }
}

impl<T: Vectors> Task<T> for Small<'_, T> {
    /// # Safety
    /// Both factors hold their parts of the product.
    #[inline(always)]
    unsafe fn run<L: Lanes<T>, const ROWS: usize>(&mut self) {
        let Small { a, b, depth, columns: n, ref mut out, begin, finish } = *self;
        for (i, row) in out.chunks_exact_mut(n).enumerate() {
            match begin {
                None => row.fill(T::ZERO),
                Some(start) => row.copy_from_slice(start),
            }
            if b.column == 1 && n > 1 {
                if n < MAX_WIDTH {
                    // SAFETY: the caller's promise.
                    unsafe { short_row::<T, L>(depth, i, a, b, row) };
                    continue;
                }
                for p in 0..depth {
                    // SAFETY: the caller's promise.
                    let (x, b) = unsafe {
                        let b_row = std::slice::from_raw_parts(b.pointer(p, 0), n);
                        (*a.pointer(i, p), b_row)
                    };
                    row.iter_mut().zip(b).for_each(|(y, &b)| *y = L::fused(x, b, *y));
                }
            } else if b.row == 1 && a.column == 1 {
                // Both walk side by side along the inner axis; four sums at a time don't wait
                // for each other.
                let start = a.position(i, 0) as usize;
                let a_row = &a.values[start..start + depth];
                let column = |j: usize| {
                    let start = b.position(0, j) as usize;
                    &b.values[start..start + depth]
                };
                let (fours, rest) = row.as_chunks_mut::<4>();
                for (j, y) in fours.iter_mut().enumerate() {
                    let columns: [_; 4] = std::array::from_fn(|t| column(4 * j + t));
                    for (p, &x) in a_row.iter().enumerate() {
                        for t in 0..4 {
                            y[t] = L::fused(x, columns[t][p], y[t]);
                        }
                    }
                }
                let first = 4 * fours.len();
                for (j, y) in rest.iter_mut().enumerate() {
                    let pairs = a_row.iter().zip(column(first + j));
                    *y = pairs.fold(*y, |y, (&a, &b)| L::fused(a, b, y));
                }
            } else {
                for (j, y) in row.iter_mut().enumerate() {
                    for p in 0..depth {
                        // SAFETY: the caller's promise.
                        let (x, b) = unsafe { (*a.pointer(i, p), *b.pointer(p, j)) };
                        *y = L::fused(x, b, *y);
                    }
                }
            }
        }
        if let Some(finish) = finish {
            finish(out);
        }
    }
}

/// A row whose sums fit registers.
///
/// # Safety
/// Both factors hold their parts of the product.
#[inline(always)]
unsafe fn short_row<T: Float, L: Lanes<T>>(
    depth: usize,
    i: usize,
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    row: &mut [T],
) {
    const RUN: usize = 4;
    let (fours, rest) = row.as_chunks_mut::<RUN>();
    for (at, y) in fours.iter_mut().enumerate() {
        let mut sums = *y;
        for p in 0..depth {
            // SAFETY: the caller's promise; an array has its element's alignment.
            let (x, b): (T, [T; RUN]) =
                unsafe { (*a.pointer(i, p), *b.pointer(p, at * RUN).cast()) };
            for t in 0..RUN {
                sums[t] = L::fused(x, b[t], sums[t]);
            }
        }
        *y = sums;
    }
    let first = fours.len() * RUN;
    for (at, y) in rest.iter_mut().enumerate() {
        for p in 0..depth {
            // SAFETY: the caller's promise.
            let (x, b) = unsafe { (*a.pointer(i, p), *b.pointer(p, first + at)) };
            *y = L::fused(x, b, *y);
        }
    }
}
