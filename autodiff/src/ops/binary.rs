//! Ops on pairs of elements, with NumPy's broadcasting, a row each.
//!
//! A row is: name, what the derivative reads, the value for floats and for integers, and the
//! gradients by `a` and by `b` from the inputs `a` and `b`, the output `y`, and `g`.

use crate::dtype::{DType, Element};
use crate::each_number;
use crate::error::{Error, Result};
use crate::kernels::elementwise::{map2, zip_in_place};
use crate::kernels::math::Math;
use crate::op::{Call, Gradients, Op, Saves, apply, must};
use crate::shape::{Spec, broadcast};
use crate::tape::is_recording;
use crate::tensor::{Tensor, next_id};

/// The rule of every op on pairs: one dtype, and shapes that broadcast.
pub(crate) fn pair(op: &dyn Op, x: &[&Spec]) -> Result<Spec> {
    if x[0].dtype != x[1].dtype {
        return Err(Error::dtype(op.name(), "inputs must share one dtype", x));
    }
    match broadcast(x[0].dims(), x[1].dims()) {
        Some(shape) => Ok(Spec::new(x[0].dtype, shape)),
        None => {
            let rule = "shapes must broadcast: axes, from the last, must be equal or 1";
            Err(Error::shape(op.name(), rule, x))
        }
    }
}

fn numbers(op: &dyn Op, x: &[&Spec]) -> Result<Spec> {
    let spec = pair(op, x)?;
    if spec.dtype == DType::Bool {
        return Err(Error::dtype(op.name(), "inputs must be numbers", x));
    }
    Ok(spec)
}

fn floats(op: &dyn Op, x: &[&Spec]) -> Result<Spec> {
    let spec = pair(op, x)?;
    if !spec.dtype.is_float() {
        return Err(Error::dtype(op.name(), "inputs must be float32 or float64", x));
    }
    Ok(spec)
}

/// The value of a pair, by type of number.
pub(crate) trait Pairs: Element {
    fn add(self, other: Self) -> Self;
    fn subtract(self, other: Self) -> Self;
    fn multiply(self, other: Self) -> Self;
    fn divide(self, other: Self) -> Self;
    fn floor_divide(self, other: Self) -> Self;
    fn modulo(self, other: Self) -> Self;
    fn power(self, other: Self) -> Self;
    fn maximum(self, other: Self) -> Self;
    fn minimum(self, other: Self) -> Self;
}

macro_rules! float_pairs {
    ($($type:ty, $powi:ident);*) => {$(
        impl Pairs for $type {
            #[inline(always)]
            fn add(self, b: $type) -> $type { self + b }
            #[inline(always)]
            fn subtract(self, b: $type) -> $type { self - b }
            #[inline(always)]
            fn multiply(self, b: $type) -> $type { self * b }
            #[inline(always)]
            fn divide(self, b: $type) -> $type { self / b }
            #[inline(always)]
            fn floor_divide(self, b: $type) -> $type { (self / b).floor() }
            #[inline(always)]
            fn modulo(self, b: $type) -> $type {
                let r = self % b;
                if r != 0.0 && (r < 0.0) != (b < 0.0) { r + b } else { r }
            }
            #[inline(always)]
            fn power(self, b: $type) -> $type { self.powf(b) }
            #[inline(always)]
            fn maximum(self, b: $type) -> $type { self.greatest(b) }
            #[inline(always)]
            fn minimum(self, b: $type) -> $type { self.least(b) }
        }
    )*};
}
#[rustfmt::skip]
float_pairs!(f32, powi; f64, powi);

macro_rules! integer_pairs {
    ($($type:ty),*) => {$(
        impl Pairs for $type {
            #[inline(always)]
            fn add(self, b: $type) -> $type { self.wrapping_add(b) }
            #[inline(always)]
            fn subtract(self, b: $type) -> $type { self.wrapping_sub(b) }
            #[inline(always)]
            fn multiply(self, b: $type) -> $type { self.wrapping_mul(b) }
            #[inline(always)]
            fn divide(self, b: $type) -> $type { self.floor_divide(b) }
            /// Rounds down, as NumPy does; 0 where `b` is 0, which `forward` refuses before.
            #[inline(always)]
            fn floor_divide(self, b: $type) -> $type {
                if b == 0 { return 0; }
                let q = self.wrapping_div(b);
                #[allow(unused_comparisons)]
                if self.wrapping_rem(b) != 0 && (self < 0) != (b < 0) { q - 1 } else { q }
            }
            #[inline(always)]
            fn modulo(self, b: $type) -> $type {
                self.wrapping_sub(self.floor_divide(b).wrapping_mul(b))
            }
            #[inline(always)]
            fn power(self, b: $type) -> $type { self.wrapping_pow(u32::try_from(b).unwrap_or(0)) }
            #[inline(always)]
            fn maximum(self, b: $type) -> $type { self.max(b) }
            #[inline(always)]
            fn minimum(self, b: $type) -> $type { self.min(b) }
        }
    )*};
}
#[rustfmt::skip]
integer_pairs!(i32, i64, u8);

macro_rules! binary {
    ($(
        $(#[$doc:meta])*
        $Op:ident $name:ident, on $rule:ident, saves $saves:ident,
        vjp |$a:ident, $b:ident, $y:ident, $g:ident| $by_a:expr; $by_b:expr;
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $Op;

            impl Op for $Op {
                fn name(&self) -> &'static str {
                    stringify!($name)
                }
                fn arity(&self) -> std::ops::RangeInclusive<usize> {
                    2..=2
                }
                fn infer(&self, x: &[&Spec]) -> Result<Spec> {
                    $rule(self, x)
                }
                fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
                    check(self, x)?;
                    Ok(each_number!(out.dtype, T => {
                        map2(x[0], x[1], &out.shape, 1, |a: T, b: T| Pairs::$name(a, b))
                    }))
                }
                fn saves(&self) -> Saves {
                    Saves::$saves
                }
                #[allow(unused_variables)]
                fn vjp(&self, call: &Call<'_>, $g: &Tensor, into: &mut Gradients<'_>) {
                    // What the op doesn't save the formulas don't read: `g` stands in.
                    let $a = if Saves::$saves.input(0) { call.input(0) } else { $g };
                    let $b = if Saves::$saves.input(1) { call.input(1) } else { $g };
                    let $y = if Saves::$saves.output() { call.output() } else { $g };
                    into.add(0, || $by_a);
                    into.add(1, || $by_b);
                }
            }

            $(#[$doc])*
            ///
            /// # Panics
            /// When the dtypes differ or the shapes don't broadcast.
            #[inline]
            #[track_caller]
            pub fn $name(a: &Tensor, b: &Tensor) -> Tensor {
                must(apply($Op, &[a, b]))
            }
        )*
    };
}

#[rustfmt::skip]
binary! {
    /// `a + b`
    Add add, on numbers, saves Nothing, vjp |a, b, y, g| g.clone(); g.clone();
    /// `a - b`
    Subtract subtract, on numbers, saves Nothing, vjp |a, b, y, g| g.clone(); -g;
    /// `a · b`, element by element.
    Multiply multiply, on numbers, saves Inputs, vjp |a, b, y, g| g * b; g * a;
    /// `a / b`, for floating-point numbers.
    Divide divide, on floats, saves Inputs, vjp |a, b, y, g| g / b; -(g * a / (b * b));
    /// `a / b` rounded down. Its gradient is zero.
    FloorDivide floor_divide, on numbers, saves Nothing,
        vjp |a, b, y, g| g.zeros_like(); g.zeros_like();
    /// What is left of `a` after [`floor_divide`] by `b`; it has the sign of `b`, as in NumPy.
    Modulo modulo, on numbers, saves Inputs, vjp |a, b, y, g| g.clone(); -(g * floor_divide(a, b));
    /// `a` to the power of `b`.
    Power power, on numbers, saves All,
        vjp |a, b, y, g| g * power_slope(a, b); g * y * log_or_zero(a);
    /// The larger of `a` and `b`; where they are equal, each gets half the gradient, as in JAX.
    Maximum maximum, on numbers, saves Inputs,
        vjp |a, b, y, g| g * winner(a, b); g * winner(b, a);
    /// The smaller of `a` and `b`; where they are equal, each gets half the gradient, as in JAX.
    Minimum minimum, on numbers, saves Inputs,
        vjp |a, b, y, g| g * winner(b, a); g * winner(a, b);
}

/// `b · a^(b - 1)`, 0 where `b` is 0, whatever `a` is.
fn power_slope(a: &Tensor, b: &Tensor) -> Tensor {
    let zero = b.equal_scalar(0.0);
    let exponent = crate::ops::select(&zero, &b.ones_like(), &(b - 1.0));
    b * power(a, &exponent)
}

/// `ln a`, 0 where `a` is 0, so that the gradient of `0^b` by `b` is 0 and not NaN.
fn log_or_zero(a: &Tensor) -> Tensor {
    let zero = a.equal_scalar(0.0);
    crate::ops::select(&zero, &a.ones_like(), a).log()
}

/// 1 where `a > b`, one half where they are equal, else 0.
fn winner(a: &Tensor, b: &Tensor) -> Tensor {
    let above = a.greater(b).cast(a.dtype());
    above + a.equal(b).cast(a.dtype()) * 0.5
}

/// Refuses what has no answer in whole numbers.
fn check(op: &dyn Op, x: &[&Tensor]) -> Result<()> {
    if !x[0].dtype().is_integer() {
        return Ok(());
    }
    let divisor = x[1].to_f64_vec()?;
    let place = op.name();
    match place {
        "floor_divide" | "modulo" if divisor.contains(&0.0) => {
            Err(Error::value(place, "whole numbers must not be divided by zero", "a zero"))
        }
        "power" if divisor.iter().any(|&b| b < 0.0) => {
            let rule = "a whole number needs an exponent that is not negative";
            Err(Error::value(place, rule, "a negative exponent"))
        }
        _ => Ok(()),
    }
}

/// `a + b` where `a` is overwritten if nobody else holds it and no tape is recording.
pub(crate) fn add_in_place(mut a: Tensor, b: Tensor) -> Tensor {
    if reuse::<Add>(&mut a, &b) { a } else { add(&a, &b) }
}

/// Ops that may overwrite an operand.
pub(crate) trait InPlace: Op {
    fn pair<T: FloatPair>(a: T, b: T) -> T;
}

/// Floating-point types, for operators that overwrite.
pub(crate) trait FloatPair: Element + Math {
    fn plus(self, b: Self) -> Self;
    fn minus(self, b: Self) -> Self;
    fn times(self, b: Self) -> Self;
    fn over(self, b: Self) -> Self;
}

macro_rules! float_pair {
    ($($type:ty),*) => {$(
        impl FloatPair for $type {
            #[inline(always)]
            fn plus(self, b: $type) -> $type { self + b }
            #[inline(always)]
            fn minus(self, b: $type) -> $type { self - b }
            #[inline(always)]
            fn times(self, b: $type) -> $type { self * b }
            #[inline(always)]
            fn over(self, b: $type) -> $type { self / b }
        }
    )*};
}
#[rustfmt::skip]
float_pair!(f32, f64);

macro_rules! in_place {
    ($($Op:ident $method:ident),*) => {$(
        impl InPlace for $Op {
            #[inline(always)]
            fn pair<T: FloatPair>(a: T, b: T) -> T { a.$method(b) }
        }
    )*};
}
#[rustfmt::skip]
in_place!(Add plus, Subtract minus, Multiply times, Divide over);

/// `a = a ∘ b` if `a` may be overwritten.
#[inline]
fn reuse<O: InPlace>(a: &mut Tensor, b: &Tensor) -> bool {
    if is_recording() || !a.is_unique() || a.spec() != b.spec() {
        return false;
    }
    let done = match a.dtype() {
        DType::F32 => zip_in_place::<f32, f32>(a, b, 1, |a, b| O::pair(a, b)),
        DType::F64 => zip_in_place::<f64, f64>(a, b, 1, |a, b| O::pair(a, b)),
        _ => None,
    };
    if done.is_some() {
        a.id = next_id();
    }
    done.is_some()
}

/// `b = a ∘ b` if `b` may be overwritten.
#[inline]
fn reuse_right<O: InPlace>(a: &Tensor, b: &mut Tensor) -> bool {
    if is_recording() || !b.is_unique() || a.spec() != b.spec() {
        return false;
    }
    let done = match b.dtype() {
        DType::F32 => zip_in_place::<f32, f32>(b, a, 1, |b, a| O::pair(a, b)),
        DType::F64 => zip_in_place::<f64, f64>(b, a, 1, |b, a| O::pair(a, b)),
        _ => None,
    };
    if done.is_some() {
        b.id = next_id();
    }
    done.is_some()
}

/// An operator on operands of which either may be overwritten if it is owned.
#[inline]
#[track_caller]
pub(crate) fn owned_left<O: InPlace>(op: O, mut a: Tensor, b: &Tensor) -> Tensor {
    if reuse::<O>(&mut a, b) { a } else { must(apply(op, &[&a, b])) }
}

/// As [`owned_left`], for the right operand.
#[inline]
#[track_caller]
pub(crate) fn owned_right<O: InPlace>(op: O, a: &Tensor, mut b: Tensor) -> Tensor {
    if reuse_right::<O>(a, &mut b) { b } else { must(apply(op, &[a, &b])) }
}
