//! Layers that most models are made of.

mod dense;
mod einsum_dense;
mod embedding;
mod equation;
mod identity;
mod lambda;
mod masking;
mod reversible_embedding;

pub use dense::Dense;
pub use einsum_dense::EinsumDense;
pub use embedding::Embedding;
pub use identity::Identity;
pub use lambda::{Lambda, LambdaFunction};
pub use masking::Masking;
pub use reversible_embedding::{ReversibleEmbedding, ReversibleEmbeddingWeights};
