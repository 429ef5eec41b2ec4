//! Ops on each element of one tensor, a row each.
//!
//! A row is: name, what the derivative reads, the value as a formula of `x`, and the
//! vector-Jacobian product as a formula of `x` (input), `y` (output) and `g` (gradient of the
//! output). Each formula is written once and compiled three times: for float32 and float64
//! scalars, where it becomes one vectorised loop, and for tensors, where it is made of ops and
//! so can be differentiated again. A loop serves the first order, the ops all higher ones.

use super::formulas::{constants, scalars, tensors};
use crate::each_float;
use crate::error::{Error, Result};
use crate::kernels::elementwise::{map1, map3};
use crate::op::{Call, Gradients, Op, Saves, apply, must};
use crate::shape::Spec;
use crate::tape::is_recording;
use crate::tensor::Tensor;

/// The dtype rule of functions that have no meaning for whole numbers.
pub(crate) fn float_only(op: &dyn Op, x: &[&Spec]) -> Result<Spec> {
    if x[0].dtype.is_float() {
        return Ok(*x[0]);
    }
    Err(Error::dtype(op.name(), "the input must be float32 or float64", x))
}

macro_rules! unary {
    ($(
        $(#[$doc:meta])*
        $Op:ident $name:ident, saves $saves:ident, cost $cost:literal,
        |$x:ident| $value:expr, vjp |$vx:ident, $vy:ident, $vg:ident| $vjp:expr;
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $Op;

            impl Op for $Op {
                fn name(&self) -> &'static str {
                    stringify!($name)
                }
                fn infer(&self, x: &[&Spec]) -> Result<Spec> {
                    float_only(self, x)
                }
                fn forward(&self, x: &[&Tensor], _: &Spec) -> Result<Tensor> {
                    #[allow(unused_imports)]
                    use scalars::*;
                    each_float!(x[0].dtype(), T => {
                        constants!(T);
                        #[inline(always)]
                        fn value($x: T) -> T { $value }
                        Ok(map1::<T, T>(x[0], $cost, |x| value(x)))
                    })
                }
                fn saves(&self) -> Saves {
                    Saves::$saves
                }
                fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
                    into.add(0, || {
                        // What the op doesn't save the formula doesn't read: `g` stands in.
                        let x = if Saves::$saves.input(0) { call.input(0) } else { g };
                        let y = if Saves::$saves.output() { call.output() } else { g };
                        if is_recording() {
                            #[allow(unused_imports)]
                            use tensors::*;
                            constants!(f64);
                            #[allow(unused_variables)]
                            let ($vx, $vy, $vg) = (x, y, g);
                            return $vjp;
                        }
                        #[allow(unused_imports)]
                        use scalars::*;
                        each_float!(g.dtype(), T => {
                            constants!(T);
                            #[inline(always)]
                            #[allow(unused_variables)]
                            fn vjp($vx: T, $vy: T, $vg: T) -> T { $vjp }
                            map3::<T, T, T, T>([x, y, g], g.shape(), $cost, |x, y, g| vjp(x, y, g))
                        })
                    });
                }
            }

            $(#[$doc])*
            ///
            /// # Panics
            /// When the elements are not floating-point numbers.
            #[inline]
            #[track_caller]
            pub fn $name(x: &Tensor) -> Tensor {
                must(apply($Op, &[x]))
            }
        )*

        impl Tensor {
            $(
                $(#[$doc])*
                ///
                /// # Panics
                /// When the elements are not floating-point numbers.
                #[inline]
                #[track_caller]
                pub fn $name(&self) -> Tensor {
                    must(apply($Op, &[self]))
                }
            )*
        }
    };
}

#[rustfmt::skip]
unary! {
    /// `e^x`
    Exp exp, saves Output, cost 2, |x| exp(x), vjp |x, y, g| g * y;
    /// `e^x - 1`, exact near zero.
    Expm1 expm1, saves Output, cost 2, |x| expm1(x), vjp |x, y, g| g * (y + 1.0);
    /// Natural logarithm.
    Log log, saves Inputs, cost 2, |x| log(x), vjp |x, y, g| g / x;
    /// Logarithm to base 2.
    Log2 log2, saves Inputs, cost 2,
        |x| log(x) * LOG2_E, vjp |x, y, g| g / (x * LN_2);
    /// Logarithm to base 10.
    Log10 log10, saves Inputs, cost 2,
        |x| log(x) * LOG10_E, vjp |x, y, g| g / (x * LN_10);
    /// `ln(1 + x)`, exact near zero.
    Log1p log1p, saves Inputs, cost 2, |x| log1p(x), vjp |x, y, g| g / (x + 1.0);
    /// Square root.
    Sqrt sqrt, saves Output, cost 1, |x| x.sqrt(), vjp |x, y, g| g / (y * 2.0);
    /// `1 / sqrt(x)`
    Rsqrt rsqrt, saves Output, cost 1, |x| 1.0 / x.sqrt(), vjp |x, y, g| g * (y * y * y * -0.5);
    /// `1 / x`
    Reciprocal reciprocal, saves Output, cost 1, |x| 1.0 / x, vjp |x, y, g| g * -(y * y);

    /// Sine of an angle in radians.
    Sin sin, saves Inputs, cost 8, |x| x.sin(), vjp |x, y, g| g * cos(x);
    /// Cosine of an angle in radians.
    Cos cos, saves Inputs, cost 8, |x| x.cos(), vjp |x, y, g| g * -sin(x);
    /// Tangent of an angle in radians.
    Tan tan, saves Output, cost 8, |x| x.tan(), vjp |x, y, g| g * (y * y + 1.0);
    /// Angle whose sine is `x`.
    Arcsin arcsin, saves Inputs, cost 8, |x| x.asin(), vjp |x, y, g| g / sqrt(1.0 - x * x);
    /// Angle whose cosine is `x`.
    Arccos arccos, saves Inputs, cost 8, |x| x.acos(), vjp |x, y, g| g / -sqrt(1.0 - x * x);
    /// Angle whose tangent is `x`.
    Arctan arctan, saves Inputs, cost 8, |x| x.atan(), vjp |x, y, g| g / (x * x + 1.0);
    /// Hyperbolic sine.
    Sinh sinh, saves Inputs, cost 8, |x| x.sinh(), vjp |x, y, g| g * cosh(x);
    /// Hyperbolic cosine.
    Cosh cosh, saves Inputs, cost 8, |x| x.cosh(), vjp |x, y, g| g * sinh(x);
    /// Hyperbolic tangent.
    Tanh tanh, saves Output, cost 3, |x| tanh(x), vjp |x, y, g| g * (1.0 - y * y);
    /// Number whose hyperbolic sine is `x`.
    Arcsinh arcsinh, saves Inputs, cost 8, |x| x.asinh(), vjp |x, y, g| g / sqrt(x * x + 1.0);
    /// Number whose hyperbolic cosine is `x`.
    Arccosh arccosh, saves Inputs, cost 8, |x| x.acosh(), vjp |x, y, g| g / sqrt(x * x - 1.0);
    /// Number whose hyperbolic tangent is `x`.
    Arctanh arctanh, saves Inputs, cost 8, |x| x.atanh(), vjp |x, y, g| g / (1.0 - x * x);

    /// The error function, `2/√π ∫₀ˣ e^(-t²) dt`.
    Erf erf, saves Inputs, cost 8,
        |x| erf(x), vjp |x, y, g| g * (exp(-(x * x)) * TWO_OVER_SQRT_PI);
    /// `1 / (1 + e^-x)`
    Sigmoid sigmoid, saves Output, cost 3, |x| sigmoid(x), vjp |x, y, g| g * (y * (1.0 - y));
    /// `ln(1 + e^x)`, without overflow.
    Softplus softplus, saves Inputs, cost 4,
        |x| x.greatest(0.0) + log1p(exp(-x.abs())), vjp |x, y, g| g * sigmoid(x);
    /// `x / (1 + |x|)`
    Softsign softsign, saves Inputs, cost 1,
        |x| x / (1.0 + x.abs()), vjp |x, y, g| g / square(abs(x) + 1.0);
    /// `max(x, 0)`; its slope at 0 is 0, as in Keras.
    Relu relu, saves Output, cost 1, |x| x.greatest(0.0), vjp |x, y, g| g * step(y);
    /// `min(max(x, 0), 6)`; its slope at 0 and 6 is 0, as in Keras.
    Relu6 relu6, saves Inputs, cost 1,
        |x| x.greatest(0.0).least(6.0), vjp |x, y, g| g * (step(x) * step(6.0 - x));
    /// `x · sigmoid(x)`, also called swish (Ramachandran et al. 2017, arXiv:1710.05941).
    Silu silu, saves Inputs, cost 3, |x| x * sigmoid(x),
        vjp |x, y, g| g * (sigmoid(x) * ((1.0 - sigmoid(x)) * x + 1.0));
    /// Gaussian error linear unit, `x · Φ(x)` (Hendrycks and Gimpel 2016, arXiv:1606.08415).
    Gelu gelu, saves Inputs, cost 8, |x| 0.5 * x * (1.0 + erf(x * SQRT_HALF)),
        vjp |x, y, g| g * ((erf(x * SQRT_HALF) + 1.0) * 0.5
            + x * exp(x * x * -0.5) * ONE_OVER_SQRT_TWO_PI);
    /// The approximation of [`gelu`] by a hyperbolic tangent,
    /// `x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
    GeluTanh gelu_tanh, saves Inputs, cost 4,
        |x| 0.5 * x * (1.0 + tanh((x + x * x * x * 0.044_715) * SQRT_TWO_OVER_PI)),
        vjp |x, y, g| {
            let t = tanh((x + x * x * x * 0.044_715) * SQRT_TWO_OVER_PI);
            let inner = (x * x * 0.134_145 + 1.0) * SQRT_TWO_OVER_PI;
            let slope = (1.0 - same(&t) * same(&t)) * inner;
            g * (((t + 1.0) + x * slope) * 0.5)
        };
    /// Scaled exponential linear unit (Klambauer et al. 2017, arXiv:1706.02515).
    Selu selu, saves Output, cost 3,
        |x| if x > 0.0 { SELU_SCALE * x } else { SELU_SCALE_ALPHA * expm1(x) },
        vjp |x, y, g| g * select(step(y), SELU_SCALE, y + SELU_SCALE_ALPHA);
    /// Square of each element of a floating-point tensor.
    Square square, saves Inputs, cost 1, |x| x * x, vjp |x, y, g| g * (x * 2.0);
}

macro_rules! signed {
    ($(
        $(#[$doc:meta])*
        $Op:ident $name:ident, saves $saves:ident,
        floats |$x:ident| $value:expr, integers |$i:ident| $whole:expr,
        vjp |$vx:ident, $vg:ident| $vjp:expr;
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $Op;

            impl Op for $Op {
                fn name(&self) -> &'static str {
                    stringify!($name)
                }
                fn infer(&self, x: &[&Spec]) -> Result<Spec> {
                    match x[0].dtype {
                        DType::Bool => {
                            Err(Error::dtype(self.name(), "the input must be numbers", x))
                        }
                        _ => Ok(*x[0]),
                    }
                }
                fn forward(&self, x: &[&Tensor], _: &Spec) -> Result<Tensor> {
                    Ok(match x[0].dtype() {
                        DType::F32 => map1(x[0], 1, |$x: f32| $value),
                        DType::F64 => map1(x[0], 1, |$x: f64| $value),
                        DType::I32 => map1(x[0], 1, |$i: i32| $whole),
                        DType::I64 => map1(x[0], 1, |$i: i64| $whole),
                        DType::U8 => {
                            let wrapped = |v: i32| v as u8;
                            map1(x[0], 1, |v: u8| { let $i = i32::from(v); wrapped($whole) })
                        }
                        DType::Bool => unreachable!("`infer` refuses bool"),
                    })
                }
                fn saves(&self) -> Saves {
                    Saves::$saves
                }
                fn vjp(&self, call: &Call<'_>, $vg: &Tensor, into: &mut Gradients<'_>) {
                    into.add(0, || {
                        let $vx = if Saves::$saves.input(0) { call.input(0) } else { $vg };
                        let _ = $vx;
                        $vjp
                    });
                }
            }

            $(#[$doc])*
            ///
            /// # Panics
            /// When the elements are truth values.
            #[inline]
            #[track_caller]
            pub fn $name(x: &Tensor) -> Tensor {
                must(apply($Op, &[x]))
            }
        )*

        impl Tensor {
            $(
                $(#[$doc])*
                ///
                /// # Panics
                /// When the elements are truth values.
                #[inline]
                #[track_caller]
                pub fn $name(&self) -> Tensor {
                    must(apply($Op, &[self]))
                }
            )*
        }
    };
}

use crate::dtype::DType;
use crate::kernels::math::Math;

#[rustfmt::skip]
signed! {
    /// `-x`
    Negative negative, saves Nothing, floats |x| -x, integers |x| x.wrapping_neg(), vjp |x, g| -g;
    /// Absolute value; its slope at 0 is 0.
    Abs abs, saves Inputs, floats |x| x.abs(), integers |x| x.wrapping_abs(), vjp |x, g| g * sign(x);
    /// -1, 0 or 1; NaN of NaN. Its gradient is zero.
    Sign sign, saves Nothing, floats |x| x.sign_(), integers |x| x.signum(), vjp |x, g| g.zeros_like();
    /// 1 where `x > 0`, else 0. Its gradient is zero.
    Step step, saves Nothing, floats |x| x.step_(), integers |x| x.signum().max(0), vjp |x, g| g.zeros_like();
    /// The largest whole number not above `x`. Its gradient is zero.
    Floor floor, saves Nothing, floats |x| x.floor(), integers |x| x, vjp |x, g| g.zeros_like();
    /// The smallest whole number not below `x`. Its gradient is zero.
    Ceil ceil, saves Nothing, floats |x| x.ceil(), integers |x| x, vjp |x, g| g.zeros_like();
    /// The nearest whole number, halves to even as in NumPy and Keras. Its gradient is zero.
    Round round, saves Nothing, floats |x| x.round_ties_even(), integers |x| x, vjp |x, g| g.zeros_like();
}
