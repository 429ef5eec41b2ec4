//! Statistics of rows and of columns, and what normalising by them takes.

use super::float::{Float, total, total_pairs};
use super::parallel;
use super::simd::vectorized;

/// Work behind one element, as [`parallel::chunks_mut`] counts it.
const COST: usize = 4;
/// Elements summed into one partial result of a column.
const PIECE: usize = 1 << 16;

/// A matrix of rows that are normalised one by one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a, T> {
    pub(crate) x: &'a [T],
    pub(crate) len: usize,
    /// Whether the mean is subtracted.
    pub(crate) centred: bool,
    pub(crate) epsilon: T,
}

vectorized! {
    fn moments_of[T: Float](rows: Rows<'_, T>, first: usize, out: &mut [[T; 2]]) {
        let n = T::from_f64(rows.len as f64);
        let x = &rows.x[first * rows.len..];
        for (x, out) in x.chunks_exact(rows.len).zip(out) {
            let mean = if rows.centred { total(x, |x| x) / n } else { T::ZERO };
            let variance = total(x, |x| (x - mean) * (x - mean)) / n;
            *out = [mean, T::ONE / (variance + rows.epsilon).sqrt_()];
        }
    }
}

impl<T: Float> Rows<'_, T> {
    /// Mean, and one over the standard deviation, of each row.
    pub(crate) fn moments(self) -> Vec<[T; 2]> {
        let mut out = vec![[T::ZERO; 2]; self.x.len().checked_div(self.len).unwrap_or(0)];
        if out.is_empty() {
            return out;
        }
        parallel::chunks_mut(&mut out, 1, COST * self.len, |first, out| {
            moments_of(self, first, out);
        });
        out
    }
}

vectorized! {
    fn normalize_rows[T: Float](
        x: &[T], moments: &[[T; 2]], gamma: Option<&[T]>, beta: Option<&[T]>, out: &mut [T],
        len: usize,
    ) {
        for ((x, y), &[mean, scale]) in
            x.chunks_exact(len).zip(out.chunks_exact_mut(len)).zip(moments)
        {
            y.iter_mut().zip(x).for_each(|(y, &x)| *y = (x - mean) * scale);
            if let Some(gamma) = gamma {
                y.iter_mut().zip(gamma).for_each(|(y, &gamma)| *y *= gamma);
            }
            if let Some(beta) = beta {
                y.iter_mut().zip(beta).for_each(|(y, &beta)| *y += beta);
            }
        }
    }
}

/// `(x - mean) · scale · gamma + beta` of each row.
pub(crate) fn normalize<T: Float>(
    rows: Rows<'_, T>,
    gamma: Option<&[T]>,
    beta: Option<&[T]>,
    out: &mut [T],
) {
    let (len, moments) = (rows.len, rows.moments());
    if out.is_empty() {
        return;
    }
    parallel::chunks_mut(out, len, COST, |first, out| {
        let range = first * len..first * len + out.len();
        normalize_rows(&rows.x[range], &moments[first..], gamma, beta, out, len);
    });
}

vectorized! {
    fn slope_rows[T: Float](
        rows: Rows<'_, T>, moments: &[[T; 2]], gamma: Option<&[T]>, g: &[T], first: usize,
        out: &mut [T],
    ) {
        let len = rows.len;
        let n = T::from_f64(len as f64);
        for (i, out) in out.chunks_exact_mut(len).enumerate() {
            let at = (first + i) * len..(first + i + 1) * len;
            let (x, g, [mean, scale]) = (&rows.x[at.clone()], &g[at], moments[first + i]);
            match gamma {
                Some(gamma) => {
                    out.iter_mut().zip(g).zip(gamma).for_each(|((o, &g), &c)| *o = g * c);
                }
                None => out.copy_from_slice(g),
            }
            let sum = if rows.centred { total(&*out, |o| o) / n } else { T::ZERO };
            let dot = total_pairs(&*out, x, |o, x| o * (x - mean)) * scale / n;
            for (o, &x) in out.iter_mut().zip(x) {
                *o = (*o - sum - (x - mean) * scale * dot) * scale;
            }
        }
    }
}

/// The gradient of [`normalize`] by `x`.
pub(crate) fn slope<T: Float>(
    rows: Rows<'_, T>,
    moments: &[[T; 2]],
    gamma: Option<&[T]>,
    g: &[T],
    out: &mut [T],
) {
    if !out.is_empty() {
        parallel::chunks_mut(out, rows.len, 2 * COST, |first, out| {
            slope_rows(rows, moments, gamma, g, first, out);
        });
    }
}

vectorized! {
    fn scale_slope_rows[T: Float](
        x: &[T], moments: &[[T; 2]], g: &[T], len: usize, out: &mut [T],
    ) {
        let rows = x.chunks_exact(len).zip(g.chunks_exact(len));
        for ((x, g), &[mean, scale]) in rows.zip(moments) {
            for ((out, &x), &g) in out.iter_mut().zip(x).zip(g) {
                *out += g * ((x - mean) * scale);
            }
        }
    }
}

/// The gradient of [`normalize`] by gamma.
pub(crate) fn scale_slope<T: Float>(rows: Rows<'_, T>, moments: &[[T; 2]], g: &[T], out: &mut [T]) {
    let len = rows.len;
    fold(rows.x.len(), len, out, |first, count, out| {
        let range = first * len..(first + count) * len;
        let moments = &moments[first..first + count];
        scale_slope_rows(&rows.x[range.clone()], moments, &g[range], len, out);
    });
}

/// Sums over the rows of `size` elements in rows of `len`: `f(first, count, sums)` adds those of
/// some rows. Partial sums depend on sizes alone and are added in order.
fn fold<T: Float>(
    size: usize,
    len: usize,
    out: &mut [T],
    f: impl Fn(usize, usize, &mut [T]) + Sync + Send,
) {
    out.fill(T::ZERO);
    let rows = size.checked_div(len).unwrap_or(0);
    if rows == 0 {
        return;
    }
    let piece = (PIECE / len).max(1);
    if rows <= piece {
        return f(0, rows, out);
    }
    let width = out.len();
    let mut partial = vec![T::ZERO; rows.div_ceil(piece) * width];
    parallel::chunks_mut(&mut partial, width, COST * piece * len / width, |first, partial| {
        for (i, sums) in partial.chunks_exact_mut(width).enumerate() {
            let start = (first + i) * piece;
            f(start, piece.min(rows - start), sums);
        }
    });
    for sums in partial.chunks_exact(width) {
        out.iter_mut().zip(sums).for_each(|(out, &sum)| *out += sum);
    }
}

/// As many elements of a row or more make a loop worth its setting up.
const WIDE: usize = 128;

/// How many rows side by side are worked on as one, since single ones are short.
fn together(len: usize) -> usize {
    (WIDE / len.max(1)).max(1)
}

/// A row, as often as rows are worked on as one.
fn repeated<T: Float>(row: &[T]) -> Vec<T> {
    row.repeat(together(row.len()))
}

/// Adds sums of rows side by side, one behind the other, to `out`.
fn add_copies<T: Float>(sums: &[T], out: &mut [T]) {
    for sums in sums.chunks_exact(out.len()) {
        out.iter_mut().zip(sums).for_each(|(out, &sum)| *out += sum);
    }
}

vectorized! {
    fn sum_wide[T: Float](x: &[T], sums: &mut [T]) {
        for x in x.chunks(sums.len()) {
            let sums = &mut sums[..x.len()];
            for i in 0..x.len() {
                sums[i] += x[i];
            }
        }
    }
}

vectorized! {
    fn sum_wide_squares[T: Float](x: &[T], mean: &[T], sums: &mut [T]) {
        for x in x.chunks(sums.len()) {
            let (sums, mean) = (&mut sums[..x.len()], &mean[..x.len()]);
            for i in 0..x.len() {
                sums[i] += (x[i] - mean[i]) * (x[i] - mean[i]);
            }
        }
    }
}

/// Means of the columns.
pub(crate) fn column_means<T: Float>(x: &[T], out: &mut [T]) {
    let len = out.len();
    fold(x.len(), len, out, |first, count, out| {
        let mut sums = vec![T::ZERO; len * together(len)];
        sum_wide(&x[first * len..(first + count) * len], &mut sums);
        add_copies(&sums, out);
    });
    divide(out, x.len().checked_div(len).unwrap_or(0));
}

/// Mean squared distances of the columns from their means.
pub(crate) fn column_variances<T: Float>(x: &[T], means: &[T], out: &mut [T]) {
    let (len, means) = (out.len(), repeated(means));
    fold(x.len(), len, out, |first, count, out| {
        let mut sums = vec![T::ZERO; means.len()];
        sum_wide_squares(&x[first * len..(first + count) * len], &means, &mut sums);
        add_copies(&sums, out);
    });
    divide(out, x.len().checked_div(len).unwrap_or(0));
}

fn divide<T: Float>(values: &mut [T], n: usize) {
    let n = T::from_f64(n as f64);
    values.iter_mut().for_each(|v| *v = *v / n);
}

vectorized! {
    fn affine_wide[T: Float](x: &[T], factor: &[T], summand: &[T], out: &mut [T]) {
        for (x, out) in x.chunks(factor.len()).zip(out.chunks_mut(factor.len())) {
            let len = x.len();
            let (factor, summand, out) = (&factor[..len], &summand[..len], &mut out[..len]);
            for i in 0..len {
                out[i] = x[i] * factor[i] + summand[i];
            }
        }
    }
}

/// `x · factor + summand`, a factor and a summand a column.
pub(crate) fn affine<T: Float>(x: &[T], factor: &[T], summand: &[T], out: &mut [T]) {
    let len = factor.len();
    if !out.is_empty() {
        let (factor, summand) = (repeated(factor), repeated(summand));
        parallel::chunks_mut(out, len, 2, |first, out| {
            affine_wide(&x[first * len..first * len + out.len()], &factor, &summand, out);
        });
    }
}

vectorized! {
    /// Adds `g` to `sums`, and `g · (x - mean)` to `products`.
    fn sum_wide_slopes[T: Float](
        x: &[T], g: &[T], mean: &[T], sums: &mut [T], products: &mut [T],
    ) {
        for (x, g) in x.chunks(mean.len()).zip(g.chunks(mean.len())) {
            let len = x.len();
            let (g, mean) = (&g[..len], &mean[..len]);
            let (sums, products) = (&mut sums[..len], &mut products[..len]);
            for i in 0..len {
                sums[i] += g[i];
                products[i] += g[i] * (x[i] - mean[i]);
            }
        }
    }
}

/// Column sums of `g`, then of `g · (x - mean)`.
pub(crate) fn column_slopes<T: Float>(x: &[T], g: &[T], mean: &[T]) -> Vec<T> {
    let len = mean.len();
    let (mut out, mean) = (vec![T::ZERO; 2 * len], repeated(mean));
    fold(x.len(), len, &mut out, |first, count, out| {
        let range = first * len..(first + count) * len;
        let mut sums = vec![T::ZERO; 2 * mean.len()];
        let (left, right) = sums.split_at_mut(mean.len());
        sum_wide_slopes(&x[range.clone()], &g[range], &mean, left, right);
        add_copies(left, &mut out[..len]);
        add_copies(right, &mut out[len..]);
    });
    out
}

vectorized! {
    fn combine_wide[T: Float](x: &[T], g: &[T], factors: &[Vec<T>; 3], out: &mut [T]) {
        let wide = factors[0].len();
        for ((x, g), out) in x.chunks(wide).zip(g.chunks(wide)).zip(out.chunks_mut(wide)) {
            let len = x.len();
            let (g, out) = (&g[..len], &mut out[..len]);
            let (a, b, c) = (&factors[0][..len], &factors[1][..len], &factors[2][..len]);
            for i in 0..len {
                out[i] = g[i] * a[i] + x[i] * b[i] + c[i];
            }
        }
    }
}

/// `g · a + x · b + c` with numbers `[a, b, c]` a column.
pub(crate) fn combine<T: Float>(x: &[T], g: &[T], factors: [&[T]; 3], out: &mut [T]) {
    let len = factors[0].len();
    if !out.is_empty() {
        let factors = factors.map(repeated);
        parallel::chunks_mut(out, len, 3, |first, out| {
            let range = first * len..first * len + out.len();
            combine_wide(&x[range.clone()], &g[range], &factors, out);
        });
    }
}
