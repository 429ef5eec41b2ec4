//! Layers that most models are made of.

mod activation;
mod dense;
mod embedding;
mod identity;

pub use activation::ActivationLayer;
pub use dense::{Dense, DenseWeights};
pub use embedding::Embedding;
pub use identity::Identity;
