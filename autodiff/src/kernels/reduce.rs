//! Folding a tensor over some of its axes.
//!
//! Partial results are made over pieces whose size depends on shapes alone, and are combined in
//! order: the same bits on any number of threads, and rounding errors that grow with the
//! logarithm of the length rather than the length.

use std::ops::Range;

use smallvec::SmallVec;

use super::copy;
use super::float::{self, Float};
use super::parallel;
use super::simd::vectorized;
use crate::dtype::Element;
use crate::shape::{MAX_RANK, Shape};
use crate::tensor::Tensor;

/// Elements folded into one partial result.
const PIECE: usize = 4096;
const LANES: usize = 16;

vectorized! {
    /// A fold of one piece: sixteen running results, so that the loop vectorises, then one.
    fn fold_piece[T: Element, F: Fn(T, T) -> T + Copy](values: &[T], start: T, f: F) -> T {
        let (body, tail) = values.as_chunks::<LANES>();
        let mut lanes = [start; LANES];
        for block in body {
            for i in 0..LANES {
                lanes[i] = f(lanes[i], block[i]);
            }
        }
        let mut width = LANES;
        while width > 1 {
            width /= 2;
            for i in 0..width {
                lanes[i] = f(lanes[i], lanes[i + width]);
            }
        }
        tail.iter().fold(lanes[0], |y, &x| f(y, x))
    }
}

vectorized! {
    /// Folds `rows` of `out.len()` elements each into `out`.
    fn fold_rows[T: Element, F: Fn(T, T) -> T + Copy](rows: &[T], out: &mut [T], f: F) {
        for row in rows.chunks_exact(out.len()) {
            out.iter_mut().zip(row).for_each(|(y, &x)| *y = f(*y, x));
        }
    }
}

fn fold_all<T: Element>(values: &[T], start: T, f: impl Fn(T, T) -> T + Copy + Sync + Send) -> T {
    if values.len() <= PIECE {
        return fold_piece(values, start, f);
    }
    let mut partial = vec![start; values.len().div_ceil(PIECE)];
    parallel::chunks_mut(&mut partial, 1, PIECE, |first, partial| {
        for (i, y) in partial.iter_mut().enumerate() {
            let at = (first + i) * PIECE;
            *y = fold_piece(&values[at..values.len().min(at + PIECE)], start, f);
        }
    });
    fold_all_partial(&partial, start, f)
}

vectorized! {
    fn fold_pairs[T: Float, F: Fn(T, T) -> T + Copy](a: &[T], b: &[T], f: F) -> T {
        float::total_pairs(a, b, f)
    }
}

/// Sum of `f` over the pairs of two slices of one length.
pub(crate) fn sum_pairs<T: Float>(
    a: &[T],
    b: &[T],
    f: impl Fn(T, T) -> T + Copy + Sync + Send,
) -> T {
    if a.len() <= PIECE {
        return fold_pairs(a, b, f);
    }
    let mut partial = vec![T::ZERO; a.len().div_ceil(PIECE)];
    parallel::chunks_mut(&mut partial, 1, PIECE, |first, partial| {
        for (i, y) in partial.iter_mut().enumerate() {
            let range = (first + i) * PIECE..a.len().min((first + i + 1) * PIECE);
            *y = fold_pairs(&a[range.clone()], &b[range], f);
        }
    });
    fold_all_partial(&partial, T::ZERO, |a, b| a + b)
}

fn fold_all_partial<T: Element>(partial: &[T], start: T, f: impl Fn(T, T) -> T + Copy) -> T {
    partial.chunks(PIECE).fold(start, |y, piece| f(y, fold_piece(piece, start, f)))
}

/// Folds `(middle, inner)`, of `len` elements, over its first axis into `out`; `values` gives a
/// piece of them.
fn fold_columns<'a, T: Element>(
    len: usize,
    values: &(dyn Fn(Range<usize>) -> &'a [T] + Sync),
    out: &mut [T],
    start: T,
    f: impl Fn(T, T) -> T + Copy + Sync + Send,
) {
    let inner = out.len();
    out.fill(start);
    let piece = (16 * PIECE / inner).max(1) * inner;
    if len <= piece {
        return fold_rows(values(0..len), out, f);
    }
    let mut partial = vec![start; len.div_ceil(piece) * inner];
    parallel::chunks_mut(&mut partial, inner, piece / inner, |first, partial| {
        for (i, y) in partial.chunks_exact_mut(inner).enumerate() {
            let at = (first + i) * piece;
            fold_rows(values(at..len.min(at + piece)), y, f);
        }
    });
    fold_rows(&partial, out, f);
}

vectorized! {
    /// Whether no element is NaN or infinite, on this thread: `x * 0` is NaN for those, and zero
    /// otherwise.
    pub(crate) fn run_is_finite[T: Float](values: &[T]) -> bool {
        values.iter().fold(true, |finite, &x| finite & (x * T::ZERO == T::ZERO))
    }
}

/// Whether no element is NaN or infinite.
pub(crate) fn all_finite<T: Float>(values: &[T]) -> bool {
    if values.len() <= PIECE {
        return run_is_finite(values);
    }
    let mut finite = vec![true; values.len().div_ceil(PIECE)];
    parallel::chunks_mut(&mut finite, 1, PIECE, |first, finite| {
        for (i, finite) in finite.iter_mut().enumerate() {
            let at = (first + i) * PIECE;
            *finite = run_is_finite(&values[at..values.len().min(at + PIECE)]);
        }
    });
    finite.into_iter().all(|finite| finite)
}

/// Sums `(rows, out.len())` over the rows.
pub(crate) fn sum_rows<T: Float>(values: &[T], out: &mut [T]) {
    sum_made_rows(values.len(), &|range| &values[range], out);
}

/// As [`sum_rows`], of `len` elements that `make` makes a piece of at a time, each once.
pub(crate) fn sum_made_rows<'a, T: Float>(
    len: usize,
    make: &(dyn Fn(Range<usize>) -> &'a [T] + Sync),
    out: &mut [T],
) {
    if !out.is_empty() {
        fold_columns(len, make, out, T::ZERO, |a, b| a + b);
    }
}

/// A tensor seen as `(outer, middle, inner)` with the middle to be folded away.
pub(crate) struct Folded {
    /// Contiguous.
    pub(crate) x: Tensor,
    pub(crate) outer: usize,
    pub(crate) middle: usize,
    pub(crate) inner: usize,
}

/// Arranges `x` so that the axes marked in `reduced` are one block; copies only if they
/// aren't already.
pub(crate) fn arrange<T: Element>(x: &Tensor, reduced: &[bool]) -> Folded {
    let size = |axes: &mut dyn Iterator<Item = usize>| axes.map(|a| x.dims()[a]).product();
    let real: SmallVec<[usize; MAX_RANK]> = (0..x.rank()).filter(|&a| x.dims()[a] != 1).collect();
    let first = real.iter().position(|&a| reduced[a]).unwrap_or(real.len());
    let last = real.iter().rposition(|&a| reduced[a]).map_or(first, |i| i + 1);
    if real[first..last].iter().all(|&a| reduced[a]) {
        let part = |range: std::ops::Range<usize>| size(&mut real[range].iter().copied());
        let (outer, middle, inner) = (part(0..first), part(first..last), part(last..real.len()));
        return Folded { x: x.packed().into_owned(), outer, middle, inner };
    }
    let kept = (0..x.rank()).filter(|&a| !reduced[a]);
    let order: Vec<usize> = kept.chain((0..x.rank()).filter(|&a| reduced[a])).collect();
    let dims: Vec<usize> = order.iter().map(|&a| x.dims()[a]).collect();
    let steps: Vec<isize> = order.iter().map(|&a| x.strides()[a]).collect();
    let moved = x.view(Shape::of(&dims), crate::shape::Strides::of(&steps), x.offset);
    let middle = size(&mut (0..x.rank()).filter(|&a| reduced[a]));
    let outer = size(&mut (0..x.rank()).filter(|&a| !reduced[a]));
    Folded { x: copy::packed::<T>(&moved), outer, middle, inner: 1 }
}

/// Folds `x` over the axes marked in `reduced`, from `start`, into the shape `out`.
pub(crate) fn reduce<T: Element>(
    x: &Tensor,
    reduced: &[bool],
    out: &Shape,
    start: T,
    f: impl Fn(T, T) -> T + Copy + Sync + Send,
) -> Tensor {
    let Folded { x, outer, middle, inner } = arrange::<T>(x, reduced);
    let values = x.contiguous_slice::<T>().expect("`arrange` packs");
    debug_assert_eq!(outer * inner, out.size());
    Tensor::build(*out, |y: &mut [T]| {
        if y.is_empty() {
        } else if middle == 0 {
            y.fill(start);
        } else if outer == 1 && inner == 1 {
            y[0] = fold_all(values, start, f);
        } else if outer == 1 {
            fold_columns(values.len(), &|range| &values[range], y, start, f);
        } else {
            parallel::chunks_mut(y, inner, middle, |first, y| {
                for (i, y) in y.chunks_exact_mut(inner).enumerate() {
                    let at = (first + i) * middle * inner;
                    let part = &values[at..at + middle * inner];
                    if inner == 1 {
                        y[0] = part
                            .chunks(PIECE)
                            .fold(start, |y, piece| f(y, fold_piece(piece, start, f)));
                    } else {
                        y.fill(start);
                        fold_rows(part, y, f);
                    }
                }
            });
        }
    })
}
