//! Normalization beside its composition from small ops, and at its edges. What holds for every op
//! is asked of it in the table of all ops.

use cornu_autodiff::ops::{self, batch_norm, layer_norm};
use cornu_autodiff::testing::assert_close;
use cornu_autodiff::{DType, Generator, Tape, Tensor, set_threads};

fn draw(shape: &[usize], dtype: DType) -> Tensor {
    Generator::new(2).normal(shape, 3.0, 2.0, DType::F64).unwrap().cast(dtype)
}

/// `(x - mean) / sqrt(variance + 0.001) · gamma + beta` of small ops.
fn composed(x: &Tensor, gamma: &Tensor, beta: &Tensor, axes: &[isize]) -> Tensor {
    let scale = (x.var(axes, true) + 0.001).rsqrt();
    (x - x.mean(axes, true)) * scale * gamma + beta
}

type Normalize<'a> = &'a dyn Fn(&Tensor, &Tensor, &Tensor) -> Tensor;

/// Numbers between -1 and 1, the same for any dtype.
fn coefficients(y: &Tensor) -> Tensor {
    let dims: Vec<isize> = y.dims().iter().map(|&d| d as isize).collect();
    (Tensor::arange(y.size(), DType::F64) * 0.7).sin().cast(y.dtype()).reshape(dims)
}

/// Output and gradients of a sum with coefficients, and the gradients of their squares' sum.
fn derivatives(f: Normalize<'_>, inputs: &[Tensor; 3]) -> Vec<Tensor> {
    let [x, gamma, beta] = inputs;
    let outer = Tape::new();
    let inner = Tape::new();
    let y = f(x, gamma, beta);
    let sum = (&y * coefficients(&y)).sum(.., false);
    let first = inner.gradient(&sum, &[x, gamma, beta]).unwrap();
    let squares = first.iter().map(|g| g.square().sum(.., false));
    let squares = squares.reduce(|a, b| a + b).unwrap();
    let second = outer.gradient(&squares, &[x, gamma]).unwrap();
    [vec![y], first, second].concat()
}

/// The same without a tape around the first gradients: the kernels' own.
fn kernels(f: Normalize<'_>, inputs: &[Tensor; 3]) -> Vec<Tensor> {
    let [x, gamma, beta] = inputs;
    let tape = Tape::new();
    let y = f(x, gamma, beta);
    let gradients = tape.vjp_options(&y, &coefficients(&y), &[x, gamma, beta]).unwrap();
    std::iter::once(y).chain(gradients.into_iter().flatten()).collect()
}

fn compare(name: &str, f: Normalize<'_>, composed: Normalize<'_>, inputs: [Tensor; 3]) {
    let exact = derivatives(composed, &inputs);
    for (i, (y, exact)) in derivatives(f, &inputs).iter().zip(&exact).enumerate() {
        println!("{name}, derivative {i}");
        assert_close(y, exact, 1e-9, 1e-9);
    }
    for (y, exact) in kernels(f, &inputs).iter().zip(&exact) {
        assert_close(y, exact, 1e-9, 1e-9);
    }
    let short = inputs.map(|x| x.cast(DType::F32));
    for (y, exact) in kernels(f, &short).iter().zip(&exact) {
        let largest = exact.abs().max(.., false).item::<f64>().unwrap();
        assert_close(&y.cast(DType::F64), exact, 1e-5, 1e-5 * largest);
    }
}

#[test]
fn layer_norm_equals_its_composition_to_the_second_order() {
    for (shape, axes) in [(vec![3, 5], 1), (vec![300, 70], 1), (vec![2, 3, 40], 2), (vec![4], 1)] {
        let parts = &shape[shape.len() - axes..];
        let inputs = [&shape[..], parts, parts].map(|s| draw(s, DType::F64));
        let all: Vec<isize> = (1..=axes as isize).map(|a| -a).collect();
        compare(
            &format!("layer_norm {shape:?}"),
            &|x, gamma, beta| layer_norm(x, Some(gamma), Some(beta), axes, 0.001).unwrap(),
            &|x, gamma, beta| composed(x, gamma, beta, &all),
            inputs,
        );
    }
}

#[test]
fn batch_norm_equals_its_composition_to_the_second_order() {
    let cases = [(vec![5, 3], 1), (vec![700, 40], 1), (vec![3, 4, 4, 17], 3), (vec![4, 6, 5], 1)];
    for (shape, axis) in cases {
        let channels = [shape[axis]];
        let inputs = [&shape[..], &channels, &channels].map(|s| draw(s, DType::F64));
        let others: Vec<isize> =
            (0..shape.len()).filter(|&a| a != axis).map(|a| a as isize).collect();
        let mut wide = vec![1; shape.len()];
        wide[axis] = -1;
        compare(
            &format!("batch_norm {shape:?}"),
            &|x, gamma, beta| {
                batch_norm(x, Some(gamma), Some(beta), axis as isize, 0.001).unwrap().0
            },
            &|x, gamma, beta| composed(x, &gamma.reshape(&wide), &beta.reshape(&wide), &others),
            inputs,
        );
    }
}

#[test]
fn moments_are_those_of_the_channels_and_constants_to_a_tape() {
    for (shape, axis) in [(vec![1000, 33], 1), (vec![3, 5, 700], 1), (vec![70_000, 1], -1)] {
        let x = draw(&shape, DType::F64);
        let channel = if axis < 0 { 1 } else { axis };
        let others: Vec<isize> = (0..shape.len() as isize).filter(|&a| a != channel).collect();
        let tape = Tape::new();
        let (y, mean, variance) = batch_norm(&x, None, None, axis, 0.001).unwrap();
        assert_close(&mean, &x.mean(others.clone(), false), 1e-12, 0.0);
        assert_close(&variance, &x.var(others, false), 1e-12, 0.0);
        let sum = y.sum(.., false) * mean.sum(.., false) + variance.sum(.., false);
        // Only the way through the output counts, and its sum is always zero.
        let g = tape.gradient(&sum, &[&x]).unwrap().remove(0);
        assert_close(&g, &g.zeros_like(), 0.0, 1e-9);
    }
}

#[test]
fn a_mean_far_from_zero_costs_no_digits() {
    let short = draw(&[500, 8], DType::F32) + 10_000.0;
    let x = short.cast(DType::F64);
    let (exact, _, exact_variance) = batch_norm(&x, None, None, -1, 0.001).unwrap();
    let (y, _, variance) = batch_norm(&short, None, None, -1, 0.001).unwrap();
    assert_close(&variance.cast(DType::F64), &exact_variance, 1e-4, 0.0);
    assert_close(&y.cast(DType::F64), &exact, 1e-4, 1e-3);
    let exact = layer_norm(&x, None, None, 1, 0.001).unwrap();
    let y = layer_norm(&short, None, None, 1, 0.001).unwrap();
    assert_close(&y.cast(DType::F64), &exact, 1e-4, 1e-3);
}

#[test]
fn bits_do_not_depend_on_threads() {
    let x = draw(&[64, 30, 41], DType::F32);
    let gamma = draw(&[41], DType::F32);
    let run = |threads: usize| -> Vec<u32> {
        set_threads(threads);
        let tape = Tape::new();
        let y = layer_norm(&x, Some(&gamma), Some(&gamma), 1, 0.001).unwrap();
        let (z, mean, variance) = batch_norm(&y, Some(&gamma), None, -1, 0.001).unwrap();
        let g = tape.vjp_options(&z, &x, &[&x, &gamma]).unwrap();
        let all = g.into_iter().flatten().chain([y, z, mean, variance]);
        all.flat_map(|x| x.to_vec::<f32>().unwrap()).map(f32::to_bits).collect()
    };
    let one = run(1);
    assert!(one == run(2) && one == run(8));
}

#[test]
fn an_empty_batch_gives_an_empty_result_and_no_moments() {
    let x = Tensor::zeros([0, 3], DType::F32);
    assert_eq!(layer_norm(&x, None, None, 1, 0.001).unwrap().dims(), [0, 3]);
    let (y, mean, variance) = batch_norm(&x, None, None, -1, 0.001).unwrap();
    assert_eq!(y.dims(), [0, 3]);
    for moment in [mean, variance] {
        assert!(moment.to_vec::<f32>().unwrap().iter().all(|v| v.is_nan()));
    }
}

#[test]
fn what_does_not_fit_is_an_error_that_says_why() {
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32);
    let (x, three, four) = (zeros(&[2, 3, 4]), zeros(&[3]), zeros(&[4]));
    let cases = [
        (
            layer_norm(&x, Some(&three), None, 1, 0.001).unwrap_err(),
            "layer_norm: gamma and beta must have shape (4,); got (2, 3, 4) and (3,)",
        ),
        (
            layer_norm(&x, None, None, 4, 0.001).unwrap_err(),
            "layer_norm: the input must have the 4 axes to normalize; got (2, 3, 4)",
        ),
        (
            batch_norm(&x, Some(&four), Some(&three), -1, 0.001).unwrap_err(),
            "batch_norm: gamma and beta must have shape (4,); got (2, 3, 4), (2, 4), (4,) and (3,)",
        ),
        (
            batch_norm(&x, None, None, 3, 0.001).unwrap_err(),
            "batch_moments: axis must be in -3..3 for rank 3; got 3",
        ),
        (
            layer_norm(&x.cast(DType::I32), None, None, 1, 0.001).unwrap_err(),
            "layer_norm: inputs must all be float32 or all be float64; got int32; convert with \
             `cast`",
        ),
    ];
    for (got, wanted) in cases {
        assert_eq!(got.to_string(), wanted);
    }
    let moments = zeros(&[2, 3]);
    let op = ops::BatchNorm { axis: -1, epsilon: 0.001, scale: false, center: false };
    assert_eq!(
        cornu_autodiff::apply(op, &[&x, &moments]).unwrap_err().to_string(),
        "batch_norm: moments must have shape (2, 4); got (2, 3, 4) and (2, 3)"
    );
}
