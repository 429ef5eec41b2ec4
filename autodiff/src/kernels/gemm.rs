//! Matrix products.
//!
//! Large ones go to crates that choose their micro-kernels at run time: float32 to `gemm-f32`,
//! which has AVX-512, float64 to `matrixmultiply`. Neither splits the inner axis between threads,
//! so the bits don't depend on their number.
//! Small ones, where packing and dispatch would cost more than the product, run as plain loops.

use gemm_common::Parallelism;

use super::parallel;
use super::simd::vectorized;
use crate::dtype::{DType, Element};
use crate::storage::Buffer;

/// A matrix in a slice: where it begins and how far rows and columns lie apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix<'a, T> {
    pub(crate) values: &'a [T],
    pub(crate) offset: usize,
    pub(crate) row: isize,
    pub(crate) column: isize,
}

impl<T: Copy> Matrix<'_, T> {
    #[inline(always)]
    fn at(&self, i: usize, j: usize) -> T {
        self.values
            [(self.offset as isize + i as isize * self.row + j as isize * self.column) as usize]
    }

    /// Whether every element of an `rows × columns` matrix lies inside the slice.
    fn holds(&self, rows: usize, columns: usize) -> bool {
        if rows == 0 || columns == 0 {
            return true;
        }
        let (r, c) = ((rows - 1) as isize * self.row, (columns - 1) as isize * self.column);
        let (low, high) = (r.min(0) + c.min(0), r.max(0) + c.max(0));
        self.offset as isize + low >= 0 && self.offset as isize + high < self.values.len() as isize
    }
}

/// Element types that have matrix products.
pub(crate) trait Gemm: Element {
    /// `out = a · b`, or `out += a · b`; `a` is `(m, k)`, `b` is `(k, n)`, `out` row-major
    /// `(m, n)`.
    fn gemm(
        size: [usize; 3],
        a: Matrix<'_, Self>,
        b: Matrix<'_, Self>,
        out: &mut [Self],
        accumulate: bool,
    );
}

/// Multiply-adds under which plain loops win. They add the products in the order of the inner
/// axis whatever the layouts, so that layouts don't change bits.
const SMALL: usize = 4096;
/// Multiply-adds from which a second thread pays.
const PARALLEL: usize = 1 << 20;

macro_rules! small {
    ($name:ident, $type:ty) => {
        vectorized! {
            fn $name(
                size: [usize; 3],
                a: Matrix<'_, $type>,
                b: Matrix<'_, $type>,
                out: &mut [$type],
                accumulate: bool,
            ) {
                let [m, n, k] = size;
                for (i, row) in out.chunks_exact_mut(n).enumerate().take(m) {
                    if !accumulate {
                        row.fill(0.0);
                    }
                    if b.column == 1 && n > 1 {
                        for p in 0..k {
                            let x = a.at(i, p);
                            let start = (b.offset as isize + p as isize * b.row) as usize;
                            let b_row = &b.values[start..start + n];
                            row.iter_mut().zip(b_row).for_each(|(y, &b)| *y += x * b);
                        }
                    } else if b.row == 1 && a.column == 1 {
                        // Both walk side by side along the inner axis; four sums at a time
                        // don't wait for each other.
                        let start = (a.offset as isize + i as isize * a.row) as usize;
                        let a_row = &a.values[start..start + k];
                        let column = |j: usize| {
                            let start = (b.offset as isize + j as isize * b.column) as usize;
                            &b.values[start..start + k]
                        };
                        let (fours, rest) = row.as_chunks_mut::<4>();
                        for (j, y) in fours.iter_mut().enumerate() {
                            let columns: [_; 4] = std::array::from_fn(|t| column(4 * j + t));
                            for (p, x) in a_row.iter().enumerate() {
                                for t in 0..4 {
                                    y[t] += x * columns[t][p];
                                }
                            }
                        }
                        let first = 4 * fours.len();
                        for (j, y) in rest.iter_mut().enumerate() {
                            let pairs = a_row.iter().zip(column(first + j));
                            *y = pairs.fold(*y, |y, (a, b)| y + a * b);
                        }
                    } else {
                        for (j, y) in row.iter_mut().enumerate() {
                            *y = (0..k).fold(*y, |y, p| y + a.at(i, p) * b.at(p, j));
                        }
                    }
                }
            }
        }
    };
}
small!(small_f32, f32);
small!(small_f64, f64);

/// The product of two non-empty factors that lie inside their slices.
type Large<T> = fn([usize; 3], Matrix<'_, T>, Matrix<'_, T>, &mut [T], bool);

#[inline]
fn product<T: Element>(
    [m, n, k]: [usize; 3],
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    out: &mut [T],
    accumulate: bool,
    [small, large]: [Large<T>; 2],
) {
    assert!(out.len() >= m * n, "the output holds the product");
    if m * n == 0 {
        return;
    }
    if m * n * k <= SMALL {
        return small([m, n, k], a, b, out, accumulate);
    }
    assert!(a.holds(m, k) && b.holds(k, n), "factors lie inside their slices");
    large([m, n, k], a, b, out, accumulate);
}

/// Rows that lie a multiple of so many elements apart, 1 KiB, are slow to update: two thirds of
/// the speed or less, measured with AVX-512. Such a product is made in longer rows, then moved.
const SLOW_STRIDE: usize = 256;

fn large_f32(
    [m, n, k]: [usize; 3],
    a: Matrix<'_, f32>,
    b: Matrix<'_, f32>,
    out: &mut [f32],
    accumulate: bool,
) {
    if !n.is_multiple_of(SLOW_STRIDE) || m == 1 {
        return rows_f32([m, n, k], a, b, out, n, accumulate);
    }
    let stride = n + 16;
    let mut buffer = Buffer::scratch(DType::F32, m * stride);
    let padded = buffer.slice_mut::<f32>().expect("a new buffer has one owner");
    rows_f32([m, n, k], a, b, padded, stride, false);
    parallel::chunks_mut(&mut out[..m * n], n, 2, |first, out| {
        for (row, padded) in out.chunks_exact_mut(n).zip(padded[first * stride..].chunks(stride)) {
            if accumulate {
                row.iter_mut().zip(padded).for_each(|(y, x)| *y += x);
            } else {
                row.copy_from_slice(&padded[..n]);
            }
        }
    });
}

/// As [`Gemm::gemm`], into rows that begin `stride` elements apart.
#[allow(unsafe_code)]
fn rows_f32(
    [m, n, k]: [usize; 3],
    a: Matrix<'_, f32>,
    b: Matrix<'_, f32>,
    out: &mut [f32],
    stride: usize,
    accumulate: bool,
) {
    assert!(n <= stride && out.len() >= (m - 1) * stride + n, "the output holds the rows");
    let run = |threads: Parallelism, out: &mut [f32]| {
        // SAFETY: `product` has seen that the factors lie inside their slices, the assert that
        // the rows do, and `out` is borrowed mutably, so it overlaps neither factor.
        unsafe {
            gemm_f32::gemm::f32::get_gemm_fn()(
                m,
                n,
                k,
                out.as_mut_ptr(),
                1,
                stride as isize,
                accumulate,
                a.values.as_ptr().add(a.offset),
                a.column,
                a.row,
                b.values.as_ptr().add(b.offset),
                b.column,
                b.row,
                1.0,
                1.0,
                false,
                false,
                false,
                threads,
            );
        }
    };
    let threads = parallel::threads();
    if threads == 1 || m * n * k < PARALLEL {
        run(Parallelism::None, out);
    } else {
        parallel::with_pool(|| run(Parallelism::Rayon(threads), out));
    }
}

/// Rows are shared among threads: how a row is summed doesn't depend on the others.
#[allow(unsafe_code)]
fn large_f64(
    [m, n, k]: [usize; 3],
    a: Matrix<'_, f64>,
    b: Matrix<'_, f64>,
    out: &mut [f64],
    accumulate: bool,
) {
    parallel::chunks_mut(&mut out[..m * n], n, k.div_ceil(16).max(1), |first, out| {
        let start = a.offset as isize + first as isize * a.row;
        let beta = if accumulate { 1.0 } else { 0.0 };
        // SAFETY: as in `rows_f32`, for the rows from `first` on, which `out` holds.
        unsafe {
            matrixmultiply::dgemm(
                out.len() / n,
                k,
                n,
                1.0,
                a.values.as_ptr().offset(start),
                a.row,
                a.column,
                b.values.as_ptr().add(b.offset),
                b.row,
                b.column,
                beta,
                out.as_mut_ptr(),
                n as isize,
                1,
            );
        }
    });
}

macro_rules! gemm {
    ($type:ty, $small:ident, $large:ident) => {
        impl Gemm for $type {
            #[inline]
            fn gemm(
                size: [usize; 3],
                a: Matrix<'_, $type>,
                b: Matrix<'_, $type>,
                out: &mut [$type],
                accumulate: bool,
            ) {
                product(size, a, b, out, accumulate, [$small, $large]);
            }
        }
    };
}
gemm!(f32, small_f32, large_f32);
gemm!(f64, small_f64, large_f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_products_of_every_layout_agree_with_plain_loops() {
        let values: Vec<f64> = (0..4000).map(|i| (f64::from(i) * 0.7).sin()).collect();
        for [m, n, k] in [[4, 10, 2], [4, 1, 10], [1, 7, 33], [5, 3, 20], [3, 4, 0], [30, 17, 40]] {
            let layouts = |rows: usize, columns: usize| {
                let (r, c) = (rows as isize, columns as isize);
                let matrix = |row, column, offset| Matrix { values: &values, offset, row, column };
                [matrix(c, 1, 3), matrix(1, r, 0), matrix(2 * c, 2, 1), matrix(-c, -1, 3900)]
            };
            for a in layouts(m, k) {
                for b in layouts(k, n) {
                    for accumulate in [false, true] {
                        let mut out = vec![1.0; m * n];
                        f64::gemm([m, n, k], a, b, &mut out, accumulate);
                        for (at, y) in out.iter().enumerate() {
                            let (i, j) = (at / n, at % n);
                            let sum: f64 = (0..k).map(|p| a.at(i, p) * b.at(p, j)).sum();
                            let exact = if accumulate { sum + 1.0 } else { sum };
                            assert!((y - exact).abs() <= 1e-12, "{m} {n} {k}: {y} {exact}");
                        }
                    }
                }
            }
        }
    }
}
