//! Layers that make one tensor of several.

mod arithmetic;

pub use arithmetic::{Add, Average, Maximum, Minimum, Multiply, Subtract};
