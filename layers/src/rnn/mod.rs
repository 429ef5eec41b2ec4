//! Layers that go through sequences step by step.

mod cell;
mod gru;
mod lstm;
mod recurrent;
mod sequence;
mod simple;

pub use cell::CellWeights;
pub use gru::{GRU, GRUCell};
pub use lstm::{LSTM, LSTMCell};
pub use sequence::Recurrent;
pub use simple::{SimpleRNN, SimpleRNNCell};
