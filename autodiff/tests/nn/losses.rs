//! Softmax and cross-entropies at their edges.

use cornu_autodiff::testing::assert_close;
use cornu_autodiff::{DType, Generator, Tape, Tensor, ops};

#[test]
fn softmax_neither_overflows_nor_hides_what_has_no_answer() {
    let inf = f32::INFINITY;
    let x = Tensor::from([[1e30f32, -1e30, 0.0], [-inf, 0.0, 0.0], [-inf, -inf, -inf]]);
    let y = x.softmax(-1).to_vec::<f32>().unwrap();
    assert_eq!(y[..6], [1.0, 0.0, 0.0, 0.0, 0.5, 0.5]);
    assert!(y[6..].iter().all(|v| v.is_nan()));
    let y = x.log_softmax(-1).to_vec::<f32>().unwrap();
    assert_eq!(y[..4], [0.0, -2e30, -1e30, -inf]);
    assert!(y[6..].iter().all(|v| v.is_nan()));
}

#[test]
fn cross_entropies_equal_their_compositions() {
    let logits = Tensor::from([[0.3f64, -1.2, 2.0], [0.1, 0.2, -0.3]]);
    let targets = Tensor::from([[0.0f64, 0.0, 1.0], [1.0, 0.0, 0.0]]);
    let dense = ops::softmax_cross_entropy(&logits, &targets).unwrap();
    let composed = -(logits.log_softmax(-1) * &targets).sum(-1, false);
    assert_close(&dense, &composed, 1e-12, 0.0);
    let labels = Tensor::from([2u8, 0]);
    let sparse = ops::sparse_softmax_cross_entropy(&logits, &labels).unwrap();
    assert_close(&sparse, &composed, 1e-12, 0.0);
    let from_logits = ops::sigmoid_cross_entropy(&logits, &targets).unwrap();
    let from_probabilities = ops::binary_cross_entropy(&logits.sigmoid(), &targets).unwrap();
    assert_close(&from_logits, &from_probabilities, 1e-9, 0.0);
}

#[test]
fn a_class_that_cannot_occur_and_has_no_target_costs_nothing() {
    let logits = Tensor::from([[f32::NEG_INFINITY, 0.0, 0.0]]);
    let targets = Tensor::from([[0.0f32, 1.0, 0.0]]);
    let loss = ops::softmax_cross_entropy(&logits, &targets).unwrap();
    assert_close(&loss, &Tensor::from([2f32.ln()]), 1e-6, 0.0);
}

/// The loss is infinite or rounded then, so that the gradient can't take the sum of exponentials
/// from it.
#[test]
fn a_label_that_cannot_occur_has_a_gradient_all_the_same() {
    let never = f32::NEG_INFINITY;
    let logits =
        Tensor::from([[never, 0.0, 0.0], [3.0, 3.0, never], [-1e9, 7.0, 7.0], [1e9, 1e9, 0.0]]);
    let tape = Tape::new();
    let loss = ops::sparse_softmax_cross_entropy(&logits, &Tensor::from([0i32, 1, 0, 0])).unwrap();
    let sum = loss.sum(.., false);
    let slope = tape.gradient(&sum, &[&logits]).unwrap().remove(0);
    assert_eq!(loss.to_vec::<f32>().unwrap()[0], f32::INFINITY);
    let (first, second) = ([-1.0f32, 0.5, 0.5], [0.5, -0.5, 0.0]);
    let expected = Tensor::from([first, second, first, [-0.5, 0.5, 0.0]]);
    assert_close(&slope, &expected, 1e-6, 0.0);
}

/// Whatever the loss is, which the gradient may start from, and with rows that fill vectors or not.
#[test]
fn cross_entropies_of_class_numbers_are_exact_for_logits_of_any_size() {
    for (size, shift) in
        [(0.01, 0.0), (1.0, -1e6), (10.0, 0.0), (30.0, 1e3), (1e4, 0.0), (1e37, 0.0)]
    {
        for classes in [1, 2, 17, 33, 100] {
            let generator = Generator::new(3);
            let x = generator.normal([40, classes], 0.0, size, DType::F32).unwrap() + shift;
            let labels = generator.integers([40], 0, classes as i64, DType::I64).unwrap();
            let run = |x: &Tensor, f: &dyn Fn(&Tensor) -> Tensor| {
                let tape = Tape::new();
                let loss = f(x);
                let slope = tape.gradient(&loss.sum(.., false), &[x]).unwrap().remove(0);
                (loss.cast(DType::F64), slope.cast(DType::F64))
            };
            let (loss, slope) =
                run(&x, &|x| ops::sparse_softmax_cross_entropy(x, &labels).unwrap());
            let hot = labels.expand_dims(-1).equal(&Tensor::arange(classes, DType::I64));
            let (exact, exact_slope) = run(&x.cast(DType::F64), &|x| {
                let logs = x.log_softmax(-1);
                -ops::select(&hot, &logs, &logs.zeros_like()).sum(-1, false)
            });
            assert_close(&loss, &exact, 1e-6, 1e-6);
            assert_close(&slope, &exact_slope, 0.0, 3e-6);
        }
    }
}

#[test]
fn large_logits_stay_exact() {
    let logits = Tensor::from([100.0f32, -100.0, 100.0]);
    let targets = Tensor::from([1.0f32, 0.0, 0.0]);
    let loss = ops::sigmoid_cross_entropy(&logits, &targets).unwrap();
    assert_eq!(loss.to_vec::<f32>().unwrap()[2], 100.0);
    assert!(loss.to_vec::<f32>().unwrap()[..2].iter().all(|&v| (0.0..1e-30).contains(&v)));
}

/// Keras clips probabilities to `[1e-7, 1 - 1e-7]`; `jnp.clip` has no slope outside.
#[test]
fn certain_probabilities_cost_a_finite_amount_and_have_no_slope() {
    let p = Tensor::from([0.0f32, 1.0, 0.5]);
    let targets = Tensor::from([1.0f32, 0.0, 1.0]);
    for recorded in [false, true] {
        let _outer = recorded.then(Tape::new);
        let tape = Tape::new();
        let loss = ops::binary_cross_entropy(&p, &targets).unwrap();
        let sum = loss.sum(.., false);
        let slope = tape.gradient(&sum, &[&p]).unwrap().remove(0);
        assert_close(&loss, &Tensor::from([16.118_095f32, 15.942_385, 2f32.ln()]), 1e-6, 0.0);
        assert_eq!(slope.to_vec::<f32>().unwrap(), [0.0, 0.0, -2.0]);
    }
}

#[test]
fn a_probability_that_is_no_number_has_no_slope_of_zero() {
    let (p, targets) = (Tensor::from([f32::NAN, 0.5]), Tensor::from([1.0f32, 1.0]));
    for recorded in [false, true] {
        let _outer = recorded.then(Tape::new);
        let tape = Tape::new();
        let loss = ops::binary_cross_entropy(&p, &targets).unwrap().sum(.., false);
        let slope = tape.gradient(&loss, &[&p]).unwrap().remove(0).to_vec::<f32>().unwrap();
        assert!(slope[0].is_nan() && slope[1] == -2.0, "{slope:?}");
    }
}

#[test]
fn labels_that_are_no_class_are_named() {
    let logits = Tensor::from([[0.0f32; 3]; 2]);
    for label in [3i32, -1] {
        let error = ops::sparse_softmax_cross_entropy(&logits, &Tensor::from([0, label]));
        assert_eq!(
            error.unwrap_err().to_string(),
            format!(
                "sparse_softmax_cross_entropy: labels must be in 0..3, the number of classes; \
                 got label {label}"
            )
        );
    }
    let error = ops::sparse_softmax_cross_entropy(&logits, &Tensor::from([0i32; 3]));
    assert_eq!(
        error.unwrap_err().to_string(),
        "sparse_softmax_cross_entropy: shapes must be (…, classes) for logits and (…) for \
         labels; got (2, 3) and (3,)"
    );
}
