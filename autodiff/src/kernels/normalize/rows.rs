//! Layer normalization.

use super::{Affine, BLOCK, COST, add_up, rows_per_piece};
use crate::kernels::float::{Float, total};
use crate::kernels::parallel;
use crate::kernels::simd::vectorized;

/// Mean of a row, and 1 / standard deviation.
#[inline(always)]
fn statistics<T: Float>(x: &[T], epsilon: T) -> (T, T) {
    let count = T::from_f64(x.len() as f64);
    // Distances from one of the values keep the digits that a far mean would cost.
    let first = x[0];
    let mean = first + total(x.len(), |i| x[i] - first) / count;
    let variance = total(x.len(), |i| (x[i] - mean) * (x[i] - mean)) / count;
    (mean, T::ONE / (variance + epsilon).sqrt_())
}

vectorized! {
    fn normalize_rows[T: Float](x: &[T], affine: Affine<'_, T>, epsilon: T, out: &mut [T], len: usize) {
        for (x, out) in x.chunks_exact(len).zip(out.chunks_exact_mut(len)) {
            let (mean, scale) = statistics(x, epsilon);
            out.iter_mut().zip(x).for_each(|(out, &x)| *out = (x - mean) * scale);
            out.iter_mut().zip(affine.gamma).for_each(|(out, &gamma)| *out *= gamma);
            out.iter_mut().zip(affine.beta).for_each(|(out, &beta)| *out += beta);
        }
    }
}

/// `(x - mean) / sqrt(variance + epsilon) · gamma + beta` of each row of `len` elements.
pub(crate) fn layer_norm<T: Float>(
    x: &[T],
    affine: Affine<'_, T>,
    epsilon: T,
    out: &mut [T],
    len: usize,
) {
    if out.is_empty() {
        return;
    }
    parallel::chunks_mut(out, len, COST, |first, out| {
        let x = &x[first * len..first * len + out.len()];
        normalize_rows(x, affine, epsilon, out, len);
    });
}

vectorized! {
    /// Gradients of some rows; `sums` gets `Σ g · normalized` and, after it, `Σ g`.
    fn layer_slopes[T: Float](
        x: &[T], g: &[T], gamma: &[T], epsilon: T, out: &mut [T], sums: &mut [T], len: usize,
    ) {
        let (by_gamma, by_beta) = sums.split_at_mut(len);
        let by_beta = &mut by_beta[..len];
        let count = T::ONE / T::from_f64(len as f64);
        let rows = x.chunks_exact(len).zip(g.chunks_exact(len));
        for ((x, g), out) in rows.zip(out.chunks_exact_mut(len)) {
            let (mean, scale) = statistics(x, epsilon);
            for i in 0..len {
                by_gamma[i] += g[i] * ((x[i] - mean) * scale);
                by_beta[i] += g[i];
            }
            // What the normalized row got.
            out.copy_from_slice(g);
            out.iter_mut().zip(gamma).for_each(|(out, &gamma)| *out *= gamma);
            let straight = total(len, |i| out[i]) * count;
            let along = total(len, |i| out[i] * ((x[i] - mean) * scale)) * count;
            for (out, &x) in out.iter_mut().zip(x) {
                *out = scale * (*out - straight - (x - mean) * scale * along);
            }
        }
    }
}

/// The gradients of [`layer_norm`]: by `x`, of the shape of `out`, and by gamma and beta, one
/// after the other in `sums`.
pub(crate) fn layer_norm_gradient<T: Float>(
    [x, g]: [&[T]; 2],
    gamma: &[T],
    epsilon: T,
    out: &mut [T],
    sums: &mut [T],
    len: usize,
) {
    if out.is_empty() {
        return sums.fill(T::ZERO);
    }
    let each = rows_per_piece(out.len() / len, len) * len;
    let mut parts = vec![T::ZERO; out.len().div_ceil(each) * sums.len()];
    let mut pieces: Vec<_> = out.chunks_mut(each).zip(parts.chunks_exact_mut(2 * len)).collect();
    parallel::chunks_mut(&mut pieces, 1, each * COST, |first, pieces| {
        let mut block_sums = vec![T::ZERO; 2 * len];
        for (i, (out, sums)) in pieces.iter_mut().enumerate() {
            let start = (first + i) * each;
            for (j, out) in out.chunks_mut(BLOCK * len).enumerate() {
                let range = start + j * BLOCK * len..start + j * BLOCK * len + out.len();
                block_sums.fill(T::ZERO);
                let (x, g) = (&x[range.clone()], &g[range]);
                layer_slopes(x, g, gamma, epsilon, out, &mut block_sums, len);
                sums.iter_mut().zip(&block_sums).for_each(|(sum, &v)| *sum += v);
            }
        }
    });
    add_up(&parts, sums);
}
