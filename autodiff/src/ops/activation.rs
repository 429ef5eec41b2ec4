//! Activation functions with parameters, and rarer ones without, a row each.
//!
//! A row is: name and parameters, what the work is, the value as a formula of `x`, and the slope
//! as a formula of `x`. As in the table of unary ops each formula is compiled for scalars and
//! for tensors. All save their input. Slopes at kinks are those of Keras on JAX.

use super::formulas::{scalars, tensors};
use crate::each_float;
use crate::error::{Error, Result};
use crate::kernels::elementwise::{map1, map2};
use crate::op::{Call, Gradients, Op, Saves, apply, must};
use crate::ops::unary::float_only;
use crate::shape::{Spec, axis_of};
use crate::tape::is_recording;
use crate::tensor::Tensor;

macro_rules! activations {
    ($(
        $(#[$doc:meta])*
        $Op:ident $name:ident ($($(#[$field_doc:meta])* $field:ident),*), cost $cost:literal,
        |$x:ident| $value:expr, slope |$sx:ident| $slope:expr;
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $Op {
                $($(#[$field_doc])* pub $field: f64,)*
            }

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
                    Ok(each_float!(x[0].dtype(), T => {
                        $(#[allow(clippy::unnecessary_cast, unused)] let $field = self.$field as T;)*
                        map1::<T, T>(x[0], $cost, move |$x: T| $value)
                    }))
                }
                fn saves(&self) -> Saves {
                    Saves::Inputs
                }
                fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
                    into.add(0, || {
                        let $sx = call.input(0);
                        if is_recording() {
                            #[allow(unused_imports)]
                            use tensors::*;
                            $(#[allow(unused)] let $field = self.$field;)*
                            return g * ($slope);
                        }
                        #[allow(unused_imports)]
                        use scalars::*;
                        each_float!(g.dtype(), T => {
                            $(#[allow(clippy::unnecessary_cast, unused)] let $field = self.$field as T;)*
                            map2($sx, g, g.shape(), $cost, move |$sx: T, g: T| g * ($slope))
                        })
                    });
                }
            }

            impl Tensor {
                $(#[$doc])*
                ///
                /// # Panics
                /// When the elements are not floating-point numbers.
                #[track_caller]
                pub fn $name(&self $(, $field: f64)*) -> Tensor {
                    must(apply($Op { $($field),* }, &[self]))
                }
            }
        )*
    };
}

#[rustfmt::skip]
activations! {
    /// `x` where `x ≥ 0`, else `negative_slope · x`; its slope at 0 is 1, as in JAX. Keras's
    /// default slope is 0.2.
    LeakyRelu leaky_relu (
        /// Slope below 0.
        negative_slope
    ), cost 1, |x| if x >= 0.0 { x } else { negative_slope * x },
        slope |x| 1.0 - step(-x) * (1.0 - negative_slope);
    /// `x` where `x > 0`, else `alpha · (e^x - 1)` (Clevert et al. 2015, arXiv:1511.07289).
    Elu elu (
        /// What the result tends to, negated, far below 0.
        alpha
    ), cost 3, |x| if x > 0.0 { x } else { alpha * expm1(x) },
        slope |x| select(step(x), 1.0, exp(negative_part(x)) * alpha);
    /// `max(x, 0) + alpha · (e^(min(x, 0) / alpha) - 1)`, which is smooth at 0 for every alpha
    /// (Barron 2017, arXiv:1704.07483).
    Celu celu (
        /// What the result tends to, negated, far below 0.
        alpha
    ), cost 3, |x| if x > 0.0 { x } else { alpha * expm1(x / alpha) },
        slope |x| exp(negative_part(x) / alpha);
    /// `min(max(x + 3, 0), 6) / 6`
    HardSigmoid hard_sigmoid (), cost 1, |x| (x + 3.0).greatest(0.0).least(6.0) / 6.0,
        slope |x| step(x + 3.0) * step(3.0 - x) / 6.0;
    /// `x · hard_sigmoid(x)`, also called hard swish (Howard et al. 2019, arXiv:1905.02244).
    HardSilu hard_silu (), cost 1, |x| x * ((x + 3.0).greatest(0.0).least(6.0) / 6.0),
        slope |x| (relu(x + 3.0) - relu(x - 3.0) + x * (step(x + 3.0) * step(3.0 - x))) / 6.0;
    /// `min(max(x, -1), 1)`; its slope at -1 and 1 is 1, as in JAX.
    HardTanh hard_tanh (), cost 1, |x| x.greatest(-1.0).least(1.0),
        slope |x| 1.0 - step(x - 1.0) - step(-1.0 - x);
    /// `x` where `|x| > threshold`, else 0.
    HardShrink hard_shrink (
        /// Largest size that becomes 0; Keras's default is 0.5.
        threshold
    ), cost 1, |x| if x.abs() <= threshold { 0.0 } else { x }, slope |x| step(abs(x) - threshold);
    /// `x` moved towards 0 by `threshold`, at most to 0.
    SoftShrink soft_shrink (
        /// How far to move; Keras's default is 0.5.
        threshold
    ), cost 1, |x| if x.abs() <= threshold { 0.0 } else { x - threshold.copysign(x) },
        slope |x| step(abs(x) - threshold);
    /// `x` where `x > threshold`, else `default_value`.
    Threshold threshold (
        /// Largest value to be replaced.
        threshold,
        /// What replaces it.
        default_value
    ), cost 1, |x| if x <= threshold { default_value } else { x }, slope |x| step(x - threshold);
    /// `ln(1 / (1 + e^-x))`, without overflow.
    LogSigmoid log_sigmoid (), cost 4, |x| x.least(0.0) - log1p(exp(-x.abs())),
        slope |x| sigmoid(-x);
    /// `x · tanh(softplus(x))` (Misra 2019, arXiv:1908.08681).
    Mish mish (), cost 6, |x| x * tanh(softplus(x)),
        slope |x| {
            let t = tanh(softplus(x));
            let rest = x * sigmoid(x) * (1.0 - square(same(&t)));
            t + rest
        };
    /// 0 up to -1, `(x + 1)² / 4` up to 1, then `x`.
    SparsePlus sparse_plus (), cost 1,
        |x| if x >= 1.0 { x } else { square((x + 1.0).greatest(0.0)) / 4.0 },
        slope |x| (relu(x + 1.0) - relu(x - 1.0)) / 2.0;
    /// 0 up to -1, `(x + 1) / 2` up to 1, then 1.
    SparseSigmoid sparse_sigmoid (), cost 1, |x| (x + 1.0).greatest(0.0).least(2.0) / 2.0,
        slope |x| step(x + 1.0) * step(1.0 - x) / 2.0;
    /// `(x + √(x² + b)) / 2`, a smooth `max(x, 0)` (Barron 2021, arXiv:2112.11687).
    Squareplus squareplus (
        /// How far it keeps from `max(x, 0)`; Keras's default is 4.
        b
    ), cost 2, |x| (x + sqrt(x * x + b)) / 2.0, slope |x| (x / sqrt(square(x) + b) + 1.0) / 2.0;
    /// `x - tanh(x)`
    TanhShrink tanh_shrink (), cost 3, |x| x - tanh(x), slope |x| square(tanh(x));
    /// Keras's `relu` with all its options; see [`Tensor::relu_with`].
    ReluWith relu_between (
        /// Slope below the threshold.
        negative_slope,
        /// Smallest result above the threshold.
        lowest,
        /// Largest result.
        max_value,
        /// Where the slope begins.
        threshold
    ), cost 1, |x| {
            let below = if negative_slope == 0.0 { 0.0 } else { negative_slope * (x - threshold) };
            let below = if x.is_nan() { x } else { below };
            let above = if x < lowest { lowest } else { x };
            let above = if above > max_value { max_value } else { above };
            if x > threshold { above } else { below }
        },
        slope |x| step(threshold - x) * negative_slope
            + step(x - threshold) * (1.0 - step(x - max_value)) * (1.0 - step(lowest - x));
}

impl Tensor {
    /// Keras's `relu` with its options: `x` above the threshold, at most `max_value` and then at
    /// least 0; `negative_slope · (x - threshold)` up to the threshold.
    ///
    /// # Errors
    /// When `max_value` or `negative_slope` is negative, or an option is NaN.
    pub fn relu_with(
        &self,
        negative_slope: f64,
        max_value: Option<f64>,
        threshold: f64,
    ) -> Result<Tensor> {
        let bad = |v: f64| v.is_nan() || v < 0.0;
        if threshold.is_nan() || bad(negative_slope) || max_value.is_some_and(bad) {
            let rule = "`negative_slope` and `max_value` must not be negative, nor `threshold` NaN";
            let got = format!("{negative_slope}, {max_value:?} and {threshold}");
            return Err(Error::value("relu", rule, got));
        }
        match (negative_slope, max_value, threshold) {
            (0.0, None, 0.0) => apply(super::Relu, &[self]),
            (0.0, Some(6.0), 0.0) => apply(super::Relu6, &[self]),
            (negative_slope, None, 0.0) => apply(LeakyRelu { negative_slope }, &[self]),
            _ => {
                let (lowest, max_value) = match max_value {
                    Some(max_value) => (0.0, max_value),
                    None => (f64::NEG_INFINITY, f64::INFINITY),
                };
                apply(ReluWith { negative_slope, lowest, max_value, threshold }, &[self])
            }
        }
    }

    /// The first half of an axis times the sigmoid of the second: a gated linear unit (Dauphin
    /// et al. 2016, arXiv:1612.08083).
    ///
    /// # Errors
    /// When the axis is out of range or of odd length, or the elements are not floating-point.
    pub fn glu(&self, axis: isize) -> Result<Tensor> {
        let at = axis_of("glu", axis, self.rank())?;
        let n = self.dims()[at];
        if n % 2 == 1 {
            let rule = format!("axis {axis} must have an even number of elements");
            return Err(Error::shape("glu", rule, &[self.spec()]));
        }
        let halves = self.split_sizes(&[n / 2, n / 2], axis);
        apply(super::Multiply, &[&halves[0], &apply(super::Sigmoid, &[&halves[1]])?])
    }
}
