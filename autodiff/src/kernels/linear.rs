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
    /// `f` of every pair of elements, in the place of the second.
    fn map_pairs[T: Float, F: Fn(T, T) -> T + Copy](y: &[T], g: &mut [T], f: F) {
        let y = &y[..g.len()];
        for i in 0..g.len() {
            g[i] = f(y[i], g[i]);
        }
    }
}

/// `f` of every pair of elements, in the place of the second.
#[inline]
pub(crate) fn slope<T: Float>(
    y: &[T],
    g: &mut [T],
    cost: usize,
    f: impl Fn(T, T) -> T + Copy + Sync + Send,
) {
    parallel::chunks_mut(g, 1, cost, |first, g| map_pairs(&y[first..], g, f));
}

/// As [`slope`], and the sums of all rows, each as long as `sums`, while they are in a cache.
pub(crate) fn slope_and_sums<T: Float>(
    y: &[T],
    g: &mut [T],
    sums: &mut [T],
    f: impl Fn(T, T) -> T + Copy + Sync + Send,
) {
    let (len, start) = (g.len(), Start::of(g));
    let make = |range: std::ops::Range<usize>| {
        // SAFETY: pieces of `g`, each made once.
        let g = unsafe { start.part(range.start, range.len()) };
        map_pairs(&y[range], g, f);
        &*g
    };
    sum_made_rows(len, &make, sums);
}
