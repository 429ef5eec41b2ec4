//! Activation functions at their kinks and far away, where JAX and so Keras have a say.

use cornu_autodiff::ops::{ConvOptions, Fused, conv, conv_activated, linear};
use cornu_autodiff::testing::assert_close;
use cornu_autodiff::{DType, Tape, Tensor};

type Function = fn(&Tensor) -> Tensor;
type Kink = (&'static str, Function, &'static [f32], &'static [f32], &'static [f32]);

/// Name, function, points, values there, slopes there.
const KINKS: &[Kink] = &[
    ("leaky_relu", |x| x.leaky_relu(0.2), &[0.0, -1.0], &[0.0, -0.2], &[1.0, 0.2]),
    ("elu", |x| x.elu(2.0), &[0.0, 3.0, -100.0], &[0.0, 3.0, -2.0], &[2.0, 1.0, 0.0]),
    ("celu", |x| x.celu(2.0), &[0.0, 3.0, -200.0], &[0.0, 3.0, -2.0], &[1.0, 1.0, 0.0]),
    ("hard_tanh", Tensor::hard_tanh, &[-1.0, 1.0, 1.5], &[-1.0, 1.0, 1.0], &[1.0, 1.0, 0.0]),
    ("hard_sigmoid", Tensor::hard_sigmoid, &[-4.0, 4.0], &[0.0, 1.0], &[0.0, 0.0]),
    ("hard_silu", Tensor::hard_silu, &[-4.0, 4.0], &[0.0, 4.0], &[0.0, 1.0]),
    ("hard_shrink", |x| x.hard_shrink(0.5), &[0.5, 0.6], &[0.0, 0.6], &[0.0, 1.0]),
    ("soft_shrink", |x| x.soft_shrink(0.5), &[0.5, 1.5, -1.5], &[0.0, 1.0, -1.0], &[0.0, 1.0, 1.0]),
    ("threshold", |x| x.threshold(0.5, -2.0), &[0.5, 0.6], &[-2.0, 0.6], &[0.0, 1.0]),
    ("log_sigmoid", Tensor::log_sigmoid, &[-200.0, 200.0], &[-200.0, 0.0], &[1.0, 0.0]),
    ("sparse_plus", Tensor::sparse_plus, &[-2.0, 2.0, 0.0], &[0.0, 2.0, 0.25], &[0.0, 1.0, 0.5]),
    ("mish", Tensor::mish, &[-200.0, 200.0], &[0.0, 200.0], &[0.0, 1.0]),
    (
        "relu with a slope, a bound and a threshold",
        |x| x.relu_with(0.5, Some(2.0), 1.0).unwrap(),
        &[0.0, 1.5, 3.0],
        &[-0.5, 1.5, 2.0],
        &[0.5, 1.0, 0.0],
    ),
    (
        "relu with a bound",
        |x| x.relu_with(0.0, Some(2.0), 0.0).unwrap(),
        &[-1.0, 0.0, 1.0, 3.0],
        &[0.0, 0.0, 1.0, 2.0],
        &[0.0, 0.0, 1.0, 0.0],
    ),
];

#[test]
fn kinks_and_far_values_are_those_of_keras() {
    for (name, function, points, values, slopes) in KINKS {
        let x = Tensor::from(*points);
        let tape = Tape::new();
        let y = function(&x);
        let sum = y.sum(.., false);
        let g = tape.gradient(&sum, &[&x]).unwrap().remove(0);
        println!("{name}");
        assert_close(&y, &Tensor::from(*values), 1e-6, 1e-7);
        assert_close(&g, &Tensor::from(*slopes), 1e-6, 1e-7);
    }
}

#[test]
fn nan_stays_nan() {
    for (name, function, ..) in KINKS {
        let y = function(&Tensor::from([f32::NAN])).item::<f32>().unwrap();
        assert!(y.is_nan(), "{name}: {y}");
    }
}

#[test]
fn sparsemax_gives_the_nearest_point_of_the_simplex() {
    let x = Tensor::from([[0.1f32, 1.1, 0.2], [5.0, 0.0, 0.0], [1.0, 1.0, 1.0]]);
    let third = 1.0 / 3.0;
    let exact = Tensor::from([[0.0f32, 0.95, 0.05], [1.0, 0.0, 0.0], [third, third, third]]);
    assert_close(&x.sparsemax(-1), &exact, 1e-6, 1e-7);
    assert!(Tensor::from([[f32::NAN, 0.0]]).sparsemax(-1).to_vec::<f32>().unwrap()[1].is_nan());
}

#[test]
fn options_of_relu_outside_their_range_are_refused() {
    let error = Tensor::scalar(1.0f32).relu_with(-0.5, None, 0.0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "relu: `negative_slope` and `max_value` must not be negative, nor `threshold` NaN; \
         got -0.5, None and 0"
    );
}

/// Checks `fused(x, activation)` against `composed(x)` and the activation, with all gradients.
fn equals_its_composition(
    x: [Tensor; 3],
    fused: impl Fn(&[Tensor; 3], Fused) -> Tensor,
    composed: impl Fn(&[Tensor; 3]) -> Tensor,
) {
    let activations: [(Fused, Function); 7] = [
        (Fused::Linear, Tensor::clone),
        (Fused::Relu, Tensor::relu),
        (Fused::Sigmoid, Tensor::sigmoid),
        (Fused::Tanh, Tensor::tanh),
        (Fused::Elu, |x| x.elu(1.0)),
        (Fused::Selu, Tensor::selu),
        (Fused::Softplus, Tensor::softplus),
    ];
    for (activation, function) in activations {
        let gradients = |f: &dyn Fn() -> Tensor| {
            let tape = Tape::new();
            let y = f();
            let sum = (&y * &y).sum(.., false);
            (y, tape.gradient(&sum, &[&x[0], &x[1], &x[2]]).unwrap())
        };
        let (y, g) = gradients(&|| fused(&x, activation));
        let (exact, exact_g) = gradients(&|| function(&composed(&x)));
        assert_close(&y, &exact, 1e-10, 1e-10);
        g.iter().zip(&exact_g).for_each(|(a, b)| assert_close(a, b, 1e-9, 1e-9));
    }
}

fn waves(shape: &[usize], step: f64) -> Tensor {
    let dims: Vec<isize> = shape.iter().map(|&n| n as isize).collect();
    (Tensor::arange(shape.iter().product(), DType::F64) * step).sin().reshape(dims)
}

#[test]
fn linear_equals_its_composition() {
    equals_its_composition(
        [waves(&[2, 35, 30], 0.37), waves(&[30, 70], 0.73), waves(&[70], 0.11)],
        |[x, kernel, bias], activation| linear(x, kernel, Some(bias), activation).unwrap(),
        |[x, kernel, bias]| x.matmul(kernel) + bias,
    );
}

/// The first has so many rows that the bias's gradient is added up in parts; the second is
/// depthwise.
#[test]
fn convolutions_equal_their_composition() {
    let padding = vec![(1, 0), (0, 2)];
    for (groups, filters, kernel) in [(1, 9, [3, 2, 3, 9]), (3, 3, [3, 2, 1, 3])] {
        let options = ConvOptions { padding: padding.clone(), groups, ..Default::default() };
        equals_its_composition(
            [waves(&[9, 30, 31, 3], 0.37), waves(&kernel, 0.73), waves(&[filters], 0.11)],
            |[x, kernel, bias], activation| {
                conv_activated(x, kernel, Some(bias), &options, activation).unwrap()
            },
            |[x, kernel, bias]| conv(x, kernel, None, &options).unwrap() + bias,
        );
    }
}

#[test]
fn linear_names_what_doesn_t_fit() {
    let f = |shape: &[usize]| Tensor::zeros(shape, DType::F32);
    let error = linear(&f(&[2, 3]), &f(&[4, 5]), Some(&f(&[5])), Fused::Linear).unwrap_err();
    assert_eq!(
        error.to_string(),
        "linear: shapes must be (…, inputs) for x, (inputs, units) for the kernel, (units) for \
         the bias; got (2, 3), (4, 5) and (5,)"
    );
    assert_eq!(linear(&f(&[0, 3]), &f(&[3, 5]), None, Fused::Tanh).unwrap().dims(), [0, 5]);
    assert_eq!(linear(&f(&[2, 0]), &f(&[0, 5]), None, Fused::Tanh).unwrap().dims(), [2, 5]);
}

#[test]
fn glu_gates_one_half_with_the_other() {
    let x = Tensor::from([[1.0f32, 2.0, 0.0, 1e9]]);
    assert_eq!(x.glu(-1).unwrap().to_vec::<f32>().unwrap(), [0.5, 2.0]);
    let error = x.glu(0).unwrap_err().to_string();
    assert_eq!(error, "glu: axis 0 must have an even number of elements; got (1, 4)");
}
