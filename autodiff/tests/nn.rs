//! The ops of neural networks: a row each, and what Keras does at the edges.

use cornu_autodiff::ops::{Fused, linear};
use cornu_autodiff::testing::{assert_close, check_grad};
use cornu_autodiff::{DType, Generator, Spec, Tensor, ops};

mod nn {
    mod activations;
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
    Case { name: "sparsemax", call: |x| x[0].sparsemax(-1), inputs: &[Floats(&[4, 5], -1.0, 1.0)] },
    Case {
        name: "linear, linear",
        call: |x| linear(&x[0], &x[1], None, Fused::Linear).unwrap(),
        inputs: &[Floats(&[3, 4], -1.0, 1.0), Floats(&[4, 2], -1.0, 1.0)],
    },
    Case {
        name: "linear, relu",
        call: |x| linear(&x[0], &x[1], Some(&x[2]), Fused::Relu).unwrap(),
        inputs: &[Floats(&[4, 3], -1.0, 1.0), Floats(&[3, 5], -1.0, 1.0), Floats(&[5], -1.0, 1.0)],
    },
    Case {
        name: "linear, sigmoid",
        call: |x| linear(&x[0], &x[1], Some(&x[2]), Fused::Sigmoid).unwrap(),
        inputs: &[
            Floats(&[2, 2, 3], -1.0, 1.0),
            Floats(&[3, 5], -1.0, 1.0),
            Floats(&[5], -1.0, 1.0),
        ],
    },
    Case {
        name: "linear, tanh",
        call: |x| linear(&x[0], &x[1], Some(&x[2]), Fused::Tanh).unwrap(),
        inputs: &[
            Floats(&[2, 2, 3], -1.0, 1.0),
            Floats(&[3, 5], -1.0, 1.0),
            Floats(&[5], -1.0, 1.0),
        ],
    },
    Case {
        name: "linear, elu",
        call: |x| linear(&x[0], &x[1], Some(&x[2]), Fused::Elu).unwrap(),
        inputs: &[
            Floats(&[2, 2, 3], -1.0, 1.0),
            Floats(&[3, 5], -1.0, 1.0),
            Floats(&[5], -1.0, 1.0),
        ],
    },
    Case {
        name: "linear, selu",
        call: |x| linear(&x[0], &x[1], Some(&x[2]), Fused::Selu).unwrap(),
        inputs: &[
            Floats(&[2, 2, 3], -1.0, 1.0),
            Floats(&[3, 5], -1.0, 1.0),
            Floats(&[5], -1.0, 1.0),
        ],
    },
    Case {
        name: "linear, softplus",
        call: |x| linear(&x[0], &x[1], Some(&x[2]), Fused::Softplus).unwrap(),
        inputs: &[
            Floats(&[2, 2, 3], -1.0, 1.0),
            Floats(&[3, 5], -1.0, 1.0),
            Floats(&[5], -1.0, 1.0),
        ],
    },
    Case {
        name: "linear, linear",
        call: |x| linear(&x[0], &x[1], Some(&x[2]), Fused::Linear).unwrap(),
        inputs: &[
            Floats(&[2, 2, 3], -1.0, 1.0),
            Floats(&[3, 5], -1.0, 1.0),
            Floats(&[5], -1.0, 1.0),
        ],
    },
    Case {
        name: "leaky_relu",
        call: |x| x[0].leaky_relu(0.2),
        inputs: &[Floats(&[5, 4], -2.0, 2.0)],
    },
    Case { name: "elu", call: |x| x[0].elu(0.7), inputs: &[Floats(&[5, 4], -2.0, 2.0)] },
    Case { name: "celu", call: |x| x[0].celu(0.7), inputs: &[Floats(&[5, 4], -2.0, 2.0)] },
    Case {
        name: "hard_sigmoid",
        call: |x| x[0].hard_sigmoid(),
        inputs: &[Floats(&[5, 4], -5.0, 5.0)],
    },
    Case { name: "hard_silu", call: |x| x[0].hard_silu(), inputs: &[Floats(&[5, 4], -5.0, 5.0)] },
    Case { name: "hard_tanh", call: |x| x[0].hard_tanh(), inputs: &[Floats(&[5, 4], -2.0, 2.0)] },
    Case {
        name: "hard_shrink",
        call: |x| x[0].hard_shrink(0.5),
        inputs: &[Floats(&[5, 4], -2.0, 2.0)],
    },
    Case {
        name: "soft_shrink",
        call: |x| x[0].soft_shrink(0.5),
        inputs: &[Floats(&[5, 4], -2.0, 2.0)],
    },
    Case {
        name: "threshold",
        call: |x| x[0].threshold(0.3, 7.0),
        inputs: &[Floats(&[5, 4], -2.0, 2.0)],
    },
    Case {
        name: "log_sigmoid",
        call: |x| x[0].log_sigmoid(),
        inputs: &[Floats(&[5, 4], -3.0, 3.0)],
    },
    Case { name: "mish", call: |x| x[0].mish(), inputs: &[Floats(&[5, 4], -3.0, 3.0)] },
    Case {
        name: "sparse_plus",
        call: |x| x[0].sparse_plus(),
        inputs: &[Floats(&[5, 4], -2.0, 2.0)],
    },
    Case {
        name: "sparse_sigmoid",
        call: |x| x[0].sparse_sigmoid(),
        inputs: &[Floats(&[5, 4], -2.0, 2.0)],
    },
    Case {
        name: "squareplus",
        call: |x| x[0].squareplus(4.0),
        inputs: &[Floats(&[5, 4], -3.0, 3.0)],
    },
    Case {
        name: "tanh_shrink",
        call: |x| x[0].tanh_shrink(),
        inputs: &[Floats(&[5, 4], -2.0, 2.0)],
    },
    Case {
        name: "relu_between",
        call: |x| x[0].relu_between(0.3, 0.0, 2.0, 0.5),
        inputs: &[Floats(&[5, 4], -3.0, 3.0)],
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
