//! From data to prediction: losses, metrics, optimizers and what trains with them.

#[cfg(feature = "datasets")]
pub mod datasets;
pub mod losses;
pub mod metrics;
pub mod optimizers;
mod options;

pub use options::Config;
