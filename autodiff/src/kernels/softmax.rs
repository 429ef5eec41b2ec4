//! Softmax and what is fused with it, row by row.

use std::cmp::Ordering;

use super::float::{Float, largest, total, total_pairs};
use super::parallel;
use super::simd::vectorized;

/// Work behind one element, as [`parallel::chunks_mut`] counts it.
const COST: usize = 4;

/// Calls `f(inputs' rows, output rows)` for pieces of rows of `len` elements.
fn rows<T: Float, const N: usize>(
    inputs: [&[T]; N],
    out: &mut [T],
    len: usize,
    f: impl Fn([&[T]; N], &mut [T]) + Sync + Send,
) {
    if out.is_empty() {
        return;
    }
    parallel::chunks_mut(out, len, COST, |first, out| {
        let range = first * len..first * len + out.len();
        f(inputs.map(|x| &x[range.clone()]), out);
    });
}

vectorized! {
    fn softmax_rows[T: Float](x: &[T], out: &mut [T], len: usize) {
        for (x, y) in x.chunks_exact(len).zip(out.chunks_exact_mut(len)) {
            let peak = largest(x);
            y.iter_mut().zip(x).for_each(|(y, &x)| *y = (x - peak).exp_());
            let scale = T::ONE / total(&*y, |y| y);
            y.iter_mut().for_each(|y| *y *= scale);
        }
    }
}

vectorized! {
    fn log_softmax_rows[T: Float](x: &[T], out: &mut [T], len: usize) {
        for (x, y) in x.chunks_exact(len).zip(out.chunks_exact_mut(len)) {
            let peak = largest(x);
            let shift = total(x, |x| (x - peak).exp_()).ln_();
            y.iter_mut().zip(x).for_each(|(y, &x)| *y = (x - peak) - shift);
        }
    }
}

vectorized! {
    fn softmax_slope_rows[T: Float](y: &[T], g: &[T], out: &mut [T], len: usize) {
        let rows = y.chunks_exact(len).zip(g.chunks_exact(len));
        for ((y, g), out) in rows.zip(out.chunks_exact_mut(len)) {
            let dot = total_pairs(y, g, |y, g| y * g);
            for ((out, &y), &g) in out.iter_mut().zip(y).zip(g) {
                *out = y * (g - dot);
            }
        }
    }
}

vectorized! {
    fn log_softmax_slope_rows[T: Float](y: &[T], g: &[T], out: &mut [T], len: usize) {
        let rows = y.chunks_exact(len).zip(g.chunks_exact(len));
        for ((y, g), out) in rows.zip(out.chunks_exact_mut(len)) {
            let sum = total(g, |g| g);
            for ((out, &y), &g) in out.iter_mut().zip(y).zip(g) {
                *out = g - y.exp_() * sum;
            }
        }
    }
}

/// `e^x / Σ e^x` of each row.
pub(crate) fn softmax<T: Float>(x: &[T], out: &mut [T], len: usize) {
    rows([x], out, len, |[x], out| softmax_rows(x, out, len));
}

/// `x - ln Σ e^x` of each row.
pub(crate) fn log_softmax<T: Float>(x: &[T], out: &mut [T], len: usize) {
    rows([x], out, len, |[x], out| log_softmax_rows(x, out, len));
}

/// `y · (g - Σ g·y)` of each row.
pub(crate) fn softmax_slope<T: Float>(y: &[T], g: &[T], out: &mut [T], len: usize) {
    rows([y, g], out, len, |[y, g], out| softmax_slope_rows(y, g, out, len));
}

/// `g - e^y · Σ g` of each row.
pub(crate) fn log_softmax_slope<T: Float>(y: &[T], g: &[T], out: &mut [T], len: usize) {
    rows([y, g], out, len, |[y, g], out| log_softmax_slope_rows(y, g, out, len));
}

vectorized! {
    fn sparse_rows[T: Float](x: &[T], labels: &[i64], out: &mut [T], len: usize) {
        for ((x, &label), loss) in x.chunks_exact(len).zip(labels).zip(out) {
            let peak = largest(x);
            let sum = total(x, |x| (x - peak).exp_());
            *loss = sum.ln_() - (x[label as usize] - peak);
        }
    }
}

/// The largest loss that tells `ln Σ e^x` exactly enough.
const TELLING: f64 = 32.0;

vectorized! {
    fn sparse_slope_rows[T: Float](
        x: &[T], labels: &[i64], losses: &[T], g: &[T], out: &mut [T], len: usize,
    ) {
        let rows = x.chunks_exact(len).zip(out.chunks_exact_mut(len));
        for (i, (x, out)) in rows.enumerate() {
            let (label, g) = (labels[i] as usize, g[i]);
            // ln Σ e^x in two parts, of which the larger cancels: the label's logit and the loss,
            // unless the logit is so far below the largest that the loss is rounded too much.
            let (base, rest) = if losses[i] < T::from_f64(TELLING) {
                (x[label], losses[i])
            } else {
                let peak = largest(x);
                (peak, total(x, |x| (x - peak).exp_()).ln_())
            };
            out.iter_mut().zip(x).for_each(|(out, &x)| *out = g * ((x - base) - rest).exp_());
            out[label] += -g;
        }
    }
}

/// `ln Σ e^x - x[label]` of each row. Labels are inside the row.
pub(crate) fn sparse<T: Float>(x: &[T], labels: &[i64], out: &mut [T], len: usize) {
    parallel::chunks_mut(out, 1, COST * len, |first, out| {
        let end = first + out.len();
        sparse_rows(&x[first * len..end * len], &labels[first..end], out, len);
    });
}

/// `g · (softmax(x) - onehot(label))` of each row, from its loss.
pub(crate) fn sparse_slope<T: Float>(
    x: &[T],
    labels: &[i64],
    losses: &[T],
    g: &[T],
    out: &mut [T],
    len: usize,
) {
    parallel::chunks_mut(out, len, COST, |first, out| {
        let rows = first..first + out.len() / len;
        let x = &x[first * len..rows.end * len];
        let (labels, losses, g) = (&labels[rows.clone()], &losses[rows.clone()], &g[rows]);
        sparse_slope_rows(x, labels, losses, g, out, len);
    });
}

vectorized! {
    fn dense_rows[T: Float](x: &[T], targets: &[T], out: &mut [T], len: usize) {
        for ((x, t), loss) in x.chunks_exact(len).zip(targets.chunks_exact(len)).zip(out) {
            let peak = largest(x);
            let shift = total(x, |x| (x - peak).exp_()).ln_();
            // A class without weight adds nothing, even one that can't occur.
            *loss = total_pairs(x, t, |x, t| {
                let part = t * (shift - (x - peak));
                if t == T::ZERO { T::ZERO } else { part }
            });
        }
    }
}

vectorized! {
    fn dense_slope_rows[T: Float](x: &[T], targets: &[T], g: &[T], out: &mut [T], len: usize) {
        let rows = x.chunks_exact(len).zip(targets.chunks_exact(len));
        for (((x, t), out), &g) in rows.zip(out.chunks_exact_mut(len)).zip(g) {
            let peak = largest(x);
            out.iter_mut().zip(x).for_each(|(out, &x)| *out = (x - peak).exp_());
            let scale = total(t, |t| t) / total(&*out, |e| e);
            out.iter_mut().zip(t).for_each(|(out, &t)| *out = g * (*out * scale - t));
        }
    }
}

/// `-Σ t · log_softmax(x)` of each row.
pub(crate) fn dense<T: Float>(x: &[T], targets: &[T], out: &mut [T], len: usize) {
    parallel::chunks_mut(out, 1, COST * len, |first, out| {
        let range = first * len..(first + out.len()) * len;
        dense_rows(&x[range.clone()], &targets[range], out, len);
    });
}

/// `g · (softmax(x) · Σ t - t)` of each row.
pub(crate) fn dense_slope<T: Float>(x: &[T], targets: &[T], g: &[T], out: &mut [T], len: usize) {
    parallel::chunks_mut(out, len, COST, |first, out| {
        let range = first * len..first * len + out.len();
        let g = &g[first..first + out.len() / len];
        dense_slope_rows(&x[range.clone()], &targets[range], g, out, len);
    });
}

vectorized! {
    fn sparsemax_rows[T: Float](x: &[T], out: &mut [T], len: usize) {
        for (x, y) in x.chunks_exact(len).zip(out.chunks_exact_mut(len)) {
            y.copy_from_slice(x);
            y.sort_unstable_by(|a, b| b.partial_cmp(a).unwrap_or(Ordering::Equal));
            let (mut sum, mut tau) = (T::ZERO, T::ZERO);
            for (i, &v) in y.iter().enumerate() {
                sum += v;
                let bound = (sum - T::ONE) / T::from_f64((i + 1) as f64);
                if v.partial_cmp(&bound) != Some(Ordering::Greater) {
                    break;
                }
                tau = bound;
            }
            // NaN if any is: the order of such a row means nothing.
            let tau = tau + largest(x) * T::ZERO;
            y.iter_mut().zip(x).for_each(|(y, &x)| *y = (x - tau).greatest(T::ZERO));
        }
    }
}

vectorized! {
    fn sparsemax_slope_rows[T: Float](y: &[T], g: &[T], out: &mut [T], len: usize) {
        let rows = y.chunks_exact(len).zip(g.chunks_exact(len));
        for ((y, g), out) in rows.zip(out.chunks_exact_mut(len)) {
            let sum = total_pairs(y, g, |y, g| y.step_() * g);
            let mean = sum / total(y, |y| y.step_());
            for ((out, &y), &g) in out.iter_mut().zip(y).zip(g) {
                *out = y.step_() * (g - mean);
            }
        }
    }
}

/// The nearest point of the simplex to each row.
pub(crate) fn sparsemax<T: Float>(x: &[T], out: &mut [T], len: usize) {
    rows([x], out, len, |[x], out| sparsemax_rows(x, out, len));
}

/// `g` less its mean on the support of each row, 0 elsewhere.
pub(crate) fn sparsemax_slope<T: Float>(y: &[T], g: &[T], out: &mut [T], len: usize) {
    rows([y, g], out, len, |[y, g], out| sparsemax_slope_rows(y, g, out, len));
}
