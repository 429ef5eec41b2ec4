//! Tensors themselves, elements, and folds.

use cornu_autodiff::ops::{self, floor_divide, linear_recurrence, power, scale, select, shift};
use cornu_autodiff::{DType, Shape, Tensor, apply, axis_of};

use crate::{bools, check, f32s, show, text, whole};

#[test]
fn tensors_and_shapes() {
    check(&[
        (
            || show(Tensor::new(vec![1.0f32; 5], [2, 3])),
            "tensor: shape (2, 3) needs 6 values; got 5",
        ),
        (
            || drop(Tensor::zeros([1; 9], DType::F32)),
            "shape: a tensor has at most 8 axes; got 9 axes",
        ),
        (
            || show(Shape::new(&[usize::MAX, 3])),
            "shape: the number of elements must fit in 64 bits; got [18446744073709551615, 3]",
        ),
        (|| drop(f32s([1; 8]).expand_dims(0)), "shape: a tensor has at most 8 axes; got 9 axes"),
        (
            || drop(Tensor::from(ndarray::Array::<f32, _>::zeros(vec![1; 9]))),
            "shape: a tensor has at most 8 axes; got 9 axes",
        ),
        (|| show(axis_of("max", 2, 2)), "max: axis must be in -2..2 for rank 2; got 2"),
        (|| show(axis_of("max", -3, 2)), "max: axis must be in -2..2 for rank 2; got -3"),
        (|| show(f32s([2]).item::<f32>()), "item: there must be exactly one element; got (2,)"),
        (
            || show(f32s([2]).to_vec::<f64>()),
            "tensor: the elements are read as float64; got float32; convert with `cast`",
        ),
        (
            || show(Tensor::symbolic(*f32s([2, 3]).spec()).to_f64_vec()),
            "a symbolic tensor of shape (2, 3) has no value; build a model from it and call \
             `predict`",
        ),
        (
            || show("flaot32".parse::<DType>()),
            "unknown dtype `flaot32`; did you mean `float32`? There are also float64, int32, \
             int64, uint8, bool",
        ),
    ]);
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn elements_and_pairs() {
    check(&[
        (
            || drop(f32s([2, 3]) + f32s([2])),
            "add: shapes must broadcast: axes, from the last, must be equal or 1; got (2, 3) and \
             (2,)",
        ),
        (
            || drop(f32s([2]) * whole([2])),
            "multiply: inputs must share one dtype; got float32 and int32; convert with `cast`",
        ),
        (
            || drop(bools([2]) - bools([2])),
            "subtract: inputs must be numbers; got bool and bool; convert with `cast`",
        ),
        (
            || drop(whole([2]) / whole([2])),
            "divide: inputs must be float32 or float64; got int32 and int32; convert with `cast`",
        ),
        (
            || drop(whole([2]).exp()),
            "exp: the input must be float32 or float64; got int32; convert with `cast`",
        ),
        (
            || drop(-bools([2])),
            "negative: the input must be numbers; got bool; convert with `cast`",
        ),
        (
            || drop(floor_divide(&whole([2]), &whole([2]))),
            "floor_divide: whole numbers must not be divided by zero; got a zero",
        ),
        (
            || drop(power(&whole([2]), &Tensor::from([1, -1]))),
            "power: a whole number needs an exponent that is not negative; got a negative exponent",
        ),
        (
            || show(scale(&whole([2]), 0.5)),
            "scale: the number must be a value of the tensor's dtype, int32; `cast` it first; \
             got 0.5",
        ),
        (
            || show(shift(&Tensor::from([1u8]), -1.0)),
            "shift: the number must be a value of the tensor's dtype, uint8; `cast` it first; \
             got -1",
        ),
        (
            || drop(bools([2]).less(&f32s([2]))),
            "less: inputs must share one dtype; got bool and float32; convert with `cast`",
        ),
        (
            || drop(f32s([2]).logical_and(&f32s([2]))),
            "logical_and: inputs must be bool; got float32 and float32; convert with `cast`",
        ),
        (
            || drop(select(&f32s([2]), &f32s([2]), &f32s([2]))),
            "where: the condition must be bool; got float32; convert with `cast`",
        ),
        (
            || drop(select(&bools([3]), &f32s([2]), &f32s([2]))),
            "where: the three shapes must broadcast; got (3,), (2,) and (2,)",
        ),
        (
            || drop(f32s([2]).clip(1.0, 0.0)),
            "clip: the lower bound must not be above the upper; got 1 and 0",
        ),
        (
            || drop(bools([2]).clip(0.0, 1.0)),
            "clip: the input must be numbers; got bool; convert with `cast`",
        ),
    ]);
}

#[test]
fn folds_and_runs() {
    check(&[
        (
            || drop(f32s([2, 3]).sum([0, -2], false)),
            "sum: an axis must not be named twice; got [0, -2]",
        ),
        (|| drop(f32s([2]).mean(1, false)), "mean: axis must be in -1..1 for rank 1; got 1"),
        (
            || drop(bools([2]).sum(.., false)),
            "sum: the elements must be numbers; got bool; convert with `cast`",
        ),
        (
            || drop(whole([2]).mean(.., false)),
            "mean: the elements must be float32 or float64; got int32; convert with `cast`",
        ),
        (
            || drop(whole([2]).any(.., false)),
            "any: the elements must be bool; got int32; convert with `cast`",
        ),
        (
            || drop(f32s([2, 0]).max(1, false)),
            "max: there must be at least one element to fold; got (2, 0)",
        ),
        (|| drop(f32s([2, 0]).argmax(1)), "argmax: the axis must not be empty; got (2, 0)"),
        (
            || drop(bools([2]).prod(.., false)),
            "prod: the input must be numbers; got bool; convert with `cast`",
        ),
        (
            || drop(bools([2]).cumsum(0, false, false)),
            "cumsum: the input must be numbers; got bool; convert with `cast`",
        ),
        (
            || drop(linear_recurrence(&whole([2]), &whole([2]), 0, false)),
            "linear_recurrence: inputs must both be float32 or both float64; got int32 and int32; \
             convert with `cast`",
        ),
        (
            || drop(linear_recurrence(&f32s([2]), &f32s([3]), 0, false)),
            "linear_recurrence: shapes must be equal; got (2,) and (3,)",
        ),
        (
            || drop(whole([2]).logsumexp(.., false)),
            "logsumexp: the input must be float32 or float64; got int32; convert with `cast`",
        ),
        (
            || drop(f32s([2]).top_k(3)),
            "top_k: there must be at least 3 elements along the last axis; got (2,)",
        ),
        (|| drop(f32s([]).sort(0, false)), "argsort: axis must be in 0..0 for rank 0; got 0"),
    ]);
}

#[test]
fn sizes_beyond_memory_are_refused_and_not_wrapped_around() {
    let huge = f32s([1, 1]).broadcast_to([1 << 40, 1]);
    assert!(
        text(|| {
            let huge = f32s([1, 1]).broadcast_to([1 << 40, 1]);
            drop(&huge + &huge.t());
        })
        .starts_with("add: shapes must broadcast")
    );
    assert!(apply(ops::MatMul, &[&huge, &huge.t()]).is_err());
}
