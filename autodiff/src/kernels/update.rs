//! One pass over a variable, its gradient and its slots: each is read once and written once.

use super::parallel::{self, WORTH_A_THREAD};
use super::simd::vectorized;
use crate::dtype::Element;
use crate::tensor::Tensor;
use crate::update::{Elementwise, Float};

/// Elements handled at once. They are loaded before any is stored, so that the compiler need
/// not prove that the slices don't overlap.
const LANES: usize = 16;

vectorized! {
    fn run[T: Float, K: Elementwise<N>, const N: usize](
        x: &mut [T], g: &[T], slots: [&mut [T]; N], kernel: K,
    ) {
        let body = x.len() / LANES * LANES;
        for at in (0..body).step_by(LANES) {
            let mut xs = [T::default(); LANES];
            let mut gs = [T::default(); LANES];
            let mut ss = [[T::default(); LANES]; N];
            xs.copy_from_slice(&x[at..at + LANES]);
            gs.copy_from_slice(&g[at..at + LANES]);
            for k in 0..N {
                ss[k].copy_from_slice(&slots[k][at..at + LANES]);
            }
            for i in 0..LANES {
                let (new, state) = kernel.update(xs[i], gs[i], std::array::from_fn(|k| ss[k][i]));
                xs[i] = new;
                for k in 0..N {
                    ss[k][i] = state[k];
                }
            }
            x[at..at + LANES].copy_from_slice(&xs);
            for k in 0..N {
                slots[k][at..at + LANES].copy_from_slice(&ss[k]);
            }
        }
        for i in body..x.len() {
            let (new, state) = kernel.update(x[i], g[i], std::array::from_fn(|k| slots[k][i]));
            x[i] = new;
            for k in 0..N {
                slots[k][i] = state[k];
            }
        }
    }
}

/// `kernel` on every element of contiguous slices of one length.
pub(crate) fn update<T: Float, K: Elementwise<N>, const N: usize>(
    x: &mut [T],
    g: &[T],
    slots: [&mut [T]; N],
    kernel: K,
) {
    let work = x.len() * (N + 2);
    if work <= WORTH_A_THREAD * 2 || parallel::threads() == 1 {
        return run(x, g, slots, kernel);
    }
    let pieces = (parallel::threads() * 2).min(work / WORTH_A_THREAD);
    let piece = x.len().div_ceil(pieces).next_multiple_of(LANES);
    parallel::with_pool(|| split(x, g, slots, kernel, piece));
}

/// Halves until a part is no longer than `piece`.
fn split<T: Float, K: Elementwise<N>, const N: usize>(
    x: &mut [T],
    g: &[T],
    slots: [&mut [T]; N],
    kernel: K,
    piece: usize,
) {
    if x.len() <= piece {
        return run(x, g, slots, kernel);
    }
    let middle = (x.len() / 2).next_multiple_of(LANES);
    let (x, x_rest) = x.split_at_mut(middle);
    let (g, g_rest) = g.split_at(middle);
    let mut rest: [&mut [T]; N] = std::array::from_fn(|_| Default::default());
    let mut rests = rest.iter_mut();
    let slots = slots.map(|slot| {
        let (slot, slot_rest) = slot.split_at_mut(middle);
        *rests.next().expect("as many as slots") = slot_rest;
        slot
    });
    rayon::join(
        || split(x, g, slots, kernel, piece),
        || split(x_rest, g_rest, rest, kernel, piece),
    );
}

/// Elements folded into one partial sum.
const PIECE: usize = 4096;

vectorized! {
    fn squares[T: Float](values: &[T]) -> f64 {
        let (body, tail) = values.as_chunks::<LANES>();
        let mut lanes = [0.0f64; LANES];
        for block in body {
            for (lane, x) in lanes.iter_mut().zip(block) {
                *lane += x.to_f64() * x.to_f64();
            }
        }
        let sum: f64 = lanes.iter().sum();
        tail.iter().fold(sum, |sum, x| sum + x.to_f64() * x.to_f64())
    }
}

/// Sum of squares, in float64; the same bits on any number of threads.
pub(crate) fn squared_norm<T: Float>(values: &[T]) -> f64 {
    if values.len() <= PIECE {
        return squares(values);
    }
    let mut partial = vec![0.0; values.len().div_ceil(PIECE)];
    parallel::chunks_mut(&mut partial, 1, PIECE, |first, partial| {
        for (i, sum) in partial.iter_mut().enumerate() {
            let at = (first + i) * PIECE;
            *sum = squares(&values[at..values.len().min(at + PIECE)]);
        }
    });
    partial.iter().sum()
}

/// The elements of `x` for writing; copied first if somebody else holds them or they have gaps.
pub(crate) fn own<T: Element>(x: &mut Tensor) -> &mut [T] {
    if x.unique_slice::<T>().is_none() {
        *x = Tensor::build(*x.shape(), |out| super::copy::copy_into::<T>(x, out));
    }
    x.unique_slice::<T>().expect("a new tensor has one owner")
}
