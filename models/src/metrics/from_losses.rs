//! Metrics that are running means of a loss.

use cornu_autodiff::{Result, Tensor};

use super::declare::{mean_metric, metric, total_state};
use super::mean::Values;
use super::{Direction, MetricValue};
use crate::losses;
use crate::losses::pair::Place;

/// Declares metrics that are running means of the loss of the same or another name.
macro_rules! loss_metric {
    ($(
        $(#[$meta:meta])*
        $Name:ident[$class:literal, $name:literal] of $Loss:ident
            { $($(#[$field_meta:meta])* $field:ident: $Type:ty = $default:expr $(, $quiet:ident)?;)* }
    )*) => {$(
        mean_metric! {
            $(#[$meta])*
            pub struct $Name[$class, $name, Down] {
                $($(#[$field_meta])* $field: $Type = $default $(, $quiet)?;)*
            }
            values |self, y_true, y_pred| {
                let loss = losses::$Loss::new().name(&self.name)$(.$field(self.$field))*;
                Values::of_loss(&loss, y_true, y_pred)
            }
        }
    )*};
}

loss_metric! {
    /// Mean of `(y - p)²`.
    MeanSquaredError["MeanSquaredError", "mean_squared_error"] of MeanSquaredError {}
    /// Mean of `|y - p|`.
    MeanAbsoluteError["MeanAbsoluteError", "mean_absolute_error"] of MeanAbsoluteError {}
    /// Mean of `100 · |y - p| / max(|y|, 10⁻⁷)`.
    MeanAbsolutePercentageError[
        "MeanAbsolutePercentageError", "mean_absolute_percentage_error"
    ] of MeanAbsolutePercentageError {}
    /// Mean of `(ln(1 + y) - ln(1 + p))²`.
    MeanSquaredLogarithmicError[
        "MeanSquaredLogarithmicError", "mean_squared_logarithmic_error"
    ] of MeanSquaredLogarithmicError {}
    /// Mean of `ln(cosh(p - y))`.
    LogCoshError["LogCoshError", "logcosh"] of LogCosh {}
    /// Mean of [the loss](losses::BinaryCrossentropy).
    BinaryCrossentropy["BinaryCrossentropy", "binary_crossentropy"] of BinaryCrossentropy {
        /// Whether predictions are logits.
        from_logits: bool = false;
        /// Moves labels towards 1/2 by this part of the way.
        label_smoothing: f64 = 0.0;
    }
    /// Mean of [the loss](losses::CategoricalCrossentropy).
    CategoricalCrossentropy[
        "CategoricalCrossentropy", "categorical_crossentropy"
    ] of CategoricalCrossentropy {
        /// Whether predictions are logits.
        from_logits: bool = false;
        /// Spreads this part of each label evenly over all classes.
        label_smoothing: f64 = 0.0;
        /// The axis of the classes.
        axis: isize = -1isize;
    }
    /// Mean of [the loss](losses::SparseCategoricalCrossentropy).
    SparseCategoricalCrossentropy[
        "SparseCategoricalCrossentropy", "sparse_categorical_crossentropy"
    ] of SparseCategoricalCrossentropy {
        /// Whether predictions are logits.
        from_logits: bool = false;
        /// A label that doesn't count. Keras counts it with a value of 0.
        ignore_class: Option<i64> = None;
        /// The axis of the classes.
        axis: isize = -1isize;
    }
    /// Mean of [the loss](losses::KLDivergence).
    KLDivergence["KLDivergence", "kl_divergence"] of KLDivergence {}
    /// Mean of [the loss](losses::Poisson).
    Poisson["Poisson", "poisson"] of Poisson {}
    /// Mean of [the loss](losses::Hinge).
    Hinge["Hinge", "hinge"] of Hinge {}
    /// Mean of [the loss](losses::SquaredHinge).
    SquaredHinge["SquaredHinge", "squared_hinge"] of SquaredHinge {}
    /// Mean of [the loss](losses::CategoricalHinge).
    CategoricalHinge["CategoricalHinge", "categorical_hinge"] of CategoricalHinge {}
}

mean_metric! {
    /// Mean cosine of the angle between labels and predictions: 1 is best, unlike in
    /// [the loss](losses::CosineSimilarity).
    pub struct CosineSimilarity["CosineSimilarity", "cosine_similarity", Up] {
        /// The axis of the vectors. Keras leaves it out of the config.
        axis: isize = -1isize, quiet;
    }
    values |self, y_true, y_pred| {
        let loss = losses::CosineSimilarity::new().name(&self.name).axis(self.axis);
        let mut values = Values::of_loss(&loss, y_true, y_pred)?;
        values.values.iter_mut().for_each(|v| *v = -*v);
        Ok(values)
    }
}

metric! {
    /// Root of the mean of `(y - p)²`.
    pub struct RootMeanSquaredError["RootMeanSquaredError", "root_mean_squared_error"] {}
    state total: super::mean::Total;
    fn update(
        &mut self,
        y_true: &Tensor,
        y_pred: &Tensor,
        sample_weight: Option<&Tensor>,
    ) -> Result<()> {
        let loss = losses::MeanSquaredError::new().name(&self.name);
        let values = Values::of_loss(&loss, y_true, y_pred)?;
        self.total.add(Place("metric", &self.name), &values, sample_weight)
    }
    fn result(&self) -> MetricValue {
        MetricValue::Scalar(self.total.mean().sqrt())
    }
    total_state!();
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Down)
    }
}
