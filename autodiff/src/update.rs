//! Changing a tensor in place, as an optimizer does: one pass, no allocation.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::dtype::{DType, Element};
use crate::each_float;
use crate::error::{Error, Result};
use crate::kernels::update::{self as kernels, Body, run};
use crate::shape::Spec;
use crate::tensor::Tensor;

/// A floating-point number, for rules that are written once and compiled for float32 and
/// float64.
pub trait Float:
    Element
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// The nearest number of this type.
    fn of(value: f64) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// Power.
    fn powf(self, exponent: Self) -> Self;
    /// The larger; NaN if either is.
    fn maximum(self, other: Self) -> Self;
    /// The smaller; NaN if either is.
    fn minimum(self, other: Self) -> Self;
}

macro_rules! float {
    ($($type:ty),*) => {$(
        impl Float for $type {
            #[inline(always)]
            fn of(value: f64) -> $type {
                value as $type
            }
            #[inline(always)]
            fn sqrt(self) -> $type {
                <$type>::sqrt(self)
            }
            #[inline(always)]
            fn abs(self) -> $type {
                <$type>::abs(self)
            }
            #[inline(always)]
            fn powf(self, exponent: $type) -> $type {
                <$type>::powf(self, exponent)
            }
            #[inline(always)]
            fn maximum(self, other: $type) -> $type {
                if self > other || self.is_nan() { self } else { other }
            }
            #[inline(always)]
            fn minimum(self, other: $type) -> $type {
                if self < other || self.is_nan() { self } else { other }
            }
        }
    )*};
}
float!(f32, f64);

/// What an optimizer does to one element of a variable, given that of the gradient and of its
/// `N` slots. Written once for all floating-point types; mark it `#[inline(always)]`.
pub trait Elementwise<const N: usize>: Copy + Send + Sync {
    /// The new element of the variable, and of its slots.
    fn update<T: Float>(&self, x: T, g: T, slots: [T; N]) -> (T, [T; N]);
}

/// Runs `kernel` on every element of a variable, its gradient and its slots, in place and on
/// several threads if that pays. A tensor that somebody else holds too is copied first, so
/// nobody sees his tensor change.
///
/// ```
/// use cornu_autodiff::{Elementwise, Float, Tensor, update};
///
/// /// `m = 0.9 m + g; x -= 0.1 m`
/// #[derive(Clone, Copy)]
/// struct Momentum;
/// impl Elementwise<1> for Momentum {
///     #[inline(always)]
///     fn update<T: Float>(&self, x: T, g: T, [m]: [T; 1]) -> (T, [T; 1]) {
///         let m = T::of(0.9) * m + g;
///         (x - T::of(0.1) * m, [m])
///     }
/// }
/// let (mut x, g, mut m) = (Tensor::from([1.0]), Tensor::from([2.0]), Tensor::from([0.0]));
/// update(&mut x, &g, [&mut m], Momentum)?;
/// assert_eq!(x.to_vec::<f64>()?, [0.8]);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
///
/// # Errors
/// When dtypes or shapes differ, the tensors are not floating-point, or one is symbolic.
pub fn update<const N: usize>(
    variable: &mut Tensor,
    gradient: &Tensor,
    slots: [&mut Tensor; N],
    kernel: impl Elementwise<N>,
) -> Result<()> {
    update_after(None::<Unchanged>, variable, gradient, slots, kernel)
}

/// As [`update`], but each element goes through `first`, in the same pass over memory. What
/// `first` leaves of the variable, and in its slot, is the element and the gradient that `kernel`
/// is given: what all optimizers do first is written, and compiled, once.
///
/// ```
/// use cornu_autodiff::{Elementwise, Float, Tensor, update_after};
///
/// /// Clips the gradient.
/// #[derive(Clone, Copy)]
/// struct Clip;
/// impl Elementwise<1> for Clip {
///     #[inline(always)]
///     fn update<T: Float>(&self, x: T, g: T, _: [T; 1]) -> (T, [T; 1]) {
///         (x, [g.minimum(T::of(1.0)).maximum(T::of(-1.0))])
///     }
/// }
/// /// `x -= g`
/// #[derive(Clone, Copy)]
/// struct Descend;
/// impl Elementwise<0> for Descend {
///     #[inline(always)]
///     fn update<T: Float>(&self, x: T, g: T, _: [T; 0]) -> (T, [T; 0]) {
///         (x - g, [])
///     }
/// }
/// let (mut x, g) = (Tensor::from([1.0]), Tensor::from([9.0]));
/// update_after(Some(Clip), &mut x, &g, [], Descend)?;
/// assert_eq!(x.to_vec::<f64>()?, [0.0]);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
///
/// # Errors
/// As [`update`].
pub fn update_after<const N: usize>(
    first: Option<impl Elementwise<1>>,
    variable: &mut Tensor,
    gradient: &Tensor,
    mut slots: [&mut Tensor; N],
    kernel: impl Elementwise<N>,
) -> Result<()> {
    let then =
        Body { f32: &|columns| run(columns, &kernel), f64: &|columns| run(columns, &kernel) };
    let Some(first) = first else {
        return checked(variable, gradient, &mut slots, None, then);
    };
    let first = Body { f32: &|columns| run(columns, &first), f64: &|columns| run(columns, &first) };
    checked(variable, gradient, &mut slots, Some(first), then)
}

/// Stands for no kernel.
#[derive(Clone, Copy)]
struct Unchanged;

impl Elementwise<1> for Unchanged {
    #[inline(always)]
    fn update<T: Float>(&self, x: T, g: T, _: [T; 1]) -> (T, [T; 1]) {
        (x, [g])
    }
}

/// What doesn't depend on the kernel.
fn checked(
    variable: &mut Tensor,
    gradient: &Tensor,
    slots: &mut [&mut Tensor],
    first: Option<Body<'_>>,
    then: Body<'_>,
) -> Result<()> {
    check(variable, gradient)?;
    slots.iter().try_for_each(|slot| check(variable, slot))?;
    each_float!(variable.dtype(), T => {
        kernels::update::<T>(variable, gradient, slots, first, then);
    });
    Ok(())
}

fn check(variable: &Tensor, other: &Tensor) -> Result<()> {
    let place = "update";
    let specs: [&Spec; 2] = [variable.spec(), other.spec()];
    if !variable.dtype().is_float() || variable.dtype() != other.dtype() {
        let rule = "variable, gradient and slots must share one floating-point dtype";
        return Err(Error::dtype(place, rule, &specs));
    }
    if variable.shape() != other.shape() {
        let rule = "variable, gradient and slots must have one shape";
        return Err(Error::shape(place, rule, &specs));
    }
    match [variable, other].into_iter().find(|x| x.is_symbolic()) {
        Some(x) => Err(Error::Symbolic(*x.spec())),
        None => Ok(()),
    }
}

/// Sum of the squares of all elements, accumulated in float64.
///
/// # Errors
/// When the tensor is not floating-point, or symbolic.
pub fn squared_norm(x: &Tensor) -> Result<f64> {
    match x.dtype() {
        DType::F32 => x.with_slice(kernels::squared_norm::<f32>),
        DType::F64 => x.with_slice(kernels::squared_norm::<f64>),
        _ => {
            let rule = "the elements must be float32 or float64";
            Err(Error::dtype("squared_norm", rule, &[x.spec()]))
        }
    }
}
