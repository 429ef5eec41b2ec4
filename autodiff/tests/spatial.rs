//! Convolution and pooling: a row each, and what Keras does at the edges.

use cornu_autodiff::ops::{self, ConvOptions, MaxPoolGradient, MaxPoolPick, PoolOptions};
use cornu_autodiff::testing::{assert_close, check_grad};
use cornu_autodiff::{DType, Generator, Tensor, apply};

mod spatial {
    mod conv;
    mod pool;
}

/// An op: a call, and the shapes of its inputs.
struct Case {
    name: &'static str,
    call: fn(&[Tensor]) -> Tensor,
    inputs: &'static [&'static [usize]],
}

impl Case {
    fn inputs(&self, dtype: DType) -> Vec<Tensor> {
        let generator = Generator::new(1);
        // Drawn as float64, so that both dtypes see the same values.
        let make = |shape: &&[usize]| generator.uniform(*shape, -1.0, 1.0, DType::F64).unwrap();
        self.inputs.iter().map(|shape| make(shape).cast(dtype)).collect()
    }
}

fn options(strides: &[usize], dilation: &[usize], padding: &[(usize, usize)]) -> ConvOptions {
    ConvOptions {
        strides: strides.to_vec(),
        dilation: dilation.to_vec(),
        padding: padding.to_vec(),
        groups: 1,
    }
}

fn grouped(groups: usize) -> ConvOptions {
    ConvOptions { groups, ..options(&[], &[], &[(1, 1), (1, 0)]) }
}

fn window(size: &[usize], strides: &[usize], padding: &[(usize, usize)]) -> PoolOptions {
    PoolOptions { size: size.to_vec(), strides: strides.to_vec(), padding: padding.to_vec() }
}

/// Windows that overlap, reach into padding, and leave out the last row.
fn overlapping() -> PoolOptions {
    window(&[3, 2], &[2, 1], &[(1, 0), (1, 1)])
}

const CASES: &[Case] = &[
    Case {
        name: "max_pool",
        call: |x| ops::max_pool(&x[0], &window(&[2, 2], &[], &[])).unwrap(),
        inputs: &[&[2, 5, 4, 2]],
    },
    Case {
        name: "max_pool, overlapping",
        call: |x| ops::max_pool(&x[0], &overlapping()).unwrap(),
        inputs: &[&[2, 5, 3, 2]],
    },
    Case {
        name: "max_pool, gaps along one axis",
        call: |x| ops::max_pool(&x[0], &window(&[2], &[3], &[(0, 1)])).unwrap(),
        inputs: &[&[1, 8, 3]],
    },
    Case {
        name: "max_pool_gradient",
        call: |x| {
            let op = MaxPoolGradient { options: overlapping() };
            apply(op, &[&x[0].stop_gradient(), &x[1]]).unwrap()
        },
        inputs: &[&[2, 5, 3, 2], &[2, 2, 4, 2]],
    },
    Case {
        name: "max_pool_pick",
        call: |x| {
            let op = MaxPoolPick { options: overlapping() };
            apply(op, &[&x[0].stop_gradient(), &x[1]]).unwrap()
        },
        inputs: &[&[2, 5, 3, 2], &[2, 5, 3, 2]],
    },
    Case {
        name: "average_pool",
        call: |x| ops::average_pool(&x[0], &window(&[2, 1, 2], &[], &[])).unwrap(),
        inputs: &[&[1, 3, 2, 4, 2]],
    },
    Case {
        name: "average_pool, overlapping",
        call: |x| ops::average_pool(&x[0], &overlapping()).unwrap(),
        inputs: &[&[2, 5, 3, 2]],
    },
    Case {
        name: "conv, one axis, causal",
        call: |x| ops::conv(&x[0], &x[1], None, &options(&[], &[2], &[(4, 0)])).unwrap(),
        inputs: &[&[2, 5, 2], &[3, 2, 2]],
    },
    Case {
        name: "conv, two axes, strides, padding and bias",
        call: |x| {
            let options = options(&[2, 1], &[], &[(1, 2), (0, 1)]);
            ops::conv(&x[0], &x[1], Some(&x[2]), &options).unwrap()
        },
        inputs: &[&[2, 4, 3, 2], &[3, 2, 2, 3], &[3]],
    },
    Case {
        name: "conv, one tap",
        call: |x| ops::conv(&x[0], &x[1], None, &ConvOptions::default()).unwrap(),
        inputs: &[&[1, 2, 3, 3], &[1, 1, 3, 2]],
    },
    Case {
        name: "conv, strides and dilation without a common factor",
        call: |x| ops::conv(&x[0], &x[1], None, &options(&[3], &[2], &[(2, 1)])).unwrap(),
        inputs: &[&[1, 9, 1], &[4, 1, 2]],
    },
    Case {
        name: "conv, strides and dilation with a common factor",
        call: |x| ops::conv(&x[0], &x[1], None, &options(&[4], &[2], &[(1, 3)])).unwrap(),
        inputs: &[&[1, 9, 1], &[3, 1, 2]],
    },
    Case {
        name: "conv, strides beyond the kernel",
        call: |x| ops::conv(&x[0], &x[1], None, &options(&[3, 2], &[], &[])).unwrap(),
        inputs: &[&[1, 5, 4, 2], &[2, 1, 2, 1]],
    },
    Case {
        name: "conv, three axes",
        call: |x| ops::conv(&x[0], &x[1], None, &options(&[1, 2, 1], &[1, 1, 2], &[])).unwrap(),
        inputs: &[&[1, 2, 3, 4, 1], &[2, 2, 2, 1, 2]],
    },
    Case {
        name: "conv, no spatial axis",
        call: |x| ops::conv(&x[0], &x[1], None, &ConvOptions::default()).unwrap(),
        inputs: &[&[3, 2], &[2, 4]],
    },
    Case {
        name: "conv, groups",
        call: |x| ops::conv(&x[0], &x[1], Some(&x[2]), &grouped(2)).unwrap(),
        inputs: &[&[2, 3, 2, 4], &[2, 2, 2, 6], &[6]],
    },
    Case {
        name: "conv, each channel a group",
        call: |x| ops::conv(&x[0], &x[1], Some(&x[2]), &grouped(3)).unwrap(),
        inputs: &[&[2, 3, 2, 3], &[2, 2, 1, 3], &[3]],
    },
    Case {
        name: "conv, each channel a group of two filters",
        call: |x| ops::conv(&x[0], &x[1], None, &grouped(2)).unwrap(),
        inputs: &[&[1, 2, 3, 2], &[2, 2, 1, 4]],
    },
    Case {
        name: "conv_transpose",
        call: |x| {
            let options = options(&[2, 1], &[1, 2], &[(1, 0), (1, 1)]);
            ops::conv_transpose(&x[0], &x[1], &[4, 3], &options).unwrap()
        },
        inputs: &[&[2, 2, 3, 3], &[2, 2, 2, 3]],
    },
    Case {
        name: "conv_transpose, groups",
        call: |x| ops::conv_transpose(&x[0], &x[1], &[3, 2], &grouped(2)).unwrap(),
        inputs: &[&[2, 4, 2, 4], &[2, 2, 1, 4]],
    },
    Case {
        name: "conv_kernel_gradient",
        call: |x| {
            let options = options(&[2, 1], &[], &[(1, 0), (0, 1)]);
            ops::conv_kernel_gradient(&x[0], &x[1], &[2, 2], &options).unwrap()
        },
        inputs: &[&[2, 4, 3, 2], &[2, 2, 3, 3]],
    },
    Case {
        name: "conv_kernel_gradient, each channel a group",
        call: |x| ops::conv_kernel_gradient(&x[0], &x[1], &[2, 2], &grouped(3)).unwrap(),
        inputs: &[&[2, 3, 2, 3], &[2, 4, 2, 3]],
    },
];

#[test]
fn gradients_agree_with_differences_to_order_two() {
    for case in CASES {
        if let Err(error) = check_grad(case.call, &case.inputs(DType::F64)) {
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
        let turned: Vec<Tensor> = inputs.iter().map(turned).collect();
        assert_close(&(case.call)(&turned), &(case.call)(&inputs), 0.0, 0.0);
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
