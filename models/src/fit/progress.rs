//! How far training has come.

use crate::callbacks::State;
use crate::history::History;

/// What a checkpoint keeps besides weights and optimizer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    /// Batches trained on since the model was compiled; dropout follows from it.
    pub(crate) step: u64,
    /// Passes over the data begun since the model was compiled; shuffling follows from it.
    pub(crate) shuffles: u64,
    /// Batches taken from the last of these passes; 0 if it has come to its end.
    pub(crate) position: usize,
    /// Epochs completed in the `fit` that is running or was last.
    pub(crate) epoch: usize,
    /// Batches trained on in the epoch after those.
    pub(crate) batch: usize,
    /// Of that `fit`.
    pub(crate) history: History,
    /// What each of its callbacks remembers, by name.
    pub(crate) callbacks: Vec<(String, State)>,
}
