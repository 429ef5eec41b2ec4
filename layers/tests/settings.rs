//! Activations, initializers, regularizers and constraints, against real Keras.

mod support;

use cornu_autodiff::{DType, Generator, Shape, Tape, Tensor};
use cornu_layers::{Activation, Constraint, Initializer, Regularizer, Setting};
use serde_json::{Value, json};
use support::{assert_agree, assert_same_json, cases, name, tensor};

/// The object in which Keras writes a case's class and config.
fn written(case: &Value, module: &str) -> Value {
    json!({
        "module": module,
        "class_name": case["class_name"],
        "config": case["config"],
        "registered_name": null,
    })
}

/// `Σ coefficients · y`, so that its gradient tells every element apart.
fn weighted(y: &Tensor, coefficients: &Value) -> Tensor {
    (y * tensor(coefficients)).sum(.., false)
}

#[test]
fn activations_compute_what_keras_computes() {
    let sparsemax = |case: &Value| case["activation"] == "sparsemax";
    for case in cases("activations").into_iter().filter(|case| !sparsemax(case)) {
        let arguments = case["arguments"].as_object().unwrap();
        let written = if arguments.is_empty() {
            case["activation"].clone()
        } else {
            json!({ "class_name": case["activation"], "config": arguments })
        };
        let activation = Activation::from_json(&written).unwrap();
        let x = tensor(&case["input"]);
        let tape = Tape::new();
        let y = activation.apply(&x).unwrap();
        let gradient = tape.gradient(&weighted(&y, &case["coefficients"]), &[&x]).unwrap();
        assert_agree(name(&case), &y, &tensor(&case["output"]), 1e-5);
        let what = format!("{}: gradient", name(&case));
        assert_agree(&what, &gradient[0], &tensor(&case["gradient"]), 1e-4);
        let again = Activation::from_json(&activation.to_json()).unwrap();
        assert_eq!(again, activation, "{}: written and read", name(&case));
        if arguments.is_empty() {
            assert_eq!(activation.to_json(), case["activation"], "{}", name(&case));
        }
    }
}

/// Keras 3.15.1 adds up all partial sums where the paper takes the last, so that its rows don't
/// sum to one once several elements are positive.
#[test]
fn sparsemax_is_the_nearest_point_of_the_simplex_unlike_keras() {
    let x = Tensor::from([[0.3, 0.2, -1.0], [2.0, 0.5, 0.0]]);
    let expected = Tensor::from([[0.55, 0.45, 0.0], [1.0, 0.0, 0.0]]);
    assert_agree("rows", &Activation::Sparsemax.apply(&x).unwrap(), &expected, 1e-12);
    let columns = Activation::SparsemaxOver { axis: 0 }.apply(&x.t()).unwrap();
    assert_agree("columns", &columns, &expected.t(), 1e-12);
}

#[test]
fn regularizers_compute_what_keras_computes() {
    for case in cases("regularizers") {
        let json = written(&case, "keras.regularizers");
        let regularizer = Regularizer::from_json(&json).unwrap();
        let x = tensor(&case["input"]);
        let tape = Tape::new();
        let penalty = regularizer.penalty(&x).unwrap();
        let gradient = tape.gradient(&penalty, &[&x]).unwrap();
        assert_agree(name(&case), &penalty, &tensor(&case["value"]), 1e-5);
        let what = format!("{}: gradient", name(&case));
        assert_agree(&what, &gradient[0], &tensor(&case["gradient"]), 1e-5);
        assert_same_json(name(&case), &regularizer.to_json(), &json);
    }
}

#[test]
fn constraints_compute_what_keras_computes() {
    for case in cases("constraints") {
        let json = written(&case, "keras.constraints");
        let constraint = Constraint::from_json(&json).unwrap();
        let y = constraint.apply(&tensor(&case["input"])).unwrap();
        assert_agree(name(&case), &y, &tensor(&case["output"]), 1e-6);
        assert_same_json(name(&case), &constraint.to_json(), &json);
    }
}

fn shape_of(array: &Value) -> Shape {
    let axes = array["shape"].as_array().unwrap();
    let dims: Vec<usize> = axes.iter().map(|d| d.as_u64().unwrap() as usize).collect();
    Shape::new(&dims).unwrap()
}

#[test]
fn initializers_make_what_keras_makes() {
    let generator = Generator::new(0);
    for case in cases("initializers") {
        let what = name(&case);
        let json = written(&case, "keras.initializers");
        let mut initializer = Initializer::from_json(&json).unwrap();
        assert_same_json(what, &initializer.to_json(), &json);
        if let Some(gain) = case["arguments"]["gain"].as_f64() {
            // Keras doesn't write an identity's gain into its config.
            initializer = Initializer::Identity { gain };
        }
        for array in case["values"].as_array().into_iter().flatten() {
            let value = initializer.sample(&shape_of(array), DType::F32, &generator).unwrap();
            // Keras takes sines of angles that it has rounded to float32.
            let tolerance = if case["class_name"] == "STFT" { 1e-6 } else { 1e-7 };
            assert_agree(what, &value, &tensor(array), tolerance);
        }
        for draw in case["draws"].as_array().into_iter().flatten() {
            let value = initializer.sample(&shape_of(draw), DType::F32, &generator).unwrap();
            check_draw(what, &value, draw);
        }
        assert_eq!(generator.state().counter, 0, "{what}: a seeded initializer took other draws");
    }
}

/// Mean, deviation and range of a draw against theory, or where there is none against Keras's
/// own draw.
fn check_draw(what: &str, value: &Tensor, draw: &Value) {
    let values = value.to_f64_vec().unwrap();
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let std = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt();
    let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(l, h), &v| (l.min(v), h.max(v)));
    let expected = |key: &str| draw[format!("expected_{key}")].as_f64();
    let theory = expected("std").unwrap_or_else(|| draw["std"].as_f64().unwrap());
    let center = expected("mean").unwrap_or(0.0);
    // Four standard errors: of a mean σ/√n, of a deviation about σ/√(2n).
    assert!((mean - center).abs() <= 4.0 * theory / count.sqrt(), "{what}: mean {mean}");
    assert!((std - theory).abs() <= 4.0 * theory / (2.0 * count).sqrt(), "{what}: std {std}");
    if let (Some(least), Some(greatest)) = (expected("min"), expected("max")) {
        let slack = 1e-6 * (greatest - least);
        assert!(low >= least - slack && high <= greatest + slack, "{what}: {low} to {high}");
        assert!(low <= least + 0.02 * (greatest - least), "{what}: least {low}, bound {least}");
        assert!(high >= greatest - 0.02 * (greatest - least), "{what}: {high}, bound {greatest}");
    }
}

#[test]
fn orthogonal_draws_are_orthonormal() {
    for dims in [[5, 3].as_slice(), &[3, 5], &[4, 4], &[2, 3, 4], &[1, 1], &[3, 1]] {
        let shape = Shape::new(dims).unwrap();
        let drawn = Initializer::orthogonal(1.5).sample(&shape, DType::F64, &Generator::new(1));
        let columns = dims[dims.len() - 1];
        let x = drawn.unwrap().reshape([-1, columns as isize]) * (1.0 / 1.5);
        let (rows, x) = (x.dims()[0], x);
        let product = if rows < columns { x.matmul(&x.t()) } else { x.t().matmul(&x) };
        let identity = Tensor::eye(rows.min(columns), DType::F64);
        assert_agree(&format!("{dims:?}"), &product, &identity, 1e-12);
    }
}

#[test]
fn unknown_names_list_valid_ones_nearest_first() {
    let text = |check: cornu_layers::Result<()>| check.unwrap_err().to_string();
    let starts = [
        (
            text(Activation::from("rellu").check()),
            "unknown activation `rellu`; did you mean `relu`?",
        ),
        (
            text(Initializer::from("he_norm").check()),
            "unknown initializer `he_norm`; did you mean `he_normal`?",
        ),
        (text(Regularizer::from("L3").check()), "unknown regularizer `L3`; did you mean `l1`?"),
        (
            text(Constraint::from("nonneg_").check().and(Constraint::from("unit").check())),
            "unknown constraint `unit`; did you mean `unit_norm`?",
        ),
    ];
    for (text, start) in starts {
        assert!(text.starts_with(start), "{text}");
    }
}

#[test]
fn aliases_mean_what_they_mean_in_keras() {
    assert_eq!(Activation::from("swish"), Activation::Silu);
    assert_eq!(Activation::from("hard_swish"), Activation::HardSilu);
    assert_eq!(Activation::from_json(&Value::Null).unwrap(), Activation::Linear);
    let layer = json!({ "class_name": "LeakyReLU", "config": { "negative_slope": 0.1 } });
    let leaky = Activation::LeakyReluWith { negative_slope: 0.1 };
    assert_eq!(Activation::from_json(&layer).unwrap(), leaky);
    for (alias, name) in [("normal", "RandomNormal"), ("uniform", "RandomUniform"), ("one", "Ones")]
    {
        assert_eq!(Initializer::from(alias).to_json()["class_name"], name);
    }
    assert_eq!(Regularizer::from("L1L2"), Regularizer::from("l1_l2"));
    assert_eq!(Constraint::from("MaxNorm"), Constraint::from("max_norm"));
}

#[test]
fn arrays_as_first_values_are_written_and_read() {
    let values = Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]);
    let written = Initializer::from(values.clone()).to_json();
    let read = Initializer::from_json(&written).unwrap();
    let generator = Generator::new(0);
    let drawn = read.sample(values.shape(), DType::F32, &generator).unwrap();
    assert_agree("values", &drawn, &values, 0.0);
    let wider = read.sample(&Shape::new(&[3, 2]).unwrap(), DType::F32, &generator);
    assert_eq!(
        wider.unwrap_err().to_string(),
        "initializer: the values must broadcast to the weight's shape (3, 2); got (2, 2)"
    );
}
