//! Layers that make one tensor of several.

mod arithmetic;
mod concatenate;
mod dot;

pub use arithmetic::{Add, Average, Maximum, Minimum, Multiply, Subtract};
pub use concatenate::Concatenate;
pub use dot::{Dot, DotAxes};
