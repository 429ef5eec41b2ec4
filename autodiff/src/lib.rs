//! Tensors, a tape, and ops whose gradients are made of ops.
#![doc = ""]

mod convert;
mod dtype;
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
pub use shape::{IntoShape, MAX_RANK, PROBES, Shape, Spec, axis_of, broadcast, is_probe};
pub use storage::release_memory;
pub use tape::{Pause, Tape, is_recording};
pub use tensor::Tensor;
pub use transforms::{
    custom_gradient, grad, hessian, hessian_vector, jacobian, value_and_grad, vjp,
};
pub use update::{Elementwise, Float, squared_norm, update, update_after};
