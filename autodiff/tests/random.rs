//! Random tensors: their laws, and that they repeat.

use cornu_autodiff::{DType, Generator, Result, Tensor, set_threads};

fn moments(x: &Tensor) -> (f64, f64) {
    let values = x.to_f64_vec().unwrap();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
}

type Draw = fn(&Generator, DType) -> Result<Tensor>;

/// Name, draw, mean, standard deviation, bounds.
const LAWS: &[(&str, Draw, f64, f64, [f64; 2])] = &[
    ("uniform", |g, t| g.uniform([200, 500], -1.0, 3.0, t), 1.0, 4.0 / 3.464_101_6, [-1.0, 3.0]),
    ("normal", |g, t| g.normal([200, 500], 2.0, 0.5, t), 2.0, 0.5, [-1.0, 5.0]),
    (
        "truncated_normal",
        |g, t| g.truncated_normal([200, 500], 1.0, 2.0, t),
        1.0,
        2.0 * 0.879_625_7,
        [-3.0, 5.0],
    ),
    ("bernoulli", |g, t| g.bernoulli([200, 500], 0.3, t), 0.3, 0.458_257_6, [0.0, 1.0]),
    ("dropout_mask", |g, t| g.dropout_mask([200, 500], 0.2, t), 1.0, 0.5, [0.0, 1.25]),
    ("integers", |g, t| g.integers([200, 500], -2, 4, t), 0.5, 1.707_825_1, [-2.0, 3.0]),
];

#[test]
fn draws_have_the_moments_and_bounds_of_their_laws() {
    for (name, draw, mean, deviation, bounds) in LAWS {
        for dtype in [DType::F32, DType::F64] {
            let x = draw(&Generator::new(7), dtype).unwrap();
            let (m, d) = moments(&x);
            // Five standard errors of 100,000 draws.
            let tolerance = 5.0 * deviation / 316.0;
            assert!((m - mean).abs() <= tolerance, "{name} {dtype}: mean {m}");
            assert!((d - deviation).abs() <= tolerance, "{name} {dtype}: deviation {d}");
            let inside = |v: &f64| *v >= bounds[0] && *v <= bounds[1] + 1e-6;
            assert!(x.to_f64_vec().unwrap().iter().all(inside), "{name} {dtype}");
        }
    }
}

#[test]
fn a_draw_depends_on_seed_and_number_only() {
    for (name, draw, ..) in LAWS {
        let one = Generator::new(1);
        let many = Generator::new(1);
        draw(&one, DType::F32).unwrap();
        many.normal([3], 0.0, 1.0, DType::F64).unwrap(); // takes another amount of the stream
        let (a, b) = (draw(&one, DType::F32).unwrap(), draw(&many, DType::F32).unwrap());
        assert_eq!(a.to_f64_vec(), b.to_f64_vec(), "{name}");
        let c = draw(&one, DType::F32).unwrap();
        assert_ne!(a.to_f64_vec(), c.to_f64_vec(), "{name}: the next draw differs");
        let d = draw(&Generator::new(2), DType::F32).unwrap();
        assert_ne!(d.to_f64_vec(), a.to_f64_vec(), "{name}: another seed differs");
    }
}

#[test]
fn draws_are_the_same_bits_on_any_number_of_threads() {
    for (name, draw, ..) in LAWS {
        let values = [1, 2, 5].map(|n| {
            set_threads(n);
            draw(&Generator::new(3), DType::F32).unwrap().to_f64_vec().unwrap()
        });
        assert!(values[0] == values[1] && values[1] == values[2], "{name}");
    }
    set_threads(2);
}

#[test]
fn a_restored_generator_goes_on_as_if_nothing_had_happened() {
    let generator = Generator::new(5);
    generator.permutation(10);
    let state = generator.state();
    let expected = generator.normal([100], 0.0, 1.0, DType::F32).unwrap().to_f64_vec();
    let elsewhere = Generator::from_state(state);
    generator.restore(state);
    for g in [generator, elsewhere] {
        assert_eq!(g.normal([100], 0.0, 1.0, DType::F32).unwrap().to_f64_vec(), expected);
    }
}

#[test]
fn split_generators_are_unlike_and_repeat() {
    let generator = Generator::new(5);
    let draw = |g: &Generator| g.uniform([8], 0.0, 1.0, DType::F64).unwrap().to_f64_vec().unwrap();
    let split = [
        draw(&generator.split("dropout")),
        draw(&generator.split("dropout_1")),
        draw(&generator.split_index(0)),
        draw(&generator.split_index(1)),
        draw(&Generator::new(6).split_index(0)),
        draw(&Generator::new(5)),
    ];
    for (i, a) in split.iter().enumerate() {
        assert!(split[..i].iter().all(|b| a != b), "{i}");
    }
    assert_eq!(draw(&generator.split("dropout")), split[0]);
    assert_eq!(generator.state().counter, 0, "splitting takes no draw");
}

#[test]
fn a_permutation_holds_every_number_once_and_favours_none() {
    let generator = Generator::new(11);
    let mut first = [0; 5];
    for _ in 0..5000 {
        let order = generator.permutation(5);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3, 4]);
        first[order[0]] += 1;
    }
    assert!(first.iter().all(|&n| (n as f64 - 1000.0).abs() < 5.0 * 28.3), "{first:?}");
    assert_eq!(generator.permutation(0), []);
}

#[test]
fn the_ends_of_ranges_are_exact() {
    let g = Generator::new(0);
    let all = |x: Tensor, v: f64| assert!(x.to_f64_vec().unwrap().iter().all(|&x| x == v));
    all(g.bernoulli([1000], 0.0, DType::Bool).unwrap(), 0.0);
    all(g.bernoulli([1000], 1.0, DType::U8).unwrap(), 1.0);
    all(g.dropout_mask([1000], 1.0, DType::F32).unwrap(), 0.0);
    all(g.dropout_mask([1000], 0.0, DType::F32).unwrap(), 1.0);
    all(g.uniform([1000], 2.0, 2.0, DType::F32).unwrap(), 2.0);
    all(g.normal([1000], 2.0, 0.0, DType::F32).unwrap(), 2.0);
    assert_eq!(g.normal([0, 3], 0.0, 1.0, DType::F32).unwrap().dims(), [0, 3]);
}

#[test]
fn a_symbolic_tensor_gets_symbolic_randomness_and_takes_no_draw() {
    let g = Generator::new(0);
    let x = Tensor::symbolic(*Tensor::zeros([2, 3], DType::F32).spec());
    let y = g.dropout_mask_like(&x, 0.5).unwrap();
    assert!(y.is_symbolic() && y.spec() == x.spec() && g.state().counter == 0);
    assert!(g.dropout_mask_like(&x, 1.5).is_err());
    assert_eq!(g.normal_like(&x.cast(DType::F64), 0.0, 1.0).unwrap().dtype(), DType::F64);
}

#[test]
fn wrong_arguments_are_named() {
    let g = Generator::new(0);
    let rows: [(Result<Tensor>, &str); 6] = [
        (
            g.uniform([2], 1.0, 0.0, DType::F32),
            "uniform: bounds must be finite, the lower not above the upper; got 1 and 0",
        ),
        (
            g.normal([2], 0.0, -1.0, DType::F32),
            "normal: mean and standard deviation must be finite, the latter not negative; got 0 and -1",
        ),
        (
            g.normal([2], 0.0, 1.0, DType::I32),
            "normal: the dtype must be float32 or float64; got int32; convert with `cast`",
        ),
        (
            g.dropout_mask([2], f64::NAN, DType::F32),
            "dropout_mask: a probability must be in [0, 1]; got NaN",
        ),
        (
            g.integers([2], 3, 3, DType::I32),
            "integers: `low..high` must hold a number, and int32 must hold them all; got 3..3",
        ),
        (
            g.integers([2], 0, 300, DType::U8),
            "integers: `low..high` must hold a number, and uint8 must hold them all; got 0..300",
        ),
    ];
    for (result, text) in rows {
        assert_eq!(result.unwrap_err().to_string(), text);
    }
}
