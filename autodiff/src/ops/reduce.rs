//! Folding axes away.

use std::ops::RangeFull;

use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::kernels::math::Math;
use crate::kernels::reduce::reduce;
use crate::op::{Call, Gradients, Op, Saves, apply, must};
use crate::ops::binary::Pairs;
use crate::ops::broadcast_to;
use crate::shape::{MAX_RANK, Shape, Spec, axis_of};
use crate::tensor::Tensor;
use crate::{each_float, each_number};

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
                    let accepts = |$d: DType| $accepts;
                    if !accepts(x[0].dtype) {
                        let rule = match (accepts(DType::Bool), accepts(DType::I32)) {
                            (true, _) => "the elements must be bool",
                            (_, true) => "the elements must be numbers",
                            _ => "the elements must be float32 or float64",
                        };
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
    forward |x, mask, out| each_number!(x.dtype(), T => reduce(x, mask, out, T::default(), Pairs::add)),
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
