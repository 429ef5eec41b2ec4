//! Layers that most models are made of.

mod dense;
mod embedding;
mod identity;
mod masking;

pub use dense::Dense;
pub use embedding::Embedding;
pub use identity::Identity;
pub use masking::Masking;
