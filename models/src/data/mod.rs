//! What models are trained on and asked about.

mod arrays;
mod batches;
mod split;

pub use arrays::Data;
pub(crate) use batches::{ArrayBatches, Samples, rows_of};
pub use batches::{Batch, Batches};
pub use split::Split;
#[cfg(feature = "datasets")]
pub(crate) use split::classes;
