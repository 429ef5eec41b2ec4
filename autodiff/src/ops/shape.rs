//! The same elements under another shape. Views: nothing is copied unless it must.

use crate::dtype::{DType, Element};
use crate::each_dtype;
use crate::error::{Error, Result};
use crate::kernels::elementwise::map1;
use crate::op::{Call, Gradients, Op, Saves, apply, must};
use crate::shape::{MAX_RANK, Shape, Spec, Strides, axis_of};
use crate::tensor::Tensor;

/// The same elements, in row-major order, under another shape.
#[derive(Clone, Copy, Debug)]
pub struct Reshape(pub Shape);

impl Op for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        if x[0].shape.size() == self.0.size() {
            return Ok(Spec::new(x[0].dtype, self.0));
        }
        let rule = format!("{} needs {} elements", self.0, self.0.size());
        Err(Error::shape(self.name(), rule, x))
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let x = x[0].packed();
        Ok(x.view(out.shape, out.shape.strides(), x.offset))
    }
    fn saves(&self) -> Saves {
        Saves::Nothing
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        into.add(0, || must(apply(Reshape(call.spec(0).shape), &[g])));
    }
}

/// The axes in another order.
#[derive(Clone, Debug)]
pub struct Permute(pub smallvec::SmallVec<[usize; MAX_RANK]>);

impl Op for Permute {
    fn name(&self) -> &'static str {
        "permute"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..x[0].shape.rank()) {
            let rule = format!("{:?} must name every axis once", self.0);
            return Err(Error::shape(self.name(), rule, x));
        }
        let mut shape = x[0].shape;
        for (to, &from) in self.0.iter().enumerate() {
            shape.dims_mut()[to] = x[0].shape[from];
        }
        Ok(Spec::new(x[0].dtype, shape))
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let mut steps = [0; MAX_RANK];
        for (to, &from) in self.0.iter().enumerate() {
            steps[to] = x[0].strides()[from];
        }
        Ok(x[0].view(out.shape, Strides::of(&steps[..self.0.len()]), x[0].offset))
    }
    fn saves(&self) -> Saves {
        Saves::Nothing
    }
    fn vjp(&self, _: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        into.add(0, || {
            let mut inverse = self.0.clone();
            for (to, &from) in self.0.iter().enumerate() {
                inverse[from] = to;
            }
            must(apply(Permute(inverse), &[g]))
        });
    }
}

/// The elements as another type.
#[derive(Clone, Copy, Debug)]
pub struct Cast(pub DType);

impl Op for Cast {
    fn name(&self) -> &'static str {
        "cast"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        Ok(x[0].cast(self.0))
    }
    fn forward(&self, x: &[&Tensor], _: &Spec) -> Result<Tensor> {
        if x[0].dtype() == self.0 {
            return Ok(x[0].clone());
        }
        Ok(each_dtype!(x[0].dtype(), A => each_dtype!(self.0, B => cast::<A, B>(x[0]))))
    }
    fn saves(&self) -> Saves {
        Saves::Nothing
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        into.add(0, || g.cast(call.spec(0).dtype));
    }
    fn is_differentiable(&self, _: usize) -> bool {
        self.0.is_float()
    }
}

fn cast<A: Element, B: Element>(x: &Tensor) -> Tensor {
    if let (DType::I64, DType::I32) = (A::DTYPE, B::DTYPE) {
        // Through f64, large whole numbers would lose digits.
        return map1(x, 1, |v: i64| v as i32);
    }
    map1(x, 1, |v: A| B::from_f64(v.to_f64()))
}

/// The same value, cut off from gradients.
#[derive(Clone, Copy, Debug)]
pub struct StopGradient;

impl Op for StopGradient {
    fn name(&self) -> &'static str {
        "stop_gradient"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        Ok(*x[0])
    }
    fn forward(&self, x: &[&Tensor], _: &Spec) -> Result<Tensor> {
        Ok(x[0].clone())
    }
    crate::op::without_slope!();
}

impl Tensor {
    /// The same elements under another shape; one axis may be `-1` and is worked out.
    ///
    /// # Panics
    /// When the number of elements differs.
    ///
    /// ```
    /// # use cornu_autodiff::{DType, Tensor};
    /// assert_eq!(Tensor::arange(6, DType::F32).reshape([2, -1]).dims(), [2, 3]);
    /// ```
    #[track_caller]
    pub fn reshape(&self, shape: impl AsRef<[isize]>) -> Tensor {
        must(self.try_reshape(shape.as_ref()))
    }

    /// As [`reshape`](Tensor::reshape), for shapes that come from a user's data.
    ///
    /// # Errors
    /// When the number of elements differs, more than one axis is `-1`, or one is below that.
    pub fn try_reshape(&self, shape: &[isize]) -> Result<Tensor> {
        apply(Reshape(complete(self.spec(), shape)?), &[self])
    }

    /// The axes in the order given, which may count from the last.
    ///
    /// # Panics
    /// When an axis is missing, named twice, or out of range.
    #[track_caller]
    pub fn permute(&self, axes: impl AsRef<[isize]>) -> Tensor {
        let order = axes.as_ref().iter().map(|&a| axis_of("permute", a, self.rank()));
        must(apply(Permute(must(order.collect())), &[self]))
    }

    /// The last two axes exchanged: a matrix's transpose. A vector stays what it is.
    #[track_caller]
    pub fn t(&self) -> Tensor {
        let rank = self.rank();
        if rank < 2 {
            return self.clone();
        }
        let mut order: smallvec::SmallVec<[usize; MAX_RANK]> = (0..rank).collect();
        order.swap(rank - 2, rank - 1);
        must(apply(Permute(order), &[self]))
    }

    /// The elements as another type: truncated towards zero from float to whole numbers.
    pub fn cast(&self, dtype: DType) -> Tensor {
        must(apply(Cast(dtype), &[self]))
    }

    /// The same value as a constant: no gradient flows through it.
    pub fn stop_gradient(&self) -> Tensor {
        must(apply(StopGradient, &[self]))
    }

    /// A new axis of size 1 before position `axis`; -1 appends it.
    ///
    /// # Panics
    /// When the axis is out of range.
    #[track_caller]
    pub fn expand_dims(&self, axis: isize) -> Tensor {
        let axis = must(axis_of("expand_dims", axis, self.rank() + 1));
        must(apply(Reshape(must(self.shape().inserted(axis, 1))), &[self]))
    }

    /// The axes of size 1 at these positions removed; of an empty list, all of size 1.
    ///
    /// # Panics
    /// When an axis is out of range or its size is not 1.
    #[track_caller]
    pub fn squeeze(&self, axes: impl AsRef<[isize]>) -> Tensor {
        let axes = axes.as_ref();
        let named: Vec<usize> =
            must(axes.iter().map(|&a| axis_of("squeeze", a, self.rank())).collect());
        if let Some(&axis) = named.iter().find(|&&a| self.dims()[a] != 1) {
            let rule = format!("axis {axis} must have size 1");
            must::<()>(Err(Error::shape("squeeze", rule, &[self.spec()])));
        }
        let kept = |&a: &usize| {
            if axes.is_empty() { self.dims()[a] != 1 } else { !named.contains(&a) }
        };
        let dims: Vec<usize> = (0..self.rank()).filter(kept).map(|a| self.dims()[a]).collect();
        must(apply(Reshape(Shape::of(&dims)), &[self]))
    }
}

/// A shape with its `-1` worked out.
fn complete(x: &Spec, shape: &[isize]) -> Result<Shape> {
    let unknown = shape.iter().filter(|&&d| d == -1).count();
    if unknown > 1 || shape.iter().any(|&d| d < -1) {
        let rule = "axes must be sizes, at most one of them -1";
        return Err(Error::value("reshape", rule, format!("{shape:?}")));
    }
    let known: usize = shape.iter().filter(|&&d| d >= 0).map(|&d| d as usize).product();
    if unknown == 1 && known == 0 {
        let rule = "an axis of -1 cannot be worked out beside one of size 0";
        return Err(Error::value("reshape", rule, format!("{shape:?}")));
    }
    let rest = x.shape.size().checked_div(known).unwrap_or(0);
    let dims: Vec<usize> = shape.iter().map(|&d| if d < 0 { rest } else { d as usize }).collect();
    Shape::new(&dims)
}
