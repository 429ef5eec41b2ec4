//! Ops that are whole pieces of neural networks.

use cornu_autodiff::DType;
use cornu_autodiff::ops::{
    binary_cross_entropy, sigmoid_cross_entropy, softmax_cross_entropy,
    sparse_softmax_cross_entropy,
};

use crate::case::{Case, floats, op, whole};

#[rustfmt::skip]
pub(crate) fn cases() -> Vec<Case> {
    vec![
        op("softmax", |x| x[0].softmax(-1), |n| vec![floats([2, n, 3], -2.0..2.0)]),
        op("softmax", |x| x[0].softmax(1), |n| vec![floats([2, n, 3], -2.0..2.0)]),
        op("log_softmax", |x| x[0].log_softmax(-1), |n| vec![floats([3, n], -2.0..2.0)]),
        op("log_softmax", |x| x[0].log_softmax(0), |n| vec![floats([3, n], -2.0..2.0)]),
        op("sparse_softmax_cross_entropy",
            |x| sparse_softmax_cross_entropy(&x[0], &x[1]).expect("it fits"),
            |n| vec![floats([2, n, 5], -2.0..2.0), whole([2, n], 0..5, DType::I32)]),
        op("softmax_cross_entropy", |x| softmax_cross_entropy(&x[0], &x[1]).expect("it fits"),
            |n| vec![floats([2, n], -2.0..2.0), floats([2, n], 0.0..1.0)]).from(1),
        op("sigmoid_cross_entropy", |x| sigmoid_cross_entropy(&x[0], &x[1]).expect("it fits"),
            |n| vec![floats([2, n], -2.0..2.0), floats([n], 0.0..1.0)]),
        op("binary_cross_entropy", |x| binary_cross_entropy(&x[0], &x[1]).expect("it fits"),
            |n| vec![floats([2, n], 0.1..0.9), floats([2, n], 0.0..1.0)]),
    ]
}
