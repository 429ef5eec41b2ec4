//! Element-by-element work on one, two or three tensors of any layout.
//!
//! Contiguous operands and repeated scalars run as flat loops that the compiler vectorises;
//! everything else runs row by row over a merged loop nest.

use super::nest::Nest;
use super::parallel;
use super::simd::vectorized;
use crate::dtype::Element;
use crate::shape::{MAX_RANK, Shape};
use crate::tensor::Tensor;

vectorized! {
    fn flat1[A: Element, U: Element, F: Fn(A) -> U + Copy](a: &[A], out: &mut [U], f: F) {
        out.iter_mut().zip(a).for_each(|(out, &a)| *out = f(a));
    }
}

vectorized! {
    fn flat2[A: Element, B: Element, U: Element, F: Fn(A, B) -> U + Copy](
        a: &[A], b: &[B], out: &mut [U], f: F,
    ) {
        out.iter_mut().zip(a).zip(b).for_each(|((out, &a), &b)| *out = f(a, b));
    }
}

vectorized! {
    fn flat2_in_place[A: Element, B: Element, F: Fn(A, B) -> A + Copy](
        a: &mut [A], b: &[B], f: F,
    ) {
        a.iter_mut().zip(b).for_each(|(a, &b)| *a = f(*a, b));
    }
}

vectorized! {
    fn flat3[A: Element, B: Element, C: Element, U: Element, F: Fn(A, B, C) -> U + Copy](
        a: &[A], b: &[B], c: &[C], out: &mut [U], f: F,
    ) {
        let inputs = a.iter().zip(b).zip(c);
        out.iter_mut().zip(inputs).for_each(|(out, ((&a, &b), &c))| *out = f(a, b, c));
    }
}

/// `f` of every element. `cost` is as for [`parallel::chunks_mut`].
#[inline]
pub(crate) fn map1<A: Element, U: Element>(
    x: &Tensor,
    cost: usize,
    f: impl Fn(A) -> U + Copy + Sync + Send,
) -> Tensor {
    let x = x.packed();
    let values = x.contiguous_slice::<A>().expect("`packed` is contiguous");
    Tensor::build(*x.shape(), |out| {
        parallel::chunks_mut(out, 1, cost, |first, chunk| {
            flat1(&values[first..first + chunk.len()], chunk, f);
        });
    })
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

/// One operand along one row: where it begins and how far its elements lie apart.
#[derive(Clone, Copy)]
struct Row<'a, T> {
    values: &'a [T],
    start: usize,
    step: isize,
}

/// Elements that are brought side by side at a time.
const BLOCK: usize = 128;

impl<'a, T: Element> Row<'a, T> {
    /// All of `x` as one row of `shape`, if it can be seen so.
    #[inline]
    fn flat(x: &'a Tensor, shape: &Shape) -> Option<Row<'a, T>> {
        let step = match x.size() {
            1 => 0,
            _ if x.shape() == shape && x.is_contiguous() => 1,
            _ => return None,
        };
        Some(Row { values: values(x), start: x.offset, step })
    }

    /// The row of `x` that begins `offset` elements from its first.
    #[inline]
    fn at(x: &'a Tensor, offset: isize, step: isize) -> Row<'a, T> {
        Row { values: values(x), start: (x.offset as isize + offset) as usize, step }
    }

    /// The same row without its first elements.
    #[inline]
    fn skip(self, count: usize) -> Row<'a, T> {
        Row { start: (self.start as isize + count as isize * self.step) as usize, ..self }
    }

    /// Room for a block, and what every block of a repeated element is.
    #[inline]
    fn scratch(&self) -> [T; BLOCK] {
        [if self.step == 0 { self.values[self.start] } else { T::default() }; BLOCK]
    }

    /// `len` elements from number `first` on, side by side.
    #[inline]
    fn block<'b>(&self, first: usize, len: usize, scratch: &'b mut [T; BLOCK]) -> &'b [T]
    where
        'a: 'b,
    {
        match self.step {
            0 => {}
            1 => return &self.values[self.start + first..][..len],
            step => {
                let mut at = self.start as isize + first as isize * step;
                for v in &mut scratch[..len] {
                    *v = self.values[at as usize];
                    at += step;
                }
            }
        }
        &scratch[..len]
    }
}

/// `f` along two rows. One loop serves every layout: what doesn't lie side by side is brought
/// there block by block, by code that doesn't depend on `f`.
#[inline]
fn row2<A: Element, B: Element, U: Element>(
    a: Row<'_, A>,
    b: Row<'_, B>,
    out: &mut [U],
    f: impl Fn(A, B) -> U + Copy,
) {
    let len = out.len();
    if len == 0 {
        return;
    }
    if a.step == 1 && b.step == 1 {
        return flat2(&a.values[a.start..][..len], &b.values[b.start..][..len], out, f);
    }
    let (mut xs, mut ys) = (a.scratch(), b.scratch());
    for (i, out) in out.chunks_mut(BLOCK).enumerate() {
        let (first, len) = (i * BLOCK, out.len());
        flat2(a.block(first, len, &mut xs), b.block(first, len, &mut ys), out, f);
    }
}

/// As [`row2`], along three.
#[inline]
fn row3<A: Element, B: Element, C: Element, U: Element>(
    (a, b, c): (Row<'_, A>, Row<'_, B>, Row<'_, C>),
    out: &mut [U],
    f: impl Fn(A, B, C) -> U + Copy,
) {
    let len = out.len();
    if len == 0 {
        return;
    }
    if a.step == 1 && b.step == 1 && c.step == 1 {
        let (xs, ys) = (&a.values[a.start..][..len], &b.values[b.start..][..len]);
        return flat3(xs, ys, &c.values[c.start..][..len], out, f);
    }
    let (mut xs, mut ys, mut zs) = (a.scratch(), b.scratch(), c.scratch());
    for (i, out) in out.chunks_mut(BLOCK).enumerate() {
        let (first, len) = (i * BLOCK, out.len());
        let (xs, ys) = (a.block(first, len, &mut xs), b.block(first, len, &mut ys));
        flat3(xs, ys, c.block(first, len, &mut zs), out, f);
    }
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
    Tensor::build(*shape, |out: &mut [U]| {
        if let (Some(a), Some(b)) = (Row::<A>::flat(a, shape), Row::<B>::flat(b, shape)) {
            return parallel::chunks_mut(out, 1, cost, |first, chunk| {
                row2(a.skip(first), b.skip(first), chunk, f);
            });
        }
        let steps = [broadcast_steps(a, shape), broadcast_steps(b, shape)];
        // The output is an operand too: rows must not merge where it doesn't step evenly.
        let nest = Nest::new(shape, [&steps[0], &steps[1], &shape.strides()]);
        let [sa, sb, _] = nest.row_steps();
        rows(&nest, out, cost, |[ia, ib, _], row| {
            row2(Row::<A>::at(a, ia, sa), Row::<B>::at(b, ib, sb), row, f);
        });
    })
}

/// Calls `f` with the operands' offsets and the output of each row.
#[inline]
fn rows<const N: usize, U: Element>(
    nest: &Nest<N>,
    out: &mut [U],
    cost: usize,
    f: impl Fn([isize; N], &mut [U]) + Sync + Send,
) {
    if out.is_empty() {
        return;
    }
    let len = nest.row_len();
    parallel::chunks_mut(out, len, cost, |first, chunk| {
        let mut rows = chunk.chunks_exact_mut(len);
        nest.rows(first, rows.len(), |offsets| {
            f(offsets, rows.next().expect("as many rows as were asked for"));
        });
    });
}

fn values<T: Element>(x: &Tensor) -> &[T] {
    x.buffer.as_ref().expect("kernels get tensors with values").slice::<T>()
}

/// `f` of every triple of elements of three tensors broadcast to `shape`.
#[inline]
pub(crate) fn map3<A: Element, B: Element, C: Element, U: Element>(
    [a, b, c]: [&Tensor; 3],
    shape: &Shape,
    cost: usize,
    f: impl Fn(A, B, C) -> U + Copy + Sync + Send,
) -> Tensor {
    Tensor::build(*shape, |out: &mut [U]| {
        let flat = (Row::<A>::flat(a, shape), Row::<B>::flat(b, shape), Row::<C>::flat(c, shape));
        if let (Some(a), Some(b), Some(c)) = flat {
            return parallel::chunks_mut(out, 1, cost, |first, chunk| {
                row3((a.skip(first), b.skip(first), c.skip(first)), chunk, f);
            });
        }
        let steps = [a, b, c].map(|x| broadcast_steps(x, shape));
        let nest = Nest::new(shape, [&steps[0], &steps[1], &steps[2], &shape.strides()]);
        let [sa, sb, sc, _] = nest.row_steps();
        rows(&nest, out, cost, |[ia, ib, ic, _], row| {
            let (a, b) = (Row::<A>::at(a, ia, sa), Row::<B>::at(b, ib, sb));
            row3((a, b, Row::<C>::at(c, ic, sc)), row, f);
        });
    })
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

    /// The same `(20, 300)` values in several layouts.
    fn layouts() -> Vec<Tensor> {
        let whole = |n: usize| Tensor::arange(n, DType::F32);
        let view = |x: Tensor, steps: &[isize], offset| {
            x.view(Shape::of(&[20, 300]), Strides::of(steps), offset)
        };
        vec![
            view(whole(6000), &[300, 1], 0),
            view(whole(6000), &[1, 20], 0),
            view(whole(12000), &[600, 2], 1),
            view(whole(6000), &[-300, -1], 5999),
            view(whole(300), &[0, 1], 0),
            view(whole(20), &[1, 0], 0),
            view(whole(1), &[0, 0], 0),
            Tensor::scalar(3.0f32),
        ]
    }

    #[test]
    fn every_pair_and_triple_of_layouts_gives_what_packed_ones_give() {
        let shape = Shape::of(&[20, 300]);
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
                    assert!((0..6000).all(|i| y[i] == f(xs[i], ys[i], zs[i])));
                }
            }
        }
    }
}
