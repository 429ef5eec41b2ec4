//! Normalization.

use cornu_autodiff::ops::{BatchMoments, BatchNorm, batch_norm, layer_norm};
use cornu_autodiff::{Tensor, apply};

use crate::case::{Case, floats, made, op};

/// `x`, gamma and beta.
fn three<const A: usize, const B: usize>(a: [usize; A], b: [usize; B]) -> Vec<Tensor> {
    vec![floats(a, -2.0..2.0), floats(b, 0.5..1.5), floats(b, -1.0..1.0)]
}

fn batch(x: &[Tensor], axis: isize) -> Tensor {
    batch_norm(&x[0], x.get(1), x.get(2), axis, 0.1).expect("it fits").0
}

#[rustfmt::skip]
pub(crate) fn cases() -> Vec<Case> {
    vec![
        op("layer_norm", |x| layer_norm(&x[0], None, None, 1, 0.1).expect("it fits"),
            |n| vec![floats([2, 2, n], -2.0..2.0)]),
        op("layer_norm", |x| layer_norm(&x[0], Some(&x[1]), Some(&x[2]), 1, 0.1).expect("it fits"),
            |n| three([3, n], [n])),
        op("layer_norm", |x| layer_norm(&x[0], Some(&x[1]), Some(&x[2]), 2, 0.1).expect("it fits"),
            |n| three([n, 2, 3], [2, 3])),
        op("layer_norm", |x| layer_norm(&x[0], None, Some(&x[2]), 2, 0.1).expect("it fits"),
            |n| three([2, 1, n, 2], [n, 2])),
        op("layer_norm", |x| layer_norm(&x[0], Some(&x[1]), None, 1, 0.1).expect("it fits"),
            |n| three([n], [n])),
        // Constants to a tape.
        op("batch_moments", |x| apply(BatchMoments { axis: 1 }, &[&x[0]]).expect("it fits"),
            |n| vec![floats([2, 3, n], -2.0..2.0)]).from(1).cut(),
        op("batch_norm", |x| batch(&x[..1], -1), |n| vec![floats([3, n], -2.0..2.0)]),
        op("batch_norm", |x| batch(x, -1), |n| three([2, 2, n], [n])),
        op("batch_norm", |x| batch(x, -1), |n| three([n, 3, 2], [2])),
        op("batch_norm", |x| batch(x, 1), |n| three([2, n, 3], [n])),
        op("batch_norm", |x| batch(x, 0), |n| three([3, n, 1], [3])),
        op("batch_norm", |x| batch_norm(&x[0], None, Some(&x[2]), 1, 0.1).expect("it fits").0,
            |n| three([2, n, 2], [n])),
        op("batch_norm", |x| batch_norm(&x[0], Some(&x[1]), None, 1, 0.1).expect("it fits").0,
            |n| three([2, n, 2], [n])),
        made("batch_norm, given moments", |x| {
            let moments = apply(BatchMoments { axis: -1 }, &[&x[0]]).expect("it fits");
            let op = BatchNorm { axis: -1, epsilon: 0.1, scale: false, center: false };
            apply(op, &[&x[0], &moments]).expect("it fits") * &x[1]
        }, |n| three([4, n], [n])),
    ]
}
