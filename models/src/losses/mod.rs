//! Losses: how far predictions are from labels, as numbers with gradients.
//!
//! Names, defaults and numbers are Keras's. What Keras broadcasts silently is an error here.

mod crossentropy;
mod declare;
mod function;
mod hinge;
mod loss;
pub(crate) mod pair;
mod probabilistic;
mod reduce;
mod registry;
mod regression;
mod sparse;

pub use crossentropy::{BinaryCrossentropy, CategoricalCrossentropy};
pub use function::Function;
pub use hinge::{CategoricalHinge, Hinge, SquaredHinge};
pub use loss::{Loss, Reduction};
pub use probabilistic::{KLDivergence, Poisson};
pub use registry::{IntoLoss, by_name, from_json, names, to_json};
pub use regression::{
    CosineSimilarity, Huber, LogCosh, MeanAbsoluteError, MeanAbsolutePercentageError,
    MeanSquaredError, MeanSquaredLogarithmicError,
};
pub use sparse::SparseCategoricalCrossentropy;
