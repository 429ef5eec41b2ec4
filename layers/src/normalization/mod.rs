//! Layers that bring values to mean 0 and variance 1.

mod batch;
mod group;
mod layer;
mod renorm;
mod rms;
mod scale;
mod spectral;
mod unit;

pub use batch::{BatchNormalization, BatchNormalizationWeights};
pub use group::GroupNormalization;
pub use layer::LayerNormalization;
pub use renorm::RenormClipping;
pub use rms::RMSNormalization;
pub use scale::ScaleWeights;
pub(crate) use scale::positions;
pub use spectral::{SpectralNormalization, SpectralNormalizationWeights};
pub use unit::UnitNormalization;
