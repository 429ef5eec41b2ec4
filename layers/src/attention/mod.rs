//! Layers that look things up by likeness.

mod additive;
mod dot;
mod grouped_query;
mod heads;
mod mask;
mod multi_head;
mod projection;

pub use additive::AdditiveAttention;
pub use dot::{Attention, AttentionWeights, ScoreMode};
pub use grouped_query::GroupQueryAttention;
pub use multi_head::MultiHeadAttention;
pub use projection::HeadsWeights;
