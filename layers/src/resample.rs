//! Axes of images, volumes and sequences brought to other sizes: each new element is a weighted
//! sum of old ones.

use cornu_autodiff::{Spec, Tensor, apply, ops};

use crate::choice::choice;
use crate::error::{Error, Result};

choice! {
    /// How elements between those of an image are worked out.
    pub enum Interpolation("interpolation") {
        /// The nearest element.
        Nearest = "nearest",
        /// A straight line between the two neighbours.
        Bilinear = "bilinear",
        /// A cubic through the four neighbours (Keys 1981, with -0.5).
        Bicubic = "bicubic",
        /// Lanczos's window of radius 3.
        Lanczos3 = "lanczos3",
        /// Lanczos's window of radius 5.
        Lanczos5 = "lanczos5",
    }
}

impl Interpolation {
    /// The weight of an element at distance `x ≥ 0`.
    fn kernel(&self, x: f64) -> f64 {
        match self {
            Interpolation::Bicubic if x >= 2.0 => 0.0,
            Interpolation::Bicubic if x >= 1.0 => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
            Interpolation::Bicubic => ((1.5 * x - 2.5) * x) * x + 1.0,
            Interpolation::Lanczos3 => lanczos(3.0, x),
            Interpolation::Lanczos5 => lanczos(5.0, x),
            _ => (1.0 - x).max(0.0),
        }
    }
}

fn lanczos(radius: f64, x: f64) -> f64 {
    use std::f64::consts::PI;
    if x > radius {
        0.0
    } else if x > 1e-3 {
        radius * (PI * x).sin() * (PI * x / radius).sin() / (PI * PI * x * x)
    } else {
        1.0
    }
}

/// The same tensor with axis `axis` of another size, without values.
fn symbolic(x: &Tensor, axis: usize, size: usize) -> Result<Tensor> {
    Ok(Tensor::symbolic(resized(x, &[(axis, size)])?))
}

/// The spec of `x` with other sizes at some axes.
pub(crate) fn resized(x: &Tensor, sizes: &[(usize, usize)]) -> Result<Spec> {
    let mut dims = x.dims().to_vec();
    sizes.iter().for_each(|&(axis, size)| dims[axis] = size);
    Ok(x.spec().with(&dims)?)
}

/// The elements along `axis` mixed anew: element `j` of the output is the sum of elements `i`
/// times `weights[i · size + j]`.
pub(crate) fn mix(
    x: &Tensor,
    axis: usize,
    size: usize,
    weights: impl FnOnce(usize) -> Vec<f64>,
) -> Result<Tensor> {
    if x.is_symbolic() {
        return symbolic(x, axis, size);
    }
    let n = x.dims()[axis];
    let matrix = Tensor::new(weights(n), [n, size])?.cast(x.dtype()); // (n, size)
    let mut order: Vec<isize> = (0..x.rank() as isize).collect();
    order.swap(axis, x.rank() - 1);
    let last = x.permute(&order); // (…, n)
    Ok(apply(ops::MatMul, &[&last, &matrix])?.permute(&order))
}

/// The elements along `axis` that `sources` names, given the axis's size.
pub(crate) fn pick(
    x: &Tensor,
    axis: usize,
    size: usize,
    sources: impl FnOnce(usize) -> Vec<i64>,
) -> Result<Tensor> {
    if x.is_symbolic() {
        return symbolic(x, axis, size);
    }
    let indices = Tensor::from(sources(x.dims()[axis]));
    Ok(apply(ops::Take { axis: axis as isize }, &[x, &indices])?)
}

/// An axis brought to another size, as `jax.image.resize` does: the centres of both ends' half
/// pixels lie on one another. With `antialias`, making an axis smaller averages over what each
/// new element covers.
pub(crate) fn resize(
    x: &Tensor,
    axis: usize,
    size: usize,
    interpolation: &Interpolation,
    antialias: bool,
) -> Result<Tensor> {
    if x.dims()[axis] == size {
        return Ok(x.clone());
    }
    if x.dims()[axis] == 0 || size == 0 {
        let rule = format!("axis {axis} must not be empty to be resized");
        return Err(Error::input(rule, &[x.shape()]));
    }
    if *interpolation == Interpolation::Nearest {
        let nearest = |n: usize| {
            (0..size).map(move |i| ((2 * i + 1) as u128 * n as u128 / (2 * size as u128)) as i64)
        };
        return pick(x, axis, size, |n| nearest(n).collect());
    }
    mix(x, axis, size, |n| weights(n, size, interpolation, antialias))
}

/// How much each of `n` elements counts in each of `size` new ones, `(n, size)`.
fn weights(n: usize, size: usize, interpolation: &Interpolation, antialias: bool) -> Vec<f64> {
    let step = n as f64 / size as f64;
    let spread = if antialias { step.max(1.0) } else { 1.0 };
    let mut weights = vec![0.0; n * size];
    for j in 0..size {
        let centre = (j as f64 + 0.5) * step - 0.5;
        let of = |i: usize| interpolation.kernel((centre - i as f64).abs() / spread);
        let total: f64 = (0..n).map(of).sum();
        if total.abs() > 1000.0 * f64::from(f32::EPSILON) {
            (0..n).for_each(|i| weights[i * size + j] = of(i) / total);
        }
    }
    weights
}
