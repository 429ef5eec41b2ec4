//! What recurrent cells do between two products, on `(rows, units)` numbers at once.
//!
//! `n` is the number of rows times their length, a multiple of 16, in all of these.

use crate::dtype::DType;
use crate::kernels::float::Float;
use crate::kernels::simd::vectorized;

/// The rule of a cell.
pub(crate) trait Cell: Copy + Send + Sync + 'static {
    /// Sums that a unit has.
    const GATES: usize;
    /// 1 for `h` alone, 2 for `h` and `c`.
    const STATES: usize;
    /// Whether the backward pass needs more than gates and states before the step.
    const EXTRA: bool;
    /// Whether what the last gate gets from the input stays apart from what it gets from the
    /// state.
    const APART: bool;

    /// A step. `gates` are sums and become the gates' values, `GATES · n`; `input` is what is
    /// apart, `n`, or nothing; `states` are those before the step and become those after it,
    /// `STATES · n`; `extra`, `n`, becomes what the backward pass needs beside.
    fn forward<T: Float>(gates: &mut [T], input: &[T], states: &mut [T], extra: &mut [T]);

    /// The gradients of a step. `gates` are the values and become the gradients by the sums;
    /// `before` are the states before it; `extra` is what `forward` left, and becomes the
    /// gradient by what is apart; `slopes` are the gradients by the states after it and become
    /// those by the states before it, but for what comes through the product. Tiny ones are 0.
    fn backward<T: Float>(gates: &mut [T], before: &[T], extra: &mut [T], slopes: &mut [T]);
}

/// Long short-term memory: gates i, f, g, o.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lstm;

/// Gated recurrent units whose reset gate acts behind the product: gates z, r, h.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gru;

/// `tanh` of the sum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Simple;

/// Elements handled at once. They are loaded before any is stored, so that the compiler need
/// not prove that slices don't overlap.
const LANES: usize = 16;
type Lane<T> = [T; LANES];

#[inline(always)]
fn lanes<T>(x: &[T]) -> &[Lane<T>] {
    x.as_chunks().0
}

#[inline(always)]
fn lanes_mut<T>(x: &mut [T]) -> &mut [Lane<T>] {
    x.as_chunks_mut().0
}

#[inline(always)]
fn lane<T: Float>(value: impl Fn(usize) -> T) -> Lane<T> {
    let mut lane = [T::ZERO; LANES];
    for (i, x) in lane.iter_mut().enumerate() {
        *x = value(i);
    }
    lane
}

/// Gradients nearer to 0 than this count as 0. They fade from step to step, and processors take a
/// hundred times as long for products of subnormal numbers; what they lead to is still far above
/// those.
#[inline(always)]
fn tiny<T: Float>() -> T {
    T::from_f64(match T::DTYPE {
        DType::F32 => 1.0 / (1u128 << 96) as f64,
        _ => 1e-290,
    })
}

/// `x`, or 0 if it is tiny; NaN stays NaN.
#[inline(always)]
fn settled<T: Float>(x: T) -> T {
    if x.abs_() < tiny() { T::ZERO } else { x }
}

vectorized! {
    fn sigmoid[T: Float](x: &mut [T]) {
        x.iter_mut().for_each(|x| *x = x.sigmoid_());
    }
}

vectorized! {
    fn tanh[T: Float](x: &mut [T]) {
        x.iter_mut().for_each(|x| *x = x.tanh_());
    }
}

vectorized! {
    /// `c = f · c + i · g`, and a copy of it.
    fn lstm_state[T: Float](gates: &[T], c: &mut [T], copy: &mut [T]) {
        let n = c.len();
        let (i, f, g) = (lanes(&gates[..n]), lanes(&gates[n..2 * n]), lanes(&gates[2 * n..3 * n]));
        for (k, (c, copy)) in lanes_mut(c).iter_mut().zip(lanes_mut(copy)).enumerate() {
            let (i, f, g, old) = (i[k], f[k], g[k], *c);
            *c = lane(|l| f[l] * old[l] + i[l] * g[l]);
            *copy = *c;
        }
    }
}

vectorized! {
    fn lstm_slopes[T: Float](gates: &mut [T], before: &[T], t: &[T], slopes: &mut [T]) {
        let n = t.len();
        let (i, rest) = gates.split_at_mut(n);
        let (f, rest) = rest.split_at_mut(n);
        let (g, o) = rest.split_at_mut(n);
        let [i, f, g, o] = [i, f, g, o].map(lanes_mut);
        let (h, c) = slopes.split_at_mut(n);
        let [h, c] = [h, c].map(lanes_mut);
        let (c_before, t) = (lanes(&before[n..]), lanes(t));
        for k in 0..n / LANES {
            let (vi, vf, vg, vo, vt, dh) = (i[k], f[k], g[k], o[k], t[k], h[k]);
            let (old, then) = (c_before[k], c[k]);
            let dc = lane(|l| settled(then[l] + dh[l] * vo[l] * (T::ONE - vt[l] * vt[l])));
            i[k] = lane(|l| settled(dc[l] * vg[l] * (vi[l] * (T::ONE - vi[l]))));
            f[k] = lane(|l| settled(dc[l] * old[l] * (vf[l] * (T::ONE - vf[l]))));
            g[k] = lane(|l| settled(dc[l] * vi[l] * (T::ONE - vg[l] * vg[l])));
            o[k] = lane(|l| settled(dh[l] * vt[l] * (vo[l] * (T::ONE - vo[l]))));
            c[k] = lane(|l| settled(dc[l] * vf[l]));
            h[k] = [T::ZERO; LANES];
        }
    }
}

vectorized! {
    /// `h = a · b`
    fn product[T: Float](a: &[T], b: &[T], h: &mut [T]) {
        for (h, (&a, &b)) in h.iter_mut().zip(a.iter().zip(b)) {
            *h = a * b;
        }
    }
}

impl Cell for Lstm {
    const GATES: usize = 4;
    const STATES: usize = 2;
    const EXTRA: bool = true;
    const APART: bool = false;

    fn forward<T: Float>(gates: &mut [T], _: &[T], states: &mut [T], extra: &mut [T]) {
        let n = extra.len();
        sigmoid(&mut gates[..2 * n]);
        tanh(&mut gates[2 * n..3 * n]);
        sigmoid(&mut gates[3 * n..]);
        let (h, c) = states.split_at_mut(n);
        lstm_state(gates, c, extra);
        tanh(extra);
        product(&gates[3 * n..], extra, h);
    }

    fn backward<T: Float>(gates: &mut [T], before: &[T], extra: &mut [T], slopes: &mut [T]) {
        lstm_slopes(gates, before, extra, slopes);
    }
}

vectorized! {
    /// `extra = a`, then `a = input + r · a`.
    fn gru_reset[T: Float](r: &[T], a: &mut [T], input: &[T], extra: &mut [T]) {
        let (r, input) = (lanes(r), lanes(input));
        for (k, (a, extra)) in lanes_mut(a).iter_mut().zip(lanes_mut(extra)).enumerate() {
            let (r, input, inner) = (r[k], input[k], *a);
            *extra = inner;
            *a = lane(|l| input[l] + r[l] * inner[l]);
        }
    }
}

vectorized! {
    /// `h = z · h + (1 - z) · a`
    fn gru_state[T: Float](z: &[T], a: &[T], h: &mut [T]) {
        for (h, (&z, &a)) in h.iter_mut().zip(z.iter().zip(a)) {
            *h = z * *h + (T::ONE - z) * a;
        }
    }
}

vectorized! {
    fn gru_slopes[T: Float](gates: &mut [T], before: &[T], inner: &mut [T], slopes: &mut [T]) {
        let n = inner.len();
        let (z, rest) = gates.split_at_mut(n);
        let (r, a) = rest.split_at_mut(n);
        let [z, r, a, inner, h] = [z, r, a, inner, slopes].map(lanes_mut);
        let before = lanes(before);
        for k in 0..n / LANES {
            let (vz, vr, va, vi, dh, old) = (z[k], r[k], a[k], inner[k], h[k], before[k]);
            let da = lane(|l| settled(dh[l] * (T::ONE - vz[l]) * (T::ONE - va[l] * va[l])));
            z[k] = lane(|l| settled(dh[l] * (old[l] - va[l]) * (vz[l] * (T::ONE - vz[l]))));
            r[k] = lane(|l| settled(da[l] * vi[l] * (vr[l] * (T::ONE - vr[l]))));
            a[k] = lane(|l| settled(da[l] * vr[l]));
            inner[k] = da;
            h[k] = lane(|l| settled(dh[l] * vz[l]));
        }
    }
}

impl Cell for Gru {
    const GATES: usize = 3;
    const STATES: usize = 1;
    const EXTRA: bool = true;
    const APART: bool = true;

    fn forward<T: Float>(gates: &mut [T], input: &[T], states: &mut [T], extra: &mut [T]) {
        let n = extra.len();
        let (update, rest) = gates.split_at_mut(n);
        let (reset, candidate) = rest.split_at_mut(n);
        sigmoid(update);
        sigmoid(reset);
        gru_reset(reset, candidate, input, extra);
        tanh(candidate);
        gru_state(update, candidate, states);
    }

    fn backward<T: Float>(gates: &mut [T], before: &[T], extra: &mut [T], slopes: &mut [T]) {
        gru_slopes(gates, before, extra, slopes);
    }
}

vectorized! {
    fn simple_slopes[T: Float](y: &mut [T], slopes: &mut [T]) {
        for (y, slope) in y.iter_mut().zip(slopes) {
            *y = settled(*slope * (T::ONE - *y * *y));
            *slope = T::ZERO;
        }
    }
}

impl Cell for Simple {
    const GATES: usize = 1;
    const STATES: usize = 1;
    const EXTRA: bool = false;
    const APART: bool = false;

    fn forward<T: Float>(gates: &mut [T], _: &[T], states: &mut [T], _: &mut [T]) {
        tanh(gates);
        states.copy_from_slice(gates);
    }

    fn backward<T: Float>(gates: &mut [T], _: &[T], _: &mut [T], slopes: &mut [T]) {
        simple_slopes(gates, slopes);
    }
}
