//! Ops on each element of one tensor.

use cornu_autodiff::DType;
use cornu_autodiff::ops::{scale, shift};

use crate::case::{Case, floats, floats_off, made, op};

pub(crate) fn cases() -> Vec<Case> {
    [smooth(), activations(), signed(), predicates()].into_iter().flatten().collect()
}

#[rustfmt::skip]
fn smooth() -> Vec<Case> {
    vec![
        op("exp", |x| x[0].exp(), |n| vec![floats([2, n], -2.0..2.0)]),
        op("expm1", |x| x[0].expm1(), |n| vec![floats([2, n], -2.0..2.0)]),
        op("log", |x| x[0].log(), |n| vec![floats([2, n], 0.5..3.0)]),
        op("log2", |x| x[0].log2(), |n| vec![floats([2, n], 0.5..3.0)]),
        op("log10", |x| x[0].log10(), |n| vec![floats([2, n], 0.5..3.0)]),
        op("log1p", |x| x[0].log1p(), |n| vec![floats([2, n], -0.5..3.0)]),
        op("sqrt", |x| x[0].sqrt(), |n| vec![floats([2, n], 0.5..3.0)]),
        op("rsqrt", |x| x[0].rsqrt(), |n| vec![floats([2, n], 0.5..3.0)]),
        op("reciprocal", |x| x[0].reciprocal(), |n| vec![floats([2, n], 0.5..3.0)]),
        op("square", |x| x[0].square(), |n| vec![floats([2, n], -2.0..2.0)]),
        op("sin", |x| x[0].sin(), |n| vec![floats([2, n], -3.0..3.0)]),
        op("cos", |x| x[0].cos(), |n| vec![floats([2, n], -3.0..3.0)]),
        op("tan", |x| x[0].tan(), |n| vec![floats([2, n], -1.0..1.0)]),
        op("arcsin", |x| x[0].arcsin(), |n| vec![floats([2, n], -0.8..0.8)]),
        op("arccos", |x| x[0].arccos(), |n| vec![floats([2, n], -0.8..0.8)]),
        op("arctan", |x| x[0].arctan(), |n| vec![floats([2, n], -3.0..3.0)]),
        op("sinh", |x| x[0].sinh(), |n| vec![floats([2, n], -2.0..2.0)]),
        op("cosh", |x| x[0].cosh(), |n| vec![floats([2, n], -2.0..2.0)]),
        op("tanh", |x| x[0].tanh(), |n| vec![floats([2, n], -2.0..2.0)]),
        op("arcsinh", |x| x[0].arcsinh(), |n| vec![floats([2, n], -3.0..3.0)]),
        op("arccosh", |x| x[0].arccosh(), |n| vec![floats([2, n], 1.5..3.0)]),
        op("arctanh", |x| x[0].arctanh(), |n| vec![floats([2, n], -0.8..0.8)]),
        op("erf", |x| x[0].erf(), |n| vec![floats([2, n], -2.0..2.0)]),
        op("scale", |x| scale(&x[0], -1.7).expect("in range"), |n| vec![floats([2, n], -2.0..2.0)]),
        op("shift", |x| shift(&x[0], 0.3).expect("in range"), |n| vec![floats([2, n], -2.0..2.0)]),
    ]
}

#[rustfmt::skip]
fn activations() -> Vec<Case> {
    vec![
        op("sigmoid", |x| x[0].sigmoid(), |n| vec![floats([2, n], -4.0..4.0)]),
        op("softplus", |x| x[0].softplus(), |n| vec![floats([2, n], -4.0..4.0)]),
        // Its second derivative jumps at zero.
        op("softsign", |x| x[0].softsign(), |n| vec![floats_off([2, n], -4.0..4.0, &[0.0])]),
        op("relu", |x| x[0].relu(), |n| vec![floats_off([2, n], -2.0..2.0, &[0.0])]),
        op("relu6", |x| x[0].relu6(), |n| vec![floats_off([2, n], -2.0..8.0, &[0.0, 6.0])]),
        op("silu", |x| x[0].silu(), |n| vec![floats([2, n], -4.0..4.0)]),
        op("gelu", |x| x[0].gelu(), |n| vec![floats([2, n], -3.0..3.0)]),
        op("gelu_tanh", |x| x[0].gelu_tanh(), |n| vec![floats([2, n], -3.0..3.0)]),
        op("selu", |x| x[0].selu(), |n| vec![floats_off([2, n], -3.0..3.0, &[0.0])]),
    ]
}

#[rustfmt::skip]
fn signed() -> Vec<Case> {
    const WHOLE: &[f64] = &[-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0];
    vec![
        op("negative", |x| -&x[0], |n| vec![floats([2, n], -2.0..2.0)]),
        op("abs", |x| x[0].abs(), |n| vec![floats_off([2, n], -2.0..2.0, &[0.0])]),
        op("sign", |x| x[0].sign(), |n| vec![floats_off([2, n], -2.0..2.0, &[0.0])]),
        op("step", |x| x[0].step(), |n| vec![floats_off([2, n], -2.0..2.0, &[0.0])]),
        op("floor", |x| x[0].floor(), |n| vec![floats_off([2, n], -2.0..2.0, WHOLE)]),
        op("ceil", |x| x[0].ceil(), |n| vec![floats_off([2, n], -2.0..2.0, WHOLE)]),
        op("round", |x| x[0].round(), |n| vec![floats_off([2, n], -2.0..2.0, WHOLE)]),
        op("clip", |x| x[0].clip(-0.5, 1.0), |n| vec![floats_off([2, n], -2.0..2.0, &[-0.5, 1.0])]),
    ]
}

#[rustfmt::skip]
fn predicates() -> Vec<Case> {
    vec![
        op("isnan", |x| x[0].isnan(), |n| vec![floats([2, n], -2.0..2.0)]),
        op("isinf", |x| x[0].log().isinf(), |n| vec![floats([2, n], 0.0..2.0).floor()]),
        op("isfinite", |x| x[0].log().isfinite(), |n| vec![floats([2, n], 0.0..2.0).floor()]),
        made("logical_not", |x| x[0].isnan().logical_not(), |n| vec![floats([2, n], -2.0..2.0)]),
        op("cast", |x| x[0].cast(DType::F64), |n| vec![floats([2, n], -2.0..2.0)]),
        op("cast", |x| x[0].cast(DType::I32), |n| vec![floats([2, n], -2.0..2.0)]),
        op("stop_gradient", |x| x[0].stop_gradient(), |n| vec![floats([2, n], -2.0..2.0)]).cut(),
    ]
}
