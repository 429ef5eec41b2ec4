//! Layer and batch normalization, each in one or two passes over memory.
//!
//! Their gradients are kernels of their own; where a tape records the backward pass, they are
//! made of small ops instead, which have derivatives of every order.

mod batch;
mod layer;

pub use batch::*;
pub use layer::*;

use crate::error::{Error, Result};
use crate::ops::window::values;
use crate::shape::{Shape, Spec};
use crate::tensor::Tensor;

/// Gamma and beta, as far as there are any, must have a shape.
pub(super) fn expect(
    place: &str,
    shape: &[usize],
    x: &[&Spec],
    first: usize,
    count: usize,
) -> Result<()> {
    if x.len() == first + count && x[first..].iter().all(|v| v.dims() == shape) {
        return Ok(());
    }
    let rule = format!("gamma and beta must have shape {}", Shape::new(shape)?);
    Err(Error::shape(place, rule, x))
}

/// The elements of an input, or none.
pub(super) fn part<T: crate::Element>(x: Option<&Tensor>) -> &[T] {
    x.map_or(&[], values::<T>)
}

/// Splits what follows the first inputs into gamma and beta.
pub(super) fn affine(rest: &[Tensor], scale: bool) -> [Option<&Tensor>; 2] {
    let gamma = rest.first().filter(|_| scale);
    [gamma, rest.get(usize::from(scale))]
}

/// `x` normalized over some axes by small ops, with what the gradient needs of it.
pub(super) struct Normalized {
    pub(super) x: Tensor,
    /// 1 / standard deviation.
    scale: Tensor,
    axes: Vec<isize>,
}

impl Normalized {
    pub(super) fn new(x: &Tensor, axes: Vec<isize>, epsilon: f64) -> Normalized {
        let centred = x - x.mean(axes.clone(), true);
        let scale = (centred.square().mean(axes.clone(), true) + epsilon).rsqrt();
        Normalized { x: centred * &scale, scale, axes }
    }

    /// The gradient by what was normalized, from the gradient `g` by the normalized.
    pub(super) fn gradient(&self, g: &Tensor) -> Tensor {
        let mean = |x: &Tensor| x.mean(self.axes.clone(), true);
        let along = &self.x * mean(&(g * &self.x));
        &self.scale * (g - mean(g) - along)
    }
}
