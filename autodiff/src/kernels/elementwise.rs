//! Element-by-element work on one, two or three tensors of any layout.
//!
//! Only the innermost loops know their types. Walking layouts, bringing elements side by side
//! and sharing work among threads see bytes and are compiled once: with hundreds of pairs of
//! function and type they would be most of this crate.

#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use super::bytes::{self, typed, typed_mut};
use super::nest::Nest;
use super::parallel;
use super::simd::vectorized;
use crate::dtype::{DType, Element};
use crate::shape::{MAX_RANK, Shape};
use crate::tensor::Tensor;

// Loops by position, not chained iterators: these are compiled hundreds of times, and each
// adapter would be a function more.
vectorized! {
    fn flat1[A: Element, U: Element, F: Fn(A) -> U + Copy](a: &[A], out: &mut [U], f: F) {
        let a = &a[..out.len()];
        for i in 0..out.len() {
            out[i] = f(a[i]);
        }
    }
}

vectorized! {
    fn flat2[A: Element, B: Element, U: Element, F: Fn(A, B) -> U + Copy](
        a: &[A], b: &[B], out: &mut [U], f: F,
    ) {
        let (a, b) = (&a[..out.len()], &b[..out.len()]);
        for i in 0..out.len() {
            out[i] = f(a[i], b[i]);
        }
    }
}

vectorized! {
    fn flat2_in_place[A: Element, B: Element, F: Fn(A, B) -> A + Copy](
        a: &mut [A], b: &[B], f: F,
    ) {
        let b = &b[..a.len()];
        for i in 0..a.len() {
            a[i] = f(a[i], b[i]);
        }
    }
}

vectorized! {
    fn flat3[A: Element, B: Element, C: Element, U: Element, F: Fn(A, B, C) -> U + Copy](
        a: &[A], b: &[B], c: &[C], out: &mut [U], f: F,
    ) {
        let (a, b, c) = (&a[..out.len()], &b[..out.len()], &c[..out.len()]);
        for i in 0..out.len() {
            out[i] = f(a[i], b[i], c[i]);
        }
    }
}

/// The innermost loop: elements that lie side by side, as many of each input as of the output.
/// A trait of its own, as [`parallel`]'s is.
trait Loop<const N: usize>: Sync {
    /// # Safety
    /// The bytes must be aligned elements of the types that the loop is for.
    unsafe fn run(&self, inputs: [&[u8]; N], out: &mut [u8]);
}

/// A function of elements, with the types of inputs and output.
struct Typed<Types, F>(F, PhantomData<fn() -> Types>);

impl<A: Element, U: Element, F> Loop<1> for Typed<(A, U), F>
where
    F: Fn(A) -> U + Copy + Sync,
{
    unsafe fn run(&self, [a]: [&[u8]; 1], out: &mut [u8]) {
        // SAFETY: the caller's promise.
        unsafe { flat1(typed::<A>(a), typed_mut::<U>(out), self.0) }
    }
}

impl<A: Element, B: Element, U: Element, F> Loop<2> for Typed<(A, B, U), F>
where
    F: Fn(A, B) -> U + Copy + Sync,
{
    unsafe fn run(&self, [a, b]: [&[u8]; 2], out: &mut [u8]) {
        // SAFETY: the caller's promise.
        unsafe { flat2(typed::<A>(a), typed::<B>(b), typed_mut::<U>(out), self.0) }
    }
}

impl<A: Element, B: Element, C: Element, U: Element, F> Loop<3> for Typed<(A, B, C, U), F>
where
    F: Fn(A, B, C) -> U + Copy + Sync,
{
    unsafe fn run(&self, [a, b, c]: [&[u8]; 3], out: &mut [u8]) {
        // SAFETY: the caller's promise.
        unsafe { flat3(typed::<A>(a), typed::<B>(b), typed::<C>(c), typed_mut::<U>(out), self.0) }
    }
}

/// `f` of every element. `cost` is as for [`parallel::chunks_mut`].
#[inline]
pub(crate) fn map1<A: Element, U: Element>(
    x: &Tensor,
    cost: usize,
    f: impl Fn(A) -> U + Copy + Sync + Send,
) -> Tensor {
    let body = Typed::<(A, U), _>(f, PhantomData);
    // SAFETY: the dtypes are those of the body's types.
    unsafe { run([x], [A::DTYPE], U::DTYPE, x.shape(), cost, &body) }
}

/// `f` of every pair of elements of `a` and `b` broadcast to `shape`.
#[inline]
pub(crate) fn map2<A: Element, B: Element, U: Element>(
    a: &Tensor,
    b: &Tensor,
    shape: &Shape,
    cost: usize,
    f: impl Fn(A, B) -> U + Copy + Sync + Send,
) -> Tensor {
    let body = Typed::<(A, B, U), _>(f, PhantomData);
    // SAFETY: as in `map1`.
    unsafe { run([a, b], [A::DTYPE, B::DTYPE], U::DTYPE, shape, cost, &body) }
}

/// `f` of every triple of elements of three tensors broadcast to `shape`.
#[inline]
pub(crate) fn map3<A: Element, B: Element, C: Element, U: Element>(
    inputs: [&Tensor; 3],
    shape: &Shape,
    cost: usize,
    f: impl Fn(A, B, C) -> U + Copy + Sync + Send,
) -> Tensor {
    let dtypes = [A::DTYPE, B::DTYPE, C::DTYPE];
    let body = Typed::<(A, B, C, U), _>(f, PhantomData);
    // SAFETY: as in `map1`.
    unsafe { run(inputs, dtypes, U::DTYPE, shape, cost, &body) }
}

/// The stride of `x` along each axis of the shape it is broadcast to.
pub(crate) fn broadcast_steps(x: &Tensor, shape: &Shape) -> [isize; MAX_RANK] {
    let mut steps = [0; MAX_RANK];
    let lead = shape.rank() - x.rank();
    for (axis, (&dim, &stride)) in x.dims().iter().zip(x.strides().iter()).enumerate() {
        steps[lead + axis] = if dim == 1 { 0 } else { stride };
    }
    steps
}

/// One operand along one row: where it begins and how far its elements lie apart, in elements.
#[derive(Clone, Copy)]
struct Row<'a> {
    bytes: &'a [u8],
    size: usize,
    start: usize,
    step: isize,
}

/// The most inputs a loop has.
const MAX_INPUTS: usize = 3;

/// Elements that are brought side by side at a time.
const BLOCK: usize = 128;

/// Room for a block of elements of any type.
type Scratch = [MaybeUninit<u64>; BLOCK];

impl<'a> Row<'a> {
    /// The row of `x` that begins `offset` elements from its first.
    fn at(x: &'a Tensor, offset: isize, step: isize) -> Row<'a> {
        let bytes = x.buffer.as_ref().expect("kernels get tensors with values").bytes();
        let start = (x.offset as isize + offset) as usize;
        Row { bytes, size: x.dtype().size(), start, step }
    }

    /// All of `x` as one row of `shape`, if it can be seen so.
    fn flat(x: &'a Tensor, shape: &Shape) -> Option<Row<'a>> {
        match x.size() {
            1 => Some(Row::at(x, 0, 0)),
            _ if x.shape() == shape && x.is_contiguous() => Some(Row::at(x, 0, 1)),
            _ => None,
        }
    }

    /// The same row without its first elements.
    fn skip(self, count: usize) -> Row<'a> {
        Row { start: (self.start as isize + count as isize * self.step) as usize, ..self }
    }

    /// `len` elements from number `first` on, which lie side by side.
    fn together(&self, first: usize, len: usize) -> &'a [u8] {
        &self.bytes[(self.start + first) * self.size..][..len * self.size]
    }

    /// `len` elements from number `first` on, side by side.
    fn block<'b>(&self, first: usize, len: usize, scratch: &'b mut Scratch) -> &'b [u8]
    where
        'a: 'b,
    {
        match self.size {
            _ if self.step == 1 => self.together(first, len),
            1 => self.gather::<u8>(first, len, scratch),
            4 => self.gather::<u32>(first, len, scratch),
            _ => self.gather::<u64>(first, len, scratch),
        }
    }

    /// Copies elements of the size of `T` into `scratch`. A repeated one is there already
    /// unless this is the first block.
    fn gather<'b, T: Copy>(&self, first: usize, len: usize, scratch: &'b mut Scratch) -> &'b [u8] {
        assert!(len <= BLOCK && size_of::<T>() == self.size);
        let to = scratch.as_mut_ptr().cast::<T>();
        let element = |at: isize| {
            let bytes = &self.bytes[at as usize * size_of::<T>()..][..size_of::<T>()];
            // SAFETY: that many bytes, of which any are a `T`, an unsigned integer.
            unsafe { bytes.as_ptr().cast::<T>().read_unaligned() }
        };
        let mut at = self.start as isize + first as isize * self.step;
        if self.step != 0 {
            for i in 0..len {
                // SAFETY: `i < BLOCK`, and `T` is no larger than a `u64`.
                unsafe { to.add(i).write(element(at)) };
                at += self.step;
            }
        } else if first == 0 {
            let value = element(at);
            // SAFETY: as above.
            (0..len).for_each(|i| unsafe { to.add(i).write(value) });
        }
        // SAFETY: the first `len` elements have been written, now or with the first block,
        // which no later one exceeds.
        unsafe { std::slice::from_raw_parts(to.cast::<u8>(), len * size_of::<T>()) }
    }
}

/// The loop along rows of any step: what doesn't lie side by side is brought there block by
/// block.
///
/// # Safety
/// Rows and output must be of the types that `body` is for.
unsafe fn along<const N: usize>(
    rows: [Row<'_>; N],
    out: &mut [u8],
    size: usize,
    body: &dyn Loop<N>,
) {
    let len = out.len() / size;
    if len == 0 {
        return;
    }
    if rows.iter().all(|row| row.step == 1) {
        // SAFETY: the caller's promise.
        return unsafe { body.run(rows.map(|row| row.together(0, len)), out) };
    }
    let mut scratch = [[MaybeUninit::uninit(); BLOCK]; N];
    for (i, out) in out.chunks_mut(BLOCK * size).enumerate() {
        let (first, len) = (i * BLOCK, out.len() / size);
        let mut rooms = scratch.iter_mut();
        let blocks = rows
            .each_ref()
            .map(|row| row.block(first, len, rooms.next().expect("a room for every row")));
        // SAFETY: the caller's promise; a scratch is aligned for any element.
        unsafe { body.run(blocks, out) };
    }
}

/// A new tensor of `dtype` and `shape` that `body` fills from the elements of `inputs`
/// broadcast to `shape`.
///
/// # Safety
/// `body` must be for elements of the dtypes `expected` and `dtype`.
unsafe fn run<const N: usize>(
    inputs: [&Tensor; N],
    expected: [DType; N],
    dtype: DType,
    shape: &Shape,
    cost: usize,
    body: &dyn Loop<N>,
) -> Tensor {
    for (x, expected) in inputs.iter().zip(expected) {
        assert_eq!(x.dtype(), expected, "kernels are given the dtypes they are for");
    }
    let size = dtype.size();
    let mut fill = |out: &mut [u8]| {
        if out.is_empty() {
            return;
        }
        let flat = inputs.map(|x| Row::flat(x, shape));
        if flat.iter().all(Option::is_some) {
            let rows = flat.map(|row| row.expect("just seen"));
            return parallel::pieces_mut(out, size, 1, cost, &|first, piece| {
                // SAFETY: the caller's promise; inputs have the expected dtypes.
                unsafe { along(rows.map(|row| row.skip(first)), piece, size, body) };
            });
        }
        // The output is an operand too: rows must not merge where it doesn't step evenly.
        let mut steps = [[0; MAX_RANK]; MAX_INPUTS + 1];
        steps[..N].copy_from_slice(&inputs.map(|x| broadcast_steps(x, shape)));
        steps[MAX_INPUTS][..shape.rank()].copy_from_slice(&shape.strides());
        let nest = Nest::new(shape, steps.each_ref().map(<[isize; MAX_RANK]>::as_slice));
        let (len, row_steps) = (nest.row_len(), nest.row_steps());
        parallel::pieces_mut(out, size, len, cost, &|first, piece| {
            let mut outputs = piece.chunks_exact_mut(len * size);
            nest.rows(first, outputs.len(), &mut |offsets| {
                let mut i = 0..N;
                let rows = inputs.map(|x| {
                    let i = i.next().expect("one for every input");
                    Row::at(x, offsets[i], row_steps[i])
                });
                let output = outputs.next().expect("as many rows as were asked for");
                // SAFETY: as above.
                unsafe { along(rows, output, size, body) };
            });
        });
    };
    // SAFETY: `body` writes every element, as one of `dtype`.
    unsafe { bytes::build(dtype, *shape, &mut fill) }
}

/// `a = f(a, b)` when `a` may be overwritten and both are contiguous with one shape; else
/// `None`, and nothing has happened.
#[inline]
pub(crate) fn zip_in_place<A: Element, B: Element>(
    a: &mut Tensor,
    b: &Tensor,
    cost: usize,
    f: impl Fn(A, B) -> A + Copy + Sync + Send,
) -> Option<()> {
    if a.shape() != b.shape() || b.dtype() != B::DTYPE {
        return None;
    }
    let b = b.contiguous_slice::<B>()?;
    let a = a.unique_slice::<A>()?;
    parallel::chunks_mut(a, 1, cost, |at, chunk| {
        let len = chunk.len();
        flat2_in_place(chunk, &b[at..at + len], f);
    });
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtype::DType;
    use crate::shape::Strides;

    /// Rows are longer than a block; Miri, which is slow, sees few.
    const ROWS: usize = if cfg!(miri) { 2 } else { 20 };
    const COLUMNS: usize = if cfg!(miri) { BLOCK + 2 } else { 300 };
    const SIZE: usize = ROWS * COLUMNS;

    /// The same `(ROWS, COLUMNS)` values in several layouts.
    fn layouts() -> Vec<Tensor> {
        let (rows, columns) = (ROWS as isize, COLUMNS as isize);
        let whole = |n: usize| Tensor::arange(n, DType::F32);
        let view = |x: Tensor, steps: &[isize], offset| {
            x.view(Shape::of(&[ROWS, COLUMNS]), Strides::of(steps), offset)
        };
        let all = vec![
            view(whole(SIZE), &[columns, 1], 0),
            view(whole(SIZE), &[1, rows], 0),
            view(whole(2 * SIZE), &[2 * columns, 2], 1),
            view(whole(SIZE), &[-columns, -1], SIZE - 1),
            view(whole(COLUMNS), &[0, 1], 0),
            view(whole(ROWS), &[1, 0], 0),
            view(whole(1), &[0, 0], 0),
            Tensor::scalar(3.0f32),
        ];
        let all = all.into_iter().enumerate();
        all.filter(|(i, _)| !cfg!(miri) || i % 3 == 0).map(|(_, x)| x).collect()
    }

    #[test]
    fn every_pair_and_triple_of_layouts_gives_what_packed_ones_give() {
        let shape = Shape::of(&[ROWS, COLUMNS]);
        let read = |x: &Tensor| {
            let steps = broadcast_steps(x, &shape);
            x.view(shape, Strides::of(&steps[..2]), x.offset).to_vec::<f32>().unwrap()
        };
        for a in layouts() {
            for b in layouts() {
                let (xs, ys) = (read(&a), read(&b));
                let y = map2(&a, &b, &shape, 1, |a: f32, b: f32| a - 2.0 * b);
                let exact: Vec<f32> = xs.iter().zip(&ys).map(|(a, b)| a - 2.0 * b).collect();
                assert_eq!(y.to_vec::<f32>().unwrap(), exact);
                for c in layouts() {
                    let f = |a: f32, b: f32, c: f32| a - 2.0 * b + 0.5 * c;
                    let y = map3([&a, &b, &c], &shape, 1, f).to_vec::<f32>().unwrap();
                    let zs = read(&c);
                    assert!((0..SIZE).all(|i| y[i] == f(xs[i], ys[i], zs[i])));
                }
            }
        }
    }
}
