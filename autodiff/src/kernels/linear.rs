//! The parts of a dense layer around its matrix product.

#![allow(unsafe_code)]

use super::float::Float;
use super::parallel::{self, Start};
use super::reduce::sum_made_rows;
use super::simd::vectorized;

vectorized! {
    /// `f` of every element, in its place.
    pub(crate) fn map_in_place[T: Float, F: Fn(T) -> T + Copy](values: &mut [T], f: F) {
        for v in values {
            *v = f(*v);
        }
    }
}

vectorized! {
    fn map_pairs[T: Float, F: Fn(T, T) -> T + Copy](y: &[T], g: &[T], out: &mut [T], f: F) {
        let (y, g) = (&y[..out.len()], &g[..out.len()]);
        for i in 0..out.len() {
            out[i] = f(y[i], g[i]);
        }
    }
}

/// `f` of every pair of elements.
#[inline]
pub(crate) fn slope<T: Float>(
    y: &[T],
    g: &[T],
    out: &mut [T],
    cost: usize,
    f: impl Fn(T, T) -> T + Copy + Sync + Send,
) {
    parallel::chunks_mut(out, 1, cost, |first, out| {
        let range = first..first + out.len();
        map_pairs(&y[range.clone()], &g[range], out, f);
    });
}

/// As [`slope`], and the sums of all rows, each as long as `sums`, while they are in a cache.
pub(crate) fn slope_and_sums<T: Float>(
    y: &[T],
    g: &[T],
    out: &mut [T],
    sums: &mut [T],
    f: impl Fn(T, T) -> T + Copy + Sync + Send,
) {
    let (len, start) = (out.len(), Start::of(out));
    let make = |range: std::ops::Range<usize>| {
        // SAFETY: pieces of `out`, each made once.
        let out = unsafe { start.part(range.start, range.len()) };
        map_pairs(&y[range.clone()], &g[range], out, f);
        &*out
    };
    sum_made_rows(len, &make, sums);
}
