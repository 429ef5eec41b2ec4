//! One table with a row for every op, and what must hold for every row.

mod case;
mod layouts;
mod memory;
mod names;
mod table;
mod values;

use std::panic::{AssertUnwindSafe, catch_unwind};

use cornu_autodiff::testing::{assert_close, check_grad};
use cornu_autodiff::{DType, Tape, Tensor};

use case::Case;

/// Runs a check on every row, and reports all rows that fail it.
fn every_row(check: impl Fn(&Case)) {
    let mut failed = Vec::new();
    for (i, case) in table::cases().iter().enumerate() {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(case))) {
            let text = panic.downcast::<String>().map_or_else(
                |other| other.downcast_ref::<&str>().unwrap_or(&"a panic").to_string(),
                |text| *text,
            );
            failed.push(format!("row {i}, `{}`: {text}", case.name));
        }
    }
    assert!(failed.is_empty(), "\n{}\n", failed.join("\n"));
}

/// The call on the inputs, and its gradients by those that have one, of `Σ cᵢ yᵢ` with
/// coefficients that differ.
fn run(case: &Case, inputs: &[Tensor]) -> (Tensor, Vec<Option<Tensor>>) {
    let tape = Tape::new();
    let y = (case.call)(inputs);
    if !y.dtype().is_float() {
        return (y, vec![None; inputs.len()]);
    }
    let coefficients = (Tensor::arange(y.size(), DType::F64) * 1.37).sin().cast(y.dtype());
    let dims: Vec<isize> = y.dims().iter().map(|&d| d as isize).collect();
    let target = (&y * coefficients.reshape(dims)).sum(.., false);
    let sources: Vec<&Tensor> = inputs.iter().collect();
    let gradients = tape.gradient_options(&target, &sources).expect("a scalar of this tape");
    (y, gradients)
}

fn to_f32(inputs: &[Tensor]) -> Vec<Tensor> {
    let convert = |x: &Tensor| if x.dtype().is_float() { x.cast(DType::F32) } else { x.clone() };
    inputs.iter().map(convert).collect()
}

#[test]
fn gradients_agree_with_differences_to_order_two() {
    every_row(|case| {
        for n in [case.smallest.max(1), 3] {
            let inputs = case.inputs(n);
            if !case.cuts && (case.call)(&inputs).dtype().is_float() {
                check_grad(case.call, &inputs).unwrap_or_else(|e| panic!("{e}"));
            }
        }
    });
}

#[test]
fn gradients_are_of_the_dtype_and_shape_of_inputs() {
    every_row(|case| {
        for inputs in [case.inputs(3), to_f32(&case.inputs(3))] {
            for (x, g) in inputs.iter().zip(run(case, &inputs).1) {
                assert!(g.is_none_or(|g| g.spec() == x.spec()));
            }
        }
    });
}

#[test]
fn gradients_are_the_same_while_another_tape_records() {
    // Kernels compute them when nothing records, ops when something does.
    every_row(|case| {
        let inputs = case.inputs(3);
        let (_, alone) = run(case, &inputs);
        let _outer = Tape::new();
        let (_, recorded) = run(case, &inputs);
        for (alone, recorded) in alone.iter().zip(&recorded) {
            assert_eq!(alone.is_some(), recorded.is_some());
            alone.iter().zip(recorded).for_each(|(a, b)| assert_close(a, b, 1e-10, 1e-10));
        }
    });
}

#[test]
fn symbolic_shapes_equal_eager_shapes() {
    every_row(|case| {
        for n in [case.smallest, 1, 3] {
            let inputs = case.inputs(n.max(case.smallest));
            let eager = (case.call)(&inputs);
            let symbolic: Vec<Tensor> =
                inputs.iter().map(|x| Tensor::symbolic(*x.spec())).collect();
            let mixed: Vec<Tensor> =
                symbolic.iter().take(1).chain(inputs.iter().skip(1)).cloned().collect();
            for inputs in [symbolic, mixed] {
                let y = (case.call)(&inputs);
                assert!(y.is_symbolic());
                assert_eq!(y.spec(), eager.spec());
            }
        }
    });
}

#[test]
fn float32_is_close_to_float64() {
    every_row(|case| {
        for n in [3, 33] {
            let inputs = to_f32(&case.inputs(n));
            let exact: Vec<Tensor> = inputs
                .iter()
                .map(|x| if x.dtype().is_float() { x.cast(DType::F64) } else { x.clone() })
                .collect();
            let (y, gradients) = run(case, &inputs);
            let (exact_y, exact_gradients) = run(case, &exact);
            let close = |a: &Tensor, b: &Tensor| {
                assert_close(&a.cast(DType::F64), &b.cast(DType::F64), 2e-5, 2e-5);
            };
            close(&y, &exact_y);
            for (g, exact) in gradients.iter().zip(&exact_gradients) {
                assert_eq!(g.is_some(), exact.is_some());
                g.iter().zip(exact).for_each(|(g, exact)| close(g, exact));
            }
        }
    });
}

#[test]
fn empty_axes_and_axes_of_size_one_are_no_obstacle() {
    every_row(|case| {
        for n in [0, 1] {
            let inputs = case.inputs(n);
            if n < case.smallest {
                // Where there is no answer there is an error, or NaN.
                let y = catch_unwind(AssertUnwindSafe(|| (case.call)(&inputs).to_f64_vec()));
                assert!(
                    y.is_err() || y.is_ok_and(|y| y.is_ok_and(|y| y.iter().all(|v| v.is_nan())))
                );
                continue;
            }
            let (y, gradients) = run(case, &inputs);
            assert_eq!(y.to_f64_vec().expect("it has values").len(), y.size());
            for (x, g) in inputs.iter().zip(gradients).filter_map(|(x, g)| Some((x, g?))) {
                assert_eq!(g.to_f64_vec().expect("it has values").len(), x.size());
            }
        }
    });
}

#[test]
fn a_row_runs_the_op_that_it_names() {
    every_row(|case| {
        let inputs = case.inputs(3);
        let tape = Tape::new();
        (case.call)(&inputs);
        let text = tape.to_string();
        assert!(!case.is_op || text.contains(&format!(" = {}(", case.name)), "it ran\n{text}");
    });
}
