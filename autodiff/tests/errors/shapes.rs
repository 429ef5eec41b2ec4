//! Shapes, parts, joins and borders.

use std::ops::RangeInclusive;

use cornu_autodiff::ops::{
    Add, Concat, Diagonal, Exp, FromDiagonal, Fused, Linear, PadMode, Permute, Slice, Unslice,
    concat, stack,
};
use cornu_autodiff::{Call, Gradients, Op, Result, Saves, Spec, Tensor};

use crate::{check, f32s, run, shape, whole};

/// An op of a user's, of two inputs or more.
#[derive(Debug)]
struct First;

impl Op for First {
    fn name(&self) -> &'static str {
        "first"
    }
    fn arity(&self) -> RangeInclusive<usize> {
        2..=usize::MAX
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        Ok(*x[0])
    }
    fn forward(&self, x: &[&Tensor], _: &Spec) -> Result<Tensor> {
        Ok(x[0].clone())
    }
    fn saves(&self) -> Saves {
        Saves::Some(0)
    }
    fn vjp(&self, _: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        into.add(0, || g.clone());
    }
}

#[test]
fn numbers_of_inputs() {
    check(&[
        (|| run(Add, &[&f32s([2])]), "add: it takes 2 inputs; got 1"),
        (|| run(Exp, &[]), "exp: it takes one input; got 0"),
        (|| run(Exp, &[&f32s([2]), &f32s([2])]), "exp: it takes one input; got 2"),
        (|| run(First, &[&f32s([2])]), "first: it takes 2 inputs or more; got 1"),
        (|| run(Concat { axis: 0 }, &[]), "concat: it takes one input or more; got 0"),
        (
            || run(Linear { activation: Fused::Linear }, &[&f32s([2, 2])]),
            "linear: it takes 2 to 3 inputs; got 1",
        ),
    ]);
}

#[test]
fn shapes_and_parts() {
    check(&[
        (|| drop(f32s([2, 3]).reshape([4, 2])), "reshape: (4, 2) needs 8 elements; got (2, 3)"),
        (
            || drop(f32s([2, 3]).reshape([-1, -1])),
            "reshape: axes must be sizes, at most one of them -1; got [-1, -1]",
        ),
        (
            || drop(f32s([0]).reshape([0, -1])),
            "reshape: an axis of -1 cannot be worked out beside one of size 0; got [0, -1]",
        ),
        (
            || run(Permute([0, 0].into_iter().collect()), &[&f32s([2, 3])]),
            "permute: [0, 0] must name every axis once; got (2, 3)",
        ),
        (|| drop(f32s([2, 3]).permute([0, 2])), "permute: axis must be in -2..2 for rank 2; got 2"),
        (|| drop(f32s([2, 3]).squeeze([2])), "squeeze: axis must be in -2..2 for rank 2; got 2"),
        (
            || drop(f32s([2, 3]).diagonal(0, 0, 2)),
            "diagonal: axis must be in -2..2 for rank 2; got 2",
        ),
        (|| drop(f32s([2]).flip(1)), "flip: axis must be in -1..1 for rank 1; got 1"),
        (|| drop(f32s([2, 3]).squeeze([1])), "squeeze: axis 1 must have size 1; got (2, 3)"),
        (
            || drop(f32s([2, 3]).broadcast_to([3, 3])),
            "broadcast_to: the shape must broadcast to (3, 3); got (2, 3)",
        ),
        (
            || drop(f32s([2]).slice(0, Slice::new(None, None, 0))),
            "slice: the step must not be zero; got ::0",
        ),
        (
            || drop(f32s([2]).slices([Slice::ALL, Slice::ALL])),
            "slice: there must be at most one slice for each axis of (2,); got 2",
        ),
        (
            || {
                let slices = [Slice::from(1..)].into_iter().collect();
                run(Unslice { shape: shape(&[4, 2]), slices }, &[&f32s([2, 2])]);
            },
            "unslice: [1:] of (4, 2) is a part of shape (3, 2); got (2, 2)",
        ),
        (|| drop(f32s([2, 3]).index(1, 3)), "index: axis 1 has positions -3..3; got 3"),
        (
            || drop(f32s([2, 3]).split(2, 1)),
            "split: axis 1 must divide into 2 equal parts; got (2, 3)",
        ),
        (
            || drop(f32s([2, 3]).split_sizes(&[1, 1], -1)),
            "split: the sizes [1, 1] must sum to axis 1; got (2, 3)",
        ),
        (|| drop(f32s([2]).tril(0)), "tril: there must be at least two axes; got (2,)"),
        (
            || run(Diagonal { axes: [0, 0] }, &[&f32s([2, 2])]),
            "diagonal: the axes must be two different ones of (2, 2); got 0 and 0",
        ),
        (
            || run(FromDiagonal { shape: shape(&[3, 2]), axes: [0, 1] }, &[&f32s([3])]),
            "from_diagonal: the diagonal of (3, 2) has shape (2,); got (3,)",
        ),
    ]);
}

#[test]
fn joins_and_borders() {
    check(&[
        (
            || drop(concat(&[f32s([2, 3]), f32s([3, 3])], 1)),
            "concat: shapes must be equal except along axis 1; got (2, 3) and (3, 3)",
        ),
        (
            || drop(concat(&[f32s([2]), whole([2])], 0)),
            "concat: inputs must share one dtype; got float32 and int32; convert with `cast`",
        ),
        (|| drop(stack(&[f32s([2])], 2)), "stack: axis must be in -2..2 for rank 2; got 2"),
        (|| drop(concat::<Tensor>(&[], 0)), "concat: it takes one input or more; got 0"),
        (|| drop(stack::<Tensor>(&[], 0)), "stack: there must be at least one tensor; got none"),
        (
            || drop(stack(&[f32s([2]), f32s([3])], 0)),
            "stack: shapes must be equal; got (2,) and (3,)",
        ),
        (
            || drop(f32s([2, 3]).pad([(1, 1)], 0.0)),
            "pad: there must be one pair of widths for each axis of (2, 3); got 1 pairs",
        ),
        (
            || drop(whole([2]).pad([(1, 1)], 0.5)),
            "pad: the number must be a value of the tensor's dtype, int32; `cast` it first; \
             got 0.5",
        ),
        (
            || drop(f32s([0]).pad_with([(1, 1)], PadMode::Edge)),
            "pad: axis 0 must not be empty to be mirrored or repeated; got (0,)",
        ),
    ]);
}
