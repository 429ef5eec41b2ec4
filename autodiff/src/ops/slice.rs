//! Parts of a tensor, as views: nothing is copied.

use std::fmt;
use std::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

use smallvec::SmallVec;

use super::reduce::Axes;
use crate::each_dtype;
use crate::error::{Error, Result};
use crate::kernels::copy::place;
use crate::op::{Call, Gradients, Op, Saves, apply, must};
use crate::shape::{MAX_RANK, Shape, Spec, Strides, axis_of};
use crate::tensor::Tensor;

/// Which elements of an axis to take, as Python's `start:stop:step` tells it.
///
/// Negative positions count from the end; positions beyond the ends stop there; a negative step
/// runs backwards. Ranges convert (for Python's `1:-1` write `Slice::new(1, -1, 1)`: clippy takes
/// a literal `1..-1` for a mistake):
///
/// ```
/// use cornu_autodiff::{DType, Tensor, ops::Slice};
/// let x = Tensor::arange(6, DType::I32);
/// assert_eq!(x.slice(0, 1..4).to_vec::<i32>()?, [1, 2, 3]);
/// assert_eq!(x.slice(0, -2..).to_vec::<i32>()?, [4, 5]);
/// assert_eq!(x.slice(0, Slice::from(..).by(-2)).to_vec::<i32>()?, [5, 3, 1]);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slice {
    /// First position, by default the end from which the step leads away.
    pub start: Option<isize>,
    /// The position before which to end, by default beyond the other end.
    pub stop: Option<isize>,
    /// Distance from one element to the next; not zero.
    pub step: isize,
}

impl Slice {
    /// The whole axis.
    pub const ALL: Slice = Slice { start: None, stop: None, step: 1 };

    /// Python's `start:stop:step`.
    pub fn new(
        start: impl Into<Option<isize>>,
        stop: impl Into<Option<isize>>,
        step: isize,
    ) -> Slice {
        Slice { start: start.into(), stop: stop.into(), step }
    }

    /// The same ends with another step.
    #[must_use]
    pub fn by(self, step: isize) -> Slice {
        Slice { step, ..self }
    }

    /// First position and number of elements on an axis of `dim` elements.
    fn on(&self, dim: usize) -> (isize, usize) {
        let n = dim as isize;
        let forwards = self.step > 0;
        // Backwards, position -1 lies before the first element.
        let (low, high) = if forwards { (0, n) } else { (-1, n - 1) };
        let within = |at: isize| (if at < 0 { at + n } else { at }).clamp(low, high);
        let (first, last) = if forwards { (low, high) } else { (high, low) };
        let start = self.start.map_or(first, within);
        let stop = self.stop.map_or(last, within);
        let distance = if forwards { stop - start } else { start - stop };
        (start, (distance.max(0) as usize).div_ceil(self.step.unsigned_abs()))
    }
}

/// Prints as Python writes it.
impl fmt::Debug for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |at: Option<isize>| at.map_or(String::new(), |at| at.to_string());
        write!(f, "{}:{}", text(self.start), text(self.stop))?;
        if self.step == 1 { Ok(()) } else { write!(f, ":{}", self.step) }
    }
}

impl From<RangeFull> for Slice {
    fn from(_: RangeFull) -> Slice {
        Slice::ALL
    }
}

macro_rules! ranges {
    ($($int:ty)*) => {$(
        impl From<Range<$int>> for Slice {
            fn from(r: Range<$int>) -> Slice {
                Slice::new(r.start as isize, r.end as isize, 1)
            }
        }
        impl From<RangeFrom<$int>> for Slice {
            fn from(r: RangeFrom<$int>) -> Slice {
                Slice::new(r.start as isize, None, 1)
            }
        }
        impl From<RangeTo<$int>> for Slice {
            fn from(r: RangeTo<$int>) -> Slice {
                Slice::new(None, r.end as isize, 1)
            }
        }
        impl From<RangeInclusive<$int>> for Slice {
            fn from(r: RangeInclusive<$int>) -> Slice {
                Slice::new(*r.start() as isize, after(*r.end() as isize), 1)
            }
        }
        impl From<RangeToInclusive<$int>> for Slice {
            fn from(r: RangeToInclusive<$int>) -> Slice {
                Slice::new(None, after(r.end as isize), 1)
            }
        }
    )*};
}
ranges!(i32 isize usize);

/// The stop that includes `last`: after -1, the last element, there is none.
fn after(last: isize) -> Option<isize> {
    (last != -1).then_some(last + 1)
}

/// One slice an axis, from the first axis on.
type Slices = SmallVec<[Slice; 4]>;

/// Shape of the part, and where it lies in a tensor with these strides.
fn part(shape: &Shape, strides: &[isize], slices: &[Slice]) -> (Shape, Strides, isize) {
    let (mut dims, mut steps, mut offset) = (*shape, [0; MAX_RANK], 0);
    steps[..strides.len()].copy_from_slice(strides);
    for (axis, slice) in slices.iter().enumerate() {
        let (start, len) = slice.on(shape[axis]);
        dims.dims_mut()[axis] = len;
        steps[axis] *= slice.step;
        offset += start * strides[axis];
    }
    // An empty part begins nowhere in particular, but inside.
    let offset = if dims.size() == 0 { 0 } else { offset };
    (dims, Strides::of(&steps[..shape.rank()]), offset)
}

fn check(place: &str, shape: &Shape, slices: &[Slice]) -> Result<()> {
    if slices.len() > shape.rank() {
        let rule = format!("there must be at most one slice for each axis of {shape}");
        return Err(Error::value(place, rule, slices.len().to_string()));
    }
    match slices.iter().find(|s| s.step == 0) {
        Some(slice) => Err(Error::value(place, "the step must not be zero", format!("{slice:?}"))),
        None => Ok(()),
    }
}

/// A part of a tensor, as a view. Its gradient is [`Unslice`].
#[derive(Clone, Debug)]
pub struct StridedSlice {
    /// A slice for each axis, from the first on; axes beyond them stay whole.
    pub slices: Slices,
}

impl Op for StridedSlice {
    fn name(&self) -> &'static str {
        "slice"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        check("slice", &x[0].shape, &self.slices)?;
        let (shape, ..) = part(&x[0].shape, &x[0].shape.strides(), &self.slices);
        Ok(Spec::new(x[0].dtype, shape))
    }
    fn forward(&self, x: &[&Tensor], _: &Spec) -> Result<Tensor> {
        let (shape, strides, offset) = part(x[0].shape(), &x[0].strides(), &self.slices);
        Ok(x[0].view(shape, strides, (x[0].offset as isize + offset) as usize))
    }
    fn saves(&self) -> Saves {
        Saves::Nothing
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        into.add(0, || {
            must(apply(Unslice { shape: call.spec(0).shape, slices: self.slices.clone() }, &[g]))
        });
    }
    fn attributes(&self) -> String {
        format!("{:?}", &self.slices[..])
    }
}

/// Zeros of a given shape with a tensor written into one part: the reverse of [`StridedSlice`],
/// which is its gradient.
#[derive(Clone, Debug)]
pub struct Unslice {
    /// Shape of the result.
    pub shape: Shape,
    /// The part to be written.
    pub slices: Slices,
}

impl Op for Unslice {
    fn name(&self) -> &'static str {
        "unslice"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        check("unslice", &self.shape, &self.slices)?;
        let (shape, ..) = part(&self.shape, &self.shape.strides(), &self.slices);
        if shape == x[0].shape {
            return Ok(Spec::new(x[0].dtype, self.shape));
        }
        let rule = format!("{:?} of {} is a part of shape {shape}", &self.slices[..], self.shape);
        Err(Error::shape("unslice", rule, x))
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let (_, steps, offset) = part(&self.shape, &self.shape.strides(), &self.slices);
        Ok(each_dtype!(out.dtype, T => Tensor::build(out.shape, |y: &mut [T]| {
            y.fill(T::default());
            place(x[0], y, &steps, offset as usize);
        })))
    }
    fn saves(&self) -> Saves {
        Saves::Nothing
    }
    fn vjp(&self, _: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        into.add(0, || must(apply(StridedSlice { slices: self.slices.clone() }, &[g])));
    }
}

impl Tensor {
    /// Part of the tensor along one axis, as a view.
    ///
    /// # Panics
    /// When the axis is out of range or the step is zero.
    ///
    /// ```
    /// # use cornu_autodiff::{DType, Tensor};
    /// let x = Tensor::arange(6, DType::F32).reshape([2, 3]);
    /// assert_eq!(x.slice(-1, 1..).to_vec::<f32>()?, [1.0, 2.0, 4.0, 5.0]);
    /// # Ok::<(), cornu_autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn slice(&self, axis: isize, slice: impl Into<Slice>) -> Tensor {
        let axis = must(axis_of("slice", axis, self.rank()));
        let mut slices = smallvec::smallvec![Slice::ALL; axis + 1];
        slices[axis] = slice.into();
        must(apply(StridedSlice { slices }, &[self]))
    }

    /// Part of the tensor along several axes, a slice each from the first axis on, as a view:
    /// NumPy's `x[1:3, ::-1]`.
    ///
    /// # Panics
    /// When there are more slices than axes or a step is zero.
    ///
    /// ```
    /// # use cornu_autodiff::{DType, Tensor, ops::Slice};
    /// let x = Tensor::arange(6, DType::F32).reshape([3, 2]);
    /// let y = x.slices([Slice::from(1..3), Slice::from(..).by(-1)]);
    /// assert_eq!(y.to_vec::<f32>()?, [3.0, 2.0, 5.0, 4.0]);
    /// # Ok::<(), cornu_autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn slices(&self, slices: impl AsRef<[Slice]>) -> Tensor {
        must(apply(StridedSlice { slices: slices.as_ref().iter().copied().collect() }, &[self]))
    }

    /// The elements at one position of an axis, without that axis; -1 is the last position.
    ///
    /// # Panics
    /// When axis or position are out of range.
    #[track_caller]
    pub fn index(&self, axis: isize, position: isize) -> Tensor {
        let at = must(axis_of("index", axis, self.rank()));
        let n = self.dims()[at] as isize;
        if position < -n || position >= n {
            let rule = format!("axis {at} has positions {}..{n}", -n);
            must::<()>(Err(Error::value("index", rule, position.to_string())));
        }
        let after = after(position);
        self.slice(axis, Slice::new(position, after, 1)).squeeze([at as isize])
    }

    /// The parts at each position of an axis, without that axis, as views: the reverse of
    /// [`stack`](crate::ops::stack).
    ///
    /// # Panics
    /// When the axis is out of range.
    ///
    /// ```
    /// # use cornu_autodiff::Tensor;
    /// let columns = Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]).unstack(1);
    /// assert_eq!(columns[1].to_vec::<f32>()?, [2.0, 4.0]);
    /// # Ok::<(), cornu_autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn unstack(&self, axis: isize) -> Vec<Tensor> {
        let axis = must(axis_of("unstack", axis, self.rank()));
        let mut parts = Vec::with_capacity(self.dims()[axis]);
        halves(self, axis as isize, &mut parts);
        parts
    }

    /// The axes backwards, as a view; `..` means all.
    ///
    /// # Panics
    /// When an axis is out of range or named twice.
    #[track_caller]
    pub fn flip(&self, axes: impl Into<Axes>) -> Tensor {
        let mask = must(axes.into().mask("flip", self.rank()));
        let slices =
            mask[..self.rank()].iter().map(|&flip| Slice::ALL.by(if flip { -1 } else { 1 }));
        must(apply(StridedSlice { slices: slices.collect() }, &[self]))
    }

    /// `parts` parts of equal size along an axis, as views.
    ///
    /// # Panics
    /// When the axis is out of range or its size is not a multiple of `parts`.
    #[track_caller]
    pub fn split(&self, parts: usize, axis: isize) -> Vec<Tensor> {
        let at = must(axis_of("split", axis, self.rank()));
        let n = self.dims()[at];
        if parts == 0 || !n.is_multiple_of(parts) {
            let rule = format!("axis {at} must divide into {parts} equal parts");
            must::<()>(Err(Error::shape("split", rule, &[self.spec()])));
        }
        self.split_sizes(&vec![n / parts; parts], axis)
    }

    /// Parts of the given sizes along an axis, as views.
    ///
    /// # Panics
    /// When the axis is out of range or its size is not the sum of `sizes`.
    #[track_caller]
    pub fn split_sizes(&self, sizes: &[usize], axis: isize) -> Vec<Tensor> {
        let at = must(axis_of("split", axis, self.rank()));
        if sizes.iter().sum::<usize>() != self.dims()[at] {
            let rule = format!("the sizes {sizes:?} must sum to axis {at}");
            must::<()>(Err(Error::shape("split", rule, &[self.spec()])));
        }
        let mut start = 0;
        let mut next = |&size: &usize| {
            let part = self.slice(axis, start..start + size);
            start += size;
            part
        };
        sizes.iter().map(&mut next).collect()
    }
}

/// The parts at each position, by halves: a part's gradient is written into zeros of the size of
/// what it was cut from, so that with `n` positions each element is written `log n` times, not
/// `n` times.
fn halves(x: &Tensor, axis: isize, parts: &mut Vec<Tensor>) {
    match x.dims()[axis as usize] {
        0 => {}
        1 => parts.push(x.squeeze([axis])),
        n => {
            halves(&x.slice(axis, ..n / 2), axis, parts);
            halves(&x.slice(axis, n / 2..), axis, parts);
        }
    }
}
