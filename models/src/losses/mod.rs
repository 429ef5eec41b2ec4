//! Losses: how far predictions are from labels, as numbers with gradients.
//!
//! Names, defaults and numbers are Keras's. What Keras broadcasts silently is an error here. There
//! is no `dtype`: a loss is computed in that of the predictions.

mod circle;
mod crossentropy;
mod ctc;
mod declare;
mod focal;
mod function;
mod generalized;
mod hinge;
mod loss;
mod overlap;
pub(crate) mod pair;
mod probabilistic;
mod reduce;
mod registry;
mod regression;
mod sparse;

pub use circle::Circle;
pub use crossentropy::{BinaryCrossentropy, CategoricalCrossentropy};
pub use ctc::CTC;
pub use focal::{Alpha, BinaryFocalCrossentropy, CategoricalFocalCrossentropy};
pub use function::Function;
pub use generalized::CategoricalGeneralizedCrossEntropy;
pub use hinge::{CategoricalHinge, Hinge, SquaredHinge};
pub use loss::{Loss, Reduction};
pub use overlap::{Dice, FoldedAxes, Tversky};
pub use probabilistic::{KLDivergence, Poisson};
pub use registry::{IntoLoss, by_name, from_json, names, to_json};
pub use regression::{
    CosineSimilarity, Huber, LogCosh, MeanAbsoluteError, MeanAbsolutePercentageError,
    MeanSquaredError, MeanSquaredLogarithmicError,
};
pub use sparse::SparseCategoricalCrossentropy;
