//! Elements by position: reading them, and adding to them.
//!
//! Tensors are seen as `(outer, n, inner)` around the axis of the positions. What is added to
//! one place is added in row-major order of the positions, whatever the number of threads.

use super::parallel;
use crate::dtype::Element;

/// `out[o, k, :] = x[o, indices[k], :]`, where `x` has `n` rows of `inner` elements.
pub(crate) fn take<T: Element>(x: &[T], indices: &[usize], n: usize, inner: usize, out: &mut [T]) {
    if out.is_empty() {
        return;
    }
    let count = indices.len();
    parallel::chunks_mut(out, inner, 2, |first, chunk| {
        for (i, row) in chunk.chunks_exact_mut(inner).enumerate() {
            let (o, k) = ((first + i) / count, (first + i) % count);
            let start = (o * n + indices[k]) * inner;
            match row {
                [element] => *element = x[start],
                row => row.copy_from_slice(&x[start..start + inner]),
            }
        }
    });
}

/// Rows under which threads would spend their time looking for their own.
const LONG_ROW: usize = 16;

/// `out[o, indices[k], :] = Σ updates[o, k, :]`, where `out` has `n` rows of `inner` elements;
/// 0 where no index points. A thread adds what falls on its own rows.
pub(crate) fn scatter_add<T: Element>(
    updates: &[T],
    indices: &[usize],
    n: usize,
    inner: usize,
    out: &mut [T],
    add: impl Fn(T, T) -> T + Copy + Sync + Send,
) {
    if updates.is_empty() || out.is_empty() {
        return out.fill(T::default());
    }
    let block = indices.len() * inner;
    let one = |updates: &[T], first: usize, out: &mut [T]| {
        out.fill(T::default());
        let rows = first..first + out.len() / inner;
        for (at, update) in indices.iter().zip(updates.chunks_exact(inner)) {
            if rows.contains(at) {
                let row = &mut out[(at - first) * inner..][..inner];
                row.iter_mut().zip(update).for_each(|(y, &x)| *y = add(*y, x));
            }
        }
    };
    for (out, updates) in out.chunks_exact_mut(n * inner).zip(updates.chunks_exact(block)) {
        let unit = if inner < LONG_ROW { n * inner } else { inner };
        parallel::chunks_mut(out, unit, 1, |first, out| one(updates, first * unit / inner, out));
    }
}

/// `out[o, k, i] = x[o, indices[o, k, i], i]`, where `x` has `n` and `out` `count` rows.
pub(crate) fn take_along<T: Element>(
    x: &[T],
    indices: &[usize],
    [n, count, inner]: [usize; 3],
    out: &mut [T],
) {
    for (at, (y, &index)) in out.iter_mut().zip(indices).enumerate() {
        let (o, i) = (at / (count * inner), at % inner);
        *y = x[(o * n + index) * inner + i];
    }
}

/// `out[o, indices[o, k, i], i] += updates[o, k, i]`, where `out` has `n` rows and `updates`
/// `count`.
pub(crate) fn scatter_add_along<T: Element>(
    updates: &[T],
    indices: &[usize],
    [n, count, inner]: [usize; 3],
    out: &mut [T],
    add: impl Fn(T, T) -> T + Copy,
) {
    for (at, (&x, &index)) in updates.iter().zip(indices).enumerate() {
        let (o, i) = (at / (count * inner), at % inner);
        let y = &mut out[(o * n + index) * inner + i];
        *y = add(*y, x);
    }
}
