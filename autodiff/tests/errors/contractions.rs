//! Positions and products.

use cornu_autodiff::ops::{self, ScatterAdd, ScatterAddAlongAxis, einsum, one_hot, tensordot};
use cornu_autodiff::{DType, Tensor};

use crate::{bools, check, f32s, run, whole};

#[test]
fn positions() {
    check(&[
        (
            || drop(f32s([2, 3]).take(&Tensor::from([0i64, 3]), 1)),
            "take: axis 1 has 3 elements, so indices must be in -3..3; got 3",
        ),
        (
            || drop(f32s([0]).take(&Tensor::from([0i32]), 0)),
            "take: axis 0 has 0 elements, so indices must be in -0..0; got 0",
        ),
        (
            || drop(f32s([2]).take(&f32s([1]), 0)),
            "take: indices must be int32, int64 or uint8; got float32; convert with `cast`",
        ),
        (
            || drop(f32s([1; 7]).take(&whole([1, 1, 1]), 0)),
            "shape: a tensor has at most 8 axes; got 9 axes",
        ),
        (
            || drop(f32s([2, 3]).take_along_axis(&Tensor::from([[-4i32]]), 1)),
            "take_along_axis: axis 1 has 3 elements, so indices must be in -3..3; got -4",
        ),
        (
            || drop(f32s([2, 3]).take_along_axis(&whole([3, 1]), 1)),
            "take_along_axis: the shapes must broadcast except along the axis; got (2, 3) and \
             (3, 1)",
        ),
        (
            || run(ops::TakeAlongAxis { axis: 1 }, &[&f32s([2, 3]), &whole([1, 3])]),
            "take_along_axis: shapes must be equal except along axis 1; got (2, 3) and (1, 3)",
        ),
        (
            || run(ScatterAdd { axis: 0, size: 2 }, &[&whole([3]), &f32s([2])]),
            "scatter_add: updates must have the axes of the indices from 0 on; got (3,) and (2,)",
        ),
        (
            || run(ScatterAdd { axis: 0, size: 2 }, &[&whole([3]), &bools([3])]),
            "scatter_add: what is added must be numbers; got bool; convert with `cast`",
        ),
        (
            || run(ScatterAdd { axis: 0, size: 2 }, &[&Tensor::from([2i32]), &f32s([1])]),
            "scatter_add: axis 0 has 2 elements, so indices must be in -2..2; got 2",
        ),
        (
            || drop(f32s([2, 3]).scatter_add(&whole([1]), &f32s([1, 2]), 0)),
            "scatter_add: updates must have the shape that `take` would give; got (2, 3), (1,) \
             and (1, 2)",
        ),
        (
            || run(ScatterAddAlongAxis { axis: 0, size: 2 }, &[&whole([3]), &f32s([2])]),
            "scatter_add_along_axis: indices and updates must have one shape; got (3,) and (2,)",
        ),
        (
            || drop(one_hot(&Tensor::from([1i32, 3]), 3, DType::F32)),
            "one_hot: labels must be in 0..3; got 3",
        ),
        (
            || drop(one_hot(&Tensor::from([-1i32]), 3, DType::F32)),
            "one_hot: labels must be in 0..3; got -1",
        ),
    ]);
}

#[test]
fn products() {
    check(&[
        (
            || drop(f32s([2, 3]).matmul(&f32s([2, 3]))),
            "matmul: the inner axes must be equal and leading axes broadcast, (…, m, k) · \
             (…, k, n); got (2, 3) and (2, 3)",
        ),
        (
            || drop(whole([2, 2]).matmul(&whole([2, 2]))),
            "matmul: inputs must both be float32 or both float64; got int32 and int32; convert \
             with `cast`",
        ),
        (
            || drop(einsum("ij,jk", &[f32s([2, 3])])),
            "einsum: there must be a term for each tensor; got `ij,jk` and 1",
        ),
        (
            || drop(einsum("ij->i", &[f32s([2])])),
            "einsum: `ij` of `ij->i` must have a letter for each axis; got (2,)",
        ),
        (
            || drop(einsum("i1->i", &[f32s([2, 2])])),
            "einsum: terms must consist of letters and at most one `...`; got `i1->i`",
        ),
        (
            || drop(einsum("ij->ik", &[f32s([2, 2])])),
            "einsum: letters of the result must be different ones of the operands; got `ij->ik`",
        ),
        (
            || drop(einsum("ij->ii", &[f32s([2, 2])])),
            "einsum: letters of the result must be different ones of the operands; got `ij->ii`",
        ),
        (
            || drop(einsum("ii->i", &[f32s([2, 3])])),
            "einsum: axes named `i` must have one size; got (2, 3)",
        ),
        (
            || drop(einsum("ij,jk", &[f32s([2, 3]), f32s([4, 2])])),
            "einsum: axes named `j` must have one size; got (2, 3) and (4, 2)",
        ),
        (
            || drop(einsum("...,...", &[f32s([2]), f32s([3])])),
            "einsum: axes that `...` stands for must broadcast; got (2,) and (3,)",
        ),
        (
            || drop(einsum("i->", &[whole([2])])),
            "einsum: tensors must all be float32 or all float64; got int32; convert with `cast`",
        ),
        (
            || drop(tensordot(&f32s([2]), &f32s([2]), [0], [])),
            "tensordot: there must be as many axes of each; got [0] and []",
        ),
        (
            || drop(tensordot(&f32s([2, 2]), &f32s([2, 2]), [0, 0], [0, 1])),
            "tensordot: an axis must not be named twice; got [0, 0] and [0, 1]",
        ),
    ]);
}
