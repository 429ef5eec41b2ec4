//! The same elements, or some of them, under another shape.

use cornu_autodiff::ops::{FromDiagonal, Slice, Unslice};
use cornu_autodiff::{Shape, Tensor, apply};

use crate::case::{Case, floats, made, op};

pub(crate) fn cases() -> Vec<Case> {
    [whole(), parts(), matrices()].into_iter().flatten().collect()
}

fn cube(n: usize) -> Vec<Tensor> {
    vec![floats([2, n, 3], -2.0..2.0)]
}

#[rustfmt::skip]
fn whole() -> Vec<Case> {
    vec![
        op("reshape", |x| x[0].reshape([3, -1, 2]), cube),
        op("reshape", |x| x[0].reshape([-1]), cube),
        op("reshape", |x| x[0].expand_dims(1), cube),
        op("reshape", |x| x[0].squeeze([]), |n| vec![floats([1, n, 1], -2.0..2.0)]),
        op("permute", |x| x[0].permute([1, 2, 0]), cube),
        op("permute", |x| x[0].t(), cube),
        op("broadcast_to", |x| x[0].broadcast_to([4, 2, x[0].dims()[1]]),
            |n| vec![floats([2, n], -2.0..2.0)]),
        op("broadcast_to", |x| x[0].broadcast_to([2, 3]), |_| vec![floats([2, 1], -2.0..2.0)]),
        op("broadcast_to", |x| x[0].broadcast_to([2, 0]), |_| vec![floats([2, 1], -2.0..2.0)]),
    ]
}

#[rustfmt::skip]
fn parts() -> Vec<Case> {
    vec![
        op("slice", |x| x[0].slice(1, 1..), cube),
        op("slice", |x| x[0].slice(-1, ..-1), cube),
        op("slice", |x| x[0].slices([Slice::from(1..2), Slice::new(-1, None, -2)]), cube),
        op("slice", |x| x[0].slices([Slice::ALL, Slice::new(None, None, 2), Slice::from(0..=1)]), cube),
        op("slice", |x| x[0].flip(..), cube),
        op("slice", |x| x[0].flip([1]), cube),
        op("unslice", |x| {
            let slices = [Slice::ALL, Slice::new(None, None, -2)].into_iter().collect();
            let shape = Shape::new(&[2, 2 * x[0].dims()[1], 3]).expect("few axes");
            apply(Unslice { shape, slices }, &[&x[0]]).expect("it fits")
        }, cube),
        made("index", |x| x[0].index(1, -1), cube).from(1),
        made("index", |x| x[0].index(0, 1), cube),
        made("split", |x| { let p = x[0].split(3, -1); &p[0] * &p[1] - &p[2] }, cube),
        made("split", |x| { let p = x[0].split_sizes(&[1, 2], 2); &p[0] * &p[1] }, cube),
    ]
}

#[rustfmt::skip]
fn matrices() -> Vec<Case> {
    vec![
        op("tril", |x| x[0].tril(0), cube),
        op("tril", |x| x[0].tril(-1), cube),
        op("triu", |x| x[0].triu(1), cube),
        op("triu", |x| x[0].triu(-1), |n| vec![floats([n, 4], -2.0..2.0)]),
        op("diagonal", |x| x[0].diagonal(0, 1, 2), cube),
        op("diagonal", |x| x[0].diagonal(1, -1, 0), cube),
        op("diagonal", |x| x[0].diagonal(-2, 1, 0), cube),
        op("from_diagonal", |x| {
            let n = x[0].dims()[1];
            let shape = Shape::new(&[n, 2, n + 1]).expect("few axes");
            apply(FromDiagonal { shape, axes: [2, 0] }, &[&x[0]]).expect("it fits")
        }, |n| vec![floats([2, n], -2.0..2.0)]),
        made("trace", |x| x[0].trace(0, 1, 2), cube),
    ]
}
