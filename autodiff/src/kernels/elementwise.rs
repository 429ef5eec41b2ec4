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
    for (axis, (&dim, &stride)) in x.dims().iter().zip(x.strides.iter()).enumerate() {
        steps[lead + axis] = if dim == 1 { 0 } else { stride };
    }
    steps
}

/// An operand as the flat loops see it.
enum Flat<'a, T> {
    Same(&'a [T]),
    Repeated(T),
}

#[inline]
fn flat<'a, T: Element>(x: &'a Tensor, shape: &Shape) -> Option<Flat<'a, T>> {
    if x.size() == 1 {
        let values = x.buffer.as_ref()?.slice::<T>();
        return Some(Flat::Repeated(values[x.offset]));
    }
    if x.shape() == shape { x.contiguous_slice().map(Flat::Same) } else { None }
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
    Tensor::build(*shape, |out| match (flat::<A>(a, shape), flat::<B>(b, shape)) {
        (Some(Flat::Same(a)), Some(Flat::Same(b))) => {
            parallel::chunks_mut(out, 1, cost, |at, chunk| {
                let range = at..at + chunk.len();
                flat2(&a[range.clone()], &b[range], chunk, f);
            });
        }
        (Some(Flat::Same(a)), Some(Flat::Repeated(b))) => {
            parallel::chunks_mut(out, 1, cost, |at, chunk| {
                flat1(&a[at..at + chunk.len()], chunk, |a| f(a, b));
            });
        }
        (Some(Flat::Repeated(a)), Some(Flat::Same(b))) => {
            parallel::chunks_mut(out, 1, cost, |at, chunk| {
                flat1(&b[at..at + chunk.len()], chunk, |b| f(a, b));
            });
        }
        (Some(Flat::Repeated(a)), Some(Flat::Repeated(b))) => out.fill(f(a, b)),
        _ => strided2(a, b, shape, out, cost, f),
    })
}

fn strided2<A: Element, B: Element, U: Element>(
    a: &Tensor,
    b: &Tensor,
    shape: &Shape,
    out: &mut [U],
    cost: usize,
    f: impl Fn(A, B) -> U + Copy + Sync + Send,
) {
    if out.is_empty() {
        return;
    }
    let (xs, ys) = (values::<A>(a), values::<B>(b));
    let steps = [broadcast_steps(a, shape), broadcast_steps(b, shape)];
    // The output is an operand too: rows must not merge where it doesn't step evenly.
    let nest = Nest::new(shape, [&steps[0], &steps[1], &shape.strides()]);
    let (len, [sa, sb, _]) = (nest.row_len(), nest.row_steps());
    parallel::chunks_mut(out, len, cost, |first, chunk| {
        let mut rows = chunk.chunks_exact_mut(len);
        nest.rows(first, rows.len(), |[ia, ib, _]| {
            let (ia, ib) = ((a.offset as isize + ia) as usize, (b.offset as isize + ib) as usize);
            let row = rows.next().expect("as many rows as were asked for");
            match (sa, sb) {
                (1, 1) => flat2(&xs[ia..ia + len], &ys[ib..ib + len], row, f),
                (1, 0) => {
                    let y = ys[ib];
                    flat1(&xs[ia..ia + len], row, |x| f(x, y));
                }
                (0, 1) => {
                    let x = xs[ia];
                    flat1(&ys[ib..ib + len], row, |y| f(x, y));
                }
                _ => {
                    for (i, out) in row.iter_mut().enumerate() {
                        let i = i as isize;
                        let x = xs[(ia as isize + i * sa) as usize];
                        *out = f(x, ys[(ib as isize + i * sb) as usize]);
                    }
                }
            }
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
    let same = |x: &Tensor| x.shape() == shape && x.is_contiguous();
    if same(a) && same(b) && same(c) {
        let (xs, ys, zs) =
            (a.contiguous_slice::<A>(), b.contiguous_slice::<B>(), c.contiguous_slice::<C>());
        if let (Some(xs), Some(ys), Some(zs)) = (xs, ys, zs) {
            return Tensor::build(*shape, |out| {
                parallel::chunks_mut(out, 1, cost, |at, chunk| {
                    let range = at..at + chunk.len();
                    flat3(&xs[range.clone()], &ys[range.clone()], &zs[range], chunk, f);
                });
            });
        }
    }
    Tensor::build(*shape, |out| strided3([a, b, c], shape, out, cost, f))
}

fn strided3<A: Element, B: Element, C: Element, U: Element>(
    [a, b, c]: [&Tensor; 3],
    shape: &Shape,
    out: &mut [U],
    cost: usize,
    f: impl Fn(A, B, C) -> U + Copy + Sync + Send,
) {
    if out.is_empty() {
        return;
    }
    let (xs, ys, zs) = (values::<A>(a), values::<B>(b), values::<C>(c));
    let steps = [a, b, c].map(|x| broadcast_steps(x, shape));
    let nest = Nest::new(shape, [&steps[0], &steps[1], &steps[2], &shape.strides()]);
    let (len, [sa, sb, sc, _]) = (nest.row_len(), nest.row_steps());
    parallel::chunks_mut(out, len, cost, |first, chunk| {
        let mut rows = chunk.chunks_exact_mut(len);
        nest.rows(first, rows.len(), |[ia, ib, ic, _]| {
            let row = rows.next().expect("as many rows as were asked for");
            let start = [ia + a.offset as isize, ib + b.offset as isize, ic + c.offset as isize];
            for (i, out) in row.iter_mut().enumerate() {
                let i = i as isize;
                let x = xs[(start[0] + i * sa) as usize];
                let y = ys[(start[1] + i * sb) as usize];
                *out = f(x, y, zs[(start[2] + i * sc) as usize]);
            }
        });
    });
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
