//! Shapes, strides, and what is known of a tensor before it has values.

use std::fmt;
use std::ops::Deref;

use crate::dtype::DType;
use crate::error::{Error, Result};

/// The largest number of axes a tensor can have.
pub const MAX_RANK: usize = 8;

/// The sizes of a tensor's axes, kept inline: copying one costs no allocation.
///
/// Dereferences to `[usize]` and prints as Keras prints shapes: `(2, 3)`, `(4,)`, `()`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    rank: u8,
    dims: [usize; MAX_RANK],
}

impl Shape {
    /// The shape of a scalar.
    pub const SCALAR: Shape = Shape { rank: 0, dims: [0; MAX_RANK] };

    /// A shape from its axes.
    ///
    /// # Errors
    /// When there are more than [`MAX_RANK`] axes, or more elements than `usize` can count.
    pub fn new(dims: &[usize]) -> Result<Shape> {
        if dims.len() > MAX_RANK {
            let rule = format!("a tensor has at most {MAX_RANK} axes");
            return Err(Error::value("shape", rule, format!("{} axes", dims.len())));
        }
        if dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d.max(1))).is_none() {
            let rule = "the number of elements must fit in 64 bits";
            return Err(Error::value("shape", rule, format!("{dims:?}")));
        }
        Ok(Shape::of(dims))
    }

    /// A shape of at most [`MAX_RANK`] axes.
    #[inline]
    pub(crate) fn of(dims: &[usize]) -> Shape {
        let mut shape = Shape { rank: dims.len() as u8, dims: [0; MAX_RANK] };
        shape.dims[..dims.len()].copy_from_slice(dims);
        shape
    }

    /// Number of axes.
    #[inline]
    pub fn rank(&self) -> usize {
        self.rank as usize
    }

    /// The axes as a slice.
    #[inline]
    pub fn dims(&self) -> &[usize] {
        &self.dims[..self.rank as usize]
    }

    #[inline]
    pub(crate) fn dims_mut(&mut self) -> &mut [usize] {
        &mut self.dims[..self.rank as usize]
    }

    /// Number of elements.
    #[inline]
    pub fn size(&self) -> usize {
        self.dims().iter().product()
    }

    /// The same shape with one more axis of size `dim` before position `axis`.
    pub(crate) fn inserted(&self, axis: usize, dim: usize) -> Result<Shape> {
        let mut dims = self.dims().to_vec();
        dims.insert(axis, dim);
        Shape::new(&dims)
    }

    /// The same shape without the axis at position `axis`.
    pub(crate) fn removed(&self, axis: usize) -> Shape {
        let mut dims = self.dims().to_vec();
        dims.remove(axis);
        Shape::of(&dims)
    }

    /// Number of elements before, along and after an axis: `(outer, n, inner)`.
    #[inline]
    pub(crate) fn around(&self, axis: usize) -> [usize; 3] {
        [self[..axis].iter().product(), self[axis], self[axis + 1..].iter().product()]
    }

    /// Row-major strides, in elements.
    #[inline]
    pub(crate) fn strides(&self) -> Strides {
        let mut strides = Strides { rank: self.rank, steps: [0; MAX_RANK] };
        let mut step = 1;
        for axis in (0..self.rank()).rev() {
            strides.steps[axis] = step;
            step *= self.dims[axis] as isize;
        }
        strides
    }
}

impl Deref for Shape {
    type Target = [usize];
    #[inline]
    fn deref(&self) -> &[usize] {
        self.dims()
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        for (i, &dim) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            if is_probe(dim) { f.write_str("None")? } else { write!(f, "{dim}")? }
        }
        f.write_str(if self.rank == 1 { ",)" } else { ")" })
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What a shape can be written as: an array, a slice, a `Vec`, a [`Shape`], or one number.
pub trait IntoShape {
    /// The axes.
    ///
    /// # Errors
    /// As [`Shape::new`].
    fn into_shape(self) -> Result<Shape>;
}

impl IntoShape for Shape {
    fn into_shape(self) -> Result<Shape> {
        Ok(self)
    }
}
impl IntoShape for &[usize] {
    fn into_shape(self) -> Result<Shape> {
        Shape::new(self)
    }
}
impl IntoShape for &Vec<usize> {
    fn into_shape(self) -> Result<Shape> {
        Shape::new(self)
    }
}
impl IntoShape for Vec<usize> {
    fn into_shape(self) -> Result<Shape> {
        Shape::new(&self)
    }
}
impl<const N: usize> IntoShape for [usize; N] {
    fn into_shape(self) -> Result<Shape> {
        Shape::new(&self)
    }
}
impl<const N: usize> IntoShape for &[usize; N] {
    fn into_shape(self) -> Result<Shape> {
        Shape::new(self)
    }
}
impl IntoShape for usize {
    fn into_shape(self) -> Result<Shape> {
        Shape::new(&[self])
    }
}
impl IntoShape for () {
    fn into_shape(self) -> Result<Shape> {
        Ok(Shape::SCALAR)
    }
}

/// Steps from one element to the next along each axis, in elements; zero repeats, negative
/// runs backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Strides {
    rank: u8,
    steps: [isize; MAX_RANK],
}

impl Strides {
    #[inline]
    pub(crate) fn of(steps: &[isize]) -> Strides {
        let mut strides = Strides { rank: steps.len() as u8, steps: [0; MAX_RANK] };
        strides.steps[..steps.len()].copy_from_slice(steps);
        strides
    }
}

impl Strides {
    /// Whether elements of this shape lie in row-major order without gaps.
    pub(crate) fn are_contiguous(&self, shape: &Shape) -> bool {
        let mut step = 1;
        for (&dim, &stride) in shape.iter().zip(self.iter()).rev() {
            if dim != 1 {
                if stride != step {
                    return false;
                }
                step *= dim as isize;
            }
        }
        true
    }
}

impl Deref for Strides {
    type Target = [isize];
    #[inline]
    fn deref(&self) -> &[isize] {
        &self.steps[..self.rank as usize]
    }
}

/// What is known of a tensor before it has values: element type and shape.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Spec {
    /// Element type.
    pub dtype: DType,
    /// Sizes of the axes.
    pub shape: Shape,
}

impl Spec {
    /// A spec from its parts.
    #[inline]
    pub fn new(dtype: DType, shape: Shape) -> Spec {
        Spec { dtype, shape }
    }

    /// The same element type with other axes.
    ///
    /// # Errors
    /// As [`Shape::new`].
    pub fn with(&self, dims: &[usize]) -> Result<Spec> {
        Ok(Spec { dtype: self.dtype, shape: Shape::new(dims)? })
    }

    /// The same shape with another element type.
    pub fn cast(&self, dtype: DType) -> Spec {
        Spec { dtype, shape: self.shape }
    }

    /// The axes as a slice.
    #[inline]
    pub fn dims(&self) -> &[usize] {
        self.shape.dims()
    }
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.dtype, self.shape)
    }
}

/// The shape that NumPy's broadcasting gives to two shapes, or `None` where they don't fit or
/// the elements would be more than 64 bits can count.
pub fn broadcast(a: &[usize], b: &[usize]) -> Option<Shape> {
    if a == b {
        return Some(Shape::of(a));
    }
    let rank = a.len().max(b.len());
    let mut shape = Shape { rank: rank as u8, dims: [0; MAX_RANK] };
    for i in 1..=rank {
        let x = if i <= a.len() { a[a.len() - i] } else { 1 };
        let y = if i <= b.len() { b[b.len() - i] } else { 1 };
        shape.dims[rank - i] = match (x, y) {
            (x, y) if x == y => x,
            (1, y) => y,
            (x, 1) => x,
            _ => return None,
        };
    }
    shape.dims().iter().try_fold(1usize, |n, &d| n.checked_mul(d.max(1))).map(|_| shape)
}

/// Pairs of sizes that stand for axes of unknown size while shapes are worked out without values:
/// see [`probes`].
const PROBES: [[usize; 2]; 3] = [[65_521, 99_991], [7_993, 9_973], [1_997, 2_999]];

/// Two sizes that stand for an axis of unknown size while shapes are worked out without values.
/// A rule is run with each; an axis whose result differs is unknown too.
///
/// They are primes that no real axis is likely to have, and error texts print them as `None`.
/// They lie so far apart that no stride takes as many steps along both, and are the smaller the
/// more `unknown` axes there are, so that the number of elements fits in 64 bits.
pub fn probes(unknown: usize) -> [usize; 2] {
    PROBES[unknown.saturating_sub(2).min(PROBES.len() - 1)]
}

/// Whether a size stands for an unknown one.
#[inline]
pub fn is_probe(dim: usize) -> bool {
    PROBES.as_flattened().contains(&dim)
}

/// A non-negative axis from a possibly negative one.
///
/// # Errors
/// When the axis is outside `-rank..rank`.
pub fn axis_of(place: &'static str, axis: isize, rank: usize) -> Result<usize> {
    let n = rank as isize;
    if axis < -n || axis >= n {
        let rule = format!("axis must be in {}..{n} for rank {rank}", -n);
        return Err(Error::value(place, rule, axis.to_string()));
    }
    Ok(if axis < 0 { axis + n } else { axis } as usize)
}
