//! What models are trained on and asked about.

mod arrays;
mod batches;
mod split;

pub use arrays::Data;
pub use batches::{Batch, Batches};
pub(crate) use batches::{ArrayBatches, Samples};
pub use split::Split;
