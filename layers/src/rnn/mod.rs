//! Layers that go through sequences step by step.

mod bidirectional;
mod cell;
mod conv_lstm;
mod generic;
mod gru;
mod lstm;
mod recurrent;
mod sequence;
mod simple;
mod stacked;
mod time_distributed;

pub use bidirectional::{Bidirectional, MergeMode};
pub use cell::CellWeights;
pub use conv_lstm::{ConvLSTM1D, ConvLSTM2D, ConvLSTM3D};
pub use generic::RNN;
pub use gru::{GRU, GRUCell};
pub use lstm::{LSTM, LSTMCell};
pub use sequence::Recurrent;
pub use simple::{SimpleRNN, SimpleRNNCell};
pub use stacked::StackedRNNCells;
pub use time_distributed::TimeDistributed;
