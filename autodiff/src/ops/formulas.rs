//! The words in which the tables of ops write their formulas: the same names once for scalars
//! and once for tensors.

/// Constants of a formula as numbers of one type.
macro_rules! constants {
    ($T:ty) => {
        $crate::ops::formulas::constants! { $T;
            LN_2 = std::f64::consts::LN_2,
            LN_10 = std::f64::consts::LN_10,
            LOG2_E = std::f64::consts::LOG2_E,
            LOG10_E = std::f64::consts::LOG10_E,
            SQRT_HALF = std::f64::consts::FRAC_1_SQRT_2,
            TWO_OVER_SQRT_PI = std::f64::consts::FRAC_2_SQRT_PI,
            ONE_OVER_SQRT_TWO_PI =
                std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2 / 2.0,
            SQRT_TWO_OVER_PI = std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2,
            SELU_SCALE = 1.050_700_987_355_480_5,
            SELU_SCALE_ALPHA = 1.050_700_987_355_480_5 * 1.673_263_242_354_377_2,
        }
    };
    ($T:ty; $($name:ident = $value:expr,)*) => {
        $(#[allow(dead_code, clippy::unnecessary_cast, clippy::excessive_precision)]
        const $name: $T = ($value) as $T;)*
    };
}
pub(crate) use constants;

/// Words on one floating-point number.
pub(crate) mod scalars {
    pub(crate) use crate::kernels::math::Math;

    macro_rules! words {
        ($($name:ident $method:ident),*) => {$(
            #[inline(always)]
            pub(crate) fn $name<T: Math>(x: T) -> T {
                x.$method()
            }
        )*};
    }
    words!(
        exp exp_, log ln_, expm1 expm1_, log1p log1p_, tanh tanh_, sigmoid sigmoid_, erf erf_,
        step step_, sin sin_, cos cos_, sinh sinh_, cosh cosh_, sqrt sqrt_, abs abs_
    );

    #[inline(always)]
    pub(crate) fn square<T: Math + std::ops::Mul<Output = T>>(x: T) -> T {
        x * x
    }

    #[inline(always)]
    pub(crate) fn relu<T: Math>(x: T) -> T {
        x.greatest(T::from_f64(0.0))
    }

    /// `min(x, 0)`
    #[inline(always)]
    pub(crate) fn negative_part<T: Math>(x: T) -> T {
        x.least(T::from_f64(0.0))
    }

    #[inline(always)]
    pub(crate) fn softplus<T: crate::kernels::float::Float>(x: T) -> T {
        relu(x) + (-x.abs_()).exp_().log1p_()
    }

    /// `condition` is 0 or 1.
    #[inline(always)]
    pub(crate) fn select<T: Math>(condition: T, yes: T, no: T) -> T {
        if condition.to_f64() > 0.0 { yes } else { no }
    }

    /// The same value once more.
    #[inline(always)]
    pub(crate) fn same<T: Copy>(x: &T) -> T {
        *x
    }
}

/// The same words on tensors.
pub(crate) mod tensors {
    use std::borrow::Borrow;

    use crate::tensor::Tensor;

    macro_rules! words {
        ($($name:ident),*) => {$(
            pub(crate) fn $name(x: impl Borrow<Tensor>) -> Tensor {
                crate::ops::$name(x.borrow())
            }
        )*};
    }
    words!(exp, tanh, sigmoid, step, sin, cos, sinh, cosh, sqrt, square, abs, erf, relu, softplus);

    /// `min(x, 0)`
    pub(crate) fn negative_part(x: impl Borrow<Tensor>) -> Tensor {
        x.borrow().clip(f64::NEG_INFINITY, 0.0)
    }

    /// `condition` is 0 or 1.
    pub(crate) fn select(condition: Tensor, yes: f64, no: Tensor) -> Tensor {
        let yes = no.full_like(yes);
        crate::ops::select(&condition.greater_scalar(0.0), &yes, &no)
    }

    /// The same value once more.
    pub(crate) fn same(x: &Tensor) -> &Tensor {
        x
    }
}
