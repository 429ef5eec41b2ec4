//! Order along an axis.

use std::cmp::Ordering;

use crate::dtype::{DType, Element};
use crate::each_dtype;
use crate::error::{Error, Result};
use crate::kernels::reduce::arrange;
use crate::op::{Op, apply, must};
use crate::shape::{MAX_RANK, Spec, axis_of};
use crate::tensor::Tensor;

/// Positions that would sort the elements along an axis; int64.
#[derive(Clone, Copy, Debug)]
pub struct ArgSort {
    /// The axis; negative ones count from the last.
    pub axis: isize,
    /// Whether the largest comes first.
    pub descending: bool,
}

impl Op for ArgSort {
    fn name(&self) -> &'static str {
        "argsort"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        axis_of("argsort", self.axis, x[0].shape.rank()).map(|_| x[0].cast(DType::I64))
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let axis = axis_of("argsort", self.axis, out.shape.rank())?;
        let sizes = out.shape.around(axis);
        let packed = x[0].packed();
        Ok(each_dtype!(x[0].dtype(), T => Tensor::build(out.shape, |y: &mut [i64]| {
            let values = packed.contiguous_slice::<T>().expect("packed");
            sort_positions(values, y, sizes, self.descending);
        })))
    }
    crate::op::without_slope!();
}

fn sort_positions<T: Element>(x: &[T], out: &mut [i64], sizes: [usize; 3], descending: bool) {
    let [_, n, inner] = sizes;
    let mut order: Vec<usize> = Vec::with_capacity(n);
    for lane in 0..out.len().checked_div(n).unwrap_or(0) {
        let start = lane / inner * n * inner + lane % inner;
        order.clear();
        order.extend(0..n);
        let at = |k: usize| x[start + k * inner];
        // Stable, so that of equal elements the first stays first, in either direction.
        order.sort_by(|&a, &b| match descending {
            false => ascending(at(a), at(b)),
            true => descending_order(at(a), at(b)),
        });
        order.iter().enumerate().for_each(|(k, &from)| out[start + k * inner] = from as i64);
    }
}

/// NaN comes last.
#[allow(clippy::eq_op)] // only NaN differs from itself
fn ascending<T: Element>(a: T, b: T) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| (a != a).cmp(&(b != b)))
}

/// NaN comes last here too.
#[allow(clippy::eq_op)] // only NaN differs from itself
fn descending_order<T: Element>(a: T, b: T) -> Ordering {
    b.partial_cmp(&a).unwrap_or_else(|| (a != a).cmp(&(b != b)))
}

macro_rules! extreme_position {
    ($($(#[$doc:meta])* $Op:ident $name:ident, |$a:ident, $b:ident| $better:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $Op {
            /// The axis along which to look.
            pub axis: isize,
        }

        impl Op for $Op {
            fn name(&self) -> &'static str {
                stringify!($name)
            }
            fn infer(&self, x: &[&Spec]) -> Result<Spec> {
                let axis = axis_of(self.name(), self.axis, x[0].shape.rank())?;
                if x[0].shape[axis] == 0 {
                    return Err(Error::shape(self.name(), "the axis must not be empty", x));
                }
                Ok(Spec::new(DType::I64, x[0].shape.removed(axis)))
            }
            #[allow(clippy::bool_comparison)] // one formula for all dtypes
            fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
                let mut mask = [false; MAX_RANK];
                mask[axis_of(self.name(), self.axis, x[0].rank())?] = true;
                each_dtype!(x[0].dtype(), T => {
                    let f = arrange::<T>(x[0], &mask[..x[0].rank()]);
                    let values = f.x.contiguous_slice::<T>().expect("`arrange` packs");
                    Ok(Tensor::build(out.shape, |y: &mut [i64]| {
                        for (i, y) in y.iter_mut().enumerate() {
                            let start = i / f.inner * f.middle * f.inner + i % f.inner;
                            let mut best = 0;
                            for k in 1..f.middle {
                                let ($a, $b) =
                                    (values[start + k * f.inner], values[start + best * f.inner]);
                                // The first NaN wins, as in NumPy.
                                if $better || ($a != $a && $b == $b) {
                                    best = k;
                                }
                            }
                            *y = best as i64;
                        }
                    }))
                })
            }
            crate::op::without_slope!();
        }

        impl Tensor {
            $(#[$doc])*
            ///
            /// # Panics
            /// When the axis is out of range or empty.
            #[track_caller]
            #[allow(clippy::eq_op)]
            pub fn $name(&self, axis: isize) -> Tensor {
                must(apply($Op { axis }, &[self]))
            }
        }
    )*};
}

extreme_position! {
    /// Position of the largest element along an axis, the first if there are several; int64.
    ArgMax argmax, |a, b| a > b;
    /// Position of the smallest element along an axis, the first if there are several; int64.
    ArgMin argmin, |a, b| a < b;
}

impl Tensor {
    /// Positions that sort the elements along an axis, int64; equal elements keep their order and
    /// NaN comes last.
    ///
    /// # Panics
    /// When the axis is out of range.
    #[track_caller]
    pub fn argsort(&self, axis: isize, descending: bool) -> Tensor {
        must(apply(ArgSort { axis, descending }, &[self]))
    }

    /// The elements in order along an axis, NaN last.
    ///
    /// # Panics
    /// When the axis is out of range.
    ///
    /// ```
    /// # use cornu_autodiff::Tensor;
    /// let x = Tensor::from([2.0f32, 3.0, 1.0]);
    /// assert_eq!(x.sort(0, false).to_vec::<f32>()?, [1.0, 2.0, 3.0]);
    /// # Ok::<(), cornu_autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn sort(&self, axis: isize, descending: bool) -> Tensor {
        self.take_along_axis(&self.argsort(axis, descending), axis)
    }

    /// The `k` largest elements along the last axis, largest first, and their positions (int64);
    /// of equal elements the first wins.
    ///
    /// # Panics
    /// When there are fewer than `k` elements, or the tensor is a scalar.
    ///
    /// ```
    /// # use cornu_autodiff::Tensor;
    /// let (values, positions) = Tensor::from([2.0f32, 3.0, 1.0]).top_k(2);
    /// assert_eq!(values.to_vec::<f32>()?, [3.0, 2.0]);
    /// assert_eq!(positions.to_vec::<i64>()?, [1, 0]);
    /// # Ok::<(), cornu_autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn top_k(&self, k: usize) -> (Tensor, Tensor) {
        let axis = must(axis_of("top_k", -1, self.rank()));
        if k > self.dims()[axis] {
            let rule = format!("there must be at least {k} elements along the last axis");
            must::<()>(Err(Error::shape("top_k", rule, &[self.spec()])));
        }
        let positions = self.argsort(-1, true).slice(-1, 0..k);
        (self.take_along_axis(&positions, -1), positions)
    }
}
