//! Metrics against Keras.

mod golden;
mod metrics_more;

use std::collections::BTreeSet;

use cornu_autodiff::{Result, Tape, Tensor};
use cornu_models::metrics::{
    self, AUC, Accuracy, BinaryAccuracy, CategoricalAccuracy, Curve, Function, Mean,
    MeanSquaredError, Metric, MetricValue, Precision, Recall, SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy, SparseTopKCategoricalAccuracy, Sum, TopKCategoricalAccuracy,
};
use golden::{assert_near, assert_values, cases, entries, object, optional, same_json, tensor};
use serde_json::{Value, json};

/// The cases of both files.
fn all_cases() -> Vec<Value> {
    ["metrics", "metrics_more"].iter().flat_map(|file| cases(file)).collect()
}

/// Labels, predictions and weights of a golden; `Mean` and `Sum` have no labels.
fn batch(update: &Value) -> (Tensor, Tensor, Option<Tensor>) {
    let y_pred =
        tensor(if update["values"].is_null() { &update["y_pred"] } else { &update["values"] });
    let y_true = optional(&update["y_true"]).unwrap_or_else(|| y_pred.clone());
    (y_true, y_pred, optional(&update["sample_weight"]))
}

fn update(metric: &mut dyn Metric, update: &Value) -> Result<()> {
    let (y_true, y_pred, weights) = batch(update);
    metric.update(&y_true, &y_pred, weights.as_ref())
}

#[test]
fn every_golden_has_keras_values_and_accumulators() {
    for case in all_cases() {
        let name = case["name"].as_str().unwrap();
        let class = case["class_name"].as_str().unwrap();
        let mut metric = metrics::from_json(&object(class, &case["arguments"]))
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let updates = case["updates"].as_array().unwrap();
        for (batch, wanted) in updates.iter().zip(case["values"].as_array().unwrap()) {
            update(&mut *metric, batch).unwrap_or_else(|e| panic!("{name}: {e}"));
            let wanted = tensor(wanted).to_f64_vec().unwrap();
            assert_values(name, metric.result().values(), &wanted, 1e-5, 1e-5);
        }
        let state = metric.state();
        let wanted = case["variables"].as_array().unwrap();
        assert_eq!(state.len(), wanted.len(), "{name}");
        for ((key, value), wanted) in state.iter().zip(wanted) {
            assert_eq!(*key, wanted["name"].as_str().unwrap(), "{name}");
            assert_near(&format!("{name}: {key}"), value, &wanted["array"], 1e-5, 1e-5);
        }
    }
}

#[test]
fn configs_are_those_of_keras_both_ways() {
    for case in all_cases() {
        let name = case["name"].as_str().unwrap();
        let class = case["class_name"].as_str().unwrap();
        let metric = metrics::from_json(&object(class, &case["arguments"])).unwrap();
        let mut wanted = entries(&case["config"]);
        // Keras forgets the axis of `CosineSimilarity` and `from_sorted_ids`; we write them if they
        // matter. It wraps the weights of labels as a tensor.
        for (key, value) in entries(&case["arguments"]) {
            wanted.entry(key).or_insert(value);
        }
        if !case["arguments"]["label_weights"].is_null() {
            wanted.insert("label_weights".into(), case["arguments"]["label_weights"].clone());
        }
        // Keras numbers metrics of one class within a program: `precision_1`.
        let named = wanted["name"].as_str().unwrap().trim_end_matches(|c: char| c.is_ascii_digit());
        wanted.insert("name".into(), named.trim_end_matches('_').into());
        let (ours, wanted) = (Value::Object(metric.config()), Value::Object(wanted));
        assert!(same_json(&ours, &wanted), "{name}: {ours} against {wanted}");
        let json = metrics::to_json(&*metric);
        assert_eq!(metrics::to_json(&*metrics::from_json(&json).unwrap()), json, "{name}");
    }
}

#[test]
fn the_table_is_the_goldens() {
    let goldens: BTreeSet<String> =
        all_cases().iter().map(|c| c["class_name"].as_str().unwrap().to_owned()).collect();
    let names: BTreeSet<String> = metrics::names().into_iter().map(str::to_owned).collect();
    assert_eq!(names, goldens);
}

#[test]
fn accumulators_put_back_go_on_with_the_same_bits() {
    for case in all_cases() {
        let name = case["name"].as_str().unwrap();
        let json = object(case["class_name"].as_str().unwrap(), &case["arguments"]);
        let batches = case["updates"].as_array().unwrap();
        let mut whole = metrics::from_json(&json).unwrap();
        update(&mut *whole, &batches[0]).unwrap();
        let state: Vec<Tensor> = whole.state().into_iter().map(|(_, x)| x).collect();
        let mut again = metrics::from_json(&json).unwrap();
        again.set_state(&state).unwrap_or_else(|e| panic!("{name}: {e}"));
        update(&mut *whole, &batches[1]).unwrap();
        update(&mut *again, &batches[1]).unwrap();
        assert_eq!(whole.result(), again.result(), "{name}");
        assert!(again.set_state(&state[1..]).is_err(), "{name}");
        let mut long = state.clone();
        long[0] = Tensor::from(vec![0.0; 9999]);
        assert!(again.set_state(&long).is_err(), "{name}");
        again.reset();
        let fresh = metrics::from_json(&json).unwrap();
        assert_eq!(again.result(), fresh.result(), "{name}");
        assert!(again.result().values().iter().all(|v| *v == 0.0), "{name}: of nothing");
    }
}

#[test]
fn names_are_those_of_keras_and_stay() {
    for (name, class) in [
        ("mse", "MeanSquaredError"),
        ("MSE", "MeanSquaredError"),
        ("mean_squared_error", "MeanSquaredError"),
        ("RootMeanSquaredError", "RootMeanSquaredError"),
        ("root_mean_squared_error", "RootMeanSquaredError"),
        ("binary_accuracy", "BinaryAccuracy"),
        ("auc", "AUC"),
        ("AUC", "AUC"),
        ("kl_divergence", "KLDivergence"),
        ("bce", "BinaryCrossentropy"),
        ("precision", "Precision"),
        ("log_cosh_error", "LogCoshError"),
        ("sparse_top_k_categorical_accuracy", "SparseTopKCategoricalAccuracy"),
    ] {
        let metric = metrics::by_name(name).unwrap();
        assert_eq!((metric.class_name(), metric.name()), (class, name));
    }
    assert_eq!(metrics::LogCoshError::new().name, "logcosh");
}

#[test]
fn accuracy_is_chosen_by_shape_as_in_keras() {
    for (y_true, y_pred, class) in [
        (vec![4], vec![4, 1], "BinaryAccuracy"),
        (vec![4, 1], vec![4, 1], "BinaryAccuracy"),
        (vec![4], vec![4], "BinaryAccuracy"),
        (vec![4], vec![4, 3], "SparseCategoricalAccuracy"),
        (vec![4, 1], vec![4, 3], "SparseCategoricalAccuracy"),
        (vec![4, 3], vec![4, 3], "CategoricalAccuracy"),
        (vec![4, 5], vec![4, 5, 3], "SparseCategoricalAccuracy"),
        (vec![4, 5, 3], vec![4, 5, 3], "CategoricalAccuracy"),
    ] {
        for name in ["accuracy", "acc", "Accuracy"] {
            assert!(metrics::is_by_shape(name));
            let metric = metrics::by_shape(name, &y_true, &y_pred).unwrap();
            assert_eq!((metric.class_name(), metric.name()), (class, name));
        }
    }
    assert!(!metrics::is_by_shape("mse"));
    assert!(metrics::by_shape("mse", &[1], &[1]).is_err());
}

fn error(result: Result<impl std::fmt::Debug>) -> String {
    result.expect_err("it must fail").to_string()
}

fn bad(mut metric: impl Metric, y_true: impl Into<Tensor>, y_pred: impl Into<Tensor>) -> String {
    let before = metric.state();
    let text = error(metric.update(&y_true.into(), &y_pred.into(), None));
    assert_eq!(format!("{before:?}"), format!("{:?}", metric.state()), "nothing was counted");
    text
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn batches_that_do_not_fit_are_errors_that_say_why() {
    let classes = [[0.2, 0.8], [0.6, 0.4]];
    let table: Vec<(String, &str)> = vec![
        (
            bad(MeanSquaredError::new(), [1.0, 2.0], [1.0, 2.0, 3.0]),
            "metric `mean_squared_error`: labels must have the shape of the predictions, and are \
             never broadcast; got labels (2,) and predictions (3,); there must be one label for \
             each sample",
        ),
        (
            bad(Accuracy::new(), [[1.0], [2.0]], classes),
            "metric `accuracy`: labels must have the shape of the predictions, and are never \
             broadcast; got labels (2, 1) and predictions (2, 2); the labels have 1 values a \
             sample, the model's output 2",
        ),
        (
            bad(CategoricalAccuracy::new(), [1.0, 0.0], classes),
            "metric `categorical_accuracy`: labels must have the shape of the predictions, and \
             are never broadcast; got labels (2,) and predictions (2, 2); for class numbers take \
             `sparse_categorical_accuracy`",
        ),
        (
            bad(SparseCategoricalAccuracy::new(), classes, classes),
            "metric `sparse_categorical_accuracy`: labels must be class numbers, without the axis \
             of the classes; got labels (2, 2) and predictions (2, 2); for one-hot labels take \
             `categorical_accuracy`",
        ),
        (
            bad(SparseCategoricalAccuracy::new(), [0i32, 2], classes),
            "metric `sparse_categorical_accuracy`: labels must be class numbers in 0..2; got 2",
        ),
        (
            bad(SparseTopKCategoricalAccuracy::new(), [-1i32, 1], classes),
            "metric `sparse_top_k_categorical_accuracy`: labels must be class numbers in 0..2; \
             got -1",
        ),
        (
            bad(BinaryAccuracy::new(), [f64::NAN], [0.5]),
            "metric `binary_accuracy`: labels must be finite; got NaN",
        ),
        (
            bad(Precision::new(), [0.5, 1.0], [0.5, 1.0]),
            "metric `precision`: labels must be 0 or 1; got 0.5",
        ),
        (
            bad(Recall::new(), [0.0, 1.0], [0.5, f64::NAN]),
            "metric `recall`: predictions must be numbers; got a NaN",
        ),
        (
            bad(Precision::new().class_id(2usize), [[0.0, 1.0]], [[0.5, 0.5]]),
            "metric `precision`: `class_id`: it must be one of the classes on the last axis; got \
             2 with predictions of shape (1, 2)",
        ),
        (
            bad(AUC::new(), [0.0, 1.0], [-1.5, 3.0]),
            "metric `auc`: predictions must be in 0..=1; for logits set `from_logits`, or put a \
             sigmoid before; got -1.5",
        ),
        (
            bad(AUC::new().multi_label(true), [0.0, 1.0], [0.5, 0.5]),
            "metric `auc`: with `multi_label` predictions must have shape (batch, labels); got \
             (2,)",
        ),
        (
            bad(AUC::new().label_weights(vec![1.0]), [[0.0, 1.0]], [[0.5, 0.5]]),
            "metric `auc`: `label_weights`: there must be one for each of 2 labels; got 1",
        ),
    ];
    for (got, wanted) in table {
        assert_eq!(got, wanted);
    }
    let weights = Tensor::from([1.0, 2.0, 3.0]);
    let two = Tensor::from([1.0, 0.0]);
    assert_eq!(
        error(BinaryAccuracy::new().update(&two, &two, Some(&weights))),
        "metric `binary_accuracy`: sample weights must be one number, or one for each sample or \
         each value; got weights of shape (3,) for values of [2]"
    );
}

#[test]
fn options_and_names_that_mean_nothing_are_errors() {
    let from = |class: &str, config: Value| error(metrics::from_json(&object(class, &config)));
    let table: Vec<(String, &str)> = vec![
        (error(metrics::by_name("acuracy")), "unknown metric `acuracy`; did you mean `accuracy`?"),
        (
            from("Precision", json!({ "thresholds": [0.5, 1.5] })),
            "metric `precision`: `thresholds`: there must be at least one, each in 0..=1; got \
             [0.5, 1.5]",
        ),
        (
            from("AUC", json!({ "num_thresholds": 1 })),
            "metric `auc`: `num_thresholds`: it must be above 1; got 1",
        ),
        (
            from("AUC", json!({ "num_labels": 3 })),
            "metric `auc`: `num_labels`: it is for `multi_label` only; got 3",
        ),
        (
            from("AUC", json!({ "curve": "ROK" })),
            "config of `AUC`: `curve`: it must be `ROC`, `PR` or `PRGAIN`; got \"ROK\"",
        ),
        (
            from("BinaryAccuracy", json!({ "treshold": 0.5 })),
            "unknown option of `BinaryAccuracy` `treshold`; did you mean `threshold`?",
        ),
    ];
    for (got, wanted) in table {
        assert!(got.starts_with(wanted), "{got}\n  instead of\n{wanted}");
    }
}

fn value(metric: &dyn Metric) -> f64 {
    metric.result().to_scalar().expect("one number")
}

#[test]
fn an_ignored_class_does_not_count() {
    let mut metric = SparseCategoricalCrossentropy::new().ignore_class(0i64);
    let y_pred = Tensor::from([[0.1, 0.9], [0.5, 0.5]]);
    metric.update(&Tensor::from([0i32, 1]), &y_pred, None).unwrap();
    assert!((value(&metric) - 2f64.ln()).abs() < 1e-12);
}

#[test]
fn a_batch_in_parts_gives_the_same_mean() {
    let (y_true, y_pred) = (Tensor::from([1.0, 2.0, 3.0]), Tensor::from([1.5, 1.0, 5.0]));
    let mut whole = MeanSquaredError::new();
    whole.update(&y_true, &y_pred, None).unwrap();
    let mut parts = MeanSquaredError::new();
    for i in 0..3 {
        let part = |x: &Tensor| Tensor::from([x.to_vec::<f64>().unwrap()[i]]);
        parts.update(&part(&y_true), &part(&y_pred), None).unwrap();
    }
    assert_eq!(value(&whole), value(&parts));
}

#[test]
fn ties_and_top_k_beyond_the_classes_are_decided_as_in_keras() {
    let mut best = TopKCategoricalAccuracy::new().k(9usize);
    let one_hot = Tensor::from([[0.0, 1.0], [1.0, 0.0]]);
    best.update(&one_hot, &Tensor::from([[0.5, 0.5], [0.1, 0.9]]), None).unwrap();
    assert_eq!(value(&best), 1.0);
    let mut ids = SparseTopKCategoricalAccuracy::new().k(1usize).from_sorted_ids(true);
    ids.update(&Tensor::from([2i32, 1]), &Tensor::from([[2.0, 0.0], [0.0, 1.0]]), None).unwrap();
    assert_eq!(value(&ids), 0.5);
}

#[test]
fn nothing_is_recorded_on_a_tape() {
    for case in all_cases() {
        let name = case["name"].as_str().unwrap();
        let json = object(case["class_name"].as_str().unwrap(), &case["arguments"]);
        let mut metric = metrics::from_json(&json).unwrap();
        let (y_true, y_pred, weights) = batch(&case["updates"][0]);
        let tape = Tape::new();
        let counted = metric.update(&y_true, &y_pred, weights.as_ref());
        counted.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(tape.len(), 0, "{name}:\n{tape}");
    }
}

#[test]
fn a_clone_counts_for_itself() {
    let mut metric: Box<dyn Metric> = Box::new(Mean::new());
    metric.update(&Tensor::from([0.0]), &Tensor::from([4.0]), None).unwrap();
    let mut clone = metric.clone();
    clone.update(&Tensor::from([0.0]), &Tensor::from([0.0]), None).unwrap();
    assert_eq!((value(&*metric), value(&*clone)), (4.0, 2.0));
}

#[test]
fn a_function_is_a_metric() {
    let mut metric =
        Function::new("worst", |y_true, y_pred| Ok((y_true - y_pred).abs().max(-1, false)));
    let y_pred = Tensor::from([[1.0, 2.0], [3.0, 5.0]]);
    metric.update(&y_pred.zeros_like(), &y_pred, Some(&Tensor::from([1.0, 3.0]))).unwrap();
    assert_eq!(value(&metric), (2.0 + 15.0) / 4.0);
    let mut sum = Sum::new();
    sum.add(&y_pred, None).unwrap();
    assert_eq!(sum.result(), MetricValue::Scalar(11.0));
}

#[test]
fn auc_tells_perfect_from_random_order() {
    let y_true = Tensor::from([0.0, 0.0, 1.0, 1.0]);
    for curve in [Curve::Roc, Curve::Pr, Curve::PrGain] {
        let mut auc = AUC::new().curve(curve);
        auc.update(&y_true, &Tensor::from([0.1, 0.2, 0.8, 0.9]), None).unwrap();
        assert!((value(&auc) - 1.0).abs() < 1e-9, "{curve:?}: {}", value(&auc));
    }
    let mut half = AUC::new();
    half.update(&y_true, &Tensor::from([0.3, 0.6, 0.3, 0.6]), None).unwrap();
    assert_eq!(value(&half), 0.5);
}
