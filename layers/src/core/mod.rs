//! Layers that most models are made of.

mod activation;
mod dense;
mod identity;

pub use activation::ActivationLayer;
pub use dense::{Dense, DenseWeights};
pub use identity::Identity;
