//! Tensors side by side, and borders.

use cornu_autodiff::Tensor;
use cornu_autodiff::ops::{PadMode, concat, stack};

use crate::case::{Case, floats, made, op};

fn cube(n: usize) -> Vec<Tensor> {
    vec![floats([2, n, 3], -2.0..2.0)]
}

fn three(n: usize) -> Vec<Tensor> {
    vec![floats([2, n], -2.0..2.0), floats([2, 3], -2.0..2.0), floats([2, n], -2.0..2.0)]
}

#[rustfmt::skip]
pub(crate) fn cases() -> Vec<Case> {
    vec![
        op("concat", |x| concat(x, -1), three),
        op("concat", |x| concat(&[&x[0], &x[0]], 0), cube),
        op("concat", |x| concat(x, 0), cube),
        op("pad", |x| x[0].pad([(1, 0), (0, 2), (1, 1)], 0.0), cube),
        op("pad", |x| x[0].pad([(0, 0), (3, 0), (0, 0)], -1.5), cube),
        made("pad reflect", |x| x[0].pad_with([(0, 0), (1, 0), (2, 4)], PadMode::Reflect), cube).from(1),
        made("pad symmetric", |x| x[0].pad_with([(2, 1), (0, 0), (4, 1)], PadMode::Symmetric), cube),
        made("pad edge", |x| x[0].pad_with([(1, 0), (0, 2), (0, 1)], PadMode::Edge), cube).from(1),
        made("stack", |x| stack(&[&x[0], &x[1], &x[0]], 1),
            |n| vec![floats([2, n], -2.0..2.0), floats([2, n], -2.0..2.0)]),
        made("stack", |x| stack(x, -1), cube),
        made("tile", |x| x[0].tile([2, 1, 3]), cube),
        made("tile", |x| x[0].tile([2]), cube),
        made("tile", |x| x[0].tile([2, 1, 2, 1]), cube),
        made("repeat", |x| x[0].repeat(3, 1), cube),
        made("repeat", |x| x[0].repeat(2, -1), cube),
        made("roll", |x| x[0].roll(2, 1), cube),
        made("roll", |x| x[0].roll(-4, -1), cube),
    ]
}
