//! The ops of neural networks: a row each, and what Keras does at the edges.

use cornu_autodiff::testing::{assert_close, check_grad};
use cornu_autodiff::{DType, Generator, Spec, Tensor, ops};

mod nn {
    mod losses;
}

/// An op: a call, and inputs inside its domain, as shapes with bounds.
struct Case {
    name: &'static str,
    call: fn(&[Tensor]) -> Tensor,
    inputs: &'static [Input],
}

enum Input {
    /// Evenly distributed floats.
    Floats(&'static [usize], f64, f64),
    /// Whole numbers below a bound.
    Labels(&'static [usize], i64),
}
use Input::{Floats, Labels};

impl Case {
    fn inputs(&self, dtype: DType) -> Vec<Tensor> {
        let generator = Generator::new(1);
        let make = |input: &Input| match *input {
            // Drawn as float64, so that both dtypes see the same values.
            Floats(shape, low, high) => {
                generator.uniform(shape, low, high, DType::F64).unwrap().cast(dtype)
            }
            Labels(shape, bound) => generator.integers(shape, 0, bound, DType::I32).unwrap(),
        };
        self.inputs.iter().map(make).collect()
    }
}

const CASES: &[Case] = &[
    Case { name: "softmax", call: |x| x[0].softmax(-1), inputs: &[Floats(&[3, 5], -2.0, 2.0)] },
    Case {
        name: "softmax, another axis",
        call: |x| x[0].softmax(1),
        inputs: &[Floats(&[2, 4, 3], -2.0, 2.0)],
    },
    Case {
        name: "log_softmax",
        call: |x| x[0].log_softmax(-1),
        inputs: &[Floats(&[2, 19], -2.0, 2.0)],
    },
    Case {
        name: "log_softmax, another axis",
        call: |x| x[0].log_softmax(0),
        inputs: &[Floats(&[3, 2, 2], -2.0, 2.0)],
    },
    Case {
        name: "sparse_softmax_cross_entropy",
        call: |x| ops::sparse_softmax_cross_entropy(&x[0], &x[1]).unwrap(),
        inputs: &[Floats(&[2, 3, 5], -2.0, 2.0), Labels(&[2, 3], 5)],
    },
    Case {
        name: "softmax_cross_entropy",
        call: |x| ops::softmax_cross_entropy(&x[0], &x[1]).unwrap(),
        inputs: &[Floats(&[3, 5], -2.0, 2.0), Floats(&[3, 5], 0.1, 1.0)],
    },
    Case {
        name: "sigmoid_cross_entropy",
        call: |x| ops::sigmoid_cross_entropy(&x[0], &x[1]).unwrap(),
        inputs: &[Floats(&[4, 3], -3.0, 3.0), Floats(&[4, 1], 0.0, 1.0)],
    },
    Case {
        name: "binary_cross_entropy",
        call: |x| ops::binary_cross_entropy(&x[0], &x[1]).unwrap(),
        inputs: &[Floats(&[4, 3], 0.1, 0.9), Floats(&[4, 3], 0.0, 1.0)],
    },
];

#[test]
fn gradients_agree_with_differences_to_order_two() {
    for case in CASES {
        let inputs = case.inputs(DType::F64);
        if let Err(error) = check_grad(case.call, &inputs) {
            panic!("{}: {error}", case.name);
        }
    }
}

#[test]
fn symbolic_specs_equal_those_of_values() {
    for case in CASES {
        for dtype in [DType::F32, DType::F64] {
            let inputs = case.inputs(dtype);
            let symbolic: Vec<Tensor> =
                inputs.iter().map(|x| Tensor::symbolic(*x.spec())).collect();
            let (y, s) = ((case.call)(&inputs), (case.call)(&symbolic));
            assert!(s.is_symbolic(), "{}", case.name);
            assert_eq!((y.spec(), y.dtype()), (s.spec(), dtype), "{}", case.name);
        }
    }
}

/// The same values with the axes in memory in the opposite order.
fn turned(x: &Tensor) -> Tensor {
    let axes: Vec<isize> = (0..x.rank() as isize).rev().collect();
    let turned = x.permute(&axes);
    let dims: Vec<isize> = turned.dims().iter().map(|&d| d as isize).collect();
    turned.reshape([-1]).reshape(dims).permute(&axes)
}

#[test]
fn layouts_don_t_change_values_or_gradients() {
    for case in CASES {
        let inputs = case.inputs(DType::F64);
        let y = (case.call)(&inputs);
        let turned: Vec<Tensor> = inputs.iter().map(turned).collect();
        assert_close(&(case.call)(&turned), &y, 1e-12, 1e-12);
        if let Err(error) = check_grad(case.call, &turned) {
            panic!("{} in another layout: {error}", case.name);
        }
    }
}

#[test]
fn float32_agrees_with_float64() {
    for case in CASES {
        let exact = (case.call)(&case.inputs(DType::F64));
        let y = (case.call)(&case.inputs(DType::F32));
        assert_close(&y.cast(DType::F64), &exact, 2e-5, 2e-6);
    }
}

#[test]
fn empty_batches_give_empty_results() {
    let none = |dims: &[usize]| Tensor::zeros(dims, DType::F32);
    assert_eq!(none(&[0, 3]).softmax(-1).dims(), [0, 3]);
    assert_eq!(none(&[3, 0]).log_softmax(-1).dims(), [3, 0]);
    let y = ops::softmax_cross_entropy(&none(&[0, 3]), &none(&[0, 3])).unwrap();
    assert_eq!(y.spec(), &Spec::new(DType::F32, cornu_autodiff::Shape::new(&[0]).unwrap()));
}
