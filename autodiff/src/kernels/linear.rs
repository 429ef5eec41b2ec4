//! The parts of a dense layer around its matrix product.

use super::float::Float;
use super::parallel;
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
