//! Every op, with its rule, its value and its derivative in one place.

mod binary;
mod compare;
mod cross_entropy;
mod formulas;
mod matmul;
mod reduce;
mod scalar;
mod shape;
mod softmax;
mod unary;

pub use binary::*;
pub(crate) use binary::{add_in_place, owned_left, owned_right};
pub use compare::*;
pub use cross_entropy::*;
pub use matmul::*;
pub use reduce::*;

pub use scalar::*;
pub use shape::*;
pub use softmax::*;
pub use unary::*;
