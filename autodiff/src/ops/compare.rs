//! Comparisons, logic and choice.

use crate::dtype::{DType, Element};
use crate::error::{Error, Result};
use crate::kernels::elementwise::{map1, map2, map3};
use crate::op::{Call, Gradients, Op, Saves, apply, must};
use crate::ops::binary::pair;
use crate::shape::{Spec, broadcast};
use crate::tensor::Tensor;
use crate::{each_dtype, each_number};

macro_rules! comparison {
    ($(
        $(#[$doc:meta])*
        $Op:ident $name:ident $with_number:ident, |$a:ident, $b:ident| $value:expr;
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
                    Ok(pair(self, x)?.cast(DType::Bool))
                }
                #[allow(clippy::bool_comparison)] // one formula for all dtypes
                fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
                    Ok(each_dtype!(x[0].dtype(), T => {
                        map2(x[0], x[1], &out.shape, 1, |$a: T, $b: T| $value)
                    }))
                }
                crate::op::without_slope!();
            }
        )*

        impl Tensor {
            $(
                $(#[$doc])*
                ///
                /// # Panics
                /// When the dtypes differ or the shapes don't broadcast.
                #[inline]
                #[track_caller]
                pub fn $name(&self, other: &Tensor) -> Tensor {
                    must(apply($Op, &[self, other]))
                }

                #[doc = concat!("As [`", stringify!($name), "`](Tensor::", stringify!($name), "), with one number.")]
                #[inline]
                #[track_caller]
                pub fn $with_number(&self, number: f64) -> Tensor {
                    self.$name(&Tensor::scalar_of(self.dtype(), number))
                }
            )*
        }
    };
}

comparison! {
    /// `a == b`, element by element.
    Equal equal equal_scalar, |a, b| a == b;
    /// `a != b`, element by element.
    NotEqual not_equal not_equal_scalar, |a, b| a != b;
    /// `a < b`, element by element.
    Less less less_scalar, |a, b| a < b;
    /// `a <= b`, element by element.
    LessEqual less_equal less_equal_scalar, |a, b| a <= b;
    /// `a > b`, element by element.
    Greater greater greater_scalar, |a, b| a > b;
    /// `a >= b`, element by element.
    GreaterEqual greater_equal greater_equal_scalar, |a, b| a >= b;
}

macro_rules! logic {
    ($(
        $(#[$doc:meta])*
        $Op:ident $name:ident, |$a:ident, $b:ident| $value:expr;
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
                    if x.iter().any(|x| x.dtype != DType::Bool) {
                        return Err(Error::dtype(self.name(), "inputs must be bool", x));
                    }
                    pair(self, x)
                }
                fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
                    Ok(map2(x[0], x[1], &out.shape, 1, |$a: bool, $b: bool| $value))
                }
                crate::op::without_slope!();
            }

            impl Tensor {
                $(#[$doc])*
                ///
                /// # Panics
                /// When the elements are not truth values or the shapes don't broadcast.
                #[inline]
                #[track_caller]
                pub fn $name(&self, other: &Tensor) -> Tensor {
                    must(apply($Op, &[self, other]))
                }
            }
        )*
    };
}

logic! {
    /// Both are true.
    LogicalAnd logical_and, |a, b| a & b;
    /// Either is true.
    LogicalOr logical_or, |a, b| a | b;
    /// Exactly one is true.
    LogicalXor logical_xor, |a, b| a ^ b;
}

impl Tensor {
    /// True where the element is false.
    ///
    /// # Panics
    /// When the elements are not truth values.
    #[track_caller]
    pub fn logical_not(&self) -> Tensor {
        self.logical_xor(&Tensor::scalar(true))
    }

    /// `a` where `self` is true, else `b`: NumPy's `where`.
    ///
    /// # Panics
    /// As [`select`].
    #[track_caller]
    pub fn select(&self, a: &Tensor, b: &Tensor) -> Tensor {
        select(self, a, b)
    }

    /// Elements moved into `[low, high]`. The slope is 1 inside and at the bounds, else 0.
    ///
    /// # Panics
    /// When `low > high`, or the elements are truth values.
    #[track_caller]
    pub fn clip(&self, low: f64, high: f64) -> Tensor {
        must(apply(Clip { low, high }, &[self]))
    }
}

macro_rules! predicate {
    ($($(#[$doc:meta])* $Op:ident $name:ident, |$x:ident| $value:expr, whole $whole:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $Op;

            impl Op for $Op {
                fn name(&self) -> &'static str {
                    stringify!($name)
                }
                fn infer(&self, x: &[&Spec]) -> Result<Spec> {
                    Ok(x[0].cast(DType::Bool))
                }
                fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
                    Ok(match x[0].dtype() {
                        DType::F32 => map1(x[0], 1, |$x: f32| $value),
                        DType::F64 => map1(x[0], 1, |$x: f64| $value),
                        _ => Tensor::full(out.shape, f64::from(u8::from($whole)), DType::Bool),
                    })
                }
                crate::op::without_slope!();
            }

            impl Tensor {
                $(#[$doc])*
                pub fn $name(&self) -> Tensor {
                    must(apply($Op, &[self]))
                }
            }
        )*
    };
}

predicate! {
    /// True where the element is NaN.
    IsNan isnan, |x| x.is_nan(), whole false;
    /// True where the element is infinite.
    IsInf isinf, |x| x.is_infinite(), whole false;
    /// True where the element is neither NaN nor infinite.
    IsFinite isfinite, |x| x.is_finite(), whole true;
}

/// NumPy's `where`: `a` where `condition` is true, else `b`.
#[derive(Clone, Copy, Debug)]
pub struct Select;

impl Op for Select {
    fn name(&self) -> &'static str {
        "where"
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        3..=3
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        if x[0].dtype != DType::Bool {
            return Err(Error::dtype("where", "the condition must be bool", &x[..1]));
        }
        let out = pair(self, &x[1..])?;
        match broadcast(x[0].dims(), out.dims()) {
            Some(shape) => Ok(Spec::new(out.dtype, shape)),
            None => Err(Error::shape("where", "the three shapes must broadcast", x)),
        }
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        Ok(each_dtype!(out.dtype, T => {
            map3([x[0], x[1], x[2]], &out.shape, 1, |c: bool, a: T, b: T| if c { a } else { b })
        }))
    }
    fn saves(&self) -> Saves {
        Saves::Some(1)
    }
    fn is_differentiable(&self, index: usize) -> bool {
        index > 0
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        let condition = call.input(0);
        let zero = Tensor::scalar_of(g.dtype(), 0.0);
        into.add(1, || select(condition, g, &zero));
        into.add(2, || select(condition, &zero, g));
    }
}

/// `a` where `condition` is true, else `b`: NumPy's `where`, a word that Rust keeps for itself.
/// A value that is not chosen has gradient 0, even where it is infinite or NaN.
///
/// # Panics
/// When `condition` is not bool, the dtypes of `a` and `b` differ, or shapes don't broadcast.
#[inline]
#[track_caller]
pub fn select(condition: &Tensor, a: &Tensor, b: &Tensor) -> Tensor {
    must(apply(Select, &[condition, a, b]))
}

/// Elements moved into `[low, high]`.
#[derive(Clone, Copy, Debug)]
pub struct Clip {
    /// Smallest result.
    pub low: f64,
    /// Largest result.
    pub high: f64,
}

impl Op for Clip {
    fn name(&self) -> &'static str {
        "clip"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        if x[0].dtype == DType::Bool {
            return Err(Error::dtype("clip", "the input must be numbers", x));
        }
        if self.low <= self.high {
            return Ok(*x[0]);
        }
        let got = format!("{} and {}", self.low, self.high);
        Err(Error::value("clip", "the lower bound must not be above the upper", got))
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        Ok(each_number!(out.dtype, T => {
            let (low, high) = (T::from_f64(self.low), T::from_f64(self.high));
            map1(x[0], 1, |x: T| {
                let x = if x < low { low } else { x };
                if x > high { high } else { x }
            })
        }))
    }
    fn saves(&self) -> Saves {
        Saves::Inputs
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        into.add(0, || {
            let x = call.input(0);
            let inside =
                x.greater_equal_scalar(self.low).logical_and(&x.less_equal_scalar(self.high));
            select(&inside, g, &Tensor::scalar_of(g.dtype(), 0.0))
        });
    }
}
