//! Softmax and its logarithm, in one pass a row.

use crate::each_float;
use crate::error::Result;
use crate::kernels::float::Float;
use crate::kernels::softmax;
use crate::op::{Call, Gradients, Op, Saves, apply, must};
use crate::ops::unary::float_only;
use crate::shape::{Shape, Spec, Strides, axis_of};
use crate::tape::is_recording;
use crate::tensor::Tensor;

/// `e^xᵢ / Σ e^x` along an axis. A row of minus infinities alone gives NaN, as in JAX.
#[derive(Clone, Copy, Debug)]
pub struct Softmax {
    /// The axis whose elements sum to one.
    pub axis: isize,
}

/// `xᵢ - ln Σ e^x` along an axis, without overflow.
#[derive(Clone, Copy, Debug)]
pub struct LogSoftmax {
    /// The axis along which to normalise.
    pub axis: isize,
}

/// The point of the simplex nearest to each row along an axis.
#[derive(Clone, Copy, Debug)]
pub struct Sparsemax {
    /// The axis whose elements sum to one.
    pub axis: isize,
}

/// A kernel on rows: inputs, output, length of a row.
type Rows1<T> = fn(&[T], &mut [T], usize);
type Rows2<T> = fn(&[T], &[T], &mut [T], usize);

/// `x` with axis `from` moved to position `to`: a view.
fn moved(x: &Tensor, from: usize, to: usize) -> Tensor {
    if from == to {
        return x.clone();
    }
    let mut order: smallvec::SmallVec<[usize; 8]> = (0..x.rank()).collect();
    let axis = order.remove(from);
    order.insert(to, axis);
    let (mut dims, mut steps) = ([0; 8], [0; 8]);
    for (to, &from) in order.iter().enumerate() {
        (dims[to], steps[to]) = (x.dims()[from], x.strides()[from]);
    }
    let rank = x.rank();
    x.view(Shape::of(&dims[..rank]), Strides::of(&steps[..rank]), x.offset)
}

/// Runs a kernel on the rows along one axis.
fn along1<T: Float>(x: &Tensor, axis: usize, f: Rows1<T>) -> Tensor {
    let last = x.rank() - 1;
    let x = moved(x, axis, last);
    let x = x.packed();
    let values = x.contiguous_slice::<T>().expect("`packed` is contiguous");
    let y = Tensor::build(*x.shape(), |out| f(values, out, x.dims()[last]));
    moved(&y, last, axis)
}

fn along2<T: Float>(a: &Tensor, b: &Tensor, axis: usize, f: Rows2<T>) -> Tensor {
    let last = a.rank() - 1;
    let (a, b) = (moved(a, axis, last), moved(b, axis, last));
    let (a, b) = (a.packed(), b.packed());
    let xs = a.contiguous_slice::<T>().expect("`packed` is contiguous");
    let ys = b.contiguous_slice::<T>().expect("`packed` is contiguous");
    let y = Tensor::build(*a.shape(), |out| f(xs, ys, out, a.dims()[last]));
    moved(&y, last, axis)
}

macro_rules! normalised {
    ($Op:ident, $name:literal, $rows:ident, $slope:ident, |$y:ident, $g:ident, $axis:ident| $vjp:expr) => {
        impl Op for $Op {
            fn name(&self) -> &'static str {
                $name
            }
            fn infer(&self, x: &[&Spec]) -> Result<Spec> {
                axis_of($name, self.axis, x[0].shape.rank())?;
                float_only(self, x)
            }
            fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
                let axis = axis_of($name, self.axis, out.shape.rank())?;
                Ok(each_float!(out.dtype, T => along1::<T>(x[0], axis, softmax::$rows)))
            }
            fn saves(&self) -> Saves {
                Saves::Output
            }
            fn vjp(&self, call: &Call<'_>, $g: &Tensor, into: &mut Gradients<'_>) {
                into.add(0, || {
                    let ($y, $axis) = (call.output(), self.axis);
                    if is_recording() {
                        return $vjp;
                    }
                    let axis = must(axis_of($name, self.axis, $g.rank()));
                    each_float!($g.dtype(), T => along2::<T>($y, $g, axis, softmax::$slope))
                });
            }
        }
    };
}
normalised!(Softmax, "softmax", softmax, softmax_slope, |y, g, axis| {
    y * (g - (g * y).sum(axis, true))
});
normalised!(LogSoftmax, "log_softmax", log_softmax, log_softmax_slope, |y, g, axis| {
    g - y.exp() * g.sum(axis, true)
});
normalised!(Sparsemax, "sparsemax", sparsemax, sparsemax_slope, |y, g, axis| {
    let support = y.step();
    let mean = (g * &support).sum(axis, true) / support.sum(axis, true);
    support * (g - mean)
});

impl Tensor {
    /// `e^xᵢ / Σ e^x` along an axis: positive numbers that sum to one. Never overflows. A row of
    /// minus infinities alone gives NaN, as in JAX.
    ///
    /// # Panics
    /// When the axis is out of range or the elements are not floating-point numbers.
    ///
    /// ```
    /// # use cornu_autodiff::Tensor;
    /// let y = Tensor::from([0.0f32, 1000.0]).softmax(-1);
    /// assert_eq!(y.to_vec::<f32>()?, [0.0, 1.0]);
    /// # Ok::<(), cornu_autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn softmax(&self, axis: isize) -> Tensor {
        must(apply(Softmax { axis }, &[self]))
    }

    /// `xᵢ - ln Σ e^x` along an axis: the logarithm of [`softmax`](Tensor::softmax), exact where
    /// that is too small for a number.
    ///
    /// # Panics
    /// As [`softmax`](Tensor::softmax).
    #[track_caller]
    pub fn log_softmax(&self, axis: isize) -> Tensor {
        must(apply(LogSoftmax { axis }, &[self]))
    }

    /// The point of the simplex nearest to each row along an axis: as [`softmax`](Tensor::softmax),
    /// but with exact zeros (Martins and Astudillo 2016, arXiv:1602.02068).
    ///
    /// # Panics
    /// As [`softmax`](Tensor::softmax).
    #[track_caller]
    pub fn sparsemax(&self, axis: isize) -> Tensor {
        must(apply(Sparsemax { axis }, &[self]))
    }
}
