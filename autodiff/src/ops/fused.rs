//! Activations that an op with a sum of products computes in the same pass.

use crate::each_float;
use crate::kernels::gemm::Finish;
use crate::kernels::linear::{map_in_place, slope, slope_and_sums};
use crate::kernels::reduce::sum_rows;
use crate::op::{Call, Saves};
use crate::ops::formulas::{constants, scalars};
use crate::ops::select;
use crate::ops::window::values;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// Activations that [`linear`](super::linear) and [`conv_activated`](super::conv_activated)
/// compute in the same pass: their slopes can be told from their values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fused {
    /// None.
    #[default]
    Linear,
    /// `max(x, 0)`
    Relu,
    /// `1 / (1 + e^-x)`
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// `x` where `x > 0`, else `e^x - 1`.
    Elu,
    /// Scaled exponential linear unit.
    Selu,
    /// `ln(1 + e^x)`
    Softplus,
}

/// Runs `$body` with `$f` the activation and `$d` its slope times `g`, from its value `y`, as
/// closures on `$T`; nothing for no activation.
#[rustfmt::skip]
macro_rules! each_activation {
    ($activation:expr, $T:ident, |$f:ident, $d:ident, $cost:ident| $body:expr) => {{
        #[allow(unused_imports)]
        use scalars::*;
        constants!($T);
        macro_rules! run {
            ($price:literal, $value:expr, $slope:expr) => {{
                #[allow(unused)]
                let ($f, $d, $cost) = ($value, $slope, $price);
                $body
            }};
        }
        match $activation {
            Fused::Linear => {}
            Fused::Relu => run!(1, |x: $T| relu(x), |y: $T, g: $T| g * step(y)),
            Fused::Sigmoid => run!(3, |x: $T| sigmoid(x), |y: $T, g: $T| g * (y * (1.0 - y))),
            Fused::Tanh => run!(3, |x: $T| tanh(x), |y: $T, g: $T| g * (1.0 - y * y)),
            Fused::Elu => run!(
                3,
                |x: $T| if x > 0.0 { x } else { expm1(x) },
                |y: $T, g: $T| g * (negative_part(y) + 1.0)
            ),
            Fused::Selu => run!(
                3,
                |x: $T| if x > 0.0 { SELU_SCALE * x } else { SELU_SCALE_ALPHA * expm1(x) },
                |y: $T, g: $T| g * select(step(y), SELU_SCALE, y + SELU_SCALE_ALPHA)
            ),
            Fused::Softplus => {
                run!(4, |x: $T| softplus(x), |y: $T, g: $T| g * (-expm1(-y)))
            }
        }
    }};
}

/// Elements that an activation can be computed of in their place.
pub(super) trait Activated: Sized {
    /// What turns sums into the activation's values.
    fn finish(activation: Fused) -> Finish<'static, Self>;
}

macro_rules! activated {
    ($($T:ident)*) => {$(
        impl Activated for $T {
            fn finish(activation: Fused) -> Finish<'static, $T> {
                let mut finish: Finish<'static, $T> = None;
                each_activation!(activation, $T, |f, d, cost| {
                    // Captures nothing, so that nothing is allocated and leaked.
                    let run = move |values: &mut [$T]| map_in_place(values, f);
                    finish = Some(Box::leak(Box::new(run)));
                });
                finish
            }
        }
    )*};
}

activated!(f32 f64);

impl Fused {
    /// What an op with this activation needs to know again.
    pub(super) fn saves(self) -> Saves {
        match self {
            Fused::Linear => Saves::Some(0b11),
            _ => Saves::All,
        }
    }

    /// The slope times `g`, from the value `y`, in ops that can be differentiated again.
    fn slope(self, y: &Tensor, g: &Tensor) -> Tensor {
        constants!(f64);
        match self {
            Fused::Linear => g.clone(),
            Fused::Relu => g * y.step(),
            Fused::Sigmoid => g * (y * (1.0 - y)),
            Fused::Tanh => g * (1.0 - y * y),
            Fused::Elu => g * (y.clip(f64::NEG_INFINITY, 0.0) + 1.0),
            Fused::Selu => {
                let scale = y.full_like(SELU_SCALE);
                g * select(&y.greater_scalar(0.0), &scale, &(y + SELU_SCALE_ALPHA))
            }
            Fused::Softplus => g * -(-y).expm1(),
        }
    }
    /// The gradient by the sum before the activation, in ops that can be differentiated again.
    pub(super) fn before(self, call: &Call<'_>, g: &Tensor) -> Tensor {
        match self {
            Fused::Linear => g.clone(),
            activation => activation.slope(call.output(), g),
        }
    }

    /// As [`before`](Fused::before), contiguous, not recorded, and in the place of `g` if nobody
    /// else has that; and its sum over all axes but the last, if that is asked for: the gradient
    /// by the bias.
    pub(super) fn before_at_once(
        self,
        call: &Call<'_>,
        g: Tensor,
        with_sums: bool,
    ) -> (Tensor, Option<Tensor>) {
        let mut g = if g.is_contiguous() { g } else { g.packed().into_owned() };
        let columns = Shape::of(&g.dims()[g.rank() - 1..]);
        let mut sums = None;
        each_float!(g.dtype(), T => {
            if self != Fused::Linear {
                let y = call.output().packed();
                let y = values::<T>(&y);
                if g.unique_slice::<T>().is_none() {
                    g = Tensor::build(*g.shape(), |out: &mut [T]| out.copy_from_slice(values(&g)));
                }
                let g = g.unique_slice::<T>().expect("a new tensor has one owner");
                each_activation!(self, T, |f, d, cost| if with_sums {
                    sums = Some(Tensor::build(columns, |sums| slope_and_sums(y, g, sums, d)));
                } else {
                    slope(y, g, cost, d);
                });
            } else if with_sums {
                sums = Some(Tensor::build(columns, |out: &mut [T]| sum_rows(values(&g), out)));
            }
        });
        (g, sums)
    }
}
