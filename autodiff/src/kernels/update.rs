//! One pass over a variable, its gradient and its slots: each is read once and written once.

#![allow(unsafe_code)]

use super::parallel::{self, Start};
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
        let mut own = [T::default(); N];
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
                for k in 0..N {
                    own[k] = ss[k][i];
                }
                let (new, state) = kernel.update(xs[i], gs[i], own);
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
            for k in 0..N {
                own[k] = slots[k][i];
            }
            let (new, state) = kernel.update(x[i], g[i], own);
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
    assert!(g.len() == x.len() && slots.iter().all(|slot| slot.len() == x.len()));
    let starts = slots.map(|slot| Start::of(slot));
    parallel::chunks_mut(x, LANES, N + 2, |first, x| {
        let from = first * LANES;
        // SAFETY: slots are as long as `x`, of which no two pieces overlap.
        let slots = starts.each_ref().map(|start| unsafe { start.part(from, x.len()) });
        run(x, &g[from..from + x.len()], slots, kernel);
    });
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
