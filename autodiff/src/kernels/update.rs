//! One pass over a variable, its gradient and its slots: each is read once and written once.

#![allow(unsafe_code)]

use std::marker::PhantomData;

use smallvec::SmallVec;

use super::parallel;
use super::simd::vectorized;
use crate::dtype::Element;
use crate::tensor::{Tensor, next_id};
use crate::update::{Elementwise, Float};

/// Elements handled at once. They are loaded before any is stored, so that the compiler need
/// not prove that the columns don't overlap.
const LANES: usize = 16;

/// The slots that optimizers keep, at most, without an allocation.
type Pointers<T> = SmallVec<[*mut T; 4]>;

/// A piece of a variable, of its gradient and of its slots: where they begin.
///
/// Made in this file alone, for `len` elements of columns that nobody else uses, none of which
/// overlaps another.
pub(crate) struct Columns<'a, T> {
    x: *mut T,
    g: *const T,
    slots: Pointers<T>,
    len: usize,
    of: PhantomData<&'a mut T>,
}

/// What is done with a piece, for each type of elements.
#[derive(Clone, Copy)]
pub(crate) struct Body<'a> {
    pub(crate) f32: &'a (dyn Fn(&Columns<'_, f32>) + Sync),
    pub(crate) f64: &'a (dyn Fn(&Columns<'_, f64>) + Sync),
}

/// Types that a [`Body`] is for.
pub(crate) trait Updated: Float {
    fn body<'a>(body: &Body<'a>) -> &'a (dyn Fn(&Columns<'_, Self>) + Sync);
}

impl Updated for f32 {
    fn body<'a>(body: &Body<'a>) -> &'a (dyn Fn(&Columns<'_, f32>) + Sync) {
        body.f32
    }
}

impl Updated for f64 {
    fn body<'a>(body: &Body<'a>) -> &'a (dyn Fn(&Columns<'_, f64>) + Sync) {
        body.f64
    }
}

vectorized! {
    /// `kernel` on every element.
    pub(crate) fn run[T: Float, K: Elementwise<N>, const N: usize](
        columns: &Columns<'_, T>, kernel: &K,
    ) {
        let Columns { x, g, ref slots, len, .. } = *columns;
        let slots: &[*mut T; N] = slots[..].try_into().expect("a kernel has N slots");
        let whole = len / LANES * LANES;
        // SAFETY: the columns have `len` elements, and nobody else uses them.
        unsafe {
            for from in (0..whole).step_by(LANES) {
                elements::<T, K, N, LANES>(x, g, slots, from, kernel);
            }
            for from in whole..len {
                elements::<T, K, N, 1>(x, g, slots, from, kernel);
            }
        }
    }
}

/// `COUNT` elements from `from` on.
///
/// # Safety
/// All columns have them, and nobody else uses them.
#[inline(always)]
unsafe fn elements<T: Float, K: Elementwise<N>, const N: usize, const COUNT: usize>(
    x: *mut T,
    g: *const T,
    slots: &[*mut T; N],
    from: usize,
    kernel: &K,
) {
    // SAFETY: the caller's promise; an array has its element's alignment.
    unsafe {
        let (x, g) = (x.add(from).cast::<[T; COUNT]>(), g.add(from).cast::<[T; COUNT]>());
        let (mut xs, gs) = (*x, *g);
        let mut states = [[T::default(); COUNT]; N];
        for k in 0..N {
            states[k] = *slots[k].add(from).cast();
        }
        for i in 0..COUNT {
            let mut own = [T::default(); N];
            for k in 0..N {
                own[k] = states[k][i];
            }
            let (new, state) = kernel.update(xs[i], gs[i], own);
            xs[i] = new;
            for k in 0..N {
                states[k][i] = state[k];
            }
        }
        *x = xs;
        for k in 0..N {
            *slots[k].add(from).cast() = states[k];
        }
    }
}

/// Elements between `first` and `then`: what is written by one is in the cache for the other.
const BLOCK: usize = 1024;

/// `then` on every element of tensors of one shape and type, with what `first` makes of the
/// gradient if there is one.
pub(crate) fn update<T: Updated>(
    x: &mut Tensor,
    g: &Tensor,
    slots: &mut [&mut Tensor],
    first: Option<Body<'_>>,
    then: Body<'_>,
) {
    let g = g.packed();
    let g = g.contiguous_slice::<T>().expect("`packed` is contiguous");
    let starts = slots.iter_mut().map(|slot| {
        let slot = own::<T>(slot);
        assert!(slot.len() == g.len());
        parallel::Start::of(slot)
    });
    let starts: SmallVec<[_; 4]> = starts.collect();
    let (first, then) = (first.map(|body| T::body(&body)), T::body(&then));
    let x = own::<T>(x);
    assert!(x.len() == g.len());
    parallel::chunks_mut(x, LANES, slots.len() + 2, |number, x: &mut [T]| {
        let from = number * LANES;
        let columns = |at: usize, len: usize, x: *mut T, g: *const T| {
            // SAFETY: slots are as long as `x`, no two of whose pieces overlap.
            let slot = |start: &parallel::Start<T>| unsafe { start.part(at, len) }.as_mut_ptr();
            Columns { x, g, slots: starts.iter().map(slot).collect(), len, of: PhantomData }
        };
        let Some(first) = first else {
            return then(&columns(from, x.len(), x.as_mut_ptr(), g[from..].as_ptr()));
        };
        let mut buffer = [T::default(); BLOCK];
        for (block, x) in x.chunks_mut(BLOCK).enumerate() {
            let (at, x, len) = (from + block * BLOCK, x.as_mut_ptr(), x.len());
            let (g, made) = (g[at..].as_ptr(), buffer.as_mut_ptr());
            let slots = Pointers::from_slice(&[made]);
            first(&Columns { x, g, slots, len, of: PhantomData });
            then(&columns(at, len, x, made));
        }
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
/// The tensor is another from now on.
fn own<T: Element>(x: &mut Tensor) -> &mut [T] {
    if x.unique_slice::<T>().is_none() {
        *x = Tensor::build(*x.shape(), |out| super::copy::copy_into::<T>(x, out));
    }
    x.id = next_id();
    x.unique_slice::<T>().expect("a new tensor has one owner")
}
