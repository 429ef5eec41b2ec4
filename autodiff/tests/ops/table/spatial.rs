//! Windows that slide over spatial axes.

use cornu_autodiff::ops::{
    AveragePoolGradient, ConvOptions, Fused, MaxPoolGradient, MaxPoolPick, PoolOptions,
    average_pool, conv, conv_activated, conv_kernel_gradient, conv_transpose, max_pool,
};
use cornu_autodiff::{Tensor, apply};

use crate::case::{Case, distinct, floats, op};

pub(crate) fn cases() -> Vec<Case> {
    [convolutions(), groups(), products(), pools()].into_iter().flatten().collect()
}

fn options(strides: &[usize], dilation: &[usize], padding: &[(usize, usize)]) -> ConvOptions {
    ConvOptions {
        strides: strides.to_vec(),
        dilation: dilation.to_vec(),
        padding: padding.to_vec(),
        groups: 1,
    }
}

fn grouped(groups: usize) -> ConvOptions {
    ConvOptions { groups, ..options(&[], &[], &[(1, 1), (1, 0)]) }
}

fn plain(x: &[Tensor], options: &ConvOptions) -> Tensor {
    conv(&x[0], &x[1], x.get(2), options).expect("it fits")
}

fn activated(x: &[Tensor], activation: Fused) -> Tensor {
    let options = options(&[2], &[], &[(1, 1)]);
    conv_activated(&x[0], &x[1], x.get(2), &options, activation).expect("it fits")
}

fn two<const A: usize, const B: usize>(a: [usize; A], b: [usize; B]) -> Vec<Tensor> {
    vec![floats(a, -1.0..1.0), floats(b, -1.0..1.0)]
}

fn three<const A: usize, const B: usize>(
    a: [usize; A],
    b: [usize; B],
    c: [usize; 1],
) -> Vec<Tensor> {
    vec![floats(a, -1.0..1.0), floats(b, -1.0..1.0), floats(c, -1.0..1.0)]
}

#[rustfmt::skip]
fn convolutions() -> Vec<Case> {
    vec![
        // Causal.
        op("conv", |x| plain(x, &options(&[], &[2], &[(4, 0)])), |n| two([2, 5, n], [3, n, 2])),
        op("conv", |x| plain(x, &options(&[2, 1], &[], &[(1, 2), (0, 1)])),
            |n| three([2, 4, 3, 2], [3, 2, 2, n], [n])),
        op("conv", |x| plain(x, &options(&[], &[], &[])), |n| two([n, 2, 3, 3], [1, 1, 3, 2])),
        // A length that varies, from that of the kernel on.
        op("conv", |x| plain(x, &options(&[2], &[], &[(1, 1)])), |n| two([1, n, 2], [3, 2, 2])).from(1),
        // Strides and dilation with and without a common factor.
        op("conv", |x| plain(x, &options(&[3], &[2], &[(2, 1)])), |n| two([n, 9, 1], [4, 1, 2])),
        op("conv", |x| plain(x, &options(&[4], &[2], &[(1, 3)])), |n| two([n, 9, 1], [3, 1, 2])),
        op("conv", |x| activated(x, Fused::Relu), |n| three([2, 5, n], [3, n, 3], [3])),
        op("conv", |x| activated(x, Fused::Softplus), |n| three([n, 5, 2], [3, 2, 3], [3])),
        op("conv", |x| activated(&x[..2], Fused::Tanh), |n| two([n, 5, 2], [3, 2, 3])),
        // Strides beyond the kernel.
        op("conv", |x| plain(x, &options(&[3, 2], &[], &[])), |n| two([1, 5, 4, n], [2, 1, n, 1])),
        op("conv", |x| plain(x, &options(&[1, 2, 1], &[1, 1, 2], &[])),
            |n| two([n, 2, 3, 4, 1], [2, 2, 2, 1, 2])),
        // No spatial axis: a matrix product.
        op("conv", |x| plain(x, &options(&[], &[], &[])), |n| two([3, n], [n, 4])),
    ]
}

#[rustfmt::skip]
fn groups() -> Vec<Case> {
    vec![
        op("conv", |x| plain(x, &grouped(2)), |n| three([n, 3, 2, 4], [2, 2, 2, 6], [6])),
        op("conv", |x| plain(x, &grouped(2)), |n| two([1, 3, 2, 2 * n], [2, 2, n, 2])),
        op("conv", |x| plain(x, &grouped(3)), |n| three([n, 3, 2, 3], [2, 2, 1, 3], [3])),
        op("conv", |x| plain(x, &grouped(x[0].dims()[3])),
            |n| three([1, 2, 2, n], [2, 2, 1, n], [n])).from(1),
        op("conv", |x| plain(x, &grouped(2)), |n| two([n, 2, 3, 2], [2, 2, 1, 4])),
        op("conv_transpose",
            |x| conv_transpose(&x[0], &x[1], &[3, 2], &grouped(2)).expect("it fits"),
            |n| two([n, 4, 2, 4], [2, 2, 1, 4])),
        op("conv_kernel_gradient",
            |x| conv_kernel_gradient(&x[0], &x[1], &[2, 2], &grouped(3)).expect("it fits"),
            |n| two([n, 3, 2, 3], [n, 4, 2, 3])),
    ]
}

#[rustfmt::skip]
fn products() -> Vec<Case> {
    fn uneven() -> ConvOptions {
        options(&[2, 1], &[1, 2], &[(1, 0), (1, 1)])
    }
    vec![
        op("conv_transpose",
            |x| conv_transpose(&x[0], &x[1], &[4, 3], &uneven()).expect("it fits"),
            |n| two([2, 2, 3, n], [2, 2, 2, n])),
        op("conv_transpose",
            |x| conv_transpose(&x[0], &x[1], &[4, 3], &uneven()).expect("it fits"),
            |n| two([n, 2, 3, 2], [2, 2, 1, 2])),
        op("conv_kernel_gradient",
            |x| conv_kernel_gradient(&x[0], &x[1], &[2, 2], &uneven()).expect("it fits"),
            |n| two([n, 4, 3, 2], [n, 2, 3, 3])),
        op("conv_kernel_gradient",
            |x| conv_kernel_gradient(&x[0], &x[1], &[2, 2], &uneven()).expect("it fits"),
            |n| two([2, 4, 3, n], [2, 2, 3, 1])),
    ]
}

fn window(size: &[usize], strides: &[usize], padding: &[(usize, usize)]) -> PoolOptions {
    PoolOptions { size: size.to_vec(), strides: strides.to_vec(), padding: padding.to_vec() }
}

/// Windows that overlap, reach into padding, and leave out the last row.
fn overlapping() -> PoolOptions {
    window(&[3, 2], &[2, 1], &[(1, 0), (1, 1)])
}

#[rustfmt::skip]
fn pools() -> Vec<Case> {
    vec![
        op("max_pool", |x| max_pool(&x[0], &window(&[2, 2], &[], &[])).expect("it fits"),
            |n| vec![distinct([2, 5, 4, n])]),
        // Each element under one window.
        op("max_pool", |x| max_pool(&x[0], &window(&[2, 3], &[], &[])).expect("it fits"),
            |n| vec![distinct([n, 4, 6, 2])]),
        op("max_pool", |x| max_pool(&x[0], &overlapping()).expect("it fits"),
            |n| vec![distinct([n, 5, 3, 2])]),
        // Gaps between windows.
        op("max_pool", |x| max_pool(&x[0], &window(&[2], &[3], &[(0, 1)])).expect("it fits"),
            |n| vec![distinct([1, 8, n])]),
        op("max_pool", |x| max_pool(&x[0], &window(&[2], &[1], &[(1, 0)])).expect("it fits"),
            |n| vec![distinct([1, n, 2])]).from(1),
        op("max_pool_gradient",
            |x| apply(MaxPoolGradient { options: overlapping() }, &[&x[0], &x[1]]).expect("it fits"),
            |n| vec![distinct([2, 5, 3, n]), floats([2, 2, 4, n], -1.0..1.0)]),
        op("max_pool_pick",
            |x| apply(MaxPoolPick { options: overlapping() }, &[&x[0], &x[1]]).expect("it fits"),
            |n| vec![distinct([n, 5, 3, 2]), floats([n, 5, 3, 2], -1.0..1.0)]),
        op("average_pool", |x| average_pool(&x[0], &window(&[2, 1, 2], &[], &[])).expect("it fits"),
            |n| vec![floats([1, 3, 2, 4, n], -1.0..1.0)]),
        op("average_pool", |x| average_pool(&x[0], &overlapping()).expect("it fits"),
            |n| vec![floats([n, 5, 3, 2], -1.0..1.0)]),
        op("average_pool_gradient", |x| {
            let op = AveragePoolGradient { options: overlapping(), input: vec![5, 3] };
            apply(op, &[&x[0]]).expect("it fits")
        }, |n| vec![floats([2, 2, 4, n], -1.0..1.0)]),
    ]
}
