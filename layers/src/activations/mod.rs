//! Activations as layers; the functions themselves are in `activation`.

mod activation;
mod prelu;
mod rectifiers;
mod softmax;

pub use activation::ActivationLayer;
pub use prelu::PReLU;
pub use rectifiers::{ELU, LeakyReLU, ReLU};
pub use softmax::Softmax;
