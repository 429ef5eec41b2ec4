//! Metrics by name.

use cornu_autodiff::{Error, Result};
use serde_json::Value;

use super::*;
use crate::options::{Config, Options, parse_object, write_object};

type Reader = fn(&Config) -> Result<Box<dyn Metric>>;

fn read<M: Options + Metric + 'static>(config: &Config) -> Result<Box<dyn Metric>> {
    let metric = M::read(config)?;
    metric.check()?;
    Ok(Box::new(metric))
}

macro_rules! table {
    ($($Name:ident $snake:literal $([$($alias:literal)*])?,)*) => {
        /// Every metric by its class, with the other names that Keras knows it by.
        const METRICS: &[(&str, &[&str], Reader)] =
            &[$((stringify!($Name), &[$snake $($(, $alias)*)?], read::<$Name>)),*];
    };
}

table! {
    AUC "auc",
    Accuracy "accuracy",
    BinaryAccuracy "binary_accuracy",
    BinaryCrossentropy "binary_crossentropy" ["bce" "BCE"],
    BinaryIoU "binary_io_u",
    CategoricalAccuracy "categorical_accuracy",
    CategoricalCrossentropy "categorical_crossentropy",
    CategoricalHinge "categorical_hinge",
    ConcordanceCorrelation "concordance_correlation",
    CosineSimilarity "cosine_similarity",
    F1Score "f1_score",
    FBetaScore "f_beta_score",
    FalseNegatives "false_negatives",
    FalsePositives "false_positives",
    Hinge "hinge",
    IoU "io_u",
    KLDivergence "kl_divergence",
    LogCoshError "log_cosh_error",
    Mean "mean",
    MeanAbsoluteError "mean_absolute_error" ["mae" "MAE"],
    MeanAbsolutePercentageError "mean_absolute_percentage_error" ["mape" "MAPE"],
    MeanIoU "mean_io_u",
    MeanSquaredError "mean_squared_error" ["mse" "MSE"],
    MeanSquaredLogarithmicError "mean_squared_logarithmic_error" ["msle" "MSLE"],
    OneHotIoU "one_hot_io_u",
    OneHotMeanIoU "one_hot_mean_io_u",
    PearsonCorrelation "pearson_correlation",
    Poisson "poisson",
    Precision "precision",
    PrecisionAtRecall "precision_at_recall",
    R2Score "r2_score",
    Recall "recall",
    RecallAtPrecision "recall_at_precision",
    RootMeanSquaredError "root_mean_squared_error",
    SensitivityAtSpecificity "sensitivity_at_specificity",
    SparseCategoricalAccuracy "sparse_categorical_accuracy",
    SparseCategoricalCrossentropy "sparse_categorical_crossentropy",
    SparseTopKCategoricalAccuracy "sparse_top_k_categorical_accuracy",
    SpecificityAtSensitivity "specificity_at_sensitivity",
    SquaredHinge "squared_hinge",
    Sum "sum",
    TrueNegatives "true_negatives",
    TruePositives "true_positives",
    TopKCategoricalAccuracy "top_k_categorical_accuracy",
}

/// The names of all classes.
pub fn names() -> Vec<&'static str> {
    METRICS.iter().map(|(class, ..)| *class).collect()
}

/// The metric of a name as Keras knows it: `"mse"`, `"MeanSquaredError"`, `"AUC"`. Asked for so,
/// it bears the name it was asked by.
///
/// `"accuracy"` is [`Accuracy`], which is seldom what is meant: see [`by_shape`].
///
/// # Errors
/// When there is none; the error lists those that there are, nearest first.
pub fn by_name(name: &str) -> Result<Box<dyn Metric>> {
    let mut metric = find(name, &Config::new())?;
    metric.rename(name);
    Ok(metric)
}

/// A metric from a name, or from Keras's JSON with `class_name` and `config`.
///
/// # Errors
/// When the class is unknown, or an option is unknown or out of its range.
pub fn from_json(value: &Value) -> Result<Box<dyn Metric>> {
    match parse_object("metric", value)? {
        (name, None) => by_name(name),
        (class, Some(config)) => find(class, config),
    }
}

/// A metric as Keras writes it.
pub fn to_json(metric: &dyn Metric) -> Value {
    write_object("keras.metrics", metric.class_name(), metric.config())
}

fn find(name: &str, config: &Config) -> Result<Box<dyn Metric>> {
    let known =
        |(class, aliases, _): &&(&str, &[&str], Reader)| *class == name || aliases.contains(&name);
    if let Some((.., read)) = METRICS.iter().find(known) {
        return read(config);
    }
    let names = METRICS.iter().flat_map(|(class, aliases, _)| aliases.iter().chain([class]));
    let names: Vec<&str> = names.chain(&["acc"]).copied().collect();
    Err(Error::unknown("metric", name, &names))
}

/// Whether the metric that a name stands for depends on the shapes of labels and predictions:
/// `"accuracy"` and `"acc"`, upper or lower case as in Keras.
pub fn is_by_shape(name: &str) -> bool {
    name.eq_ignore_ascii_case("accuracy") || name.eq_ignore_ascii_case("acc")
}

/// The accuracy that fits labels and predictions of these shapes, as Keras chooses it:
///
/// | predictions | labels | |
/// |---|---|---|
/// | `(…, 1)`, or `(N)` | any | [`BinaryAccuracy`] |
/// | `(…, C)` | of lower rank, or `(…, 1)` | [`SparseCategoricalAccuracy`] |
/// | `(…, C)` | any other | [`CategoricalAccuracy`] |
///
/// (For predictions `(N)` Keras compares which sample is largest.)
///
/// # Errors
/// When the name is not one that depends on shapes.
pub fn by_shape(name: &str, y_true: &[usize], y_pred: &[usize]) -> Result<Box<dyn Metric>> {
    if !is_by_shape(name) {
        return Err(Error::unknown("metric that depends on shapes", name, &["accuracy", "acc"]));
    }
    let classes = if y_pred.len() < 2 { 1 } else { y_pred[y_pred.len() - 1] };
    let sparse = y_true.len() < y_pred.len() || y_true.last() == Some(&1);
    let mut metric: Box<dyn Metric> = if classes == 1 {
        Box::new(BinaryAccuracy::new())
    } else if sparse {
        Box::new(SparseCategoricalAccuracy::new())
    } else {
        Box::new(CategoricalAccuracy::new())
    };
    metric.rename(name);
    Ok(metric)
}
