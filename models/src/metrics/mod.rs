//! Metrics: how good predictions are, as numbers for people.
//!
//! Names, defaults and numbers are Keras's. What Keras broadcasts silently is an error here.

mod accuracy;
mod auc;
mod confusion;
mod correlation;
mod counts;
mod curve;
mod declare;
mod f_score;
mod from_losses;
mod function;
mod iou;
mod mean;
mod metric;
mod operating;
mod overlap;
mod r2;
mod reduction;
mod registry;
mod state;

pub use accuracy::{
    Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy, TopKCategoricalAccuracy,
};
pub use auc::AUC;
pub use confusion::Thresholds;
pub use correlation::{ConcordanceCorrelation, PearsonCorrelation};
pub use counts::{FalseNegatives, FalsePositives, Precision, Recall, TrueNegatives, TruePositives};
pub use curve::{Curve, SummationMethod};
pub use f_score::{Average, F1Score, FBetaScore};
pub use from_losses::{
    BinaryCrossentropy, CategoricalCrossentropy, CategoricalHinge, CosineSimilarity, Hinge,
    KLDivergence, LogCoshError, MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredError,
    MeanSquaredLogarithmicError, Poisson, RootMeanSquaredError, SparseCategoricalCrossentropy,
    SquaredHinge,
};
pub use function::Function;
pub use iou::{BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU};
pub use metric::{Direction, Metric, MetricValue};
pub use operating::{
    PrecisionAtRecall, RecallAtPrecision, SensitivityAtSpecificity, SpecificityAtSensitivity,
};
pub use r2::{ClassAggregation, R2Score};
pub use reduction::{Mean, Sum};
pub use registry::{by_name, by_shape, from_json, is_by_shape, names, to_json};
