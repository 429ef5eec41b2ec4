//! Layers against overfitting. All but [`ActivityRegularization`] act only while training.

mod activity;
mod alpha;
mod dropout;
mod gaussian;
mod spatial;

pub use activity::ActivityRegularization;
pub use alpha::AlphaDropout;
pub use dropout::Dropout;
pub(crate) use dropout::{drop_elements, with_own};
pub use gaussian::{GaussianDropout, GaussianNoise};
pub use spatial::{SpatialDropout1D, SpatialDropout2D, SpatialDropout3D};
