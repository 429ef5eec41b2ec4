//! Losses by name.

use std::sync::Arc;

use cornu_autodiff::{Error, Result};
use serde_json::Value;

use super::*;
use crate::options::{Config, Options, parse_object, write_object};

type Reader = fn(&Config) -> Result<Box<dyn Loss>>;

fn read<L: Options + Loss + 'static>(config: &Config) -> Result<Box<dyn Loss>> {
    let loss = L::read(config)?;
    loss.check()?;
    Ok(Box::new(loss))
}

/// Every loss by its class, with the other names that Keras knows it by.
const LOSSES: &[(&str, &[&str], Reader)] = &[
    ("BinaryCrossentropy", &["binary_crossentropy", "bce", "BCE"], read::<BinaryCrossentropy>),
    ("BinaryFocalCrossentropy", &["binary_focal_crossentropy"], read::<BinaryFocalCrossentropy>),
    ("CTC", &["ctc"], read::<CTC>),
    ("CategoricalCrossentropy", &["categorical_crossentropy"], read::<CategoricalCrossentropy>),
    (
        "CategoricalFocalCrossentropy",
        &["categorical_focal_crossentropy"],
        read::<CategoricalFocalCrossentropy>,
    ),
    (
        "CategoricalGeneralizedCrossEntropy",
        &["categorical_generalized_cross_entropy"],
        read::<CategoricalGeneralizedCrossEntropy>,
    ),
    ("CategoricalHinge", &["categorical_hinge"], read::<CategoricalHinge>),
    ("Circle", &["circle"], read::<Circle>),
    ("CosineSimilarity", &["cosine_similarity"], read::<CosineSimilarity>),
    ("Dice", &["dice"], read::<Dice>),
    ("Hinge", &["hinge"], read::<Hinge>),
    ("Huber", &["huber"], read::<Huber>),
    ("KLDivergence", &["kl_divergence", "kld", "KLD"], read::<KLDivergence>),
    ("LogCosh", &["log_cosh", "logcosh"], read::<LogCosh>),
    ("MeanAbsoluteError", &["mean_absolute_error", "mae", "MAE"], read::<MeanAbsoluteError>),
    (
        "MeanAbsolutePercentageError",
        &["mean_absolute_percentage_error", "mape", "MAPE"],
        read::<MeanAbsolutePercentageError>,
    ),
    ("MeanSquaredError", &["mean_squared_error", "mse", "MSE"], read::<MeanSquaredError>),
    (
        "MeanSquaredLogarithmicError",
        &["mean_squared_logarithmic_error", "msle", "MSLE"],
        read::<MeanSquaredLogarithmicError>,
    ),
    ("Poisson", &["poisson"], read::<Poisson>),
    (
        "SparseCategoricalCrossentropy",
        &["sparse_categorical_crossentropy"],
        read::<SparseCategoricalCrossentropy>,
    ),
    ("SquaredHinge", &["squared_hinge"], read::<SquaredHinge>),
    ("Tversky", &["tversky"], read::<Tversky>),
];

/// The names of all classes.
pub fn names() -> Vec<&'static str> {
    LOSSES.iter().map(|(class, ..)| *class).collect()
}

/// The loss of a name as Keras knows it: `"mse"`, `"MeanSquaredError"`, `"binary_crossentropy"`.
///
/// # Errors
/// When there is none; the error lists those that there are, nearest first.
pub fn by_name(name: &str) -> Result<Box<dyn Loss>> {
    find(name, &Config::new())
}

/// A loss from a name, or from Keras's JSON with `class_name` and `config`.
///
/// # Errors
/// When the class is unknown, or an option is unknown or out of its range.
pub fn from_json(value: &Value) -> Result<Box<dyn Loss>> {
    let (class, config) = parse_object("loss", value)?;
    find(class, config.unwrap_or(&Config::new()))
}

/// A loss as Keras writes it.
pub fn to_json(loss: &dyn Loss) -> Value {
    write_object("keras.losses", loss.class_name(), loss.config())
}

fn find(name: &str, config: &Config) -> Result<Box<dyn Loss>> {
    let known =
        |(class, aliases, _): &&(&str, &[&str], Reader)| *class == name || aliases.contains(&name);
    if let Some((.., read)) = LOSSES.iter().find(known) {
        return read(config);
    }
    let names: Vec<&str> = LOSSES
        .iter()
        .flat_map(|(class, aliases, _)| aliases.iter().chain([class]))
        .copied()
        .collect();
    Err(Error::unknown("loss", name, &names))
}

/// What `compile` takes as a loss: a name, or a typed value.
pub trait IntoLoss {
    /// The loss.
    ///
    /// # Errors
    /// When the name is unknown or an option is out of its range.
    fn into_loss(self) -> Result<Arc<dyn Loss>>;
}

impl<L: Loss + 'static> IntoLoss for L {
    fn into_loss(self) -> Result<Arc<dyn Loss>> {
        self.check()?;
        Ok(Arc::new(self))
    }
}

impl IntoLoss for &str {
    fn into_loss(self) -> Result<Arc<dyn Loss>> {
        Ok(by_name(self)?.into())
    }
}

impl IntoLoss for &String {
    fn into_loss(self) -> Result<Arc<dyn Loss>> {
        Ok(by_name(self)?.into())
    }
}

impl IntoLoss for Arc<dyn Loss> {
    fn into_loss(self) -> Result<Arc<dyn Loss>> {
        self.check()?;
        Ok(self)
    }
}

impl IntoLoss for Box<dyn Loss> {
    fn into_loss(self) -> Result<Arc<dyn Loss>> {
        self.check()?;
        Ok(self.into())
    }
}
