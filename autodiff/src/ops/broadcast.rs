//! Repeating elements along axes without copying them, and its reverse.

use super::reduce::{Axes, Sum};
use crate::error::{Error, Result};
use crate::kernels::elementwise::broadcast_steps;
use crate::op::{Call, Gradients, Op, Saves, apply, must};
use crate::shape::{IntoShape, Shape, Spec, Strides, broadcast};
use crate::tensor::Tensor;

/// The same elements repeated along axes of size 1 and new leading axes.
#[derive(Clone, Copy, Debug)]
pub struct BroadcastTo(pub Shape);

impl Op for BroadcastTo {
    fn name(&self) -> &'static str {
        "broadcast_to"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        if broadcast(x[0].dims(), &self.0).as_deref() == Some(self.0.dims()) {
            return Ok(Spec::new(x[0].dtype, self.0));
        }
        let rule = format!("the shape must broadcast to {}", self.0);
        Err(Error::shape(self.name(), rule, x))
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let steps = broadcast_steps(x[0], &out.shape);
        Ok(x[0].view(out.shape, Strides::of(&steps[..out.shape.rank()]), x[0].offset))
    }
    fn saves(&self) -> Saves {
        Saves::Nothing
    }
    fn vjp(&self, _: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        into.add(0, || g.clone()); // the tape sums it to the input's shape
    }
}

#[track_caller]
pub(crate) fn broadcast_to(x: &Tensor, shape: &Shape) -> Tensor {
    if x.shape() == shape {
        return x.clone();
    }
    must(apply(BroadcastTo(*shape), &[x]))
}

/// Sums away what broadcasting `shape` to that of `x` repeated.
///
/// # Panics
/// When `shape` does not broadcast to that of `x`.
#[track_caller]
pub fn sum_to(x: &Tensor, shape: &Shape) -> Tensor {
    if x.shape() == shape {
        return x.clone();
    }
    let lead = x.rank().checked_sub(shape.rank());
    let lead =
        lead.unwrap_or_else(|| panic!("sum_to: {shape} does not broadcast to {}", x.shape()));
    let axes = (0..x.rank())
        .filter(|&axis| axis < lead || (shape[axis - lead] == 1 && x.dims()[axis] != 1))
        .map(|axis| axis as isize)
        .collect();
    let y = must(apply(Sum { axes: Axes::Some(axes), keepdims: true }, &[x]));
    if y.shape() == shape { y } else { must(apply(super::Reshape(*shape), &[&y])) }
}

impl Tensor {
    /// The same elements repeated along axes of size 1 and new leading axes. Copies nothing.
    ///
    /// # Panics
    /// When the shapes don't fit.
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl IntoShape) -> Tensor {
        broadcast_to(self, &must(shape.into_shape()))
    }
}
