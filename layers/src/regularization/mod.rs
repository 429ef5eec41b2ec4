//! Layers against overfitting: they act only while training.

mod dropout;

pub use dropout::Dropout;
