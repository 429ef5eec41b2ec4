//! Normalization against its composition, on sizes that take several pieces and threads.

use cornu_autodiff::ops::{batch_moments, batch_norm, layer_norm, rms_norm};
use cornu_autodiff::testing::assert_close;
use cornu_autodiff::{DType, Generator, Result, Tape, Tensor, set_threads};

type Function = fn(&[Tensor]) -> Tensor;

fn inputs(shape: &[usize], dtype: DType) -> Vec<Tensor> {
    let channels = [shape[shape.len() - 1]];
    let draw = |seed, shape: &[usize]| {
        Generator::new(seed).normal(shape, 1.0, 2.0, DType::F64).unwrap().cast(dtype)
    };
    vec![draw(1, shape), draw(2, &channels), draw(3, &channels)]
}

fn composed(x: &[Tensor], axes: &[isize]) -> Tensor {
    let centred = &x[0] - x[0].mean(axes, true);
    let scale = (centred.square().mean(axes, true) + 1e-3).rsqrt();
    centred * scale * &x[1] + &x[2]
}

/// Name, shape, fused, composed.
const PAIRS: &[(&str, &[usize], Function, Function)] = &[
    (
        "layer_norm",
        &[700, 300],
        |x| layer_norm(&x[0], Some(&x[1]), Some(&x[2]), 1, 1e-3).unwrap(),
        |x| composed(x, &[-1]),
    ),
    (
        "batch_norm",
        &[70, 60, 50],
        |x| batch_norm(&x[0], Some(&x[1]), Some(&x[2]), 1e-3).unwrap().0,
        |x| composed(x, &[0, 1]),
    ),
    (
        "rms_norm",
        &[70, 60],
        |x| rms_norm(&x[0], Some(&x[1]), 1, 1e-3).unwrap() + &x[2],
        |x| &x[0] * (x[0].square().mean(-1, true) + 1e-3).rsqrt() * &x[1] + &x[2],
    ),
];

fn gradients(f: Function, x: &[Tensor]) -> Vec<Tensor> {
    let tape = Tape::new();
    let y = f(x);
    let sum = y.sin().sum(.., false);
    let mut all = tape.gradient(&sum, &[&x[0], &x[1], &x[2]]).unwrap();
    all.push(y);
    all
}

#[test]
fn fused_and_composed_agree() {
    for (name, shape, fused, composed) in PAIRS {
        println!("{name}");
        let x = inputs(shape, DType::F64);
        for (a, b) in gradients(*fused, &x).iter().zip(gradients(*composed, &x)) {
            assert_close(a, &b, 1e-8, 1e-8);
        }
    }
}

#[test]
fn normalization_is_the_same_bits_on_any_number_of_threads() {
    for (name, shape, fused, _) in PAIRS {
        let x = inputs(shape, DType::F32);
        let [one, two, five] = [1, 2, 5].map(|threads| {
            set_threads(threads);
            let found = gradients(*fused, &x);
            found.iter().map(|v| v.to_vec::<f32>().unwrap()).collect::<Vec<_>>()
        });
        assert!(one == two && one == five, "{name}");
    }
    set_threads(2);
}

#[test]
fn moments_stay_exact_far_from_zero_and_carry_no_gradient() {
    let x = Tensor::from([[10_000.0f32, 1.0], [10_001.0, 1.0], [10_002.0, 1.0]]);
    let tape = Tape::new();
    let (mean, variance) = batch_moments(&x).unwrap();
    assert!(tape.is_empty());
    assert_eq!(mean.to_vec::<f32>().unwrap(), [10_001.0, 1.0]);
    assert_close(&variance, &Tensor::from([2.0f32 / 3.0, 0.0]), 1e-5, 0.0);
    let symbolic = Tensor::symbolic(*x.spec());
    let (y, mean, _) = batch_norm(&symbolic, None, None, 1e-3).unwrap();
    assert!(y.spec() == x.spec() && mean.is_symbolic() && mean.dims() == [2]);
}

#[test]
fn what_doesn_t_fit_is_named() {
    let f = |shape: &[usize]| Tensor::zeros(shape, DType::F32);
    let text = |result: Result<Tensor>| result.unwrap_err().to_string();
    assert_eq!(
        text(layer_norm(&f(&[2, 3]), Some(&f(&[2])), None, 1, 1e-3)),
        "layer_norm: gamma and beta must have the shape of the normalised axes; got (2, 3) and \
         (2,)"
    );
    assert_eq!(
        text(layer_norm(&f(&[2, 3]), None, None, 3, 1e-3)),
        "layer_norm: at least one axis, and no more than there are, can be normalised; got 3"
    );
    assert_eq!(
        text(batch_norm(&f(&[2, 3]), Some(&f(&[2])), None, 1e-3).map(|y| y.0)),
        "batch_norm: shapes must be (batch, …, channels) and, for the rest, (channels); got \
         (2, 3), (3,), (3,), (2,) and (3,)"
    );
}
