//! Layers that arrange the same elements anew.

mod flatten;
mod permute;
mod repeat;
mod reshape;

pub use flatten::Flatten;
pub use permute::Permute;
pub use repeat::RepeatVector;
pub use reshape::Reshape;
