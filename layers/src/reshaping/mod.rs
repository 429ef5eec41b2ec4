//! Layers that arrange the same elements anew.

mod border;
mod flatten;
mod permute;
mod repeat;
mod reshape;
mod up_sampling;

pub use border::{Cropping1D, Cropping2D, Cropping3D, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D};
pub use flatten::Flatten;
pub use permute::Permute;
pub use repeat::RepeatVector;
pub use reshape::Reshape;
pub use up_sampling::{UpSampling1D, UpSampling2D, UpSampling3D};
