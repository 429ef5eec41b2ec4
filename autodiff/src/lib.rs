//! Tensors, a tape, and ops whose gradients are made of ops.
//!
//! - A [`Tensor`] is an array whose dtype and shape are known at run time. Clones and views share
//!   their elements.
//! - A [`Tape`] lists the ops that its thread runs, and walks the list backwards once for
//!   gradients. What the walk computes is on the list of a tape around it: gradients of gradients.
//! - An [`Op`] says in one place what it is called, which shapes it takes, what it computes, and
//!   how its gradient is made of other ops. Yours are as good as those here.
//! - [`grad`], [`vjp`], [`jacobian`], [`hessian`] and others make derivatives of functions.
//!
//! Methods panic on shapes that don't fit, with a text that names the op and the shapes, at the
//! caller's line; [`apply`] gives the same text as an [`Error`].
//!
//! ```
//! use cornu_autodiff::{Tape, Tensor};
//! // A straight line through three points, by gradient descent.
//! let (x, y) = (Tensor::from([1.0, 2.0, 3.0]), Tensor::from([5.0, 7.0, 9.0]));
//! let (mut slope, mut offset) = (Tensor::scalar(0.0), Tensor::scalar(0.0));
//! for _ in 0..2000 {
//!     let tape = Tape::new();
//!     let loss = (&x * &slope + &offset - &y).square().mean(.., false);
//!     let gradients = tape.gradient(&loss, &[&slope, &offset])?;
//!     slope = slope - 0.1 * &gradients[0];
//!     offset = offset - 0.1 * &gradients[1];
//! }
//! assert!((slope.item::<f64>()? - 2.0).abs() < 1e-6);
//! assert!((offset.item::<f64>()? - 3.0).abs() < 1e-6);
//! # Ok::<(), cornu_autodiff::Error>(())
//! ```

mod convert;
mod dtype;
mod elements;
mod error;
mod kernels;
mod op;
mod operators;
pub mod ops;
mod random;
mod shape;
mod storage;
mod tape;
mod tensor;
pub mod testing;
mod transforms;
mod update;

pub use dtype::{DType, Element};
pub use error::{Error, Result};
pub use kernels::parallel::{set_threads, threads};
pub use op::{Call, Gradients, Op, Saves, apply};
pub use random::{Generator, GeneratorState};
pub use shape::{IntoShape, MAX_RANK, Shape, Spec, axis_of, broadcast, is_probe, probes};
pub use storage::release_memory;
pub use tape::{Pause, Tape, is_recording};
pub use tensor::Tensor;
pub use transforms::{
    custom_gradient, grad, hessian, hessian_vector, jacobian, value_and_grad, vjp,
};
pub use update::{Elementwise, Float, squared_norm, update, update_after};
