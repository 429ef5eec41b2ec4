//! Losses against Keras.

mod golden;
mod losses_more;

use std::collections::BTreeSet;

use cornu_autodiff::{DType, Result, Tape, Tensor, testing};
use cornu_models::losses::{
    self, BinaryCrossentropy, CategoricalCrossentropy, Function, Huber, IntoLoss, Loss,
    MeanSquaredError, Reduction, SparseCategoricalCrossentropy,
};
use golden::{assert_near, cases, entries, object, optional, same_json, tensor};
use serde_json::{Value, json};

/// The cases of both files.
fn goldens() -> Vec<Value> {
    ["losses", "losses_more"].into_iter().flat_map(cases).collect()
}

#[test]
fn every_golden_has_keras_value_and_gradient() {
    for case in goldens() {
        let name = case["name"].as_str().unwrap();
        let class = case["class_name"].as_str().unwrap();
        let loss = losses::from_json(&object(class, &case["arguments"]))
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let (y_true, y_pred) = (tensor(&case["y_true"]), tensor(&case["y_pred"]));
        let weight = optional(&case["sample_weight"]);
        let tape = Tape::new();
        let value = loss
            .value(&y_true, &y_pred, weight.as_ref(), None)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let gradient = tape.vjp_options(&value, &value.ones_like(), &[&y_pred]).unwrap().remove(0);
        assert_near(name, &value, &case["value"], 1e-5, 1e-5);
        let gradient = gradient.unwrap_or_else(|| y_pred.zeros_like());
        assert_near(&format!("{name}: gradient"), &gradient, &case["gradient"], 1e-6, 1e-4);
    }
}

#[test]
fn configs_are_those_of_keras_both_ways() {
    for case in goldens() {
        let name = case["name"].as_str().unwrap();
        let class = case["class_name"].as_str().unwrap();
        let loss = losses::from_json(&object(class, &case["arguments"])).unwrap();
        // Keras forgets `delta` and the `axis` of some losses; we write them if they matter.
        let mut wanted = entries(&case["config"]);
        for (key, value) in entries(&case["arguments"]) {
            wanted.entry(key).or_insert(value);
        }
        let (ours, wanted) = (Value::Object(loss.config()), Value::Object(wanted));
        assert!(same_json(&ours, &wanted), "{name}: {ours} against {wanted}");
        let json = losses::to_json(&*loss);
        assert_eq!(losses::to_json(&*losses::from_json(&json).unwrap()), json, "{name}");
    }
}

#[test]
fn the_table_is_the_goldens() {
    let goldens: BTreeSet<String> =
        goldens().iter().map(|c| c["class_name"].as_str().unwrap().to_owned()).collect();
    let names: BTreeSet<String> = losses::names().into_iter().map(str::to_owned).collect();
    assert_eq!(names, goldens);
}

#[test]
fn names_are_those_of_keras() {
    for (name, class) in [
        ("mse", "MeanSquaredError"),
        ("MSE", "MeanSquaredError"),
        ("mean_squared_error", "MeanSquaredError"),
        ("MeanSquaredError", "MeanSquaredError"),
        ("mae", "MeanAbsoluteError"),
        ("mape", "MeanAbsolutePercentageError"),
        ("msle", "MeanSquaredLogarithmicError"),
        ("bce", "BinaryCrossentropy"),
        ("binary_crossentropy", "BinaryCrossentropy"),
        ("categorical_crossentropy", "CategoricalCrossentropy"),
        ("sparse_categorical_crossentropy", "SparseCategoricalCrossentropy"),
        ("huber", "Huber"),
        ("kld", "KLDivergence"),
    ] {
        assert_eq!(losses::by_name(name).unwrap().class_name(), class);
        assert_eq!(losses::from_json(&json!(name)).unwrap().class_name(), class);
    }
}

fn error(result: Result<impl std::fmt::Debug>) -> String {
    result.expect_err("it must fail").to_string()
}

fn value(loss: &dyn Loss, y_true: &Tensor, y_pred: &Tensor) -> Result<Tensor> {
    loss.value(y_true, y_pred, None, None)
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn labels_that_do_not_fit_are_errors_that_say_why() {
    let mse = MeanSquaredError::new();
    let sparse = SparseCategoricalCrossentropy::new();
    let categorical = CategoricalCrossentropy::new();
    let binary = BinaryCrossentropy::new();
    let ones = |shape: &[usize]| Tensor::ones(shape, DType::F32);
    let classes = ones(&[2, 3]);
    let table: Vec<(String, &str)> = vec![
        (
            error(value(&mse, &ones(&[4, 1]), &ones(&[4, 3]))),
            "loss `mean_squared_error`: labels must have the shape of the predictions, and are \
             never broadcast; got labels (4, 1) and predictions (4, 3); the labels have 1 values \
             a sample, the model's output 3",
        ),
        (
            error(value(&mse, &ones(&[4]), &ones(&[3]))),
            "loss `mean_squared_error`: labels must have the shape of the predictions, and are \
             never broadcast; got labels (4,) and predictions (3,); there must be one label for \
             each sample",
        ),
        (
            error(value(&categorical, &ones(&[4]), &ones(&[4, 3]))),
            "loss `categorical_crossentropy`: labels must have the shape of the predictions, and \
             are never broadcast; got labels (4,) and predictions (4, 3); for class numbers take \
             `sparse_categorical_crossentropy`",
        ),
        (
            error(value(&sparse, &ones(&[2, 3]), &classes)),
            "loss `sparse_categorical_crossentropy`: labels must be class numbers, without the \
             axis of the classes; got labels (2, 3) and predictions (2, 3); for one-hot labels \
             take `categorical_crossentropy`",
        ),
        (
            error(value(&sparse, &Tensor::from([0i32, 3]), &classes)),
            "loss `sparse_categorical_crossentropy`: labels must be class numbers in 0..3; got 3",
        ),
        (
            error(value(&sparse, &Tensor::from([i64::MAX, 0]), &classes)),
            "loss `sparse_categorical_crossentropy`: labels must be class numbers in 0..3; got \
             9223372036854775807",
        ),
        (
            error(value(&sparse, &Tensor::from([-1i64, 0]), &classes)),
            "loss `sparse_categorical_crossentropy`: labels must be class numbers in 0..3; got -1",
        ),
        (
            error(value(&sparse, &Tensor::from([0.5, 0.0]), &classes)),
            "loss `sparse_categorical_crossentropy`: labels must be class numbers in 0..3; got 0.5",
        ),
        (
            error(value(&sparse, &Tensor::from([f32::NAN, 0.0]), &classes)),
            "loss `sparse_categorical_crossentropy`: labels must be finite; got NaN",
        ),
        (
            error(value(&mse, &Tensor::from([f64::INFINITY]), &Tensor::from([0.5]))),
            "loss `mean_squared_error`: labels must be finite; got inf",
        ),
        (
            error(value(&binary, &Tensor::from([-1.0, 1.0]), &Tensor::from([0.5, 0.5]))),
            "loss `binary_crossentropy`: labels must be in 0..=1; got -1; for labels -1 and 1 take \
             a hinge loss, for class numbers `sparse_categorical_crossentropy`",
        ),
        (
            error(value(&mse, &Tensor::from([1i32]), &Tensor::from([1i32]))),
            "loss `mean_squared_error`: predictions must be float32 or float64; got int32; convert \
             with `cast`",
        ),
        (
            error(value(&mse, &ones(&[0, 2]), &ones(&[0, 2]))),
            "loss `mean_squared_error`: there must be at least one sample; got (0, 2)",
        ),
        (
            error(value(&mse, &ones(&[]), &ones(&[]))),
            "loss `mean_squared_error`: labels and predictions need an axis of samples; got () \
             and ()",
        ),
        (
            error(value(&BinaryCrossentropy::new().axis(2isize), &ones(&[2, 2]), &ones(&[2, 2]))),
            "loss `binary_crossentropy`: `axis` must be in -2..2 for predictions of shape (2, 2); \
             got 2",
        ),
    ];
    for (got, wanted) in table {
        assert_eq!(got, wanted);
    }
}

#[test]
fn options_and_names_that_mean_nothing_are_errors() {
    let table: Vec<(String, &str)> = vec![
        (error(losses::by_name("msee")), "unknown loss `msee`; did you mean `mse`?"),
        (
            error(losses::from_json(&object("Huber", &json!({ "delta": -1.0 })))),
            "loss `huber_loss`: `delta`: it must be above 0; got -1",
        ),
        (
            error(losses::from_json(&object("Huber", &json!({ "dleta": 1.0 })))),
            "unknown option of `Huber` `dleta`; did you mean `delta`?",
        ),
        (
            error(BinaryCrossentropy::new().label_smoothing(1.5).into_loss()),
            "loss `binary_crossentropy`: `label_smoothing`: it must be in 0..=1; got 1.5",
        ),
        (error("meen_squared_error".into_loss()), "unknown loss `meen_squared_error`"),
        (
            error("average".parse::<Reduction>()),
            "unknown reduction `average`; did you mean `mean`?",
        ),
        (
            error(losses::from_json(&object("Huber", &json!({ "reduction": "meen" })))),
            "config of `Huber`: `reduction`: it must be `sum_over_batch_size`, `mean`",
        ),
    ];
    for (got, wanted) in table {
        assert!(got.starts_with(wanted), "{got}\n  instead of\n{wanted}");
    }
}

#[test]
fn weights_and_masks_must_fit_the_values() {
    let loss = MeanSquaredError::new();
    let y = Tensor::ones([2, 3, 4], DType::F32);
    let weighed = |weight: &Tensor| loss.value(&y, &(&y + 1.0), Some(weight), None);
    let text = error(weighed(&Tensor::from([1.0, 2.0, 3.0])));
    assert_eq!(
        text,
        "loss `mean_squared_error`: sample weights must be one number, or one for each sample or \
         each value; got weights of shape (3,) for values of (2, 3)"
    );
    assert!(error(weighed(&Tensor::from([1.0, f64::NAN]))).contains("must be finite"));
    // One for each sample, as a vector or a column, stands for all its steps.
    let by_sample = weighed(&Tensor::from([1.0, 3.0])).unwrap().item::<f32>().unwrap();
    assert_eq!(by_sample, 2.0);
    assert_eq!(weighed(&Tensor::from([[1.0], [3.0]])).unwrap().item::<f32>().unwrap(), 2.0);
    assert_eq!(weighed(&Tensor::scalar(2.0)).unwrap().item::<f32>().unwrap(), 2.0);

    let masked = |mask: &Tensor| loss.value(&y, &(&y + 1.0), None, Some(mask));
    assert!(error(masked(&Tensor::from([true, false]))).contains("mask must have the shape"));
    assert!(error(masked(&Tensor::ones([2, 3], DType::F32))).contains("a mask must be bool"));
}

#[test]
fn masked_values_count_neither_in_the_sum_nor_in_the_number() {
    let (y_true, y_pred) =
        (Tensor::from([[0.0], [0.0], [0.0]]), Tensor::from([[1.0], [2.0], [9.0]]));
    let mask = Tensor::from([true, true, false]);
    for (reduction, plain, weighed) in [
        (Reduction::SumOverBatchSize, 2.5, 4.5),
        (Reduction::Mean, 2.5, 4.5),
        (Reduction::MeanWithSampleWeight, 2.5, 3.0),
        (Reduction::Sum, 5.0, 9.0),
    ] {
        let loss = MeanSquaredError::new().reduction(reduction);
        let value = |weight: Option<&Tensor>, mask: &Tensor| {
            let value = loss.value(&y_true, &y_pred, weight, Some(mask)).unwrap();
            value.item::<f64>().unwrap()
        };
        let weights = Tensor::from([1.0, 2.0, 4.0]);
        assert_eq!(value(None, &mask), plain, "{reduction:?}");
        assert_eq!(value(Some(&weights), &mask), weighed, "{reduction:?}");
        let none = Tensor::from([false, false, false]);
        assert_eq!(value(Some(&weights), &none), 0.0, "{reduction:?}");
    }
}

#[test]
fn a_mask_and_an_ignored_class_act_together() {
    let loss = SparseCategoricalCrossentropy::new().ignore_class(2i64);
    let y_true = Tensor::from([0i32, 1, 2, 1]);
    let y_pred =
        Tensor::from([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.1, 0.1, 0.8], [0.9, 0.05, 0.05]]);
    let mask = Tensor::from([true, true, true, false]);
    let value = loss.value(&y_true, &y_pred, None, Some(&mask)).unwrap().item::<f64>().unwrap();
    assert!((value - 2f64.ln()).abs() < 1e-12, "{value}");
}

#[test]
fn a_function_is_a_loss_that_learns() {
    let loss = Function::new("quartic", |y_true, y_pred| {
        Ok((y_true - y_pred).square().square().mean(-1, false))
    });
    let (y_true, y_pred) = (Tensor::from([1.0, 2.0]), Tensor::from([[2.0], [4.0]]));
    let tape = Tape::new();
    let value = loss.value(&y_true, &y_pred, None, None).unwrap();
    assert_eq!(value.item::<f64>().unwrap(), 8.5);
    let gradient = tape.gradient(&value, &[&y_pred]).unwrap().remove(0);
    assert_eq!(gradient.to_vec::<f64>().unwrap(), [2.0, 16.0]);
    assert_eq!(loss.into_loss().unwrap().name(), "quartic");
}

/// Labels and predictions inside every loss's domain and away from kinks.
fn pair(class: &str) -> (Tensor, Tensor) {
    let y_pred = Tensor::from([[0.21, 0.34, 0.45], [0.55, 0.13, 0.32]]);
    match class {
        "SparseCategoricalCrossentropy" | "CategoricalGeneralizedCrossEntropy" => {
            (Tensor::from([2i32, 0]), y_pred)
        }
        "Circle" => {
            let rows = [[0.6, 0.8], [0.28, 0.96], [-0.8, 0.6], [0.96, -0.28]];
            (Tensor::from([2i32, 0, 2, 0]), Tensor::from(rows))
        }
        "CTC" => {
            let steps = [[0.2, -0.4, 0.7], [1.1, 0.3, -0.6], [-0.5, 0.9, 0.1], [0.4, 0.8, -0.2]];
            (Tensor::from([[1i32, 1, 2]]), Tensor::from([steps]))
        }
        "Hinge" | "SquaredHinge" => (Tensor::from([[1.0, -1.0, -1.0], [-1.0, 1.0, 1.0]]), y_pred),
        _ => (Tensor::from([[0.1, 0.7, 0.2], [0.3, 0.61, 0.09]]), y_pred),
    }
}

#[test]
fn gradients_by_predictions_and_labels_agree_with_differences() {
    for class in losses::names() {
        let (y_true, y_pred) = pair(class);
        for options in [json!({}), json!({ "from_logits": true, "label_smoothing": 0.1 })] {
            let mut options = entries(&options);
            let known = losses::by_name(class).unwrap().config();
            options.retain(|key, _| known.contains_key(key));
            let loss = losses::from_json(&object(class, &Value::Object(options))).unwrap();
            let f = |x: &[Tensor]| match x {
                [y_pred] => value(&*loss, &y_true, y_pred).unwrap(),
                _ => value(&*loss, &x[1], &x[0]).unwrap(),
            };
            let mut inputs = vec![y_pred.clone()];
            if y_true.dtype().is_float() {
                inputs.push(y_true.clone());
            }
            testing::check_grad(f, &inputs).unwrap_or_else(|e| panic!("{class}: {e}"));
        }
    }
}

#[test]
fn the_mean_is_the_mean_of_the_values() {
    for class in losses::names() {
        let (y_true, y_pred) = pair(class);
        let loss = losses::by_name(class).unwrap();
        let values = loss.call(&y_true, &y_pred).unwrap().mean(.., false).item::<f64>().unwrap();
        let mean = loss.mean(&y_true, &y_pred).unwrap().item::<f64>().unwrap();
        assert!((values - mean).abs() <= 1e-12, "{class}: {values} against {mean}");
    }
}

#[test]
fn symbolic_predictions_give_symbolic_values_of_the_same_shape() {
    for class in losses::names() {
        let (y_true, y_pred) = pair(class);
        let loss = losses::by_name(class).unwrap();
        let symbolic = Tensor::symbolic(*y_pred.spec());
        let labels = Tensor::symbolic(*y_true.spec());
        let values = loss.call(&labels, &symbolic).unwrap_or_else(|e| panic!("{class}: {e}"));
        assert!(values.is_symbolic());
        assert_eq!(values.spec(), loss.call(&y_true, &y_pred).unwrap().spec(), "{class}");
    }
}

#[test]
fn classes_may_lie_on_any_axis() {
    let y_pred = Tensor::from([[0.2, 0.5], [0.3, 0.4], [0.5, 0.1]]);
    let y_true = Tensor::from([2i32, 0]);
    for logits in [false, true] {
        let loss = SparseCategoricalCrossentropy::new().from_logits(logits);
        let last = loss.call(&y_true, &y_pred.t()).unwrap();
        let first = loss.axis(0isize).call(&y_true, &y_pred).unwrap();
        assert_eq!(first.to_vec::<f64>().unwrap(), last.to_vec::<f64>().unwrap());
    }
}

#[test]
fn losses_in_float64_stay_in_float64() {
    let loss = Huber::new().delta(2.0);
    let value = value(&loss, &Tensor::from([1i32]), &Tensor::from([1.5f64])).unwrap();
    assert_eq!(value.item::<f64>().unwrap(), 0.125);
}
