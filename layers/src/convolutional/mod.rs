//! Layers that slide learned windows over their input.

mod conv;

pub use conv::{Conv1D, Conv2D, Conv3D};
