//! Tensors side by side, and copies of one tensor side by side.

use std::borrow::Borrow;

use crate::each_dtype;
use crate::error::{Error, Result};
use crate::kernels::copy::place;
use crate::op::{Call, Gradients, Op, Saves, apply, must};
use crate::shape::{Shape, Spec, axis_of};
use crate::tensor::Tensor;

/// Tensors side by side along an axis, `(…, n₁, …), (…, n₂, …) -> (…, n₁ + n₂, …)`.
#[derive(Clone, Copy, Debug)]
pub struct Concat {
    /// The axis that grows; negative ones count from the last.
    pub axis: isize,
}

impl Op for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        1..=usize::MAX
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        let first = x[0];
        if x.iter().any(|x| x.dtype != first.dtype) {
            return Err(Error::dtype("concat", "inputs must share one dtype", x));
        }
        let axis = axis_of("concat", self.axis, first.shape.rank())?;
        let mut out = first.shape;
        out.dims_mut()[axis] = 0;
        for x in x {
            let fits = |(a, (n, m)): (usize, (&usize, &usize))| a == axis || n == m;
            if x.shape.rank() != out.rank() || !x.dims().iter().zip(&*out).enumerate().all(fits) {
                return Err(Error::shape("concat", rule(axis), &[first, x]));
            }
            out.dims_mut()[axis] += x.shape[axis];
        }
        first.with(&out)
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let axis = axis_of("concat", self.axis, out.shape.rank())?;
        let steps = out.shape.strides();
        Ok(each_dtype!(out.dtype, T => Tensor::build(out.shape, |y: &mut [T]| {
            let mut offset = 0;
            for x in x {
                place(x, y, &steps, offset);
                offset += x.dims()[axis] * steps[axis] as usize;
            }
        })))
    }
    fn saves(&self) -> Saves {
        Saves::Nothing
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        let axis = must(axis_of("concat", self.axis, g.rank()));
        let mut start = 0;
        for i in 0..call.len() {
            let end = start + call.spec(i).shape[axis];
            into.add(i, || g.slice(self.axis, start..end));
            start = end;
        }
    }
}

fn rule(axis: usize) -> String {
    format!("shapes must be equal except along axis {axis}")
}

/// Tensors side by side along an axis that they have: NumPy's `concatenate`.
///
/// # Panics
/// When there is no tensor, dtypes differ, or shapes differ elsewhere than along `axis`.
///
/// ```
/// use cornu_autodiff::{Tensor, ops::concat};
/// let (a, b) = (Tensor::from([1.0f32, 2.0]), Tensor::from([3.0f32]));
/// assert_eq!(concat(&[a, b], 0).to_vec::<f32>()?, [1.0, 2.0, 3.0]);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
#[track_caller]
pub fn concat<T: Borrow<Tensor>>(tensors: &[T], axis: isize) -> Tensor {
    let tensors: Vec<&Tensor> = tensors.iter().map(Borrow::borrow).collect();
    must(apply(Concat { axis }, &tensors))
}

/// Tensors of one shape side by side along a new axis.
///
/// # Panics
/// When there is no tensor, dtypes or shapes differ, or the axis is out of range.
///
/// ```
/// use cornu_autodiff::{Tensor, ops::stack};
/// let (a, b) = (Tensor::from([1.0f32, 2.0]), Tensor::from([3.0f32, 4.0]));
/// assert_eq!(stack(&[a, b], -1).to_vec::<f32>()?, [1.0, 3.0, 2.0, 4.0]);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
#[track_caller]
pub fn stack<T: Borrow<Tensor>>(tensors: &[T], axis: isize) -> Tensor {
    let mut parts: Vec<Tensor> = Vec::with_capacity(tensors.len());
    for x in tensors {
        let (x, first) = (x.borrow(), tensors[0].borrow());
        if x.shape() != first.shape() {
            let error = Error::shape("stack", "shapes must be equal", &[first.spec(), x.spec()]);
            must::<()>(Err(error));
        }
        let axis = must(axis_of("stack", axis, x.rank() + 1));
        parts.push(x.expand_dims(axis as isize));
    }
    if parts.is_empty() {
        must::<()>(Err(Error::value("stack", "there must be at least one tensor", "none")));
    }
    concat(&parts, axis)
}

impl Tensor {
    /// The tensor repeated as a whole, `repeats[i]` times along axis `i`; a shorter list means
    /// the last axes, a longer one adds axes in front, as in NumPy.
    ///
    /// # Panics
    /// When there would be more than [`MAX_RANK`](crate::MAX_RANK) axes.
    ///
    /// ```
    /// # use cornu_autodiff::Tensor;
    /// let x = Tensor::from([1.0f32, 2.0]);
    /// assert_eq!(x.tile([2]).to_vec::<f32>()?, [1.0, 2.0, 1.0, 2.0]);
    /// # Ok::<(), cornu_autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn tile(&self, repeats: impl AsRef<[usize]>) -> Tensor {
        let repeats = repeats.as_ref();
        let mut dims = vec![1; repeats.len().saturating_sub(self.rank())];
        dims.extend_from_slice(self.dims());
        let mut y = if dims.len() == self.rank() { self.clone() } else { to_shape(self, &dims) };
        let lead = dims.len() - repeats.len();
        for (axis, &count) in repeats.iter().enumerate().filter(|(_, n)| **n != 1) {
            y = copies(&y, lead + axis, count, true);
        }
        y
    }

    /// Each element along an axis repeated `count` times.
    ///
    /// # Panics
    /// When the axis is out of range.
    ///
    /// ```
    /// # use cornu_autodiff::Tensor;
    /// let x = Tensor::from([1.0f32, 2.0]);
    /// assert_eq!(x.repeat(2, 0).to_vec::<f32>()?, [1.0, 1.0, 2.0, 2.0]);
    /// # Ok::<(), cornu_autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn repeat(&self, count: usize, axis: isize) -> Tensor {
        copies(self, must(axis_of("repeat", axis, self.rank())), count, false)
    }

    /// The elements moved `shift` positions on along an axis; those that leave at one end come
    /// back at the other.
    ///
    /// # Panics
    /// When the axis is out of range.
    ///
    /// ```
    /// # use cornu_autodiff::Tensor;
    /// let x = Tensor::from([1.0f32, 2.0, 3.0]);
    /// assert_eq!(x.roll(1, 0).to_vec::<f32>()?, [3.0, 1.0, 2.0]);
    /// # Ok::<(), cornu_autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn roll(&self, shift: isize, axis: isize) -> Tensor {
        let n = self.dims()[must(axis_of("roll", axis, self.rank()))] as isize;
        if n == 0 || shift % n == 0 {
            return self.clone();
        }
        let split = n - shift.rem_euclid(n);
        concat(&[self.slice(axis, split..n), self.slice(axis, 0..split)], axis)
    }
}

/// `count` copies along an axis: of the whole, or of each element.
#[track_caller]
fn copies(x: &Tensor, axis: usize, count: usize, whole: bool) -> Tensor {
    let [outer, n, inner] = x.shape().around(axis);
    let (one, many) = match whole {
        true => ([outer, 1, n, inner], [outer, count, n, inner]),
        false => ([outer, n, 1, inner], [outer, n, count, inner]),
    };
    let mut dims = *x.shape();
    dims.dims_mut()[axis] = n * count;
    to_shape(&to_shape(x, &one).broadcast_to(many), &dims)
}

#[track_caller]
fn to_shape(x: &Tensor, dims: &[usize]) -> Tensor {
    must(Shape::new(dims).and_then(|shape| apply(super::Reshape(shape), &[x])))
}
