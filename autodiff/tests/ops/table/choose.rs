//! Elements by position.

use cornu_autodiff::ops::{ScatterAdd, ScatterAddAlongAxis, one_hot};
use cornu_autodiff::{DType, Tensor, apply};

use crate::case::{Case, floats, made, op, whole};

fn table(n: usize) -> Tensor {
    floats([3, n, 2], -2.0..2.0)
}

#[rustfmt::skip]
pub(crate) fn cases() -> Vec<Case> {
    vec![
        op("take", |x| x[0].take(&x[1], 0), |n| vec![table(n), whole([2, 4], -3..3, DType::I32)]),
        op("take", |x| x[0].take(&x[1], -1), |n| vec![table(n), whole([n], 0..2, DType::U8)]),
        op("take", |x| x[0].take(&x[1], 1), |n| vec![table(n), whole([], 0..1, DType::I64)]).from(1),
        op("scatter_add", |x| apply(ScatterAdd { axis: 0, size: 4 }, &[&x[1], &x[0]]).expect("it fits"),
            |n| vec![floats([5, n], -2.0..2.0), whole([5], -4..4, DType::I64)]),
        op("scatter_add", |x| apply(ScatterAdd { axis: 1, size: 3 }, &[&x[1], &x[0]]).expect("it fits"),
            |n| vec![floats([2, n, 2, 2], -2.0..2.0), whole([n, 2], 0..3, DType::I32)]),
        made("x.scatter_add", |x| x[0].scatter_add(&x[1], &x[2], 1),
            |n| vec![floats([n, 3], -2.0..2.0), whole([4], 0..3, DType::I32), floats([n, 4], -2.0..2.0)]),
        op("take_along_axis", |x| x[0].take_along_axis(&x[1], 0),
            |n| vec![table(n), whole([5, n, 2], -3..3, DType::I64)]),
        op("take_along_axis", |x| x[0].take_along_axis(&x[1], -1),
            |n| vec![table(n), whole([1, n, 1], 0..2, DType::I32)]),
        op("scatter_add_along_axis",
            |x| apply(ScatterAddAlongAxis { axis: 1, size: 3 }, &[&x[1], &x[0]]).expect("it fits"),
            |n| vec![floats([2, 4, n], -2.0..2.0), whole([2, 4, n], -3..3, DType::I64)]),
        op("one_hot", |x| one_hot(&x[0], 3, DType::F32), |n| vec![whole([2, n], 0..3, DType::I64)]),
        made("one_hot times", |x| one_hot(&x[0], 3, x[1].dtype()) * &x[1],
            |n| vec![whole([2, n], 0..3, DType::U8), floats([3], -2.0..2.0)]),
    ]
}
