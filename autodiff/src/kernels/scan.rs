//! Running results along an axis, of tensors seen as `(outer, n, inner)` around it.

use super::parallel;
use crate::dtype::Element;

/// `y_t = y_{t-1} ∘ x_t`, from the last position on if `reverse`; each result without its own
/// element, beginning with `start`, if `exclusive`.
pub(crate) fn accumulate<T: Element>(
    x: &[T],
    out: &mut [T],
    [n, inner]: [usize; 2],
    [reverse, exclusive]: [bool; 2],
    start: T,
    f: impl Fn(T, T) -> T + Copy + Sync,
) {
    walk(out, [n, inner], reverse, |at, before| {
        let own = x[at];
        match (before, exclusive) {
            (None, true) => start,
            (None, false) => own,
            (Some((previous, y)), true) => f(y, x[previous]),
            (Some((_, y)), false) => f(y, own),
        }
    });
}

/// `y_t = a_t · y_{t-1} + b_t` with `y_{-1} = 0`, from the last position on if `reverse`.
pub(crate) fn recurrence<T: Element>(
    [a, b]: [&[T]; 2],
    out: &mut [T],
    [n, inner]: [usize; 2],
    reverse: bool,
    f: impl Fn(T, T, T) -> T + Copy + Sync,
) {
    walk(out, [n, inner], reverse, |at, before| match before {
        None => b[at],
        Some((_, y)) => f(a[at], y, b[at]),
    });
}

/// Sets each element of `out` to what `f` makes of its position and of position and value of
/// the one before.
fn walk<T: Element>(
    out: &mut [T],
    [n, inner]: [usize; 2],
    reverse: bool,
    f: impl Fn(usize, Option<(usize, T)>) -> T + Sync,
) {
    if out.is_empty() {
        return;
    }
    parallel::chunks_mut(out, n * inner, 2, |first, chunk| {
        for (i, block) in chunk.chunks_exact_mut(n * inner).enumerate() {
            let start = (first + i) * n * inner;
            for k in 0..n {
                let (t, previous) =
                    if reverse { (n - 1 - k, n - k) } else { (k, k.wrapping_sub(1)) };
                for j in 0..inner {
                    let at = |t: usize| t * inner + j;
                    let before = (k > 0).then(|| (start + at(previous), block[at(previous)]));
                    block[at(t)] = f(start + at(t), before);
                }
            }
        }
    });
}
