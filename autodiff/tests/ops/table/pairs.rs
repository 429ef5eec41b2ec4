//! Ops on pairs of elements, with broadcasting, and choice between them.

use cornu_autodiff::DType;
use cornu_autodiff::ops::{floor_divide, maximum, minimum, modulo, power, select};

use crate::case::{Case, bools, distinct, floats, floats_off, op, whole};

#[rustfmt::skip]
pub(crate) fn cases() -> Vec<Case> {
    vec![
        op("add", |x| &x[0] + &x[1], |n| vec![floats([2, n], -2.0..2.0), floats([2, n], -2.0..2.0)]),
        op("add", |x| &x[0] + &x[1], |n| vec![floats([2, n], -2.0..2.0), floats([n], -2.0..2.0)]),
        op("add", |x| &x[0] + &x[1], |n| vec![floats([2, 1], -2.0..2.0), floats([3, 1, n], -2.0..2.0)]),
        op("subtract", |x| &x[0] - &x[1], |n| vec![floats([2, n], -2.0..2.0), floats([], -2.0..2.0)]),
        op("multiply", |x| &x[0] * &x[1], |n| vec![floats([2, n], -2.0..2.0), floats([2, n], -2.0..2.0)]),
        op("multiply", |x| &x[0] * &x[1], |n| vec![floats([2, 1], -2.0..2.0), floats([n], -2.0..2.0)]),
        op("divide", |x| &x[0] / &x[1], |n| vec![floats([2, n], -2.0..2.0), floats([2, n], 0.5..2.0)]),
        op("divide", |x| &x[0] / &x[1], |n| vec![floats([n], -2.0..2.0), floats([2, 1], 0.5..2.0)]),
        op("floor_divide", |x| floor_divide(&x[0], &x[1]),
            |n| vec![floats([2, n], 0.1..0.9), floats([2, n], 1.0..2.0)]),
        op("modulo", |x| modulo(&x[0], &x[1]),
            |n| vec![floats([2, n], 2.1..2.9), floats([2, n], 1.6..2.0)]),
        op("power", |x| power(&x[0], &x[1]),
            |n| vec![floats([2, n], 0.5..2.0), floats([n], -2.0..2.0)]),
        op("maximum", |x| maximum(&x[0], &x[1]), |n| vec![distinct([2, n]), distinct([n]) + 0.08]),
        op("minimum", |x| minimum(&x[0], &x[1]), |n| vec![distinct([2, n]), distinct([n]) + 0.08]),
        op("equal", |x| x[0].equal(&x[1]), |n| vec![pixels(n), pixels(n)]),
        op("not_equal", |x| x[0].not_equal(&x[1]), |n| vec![pixels(n), pixels(n)]),
        op("less", |x| x[0].less(&x[1]), |n| vec![floats([2, n], -2.0..2.0), floats([n], -2.0..2.0)]),
        op("less_equal", |x| x[0].less_equal(&x[1]), |n| vec![pixels(n), pixels(n)]),
        op("greater", |x| x[0].greater(&x[1]), |n| vec![floats([2, n], -2.0..2.0), floats([n], -2.0..2.0)]),
        op("greater_equal", |x| x[0].greater_equal(&x[1]), |n| vec![pixels(n), pixels(n)]),
        op("logical_and", |x| x[0].logical_and(&x[1]), |n| vec![bools([2, n]), bools([n])]),
        op("logical_or", |x| x[0].logical_or(&x[1]), |n| vec![bools([2, n]), bools([n])]),
        op("logical_xor", |x| x[0].logical_xor(&x[1]), |n| vec![bools([2, n]), bools([n])]),
        op("where", |x| select(&x[0], &x[1], &x[2]),
            |n| vec![bools([n]), floats([2, 1], -2.0..2.0), floats([2, n], -2.0..2.0)]),
        op("where", |x| select(&x[0].greater_scalar(0.0), &x[0], &x[1]),
            |n| vec![floats_off([2, n], -2.0..2.0, &[0.0]), floats([], -2.0..2.0)]),
    ]
}

/// Few different values, so that some are equal.
fn pixels(n: usize) -> cornu_autodiff::Tensor {
    whole([2, n], 0..3, DType::U8)
}
