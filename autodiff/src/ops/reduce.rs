//! Folding axes away, and its reverse.

use std::ops::RangeFull;

use crate::dtype::{DType, Element};
use crate::error::{Error, Result};
use crate::kernels::math::Math;
use crate::kernels::reduce::{arrange, reduce};
use crate::op::{Call, Gradients, Op, Saves, apply, must};
use crate::shape::{IntoShape, MAX_RANK, Shape, Spec, Strides, axis_of, broadcast};
use crate::tensor::Tensor;
use crate::{each_dtype, each_float, each_number};

/// The axes that a reduction folds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Axes {
    /// Every axis.
    All,
    /// These; negative ones count from the last.
    Some(smallvec::SmallVec<[isize; 4]>),
}

impl Axes {
    /// Which axes of a tensor of this rank are meant.
    ///
    /// # Errors
    /// When an axis is out of range or named twice.
    pub fn mask(&self, place: &'static str, rank: usize) -> Result<[bool; MAX_RANK]> {
        let mut mask = [false; MAX_RANK];
        match self {
            Axes::All => mask[..rank].fill(true),
            Axes::Some(axes) => {
                for &axis in axes {
                    let axis = axis_of(place, axis, rank)?;
                    if mask[axis] {
                        let got = format!("{axes:?}");
                        return Err(Error::value(place, "an axis must not be named twice", got));
                    }
                    mask[axis] = true;
                }
            }
        }
        Ok(mask)
    }
}

impl From<RangeFull> for Axes {
    fn from(_: RangeFull) -> Axes {
        Axes::All
    }
}
impl From<i32> for Axes {
    fn from(axis: i32) -> Axes {
        Axes::Some(smallvec::smallvec![axis as isize])
    }
}
impl From<isize> for Axes {
    fn from(axis: isize) -> Axes {
        Axes::Some(smallvec::smallvec![axis])
    }
}
impl<const N: usize> From<[i32; N]> for Axes {
    fn from(axes: [i32; N]) -> Axes {
        Axes::Some(axes.iter().map(|&a| a as isize).collect())
    }
}
impl From<&[isize]> for Axes {
    fn from(axes: &[isize]) -> Axes {
        Axes::Some(axes.iter().copied().collect())
    }
}
impl From<Vec<isize>> for Axes {
    fn from(axes: Vec<isize>) -> Axes {
        Axes::Some(axes.into_iter().collect())
    }
}

/// The shape left after folding the marked axes.
pub(crate) fn folded(shape: &Shape, mask: &[bool], keepdims: bool) -> Shape {
    let mut out = [1; MAX_RANK];
    let mut rank = 0;
    for (axis, &dim) in shape.iter().enumerate() {
        if !mask[axis] {
            out[rank] = dim;
            rank += 1;
        } else if keepdims {
            rank += 1;
        }
    }
    Shape::of(&out[..rank])
}

/// `y` of a folded shape with the folded axes put back as ones.
pub(crate) fn unfold(y: &Tensor, x: &Spec, mask: &[bool]) -> Tensor {
    let kept = folded(&x.shape, mask, true);
    if y.shape() == &kept { y.clone() } else { must(apply(super::Reshape(kept), &[y])) }
}

macro_rules! reduction {
    ($(
        $(#[$doc:meta])*
        $Op:ident $name:ident, saves $saves:ident, needs_elements $needs:literal,
        accepts |$d:ident| $accepts:expr, forward |$x:ident, $mask:ident, $out:ident| $value:expr,
        vjp |$call:ident, $g:ident, $vmask:ident| $vjp:expr;
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug)]
            pub struct $Op {
                /// The axes to fold.
                pub axes: Axes,
                /// Whether folded axes stay, with size 1.
                pub keepdims: bool,
            }

            impl Op for $Op {
                fn name(&self) -> &'static str {
                    stringify!($name)
                }
                fn infer(&self, x: &[&Spec]) -> Result<Spec> {
                    let $d = x[0].dtype;
                    if !$accepts {
                        let rule = "the elements must have a type that can be folded so";
                        return Err(Error::dtype(self.name(), rule, x));
                    }
                    let mask = self.axes.mask(self.name(), x[0].shape.rank())?;
                    let shape = folded(&x[0].shape, &mask, self.keepdims);
                    if $needs && x[0].shape.size() == 0 && shape.size() > 0 {
                        let rule = "there must be at least one element to fold";
                        return Err(Error::shape(self.name(), rule, x));
                    }
                    Ok(Spec::new(x[0].dtype, shape))
                }
                fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
                    let mask = self.axes.mask(self.name(), x[0].rank())?;
                    let ($x, $mask, $out) = (x[0], &mask[..x[0].rank()], &out.shape);
                    Ok($value)
                }
                fn saves(&self) -> Saves {
                    Saves::$saves
                }
                fn vjp(&self, $call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
                    into.add(0, || {
                        let spec = $call.spec(0);
                        let $vmask = must(self.axes.mask(self.name(), spec.shape.rank()));
                        let $g = unfold(g, spec, &$vmask);
                        $vjp
                    });
                }
            }

            impl Tensor {
                $(#[$doc])*
                ///
                /// # Panics
                /// When an axis is out of range, the element type can't be folded so, or there
                /// is no element where one is needed.
                #[track_caller]
                pub fn $name(&self, axes: impl Into<Axes>, keepdims: bool) -> Tensor {
                    must(apply($Op { axes: axes.into(), keepdims }, &[self]))
                }
            }
        )*
    };
}

/// Number of elements that one folded value came from.
fn count(spec: &Spec, mask: &[bool]) -> usize {
    spec.shape.iter().zip(mask).filter(|(_, m)| **m).map(|(d, _)| d).product()
}

/// `g` shared evenly among the elements equal to the extreme they were folded to.
fn to_extremes(call: &Call<'_>, g: &Tensor, mask: &[bool]) -> Tensor {
    let (x, y) = (call.input(0), unfold(call.output(), call.spec(0), mask));
    let hit = x.equal(&y).cast(x.dtype());
    let axes: Vec<isize> = (0..x.rank()).filter(|&a| mask[a]).map(|a| a as isize).collect();
    let hits = hit.sum(axes, true);
    g * (hit / hits)
}

reduction! {
    /// Sum.
    Sum sum, saves Nothing, needs_elements false, accepts |d| d != DType::Bool,
    forward |x, mask, out| each_number!(x.dtype(), T => reduce(x, mask, out, T::default(), Total::total)),
    vjp |call, g, mask| broadcast_to(&g, &call.spec(0).shape);

    /// Arithmetic mean. The mean of no element is NaN, as in NumPy.
    Mean mean, saves Nothing, needs_elements false, accepts |d| d.is_float(),
    forward |x, mask, out| {
        let n = count(x.spec(), mask) as f64;
        each_float!(x.dtype(), T => {
            let mut y = reduce(x, mask, out, T::default(), |a, b| a + b);
            let values = y.unique_slice::<T>().expect("`reduce` makes a new tensor");
            values.iter_mut().for_each(|v| *v /= n as T);
            y
        })
    },
    vjp |call, g, mask| {
        let n = count(call.spec(0), &mask) as f64;
        broadcast_to(&(g / n), &call.spec(0).shape)
    };

    /// Largest element; NaN if there is one. Equal largest elements share the gradient, as in JAX.
    Max max, saves All, needs_elements true, accepts |d| d != DType::Bool,
    forward |x, mask, out| match x.dtype() {
        DType::F32 => reduce(x, mask, out, f32::NEG_INFINITY, Math::greatest),
        DType::F64 => reduce(x, mask, out, f64::NEG_INFINITY, Math::greatest),
        DType::I32 => reduce(x, mask, out, i32::MIN, Ord::max),
        DType::I64 => reduce(x, mask, out, i64::MIN, Ord::max),
        _ => reduce(x, mask, out, u8::MIN, Ord::max),
    },
    vjp |call, g, mask| to_extremes(call, &g, &mask);

    /// Smallest element; NaN if there is one. Equal smallest elements share the gradient, as in
    /// JAX.
    Min min, saves All, needs_elements true, accepts |d| d != DType::Bool,
    forward |x, mask, out| match x.dtype() {
        DType::F32 => reduce(x, mask, out, f32::INFINITY, Math::least),
        DType::F64 => reduce(x, mask, out, f64::INFINITY, Math::least),
        DType::I32 => reduce(x, mask, out, i32::MAX, Ord::min),
        DType::I64 => reduce(x, mask, out, i64::MAX, Ord::min),
        _ => reduce(x, mask, out, u8::MAX, Ord::min),
    },
    vjp |call, g, mask| to_extremes(call, &g, &mask);

    /// Whether any element is true.
    Any any, saves Nothing, needs_elements false, accepts |d| d == DType::Bool,
    forward |x, mask, out| reduce(x, mask, out, false, |a, b| a | b),
    vjp |call, g, mask| g;

    /// Whether all elements are true.
    All all, saves Nothing, needs_elements false, accepts |d| d == DType::Bool,
    forward |x, mask, out| reduce(x, mask, out, true, |a, b| a & b),
    vjp |call, g, mask| g;
}

/// Addition in every numeric type.
trait Total: Element {
    fn total(self, other: Self) -> Self;
}
macro_rules! total {
    ($($type:ty, |$a:ident, $b:ident| $sum:expr;)*) => {$(
        impl Total for $type {
            #[inline(always)]
            fn total(self, other: $type) -> $type {
                let ($a, $b) = (self, other);
                $sum
            }
        }
    )*};
}
total! {
    f32, |a, b| a + b;
    f64, |a, b| a + b;
    i32, |a, b| a.wrapping_add(b);
    i64, |a, b| a.wrapping_add(b);
    u8, |a, b| a.wrapping_add(b);
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
            fn saves(&self) -> Saves {
                Saves::Nothing
            }
            fn vjp(&self, _: &Call<'_>, _: &Tensor, _: &mut Gradients<'_>) {}
            fn is_differentiable(&self, _: usize) -> bool {
                false
            }
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
    /// Variance, the mean squared distance from the mean (not the sample variance), as NumPy's
    /// and Keras's `var`.
    ///
    /// # Panics
    /// When an axis is out of range or the elements are not floating-point numbers.
    #[track_caller]
    pub fn var(&self, axes: impl Into<Axes>, keepdims: bool) -> Tensor {
        let axes = axes.into();
        let centred = self - self.mean(axes.clone(), true);
        centred.square().mean(axes, keepdims)
    }

    /// Standard deviation, the root of [`var`](Tensor::var).
    ///
    /// # Panics
    /// As [`var`](Tensor::var).
    #[track_caller]
    pub fn std(&self, axes: impl Into<Axes>, keepdims: bool) -> Tensor {
        self.var(axes, keepdims).sqrt()
    }

    /// The same elements repeated along axes of size 1 and new leading axes. Copies nothing.
    ///
    /// # Panics
    /// When the shapes don't fit.
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl IntoShape) -> Tensor {
        broadcast_to(self, &must(shape.into_shape()))
    }
}

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
        let steps = crate::kernels::elementwise::broadcast_steps(x[0], &out.shape);
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
