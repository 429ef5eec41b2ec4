//! Matrix products and what is made of them.

use cornu_autodiff::Tensor;
use cornu_autodiff::ops::{einsum, tensordot};

use crate::case::{Case, floats, made, op};

fn two<const A: usize, const B: usize>(a: [usize; A], b: [usize; B]) -> Vec<Tensor> {
    vec![floats(a, -1.0..1.0), floats(b, -1.0..1.0)]
}

#[rustfmt::skip]
pub(crate) fn cases() -> Vec<Case> {
    vec![
        op("matmul", |x| x[0].matmul(&x[1]), |n| two([2, 3], [3, n])),
        op("matmul", |x| x[0].matmul(&x[1]), |n| two([2, n], [n, 3])),
        op("matmul", |x| x[0].matmul(&x[1]), |n| two([n, 4], [4, n])),
        op("matmul", |x| x[0].matmul(&x[1]), |n| two([2, 3, n], [n, 3])),
        op("matmul", |x| x[0].matmul(&x[1]), |n| two([2, 2, n], [2, n, 3])),
        op("matmul", |x| x[0].matmul(&x[1]), |n| two([2, 1, 3, n], [3, n, 2])),
        op("matmul", |x| x[0].matmul(&x[1]), |n| two([2, n], [3, n, 2])),
        made("vector · vector", |x| x[0].matmul(&x[1]), |n| two([n], [n])),
        made("vector · matrix", |x| x[0].matmul(&x[1]), |n| two([n], [n, 3])),
        made("matrix · vector", |x| x[0].matmul(&x[1]), |n| two([2, 3, n], [n])),
        made("outer", |x| x[0].outer(&x[1]), |n| two([n], [2, 2])),
        made("tensordot", |x| tensordot(&x[0], &x[1], [1, 2], [1, 0]), |n| two([2, 3, n], [n, 3, 2])),
        made("tensordot", |x| tensordot(&x[0], &x[1], [], []), |n| two([2], [n])),
        made("einsum matrices", |x| einsum("ij,jk->ki", x), |n| two([2, n], [n, 3])),
        made("einsum batches", |x| einsum("bqhd,bkhd->bhqk", x), |n| two([2, n, 2, 3], [2, 2, 2, 3])),
        made("einsum dots", |x| einsum("...ij,jk...", x), |n| two([2, 1, 3, n], [n, 2, 1, 2])),
        made("einsum outer", |x| einsum("i,j->ji", x), |n| two([n], [3])),
        made("einsum elements", |x| einsum("ij,ij->ij", x), |n| two([2, n], [2, n])),
        made("einsum trace", |x| einsum("ii", x), |n| vec![floats([n, n], -1.0..1.0)]),
        made("einsum diagonal", |x| einsum("iji->ij", x), |n| vec![floats([n, 2, n], -1.0..1.0)]),
        made("einsum sum", |x| einsum("ijk,j->k", x), |n| two([2, n, 3], [n])),
        made("einsum transpose", |x| einsum("...ij->...ji", x), |n| vec![floats([2, n, 3], -1.0..1.0)]),
        made("einsum three", |x| einsum("i,ij,j", &[&x[0], &x[1], &x[0]]), |n| two([n], [n, n])),
    ]
}
