//! Layers that slide learned windows.

mod conv;
mod depthwise;
mod separable;
mod transpose;

pub(crate) use conv::convolve;
pub use conv::{Conv1D, Conv2D, Conv3D};
pub use depthwise::{DepthwiseConv1D, DepthwiseConv2D};
pub use separable::{SeparableConv1D, SeparableConv2D, SeparableConvWeights};
pub use transpose::{Conv1DTranspose, Conv2DTranspose, Conv3DTranspose};
