//! Batch normalization, with channels last.

use super::{Affine, BLOCK, COST, add_up, rows_per_piece};
use crate::kernels::float::Float;
use crate::kernels::parallel;
use crate::kernels::simd::vectorized;

vectorized! {
    /// Means of columns. Distances from the first row keep the digits that a far mean would cost.
    fn means[T: Float](x: &[T], out: &mut [T]) {
        out.fill(T::ZERO);
        let (first, rest) = x.split_at(out.len());
        for x in rest.chunks_exact(out.len()) {
            for ((out, &x), &first) in out.iter_mut().zip(x).zip(first) {
                *out += x - first;
            }
        }
        let count = T::from_f64((x.len() / out.len()) as f64);
        out.iter_mut().zip(first).for_each(|(out, &first)| *out = first + *out / count);
    }
}

vectorized! {
    /// Adds squared distances of rows from `mean` to `sums`.
    fn add_squares[T: Float](x: &[T], mean: &[T], sums: &mut [T]) {
        for x in x.chunks_exact(sums.len()) {
            for ((sum, &x), &mean) in sums.iter_mut().zip(x).zip(mean) {
                *sum += (x - mean) * (x - mean);
            }
        }
    }
}

/// Means and sums of squared distances from them, for a number of rows.
struct Moments<'a, T> {
    mean: &'a mut [T],
    squares: &'a mut [T],
    count: usize,
}

impl<T: Float> Moments<'_, T> {
    /// Takes in those of other rows (Chan, Golub and LeVeque 1979): exact in the order in which
    /// they come, and without the cancellation of sums of squares.
    fn join(&mut self, mean: &[T], squares: &[T], count: usize) {
        let all = T::from_f64((self.count + count) as f64);
        let share = T::from_f64(count as f64) / all;
        let weight = share * T::from_f64(self.count as f64);
        let own = self.mean.iter_mut().zip(self.squares.iter_mut());
        for ((own_mean, own_squares), (&mean, &squares)) in own.zip(mean.iter().zip(squares)) {
            let apart = mean - *own_mean;
            *own_mean += apart * share;
            *own_squares += squares + apart * apart * weight;
        }
        self.count += count;
    }
}

/// The mean, then the biased variance, of each of `len` columns.
pub(crate) fn moments<T: Float>(x: &[T], out: &mut [T], len: usize) {
    if out.is_empty() {
        return;
    }
    let rows = x.len() / len;
    let each = rows_per_piece(rows, len);
    let mut parts = vec![T::ZERO; rows.div_ceil(each) * 2 * len];
    let cost = each.min(rows.max(1)) * COST;
    parallel::chunks_mut(&mut parts, 2 * len, cost, |first, parts| {
        let mut block = vec![T::ZERO; 2 * len];
        let (block_mean, block_squares) = block.split_at_mut(len);
        for (i, part) in parts.chunks_exact_mut(2 * len).enumerate() {
            let (start, end) = ((first + i) * each, ((first + i + 1) * each).min(rows));
            let (mean, squares) = part.split_at_mut(len);
            let mut sums = Moments { mean, squares, count: 0 };
            for x in x[start * len..end * len].chunks(BLOCK * len) {
                block_squares.fill(T::ZERO);
                means(x, block_mean);
                add_squares(x, block_mean, block_squares);
                sums.join(block_mean, block_squares, x.len() / len);
            }
        }
    });
    out.fill(T::ZERO);
    let (mean, squares) = out.split_at_mut(len);
    let mut sums = Moments { mean, squares, count: 0 };
    for (i, part) in parts.chunks_exact(2 * len).enumerate() {
        sums.join(&part[..len], &part[len..], each.min(rows - i * each));
    }
    let count = T::from_f64(rows as f64);
    out[len..].iter_mut().for_each(|squares| *squares = *squares / count);
    if rows == 0 {
        out.fill(T::from_f64(f64::NAN)); // as the mean of nothing is in NumPy
    }
}

vectorized! {
    fn normalize_columns[T: Float](
        x: &[T], mean: &[T], scale: &[T], affine: Affine<'_, T>, out: &mut [T],
    ) {
        let len = mean.len();
        let scale = &scale[..len];
        for (x, out) in x.chunks_exact(len).zip(out.chunks_exact_mut(len)) {
            for i in 0..len {
                out[i] = (x[i] - mean[i]) * scale[i];
            }
            out.iter_mut().zip(affine.beta).for_each(|(out, &beta)| *out += beta);
        }
    }
}

/// 1 / standard deviation of each column.
fn scales<T: Float>(variance: &[T], epsilon: T) -> Vec<T> {
    variance.iter().map(|&v| T::ONE / (v + epsilon).sqrt_()).collect()
}

/// `(x - mean) / sqrt(variance + epsilon) · gamma + beta` of each column; `moments` are what
/// [`moments`] gave.
pub(crate) fn batch_norm<T: Float>(
    x: &[T],
    moments: &[T],
    affine: Affine<'_, T>,
    epsilon: T,
    out: &mut [T],
) {
    if out.is_empty() {
        return;
    }
    let (mean, variance) = moments.split_at(moments.len() / 2);
    let mut scale = scales(variance, epsilon);
    scale.iter_mut().zip(affine.gamma).for_each(|(scale, &gamma)| *scale *= gamma);
    parallel::chunks_mut(out, mean.len(), COST, |first, out| {
        let start = first * mean.len();
        normalize_columns(&x[start..start + out.len()], mean, &scale, affine, out);
    });
}

vectorized! {
    /// Adds `Σ g · (x - mean) · scale` and, after it, `Σ g` over rows.
    fn add_slopes[T: Float](x: &[T], g: &[T], mean: &[T], scale: &[T], sums: &mut [T]) {
        let len = mean.len();
        let (by_gamma, by_beta) = sums.split_at_mut(len);
        let (scale, by_beta) = (&scale[..len], &mut by_beta[..len]);
        for (x, g) in x.chunks_exact(len).zip(g.chunks_exact(len)) {
            for i in 0..len {
                by_gamma[i] += g[i] * ((x[i] - mean[i]) * scale[i]);
                by_beta[i] += g[i];
            }
        }
    }
}

/// The gradients of [`batch_norm`] by gamma and beta, one after the other in `sums`.
pub(crate) fn batch_norm_sums<T: Float>(
    [x, g]: [&[T]; 2],
    moments: &[T],
    epsilon: T,
    sums: &mut [T],
) {
    if sums.is_empty() {
        return;
    }
    let (mean, variance) = moments.split_at(moments.len() / 2);
    let (len, scale) = (mean.len(), scales(variance, epsilon));
    let rows = x.len() / len;
    let each = rows_per_piece(rows, len);
    let mut parts = vec![T::ZERO; rows.div_ceil(each) * 2 * len];
    let cost = each.min(rows.max(1)) * COST;
    parallel::chunks_mut(&mut parts, 2 * len, cost, |first, parts| {
        let mut block = vec![T::ZERO; 2 * len];
        for (i, part) in parts.chunks_exact_mut(2 * len).enumerate() {
            let (start, end) = ((first + i) * each, ((first + i + 1) * each).min(rows));
            let range = start * len..end * len;
            let blocks = x[range.clone()].chunks(BLOCK * len).zip(g[range].chunks(BLOCK * len));
            for (x, g) in blocks {
                block.fill(T::ZERO);
                add_slopes(x, g, mean, &scale, &mut block);
                part.iter_mut().zip(&block).for_each(|(sum, &v)| *sum += v);
            }
        }
    });
    add_up(&parts, sums);
}

vectorized! {
    fn batch_slopes[T: Float](
        x: &[T], g: &[T], mean: &[T], straight: &[T], along: &[T], scale: &[T], out: &mut [T],
    ) {
        let len = mean.len();
        let (straight, along, scale) = (&straight[..len], &along[..len], &scale[..len]);
        let rows = x.chunks_exact(len).zip(g.chunks_exact(len));
        for ((x, g), out) in rows.zip(out.chunks_exact_mut(len)) {
            for i in 0..len {
                out[i] = scale[i] * (g[i] - straight[i] - (x[i] - mean[i]) * along[i]);
            }
        }
    }
}

/// The gradient of [`batch_norm`] by `x`, whose moments change with it; `sums` are what
/// [`batch_norm_sums`] gave.
pub(crate) fn batch_norm_gradient<T: Float>(
    [x, g]: [&[T]; 2],
    [moments, sums, gamma]: [&[T]; 3],
    epsilon: T,
    out: &mut [T],
) {
    if out.is_empty() {
        return;
    }
    let (mean, variance) = moments.split_at(moments.len() / 2);
    let len = mean.len();
    let count = T::from_f64((x.len() / len) as f64);
    let mut scale = scales(variance, epsilon);
    let (by_gamma, by_beta) = sums.split_at(len);
    let along: Vec<T> = by_gamma.iter().zip(&scale).map(|(&s, &scale)| s * scale / count).collect();
    let straight: Vec<T> = by_beta.iter().map(|&s| s / count).collect();
    scale.iter_mut().zip(gamma).for_each(|(scale, &gamma)| *scale *= gamma);
    parallel::chunks_mut(out, len, COST, |first, out| {
        let range = first * len..first * len + out.len();
        batch_slopes(&x[range.clone()], &g[range], mean, &straight, &along, &scale, out);
    });
}
