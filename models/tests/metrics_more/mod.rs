//! Correlations, operating points, F-scores, R² and overlaps: where they differ from Keras, and
//! what they refuse.

use cornu_autodiff::Tensor;
use cornu_layers::{Dense, LayerOptions};
use cornu_models::callbacks::{EarlyStopping, Verbose};
use cornu_models::metrics::{
    self, Average, BinaryIoU, ConcordanceCorrelation, F1Score, FBetaScore, IoU, MeanIoU, Metric,
    MetricValue, OneHotMeanIoU, PearsonCorrelation, PrecisionAtRecall, R2Score, RecallAtPrecision,
};
use cornu_models::{Compile, Fit, Model, Sequential};
use serde_json::json;

use super::golden::object;
use super::{bad, error, value};

#[test]
#[allow(clippy::too_many_lines)] // a table
fn batches_that_mean_nothing_are_errors_that_say_why() {
    let classes = [[0.2, 0.8], [0.6, 0.4]];
    let table: Vec<(String, &str)> = vec![
        (
            bad(PearsonCorrelation::new(), [[1.0], [2.0]], [[1.0], [2.0]]),
            "metric `pearson_correlation`: there must be at least two values along the axis; got \
             1; for one output a sample set `axis` to 0",
        ),
        (
            bad(ConcordanceCorrelation::new().axis([0, 2]), classes, classes),
            "metric `concordance_correlation`: `axis`: it must be in -2..2 for predictions \
             (2, 2); got 2",
        ),
        (
            bad(F1Score::new(), [0.0, 1.0], [0.5, 0.5]),
            "metric `f1_score`: predictions must have shape (samples, classes)",
        ),
        (
            bad(F1Score::new(), [[0.5, 1.0]], [[0.5, 0.5]]),
            "metric `f1_score`: labels must be 0 or 1; got 0.5",
        ),
        (
            bad(F1Score::new(), [[0.0, 1.0]], [[0.5, f64::NAN]]),
            "metric `f1_score`: predictions must be numbers; got a NaN",
        ),
        (
            bad(R2Score::new(), [0.0, 1.0], [0.5, 0.5]),
            "metric `r2_score`: predictions must have shape (samples, outputs)",
        ),
        (
            bad(R2Score::new(), [[f64::NAN]], [[0.5]]),
            "metric `r2_score`: labels must be finite; got NaN",
        ),
        (
            bad(PrecisionAtRecall::new(0.5), [0.0, 1.0], [-1.0, 2.0]),
            "metric `precision_at_recall`: predictions must be in 0..=1; ",
        ),
        (
            bad(MeanIoU::new(2), [0i32, 1], [0.3, 0.7]),
            "metric `mean_io_u`: predictions must be class numbers in 0..2; got 0.3; for scores \
             set `sparse_y_pred(false)`",
        ),
        (
            bad(MeanIoU::new(2), [0i32, 2], [0.0, 1.0]),
            "metric `mean_io_u`: labels must be class numbers in 0..2; got 2",
        ),
        (
            bad(MeanIoU::new(2), [0i32, 1], [0.0, -1.0]),
            "metric `mean_io_u`: predictions must be class numbers in 0..2; got -1",
        ),
        (
            bad(MeanIoU::new(3).sparse_y_pred(false), [0i32, 1], classes),
            "metric `mean_io_u`: there must be a score for each of 3 classes; got 2 on axis -1 \
             of (2, 2)",
        ),
        (
            bad(MeanIoU::new(2).sparse_y_pred(false).axis(4), [0i32, 1], classes),
            "metric `mean_io_u`: `axis`: it must be in -2..2 for scores (2, 2); got 4",
        ),
        (
            bad(OneHotMeanIoU::new(2), classes, [[0.5, f64::NAN], [0.5, 0.5]]),
            "metric `one_hot_mean_io_u`: predictions must be numbers; got a NaN",
        ),
        (
            bad(BinaryIoU::new(), [0.0, 2.0], [0.3, 0.7]),
            "metric `binary_io_u`: labels must be class numbers in 0..2; got 2",
        ),
    ];
    for (got, wanted) in table {
        assert!(got.starts_with(wanted), "{got}\n  instead of\n{wanted}");
    }
}

#[test]
fn options_out_of_their_range_are_errors() {
    let from = |class: &str, config| error(metrics::from_json(&object(class, &config)));
    let table = [
        (
            from("PrecisionAtRecall", json!({ "recall": 1.5 })),
            "metric `precision_at_recall`: `recall`: it must be in 0..=1; got 1.5",
        ),
        (
            from("RecallAtPrecision", json!({ "precision": 0.5, "num_thresholds": 0 })),
            "metric `recall_at_precision`: `num_thresholds`: it must be above 0; got 0",
        ),
        (
            from("SensitivityAtSpecificity", json!({})),
            "config of `SensitivityAtSpecificity`: the key `specificity` must be there; got no \
             such key",
        ),
        (
            from("FBetaScore", json!({ "beta": 0.0 })),
            "metric `fbeta_score`: `beta`: it must be above 0; got 0",
        ),
        (
            from("F1Score", json!({ "threshold": 0.0 })),
            "metric `f1_score`: `threshold`: it must be above 0 and not above 1; got 0",
        ),
        (
            from("F1Score", json!({ "average": "mean" })),
            "config of `F1Score`: `average`: it must be `micro`, `macro` or `weighted`; got \
             \"mean\"",
        ),
        (
            from("MeanIoU", json!({ "num_classes": 0 })),
            "metric `mean_io_u`: `num_classes`: it must be in 1..=10000; got 0",
        ),
        (
            from("IoU", json!({ "num_classes": 2, "target_class_ids": [0, 2] })),
            "metric `io_u`: `target_class_ids`: there must be at least one, each in 0..2; got \
             [0, 2]",
        ),
        (
            from("BinaryIoU", json!({ "target_class_ids": [] })),
            "metric `binary_io_u`: `target_class_ids`: there must be at least one, each in 0..2; \
             got []",
        ),
    ];
    for (got, wanted) in table {
        assert_eq!(got, wanted);
    }
}

#[test]
fn constant_rows_correlate_with_nothing_instead_of_making_nan_of_the_mean() {
    let y_true = Tensor::from([[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]]);
    let y_pred = Tensor::from([[2.0, 4.0, 6.0], [1.0, 2.0, 3.0]]);
    let mut pearson = PearsonCorrelation::new();
    pearson.update(&y_true, &y_pred, None).unwrap();
    assert!((value(&pearson) - 0.5).abs() < 1e-12);
    let mut concordance = ConcordanceCorrelation::new();
    let tiny = &y_true * 1e-6;
    concordance.update(&tiny, &tiny, None).unwrap();
    assert!((value(&concordance) - 0.5).abs() < 1e-12, "however small the numbers are");
}

#[test]
fn f_scores_are_exact_where_keras_adds_epsilon() {
    let mut each = FBetaScore::new().threshold(0.5);
    let y_true = Tensor::from([[1.0, 0.0], [1.0, 0.0]]);
    each.update(&y_true, &Tensor::from([[0.9, 0.1], [0.8, 0.2]]), None).unwrap();
    assert_eq!(each.result(), MetricValue::Vector(vec![1.0, 0.0]));
    let mut one = F1Score::new().average(Average::Micro).threshold(0.5);
    one.update(&y_true, &Tensor::from([[0.9, 0.1], [0.8, 0.2]]), None).unwrap();
    assert_eq!(value(&one), 1.0);
    let wide = Tensor::from([[1.0, 0.0, 0.0]]);
    let text = error(each.update(&wide, &wide, None));
    assert_eq!(text, "metric `fbeta_score`: there must be 2 classes, as before; got 3");
}

#[test]
fn r2_of_several_outputs_is_adjusted_by_samples_and_never_nan() {
    let y_true = Tensor::from([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0], [4.0, 5.0]]);
    let y_pred = Tensor::from([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0], [3.0, 5.0]]);
    let mut each = R2Score::new().class_aggregation(None);
    each.update(&y_true, &y_pred, None).unwrap();
    assert_eq!(each.result(), MetricValue::Vector(vec![0.8, 1.0]), "constant, and met");
    // Of 4 samples, not of 8 numbers: 1 - 0.2 · 3 / 2.
    let mut adjusted = R2Score::new().class_aggregation(None).num_regressors(1usize);
    adjusted.update(&y_true, &y_pred, None).unwrap();
    assert!((adjusted.result().values()[0] - 0.7).abs() < 1e-12);
    let wide = Tensor::from([[1.0]]);
    let text = error(each.update(&wide, &wide, None));
    assert_eq!(text, "metric `r2_score`: there must be 2 outputs, as before; got 1");
}

#[test]
fn fractions_of_weights_count_in_overlaps() {
    let mut second = IoU::new(2, [1]);
    let (y_true, y_pred) = (Tensor::from([1i32, 1, 0]), Tensor::from([1i32, 0, 1]));
    second.update(&y_true, &y_pred, Some(&Tensor::from([0.5, 0.25, 0.25]))).unwrap();
    assert_eq!(value(&second), 0.5);
    let mut void = MeanIoU::new(2).ignore_class(255);
    let y_true = Tensor::from([1i32, 255, 0]);
    void.update(&y_true, &Tensor::from([1i32, 77, 0]), None).unwrap();
    assert_eq!(value(&void), 1.0, "nothing is asked of predictions there");
}

#[test]
fn a_rate_out_of_reach_is_zero() {
    let mut recall = RecallAtPrecision::new(1.0);
    recall.update(&Tensor::from([0.0, 1.0]), &Tensor::from([0.9, 0.1]), None).unwrap();
    assert_eq!(value(&recall), 0.0);
}

#[test]
fn a_score_of_each_class_is_logged_and_watched_by_number() {
    let mut model = Sequential::new().seed(1);
    model.add(Dense::new(2).input_dim(2).activation("softmax")).unwrap();
    let rules = Compile::new().loss("categorical_crossentropy").optimizer("sgd");
    model.compile(rules.metrics([F1Score::new()])).unwrap();
    let (x, y) = ([[0.0f32, 1.0], [1.0, 0.0]], [[1.0f32, 0.0], [0.0, 1.0]]);
    let fit = || Fit::new().epochs(2).verbose(Verbose::Silent);
    let history = model.fit(x, y, fit().callback(EarlyStopping::new("f1_score_1"))).unwrap();
    assert!(history.get("f1_score_0").is_some() && history.get("f1_score_1").is_some());
    let wrong = fit().callback(EarlyStopping::new("f1_score"));
    let text = model.fit(x, y, wrong).unwrap_err().to_string();
    assert!(text.contains("`f1_score`; did you mean `f1_score_0`?"), "{text}");
    let again = Model::from_json(&model.to_json().unwrap()).unwrap();
    assert_eq!(again.to_json().unwrap(), model.to_json().unwrap());
}
