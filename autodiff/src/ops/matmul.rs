//! Matrix products.

use crate::each_float;
use crate::error::{Error, Result};
use crate::kernels::elementwise::broadcast_steps;
use crate::kernels::gemm::{Gemm, Matrix};
use crate::kernels::parallel;
use crate::op::{Call, Gradients, Op, Saves, apply, must};
use crate::shape::{MAX_RANK, Shape, Spec, broadcast};
use crate::tensor::Tensor;

/// Matrix product, `(…, m, k) · (…, k, n) -> (…, m, n)`, with NumPy's broadcasting of the
/// leading axes.
#[derive(Clone, Copy, Debug)]
pub struct MatMul;

const RULE: &str = "the inner axes must be equal and leading axes broadcast, (…, m, k) · (…, k, n)";

impl Op for MatMul {
    fn name(&self) -> &'static str {
        "matmul"
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        2..=2
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        if x[0].dtype != x[1].dtype || !x[0].dtype.is_float() {
            let rule = "inputs must both be float32 or both float64";
            return Err(Error::dtype(self.name(), rule, x));
        }
        let (a, b) = (x[0].dims(), x[1].dims());
        let fits = a.len() >= 2 && b.len() >= 2 && a[a.len() - 1] == b[b.len() - 2];
        let lead = fits.then(|| broadcast(&a[..a.len() - 2], &b[..b.len() - 2])).flatten();
        let Some(lead) = lead else { return Err(Error::shape(self.name(), RULE, x)) };
        let mut dims = [0; MAX_RANK];
        let rank = lead.rank();
        dims[..rank].copy_from_slice(&lead);
        dims[rank] = a[a.len() - 2];
        dims[rank + 1] = b[b.len() - 1];
        x[0].with(&dims[..rank + 2])
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        Ok(each_float!(out.dtype, T => product::<T>(x[0], x[1], &out.shape)))
    }
    fn saves(&self) -> Saves {
        Saves::Inputs
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        let (a, b) = (call.input(0), call.input(1));
        into.add(0, || g.matmul(&b.t())); // (m, n) · (n, k) -> (m, k)
        into.add(1, || {
            if b.rank() == 2 && a.rank() > 2 {
                // One product over all leading axes, instead of one each to be summed.
                let count: usize = a.dims()[..a.rank() - 1].iter().product();
                let rows =
                    |x: &Tensor| x.reshape([count as isize, x.dims()[x.rank() - 1] as isize]);
                return rows(a).t().matmul(&rows(g));
            }
            a.t().matmul(g) // (k, m) · (m, n) -> (k, n)
        });
    }
}

/// The last two axes as a matrix.
pub(crate) fn matrix<T: Gemm>(x: &Tensor, offset: isize) -> Matrix<'_, T> {
    let rank = x.rank();
    let strides = x.strides();
    Matrix {
        values: x.buffer.as_ref().expect("kernels get tensors with values").slice::<T>(),
        offset: (x.offset as isize + offset) as usize,
        row: strides[rank - 2],
        column: strides[rank - 1],
    }
}

fn product<T: Gemm>(a: &Tensor, b: &Tensor, shape: &Shape) -> Tensor {
    let rank = shape.rank();
    let (m, n, k) = (shape[rank - 2], shape[rank - 1], a.dims()[a.rank() - 1]);
    if rank == 2 {
        return Tensor::build(*shape, |out| {
            T::gemm([m, n, k], matrix(a, 0), matrix(b, 0), out, None, None);
        });
    }
    if b.rank() == 2 && a.is_contiguous() {
        let rows = a.size().checked_div(k).unwrap_or(shape.size().checked_div(n).unwrap_or(0));
        let a = Matrix {
            values: a.buffer.as_ref().expect("kernels get tensors with values").slice::<T>(),
            offset: a.offset,
            row: k as isize,
            column: 1,
        };
        return Tensor::build(*shape, |out| {
            T::gemm([rows, n, k], a, matrix(b, 0), out, None, None)
        });
    }
    let lead = Shape::of(&shape[..rank - 2]);
    let full = |x: &Tensor| {
        let mut dims = *shape;
        dims.dims_mut()[rank - 2..].copy_from_slice(&x.dims()[x.rank() - 2..]);
        broadcast_steps(x, &dims)
    };
    let (steps_a, steps_b) = (full(a), full(b));
    Tensor::build(*shape, |out| {
        if m * n == 0 {
            return;
        }
        parallel::chunks_mut(out, m * n, k, |first, out| {
            for (i, out) in out.chunks_exact_mut(m * n).enumerate() {
                let (mut at, mut offset_a, mut offset_b) = (first + i, 0, 0);
                for axis in (0..lead.rank()).rev() {
                    let position = (at % lead[axis]) as isize;
                    at /= lead[axis];
                    offset_a += position * steps_a[axis];
                    offset_b += position * steps_b[axis];
                }
                T::gemm([m, n, k], matrix(a, offset_a), matrix(b, offset_b), out, None, None);
            }
        });
    })
}

impl Tensor {
    /// Matrix product, `(…, m, k) · (…, k, n) -> (…, m, n)`, with NumPy's broadcasting of the
    /// leading axes. A vector counts as a row on the left, as a column on the right, and the
    /// axis so added is dropped again.
    ///
    /// # Panics
    /// When shapes or dtypes don't fit.
    #[inline]
    #[track_caller]
    pub fn matmul(&self, other: &Tensor) -> Tensor {
        match (self.rank(), other.rank()) {
            (1, 1) => (self * other).sum(.., false),
            (1, _) => must(apply(MatMul, &[&self.expand_dims(0), other])).squeeze([-2]),
            (_, 1) => must(apply(MatMul, &[self, &other.expand_dims(-1)])).squeeze([-1]),
            _ => must(apply(MatMul, &[self, other])),
        }
    }
}
