//! Ops that are whole pieces of neural networks.

use cornu_autodiff::DType;
use cornu_autodiff::ops::{
    Fused, binary_cross_entropy, linear, sigmoid_cross_entropy, softmax_cross_entropy,
    sparse_softmax_cross_entropy,
};

use crate::case::{Case, distinct, floats, floats_off, op, whole};

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
        op("leaky_relu", |x| x[0].leaky_relu(0.2), |n| vec![floats_off([2, n], -2.0..2.0, &[0.0])]),
        op("elu", |x| x[0].elu(0.7), |n| vec![floats_off([2, n], -2.0..2.0, &[0.0])]),
        op("celu", |x| x[0].celu(0.7), |n| vec![floats_off([2, n], -2.0..2.0, &[0.0])]),
        op("hard_sigmoid", |x| x[0].hard_sigmoid(), |n| vec![floats_off([2, n], -5.0..5.0, &[-3.0, 3.0])]),
        op("hard_silu", |x| x[0].hard_silu(), |n| vec![floats_off([2, n], -5.0..5.0, &[-3.0, 3.0])]),
        op("hard_tanh", |x| x[0].hard_tanh(), |n| vec![floats_off([2, n], -2.0..2.0, &[-1.0, 1.0])]),
        op("hard_shrink", |x| x[0].hard_shrink(0.5), |n| vec![floats_off([2, n], -2.0..2.0, &[-0.5, 0.5])]),
        op("soft_shrink", |x| x[0].soft_shrink(0.5), |n| vec![floats_off([2, n], -2.0..2.0, &[-0.5, 0.5])]),
        op("threshold", |x| x[0].threshold(0.3, 7.0), |n| vec![floats_off([2, n], -2.0..2.0, &[0.3])]),
        op("log_sigmoid", |x| x[0].log_sigmoid(), |n| vec![floats([2, n], -3.0..3.0)]),
        op("mish", |x| x[0].mish(), |n| vec![floats([2, n], -3.0..3.0)]),
        op("sparse_plus", |x| x[0].sparse_plus(), |n| vec![floats_off([2, n], -2.0..2.0, &[-1.0, 1.0])]),
        op("sparse_sigmoid", |x| x[0].sparse_sigmoid(), |n| vec![floats_off([2, n], -2.0..2.0, &[-1.0, 1.0])]),
        op("squareplus", |x| x[0].squareplus(4.0), |n| vec![floats([2, n], -3.0..3.0)]),
        op("tanh_shrink", |x| x[0].tanh_shrink(), |n| vec![floats([2, n], -2.0..2.0)]),
        op("relu_between", |x| x[0].relu_between(0.3, 0.0, 2.0, 0.5), |n| vec![floats_off([2, n], -3.0..3.0, &[0.5, 2.0])]),
        op("sparsemax", |x| x[0].sparsemax(-1), |n| vec![distinct([2, n]) * 0.3]),
        op("linear", |x| linear(&x[0], &x[1], None, Fused::Linear).expect("it fits"),
            |n| vec![floats([n, 3], -1.0..1.0), floats([3, 2], -1.0..1.0)]),
        op("linear", |x| linear(&x[0], &x[1], Some(&x[2]), Fused::Linear).expect("it fits"),
            |n| vec![floats([2, 2, n], -1.0..1.0), floats([n, 3], -1.0..1.0), floats([3], 0.1..1.0)]),
        op("linear", |x| linear(&x[0], &x[1], Some(&x[2]), Fused::Relu).expect("it fits"),
            |n| vec![floats([2, 2, n], -1.0..1.0), floats([n, 3], -1.0..1.0), floats([3], 0.1..1.0)]),
        op("linear", |x| linear(&x[0], &x[1], Some(&x[2]), Fused::Sigmoid).expect("it fits"),
            |n| vec![floats([2, 2, n], -1.0..1.0), floats([n, 3], -1.0..1.0), floats([3], 0.1..1.0)]),
        op("linear", |x| linear(&x[0], &x[1], Some(&x[2]), Fused::Tanh).expect("it fits"),
            |n| vec![floats([2, 2, n], -1.0..1.0), floats([n, 3], -1.0..1.0), floats([3], 0.1..1.0)]),
        op("linear", |x| linear(&x[0], &x[1], Some(&x[2]), Fused::Elu).expect("it fits"),
            |n| vec![floats([2, 2, n], -1.0..1.0), floats([n, 3], -1.0..1.0), floats([3], 0.1..1.0)]),
        op("linear", |x| linear(&x[0], &x[1], Some(&x[2]), Fused::Selu).expect("it fits"),
            |n| vec![floats([2, 2, n], -1.0..1.0), floats([n, 3], -1.0..1.0), floats([3], 0.1..1.0)]),
        op("linear", |x| linear(&x[0], &x[1], Some(&x[2]), Fused::Softplus).expect("it fits"),
            |n| vec![floats([2, 2, n], -1.0..1.0), floats([n, 3], -1.0..1.0), floats([3], 0.1..1.0)]),
    ]
}
