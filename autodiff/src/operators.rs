//! `+ - * /` and negation, between tensors and between a tensor and a number.
//!
//! An operand that is passed by value and that nobody else holds is overwritten with the
//! result, unless a tape is recording. All panic, at the caller's line and with the text of the
//! error, when dtypes differ or shapes don't broadcast; [`apply`](crate::apply) returns it.

use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::op::must;
use crate::ops::{self, owned_left, owned_right, scale, shift};
use crate::tensor::Tensor;

macro_rules! operator {
    ($(
        $Trait:ident $method:ident, $Assign:ident $assign:ident, $Op:ident,
        number |$x:ident, $n:ident| $right:expr; $left:expr;
    )*) => {$(
        impl $Trait<&Tensor> for &Tensor {
            type Output = Tensor;
            #[inline]
            #[track_caller]
            fn $method(self, b: &Tensor) -> Tensor {
                must(crate::apply(ops::$Op, &[self, b]))
            }
        }
        impl $Trait<&Tensor> for Tensor {
            type Output = Tensor;
            #[inline]
            #[track_caller]
            fn $method(self, b: &Tensor) -> Tensor {
                owned_left(ops::$Op, self, b)
            }
        }
        impl $Trait<Tensor> for &Tensor {
            type Output = Tensor;
            #[inline]
            #[track_caller]
            fn $method(self, b: Tensor) -> Tensor {
                owned_right(ops::$Op, self, b)
            }
        }
        impl $Trait<Tensor> for Tensor {
            type Output = Tensor;
            #[inline]
            #[track_caller]
            fn $method(self, b: Tensor) -> Tensor {
                owned_left(ops::$Op, self, &b)
            }
        }
        impl $Trait<f64> for &Tensor {
            type Output = Tensor;
            #[inline]
            #[track_caller]
            fn $method(self, $n: f64) -> Tensor {
                let $x = self;
                $right
            }
        }
        impl $Trait<f64> for Tensor {
            type Output = Tensor;
            #[inline]
            #[track_caller]
            fn $method(self, number: f64) -> Tensor {
                $Trait::$method(&self, number)
            }
        }
        impl $Trait<&Tensor> for f64 {
            type Output = Tensor;
            #[inline]
            #[track_caller]
            fn $method(self, $x: &Tensor) -> Tensor {
                let $n = self;
                $left
            }
        }
        impl $Trait<Tensor> for f64 {
            type Output = Tensor;
            #[inline]
            #[track_caller]
            fn $method(self, x: Tensor) -> Tensor {
                $Trait::$method(self, &x)
            }
        }
        impl $Assign<&Tensor> for Tensor {
            #[inline]
            #[track_caller]
            fn $assign(&mut self, b: &Tensor) {
                let a = std::mem::replace(self, b.clone());
                *self = owned_left(ops::$Op, a, b);
            }
        }
    )*};
}

operator! {
    Add add, AddAssign add_assign, Add, number |x, n| must(shift(x, n)); must(shift(x, n));
    Sub sub, SubAssign sub_assign, Subtract,
        number |x, n| must(shift(x, -n)); must(shift(&-x, n));
    Mul mul, MulAssign mul_assign, Multiply, number |x, n| must(scale(x, n)); must(scale(x, n));
    Div div, DivAssign div_assign, Divide,
        number |x, n| x / Tensor::scalar_of(x.dtype(), n); Tensor::scalar_of(x.dtype(), n) / x;
}

impl Neg for &Tensor {
    type Output = Tensor;
    #[inline]
    #[track_caller]
    fn neg(self) -> Tensor {
        ops::negative(self)
    }
}

impl Neg for Tensor {
    type Output = Tensor;
    #[inline]
    #[track_caller]
    fn neg(self) -> Tensor {
        ops::negative(&self)
    }
}
