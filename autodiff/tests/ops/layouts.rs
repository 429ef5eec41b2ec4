//! However the elements of an input lie in memory, the result is the same.

use cornu_autodiff::ops::Slice;
use cornu_autodiff::testing::assert_close;
use cornu_autodiff::{DType, Tape, Tensor};

use crate::case::Case;
use crate::{every_row, run, to_f32};

/// A tensor of its own with the same elements.
fn copy(x: &Tensor) -> Tensor {
    macro_rules! of {
        ($type:ty) => {
            Tensor::new(x.to_vec::<$type>().expect("its own dtype"), *x.shape())
        };
    }
    let copy = match x.dtype() {
        DType::F32 => of!(f32),
        DType::F64 => of!(f64),
        DType::I32 => of!(i32),
        DType::I64 => of!(i64),
        DType::U8 => of!(u8),
        DType::Bool => of!(bool),
    };
    copy.expect("as many values as before")
}

/// The same shape and, but for the last, elements, lying in memory otherwise.
fn layouts(x: &Tensor) -> Vec<(&'static str, Tensor)> {
    let rank = x.rank() as isize;
    let backwards: Vec<isize> = (0..rank).rev().collect();
    let transposed = copy(&x.permute(&backwards)).permute(&backwards);

    // Every second element of a larger tensor, from the second on.
    let doubled = (0..rank).fold(x.clone(), |x, axis| x.repeat(2, axis));
    let border: Vec<(usize, usize)> = vec![(1, 1); x.rank()];
    let larger = copy(&doubled.pad(border, 1.0));
    let inner: Vec<Slice> = x.dims().iter().map(|&n| Slice::from(1..=2 * n).by(2)).collect();
    let sliced = larger.slices(inner);

    let reversed = copy(&x.flip(..)).flip(..);
    let first: Vec<Slice> = x.dims().iter().map(|_| Slice::from(0..1)).collect();
    let constant = x.slices(first);
    let mut layouts = vec![("transposed", transposed), ("sliced", sliced), ("reversed", reversed)];
    if x.size() > 0 {
        let repeated_rows = x.slice_first().broadcast_to(*x.shape());
        layouts.push(("broadcast rows", repeated_rows));
        layouts.push(("broadcast", constant.broadcast_to(*x.shape())));
    }
    layouts
}

trait First {
    fn slice_first(&self) -> Tensor;
}

impl First for Tensor {
    /// The first row, with the axis kept.
    fn slice_first(&self) -> Tensor {
        if self.rank() == 0 { self.clone() } else { copy(&self.slice(0, 0..1)) }
    }
}

fn bits(x: &Tensor) -> Vec<u64> {
    x.to_f64_vec().expect("it has values").into_iter().map(f64::to_bits).collect()
}

#[test]
fn layouts_differ_in_memory_only() {
    for x in [Tensor::arange(24, DType::F32).reshape([2, 3, 4]), Tensor::arange(1, DType::F64)] {
        for (name, view) in &layouts(&x)[..3] {
            assert_eq!(bits(view), bits(&x), "{name}");
            assert!(x.size() == 1 || !view.is_contiguous(), "{name}");
        }
    }
}

#[test]
fn ops_and_gradients_are_the_same_for_every_layout() {
    every_row(|case| {
        for n in [1, 7, 33] {
            let exact = case.inputs(n);
            for inputs in [to_f32(&exact), exact] {
                for i in 0..inputs.len() {
                    for (name, view) in layouts(&inputs[i]) {
                        let (mut plain, mut strange) = (inputs.clone(), inputs.clone());
                        plain[i] = copy(&view);
                        strange[i] = view;
                        let (y, gradients) = run(case, &plain);
                        let (same, same_gradients) = run(case, &strange);
                        assert_eq!(y.spec(), same.spec());
                        assert_eq!(bits(&y), bits(&same), "{name} input {i}, size {n}");
                        for (g, same) in gradients.iter().zip(&same_gradients) {
                            assert_eq!(g.is_some(), same.is_some());
                            let tolerance = if y.dtype() == DType::F32 { 1e-4 } else { 1e-11 };
                            g.iter().zip(same).for_each(|(g, same)| {
                                assert_close(same, g, tolerance, tolerance);
                            });
                        }
                    }
                }
            }
        }
    });
}

/// The gradients by the inputs of the sum of squares of the gradients by the inputs.
fn second(case: &Case, inputs: &[Tensor]) -> Vec<Option<Tensor>> {
    let tape = Tape::new();
    let (_, gradients) = run(case, inputs);
    let squares = gradients.iter().flatten().map(|g| g.square().sum(.., false));
    let Some(sum) = squares.reduce(|a, b| a + b) else { return Vec::new() };
    let sources: Vec<&Tensor> = inputs.iter().collect();
    // Err: gradients that depend on no input.
    tape.gradient_options(&sum, &sources).unwrap_or_default()
}

#[test]
fn second_gradients_are_the_same_for_every_layout() {
    every_row(|case| {
        let inputs = case.inputs(3);
        for i in 0..inputs.len() {
            for (name, view) in layouts(&inputs[i]) {
                let (mut plain, mut strange) = (inputs.clone(), inputs.clone());
                plain[i] = copy(&view);
                strange[i] = view;
                let (plain, strange) = (second(case, &plain), second(case, &strange));
                assert_eq!(plain.len(), strange.len(), "{name} input {i}");
                for (g, same) in plain.iter().zip(&strange) {
                    assert_eq!(g.is_some(), same.is_some(), "{name} input {i}");
                    g.iter().zip(same).for_each(|(g, same)| assert_close(same, g, 1e-10, 1e-10));
                }
            }
        }
    });
}
