//! x

#[cfg(feature = "datasets")]
pub mod datasets;
