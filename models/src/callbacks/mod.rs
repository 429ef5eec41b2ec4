//! What happens between batches and epochs.

mod checkpoint;
mod csv_logger;
mod early_stopping;
mod learning_rate;
mod monitor;
mod report;
mod small;
mod status;

pub use checkpoint::ModelCheckpoint;
pub use csv_logger::CSVLogger;
pub use early_stopping::EarlyStopping;
pub use learning_rate::{LearningRateScheduler, ReduceLROnPlateau};
pub use monitor::Mode;
pub(crate) use report::Reporter;
pub use report::{Sink, Verbose};
pub use small::{LambdaCallback, TerminateOnNaN};

use std::fmt::Debug;

use cornu_autodiff::Tensor;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::history::{LogNames, Logs};
use crate::model::Model;

/// What a callback may look at and change while `fit` runs.
#[derive(Debug)]
pub struct Run<'a> {
    /// The model being trained.
    pub model: &'a mut Model,
    pub(crate) stop: &'a mut bool,
}

impl Run<'_> {
    /// Ends training after this batch or epoch. What callbacks do at the end, they still do.
    pub fn stop_training(&mut self) {
        *self.stop = true;
    }

    /// Whether training is about to end.
    pub fn is_stopping(&self) -> bool {
        *self.stop
    }
}

/// What a callback must remember to go on after a checkpoint.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Numbers and words.
    pub values: Value,
    /// Tensors, kept bit for bit.
    pub tensors: Vec<Tensor>,
}

impl From<Value> for State {
    fn from(values: Value) -> State {
        State { values, tensors: Vec::new() }
    }
}

/// Something to do at the turns of training. Every method does nothing unless it is written.
///
/// Logs of a batch hold running means under Keras's names and `batch_loss`, the loss of that
/// batch alone; logs of an epoch hold that epoch's values, with `val_` in front of those on
/// validation data.
///
/// # Errors
/// An error from a callback ends `fit` with that error.
#[allow(unused_variables)]
pub trait Callback: Debug {
    /// Its name: what it remembers is kept under it in checkpoints.
    fn name(&self) -> &str;

    /// Refuses what it was told, before the first batch. `names` are those that the logs of an
    /// epoch will hold.
    fn check(&mut self, names: &LogNames) -> Result<()> {
        Ok(())
    }

    /// Values that it adds to the logs of an epoch, before anybody is told of the epoch's end.
    /// Their names are asked for once before training.
    fn report(&self, model: &Model) -> Vec<(String, f64)> {
        Vec::new()
    }

    /// Before the first epoch.
    fn on_train_begin(&mut self, run: &mut Run<'_>) -> Result<()> {
        Ok(())
    }

    /// After the last epoch, whatever ended training: an error, too.
    fn on_train_end(&mut self, run: &mut Run<'_>) -> Result<()> {
        Ok(())
    }

    /// Before an epoch, counted from 0.
    fn on_epoch_begin(&mut self, run: &mut Run<'_>, epoch: usize) -> Result<()> {
        Ok(())
    }

    /// After an epoch and its validation.
    fn on_epoch_end(&mut self, run: &mut Run<'_>, epoch: usize, logs: &Logs) -> Result<()> {
        Ok(())
    }

    /// Before a batch, counted from 0 in its epoch.
    fn on_batch_begin(&mut self, run: &mut Run<'_>, batch: usize) -> Result<()> {
        Ok(())
    }

    /// After a batch.
    fn on_batch_end(&mut self, run: &mut Run<'_>, batch: usize, logs: &Logs) -> Result<()> {
        Ok(())
    }

    /// Whether it wants to save after this batch.
    fn is_due(&self) -> bool {
        false
    }

    /// After an epoch's end, or that of a batch after which one is due, once every callback has
    /// been told of it and what each must remember has been kept: the place to save checkpoints.
    fn save(&mut self, run: &mut Run<'_>) -> Result<()> {
        Ok(())
    }

    /// Whether training that `error` ended counts as having been stopped.
    fn forgives(&self, error: &Error) -> bool {
        false
    }

    /// What it must remember to go on after a checkpoint.
    fn state(&self) -> Option<State> {
        None
    }

    /// Takes back what [`state`](Callback::state) gave.
    fn restore(&mut self, state: &State) -> Result<()> {
        Ok(())
    }
}

impl<C: Callback> Callback for &mut C {
    fn name(&self) -> &str {
        (**self).name()
    }
    fn check(&mut self, names: &LogNames) -> Result<()> {
        (**self).check(names)
    }
    fn report(&self, model: &Model) -> Vec<(String, f64)> {
        (**self).report(model)
    }
    fn on_train_begin(&mut self, run: &mut Run<'_>) -> Result<()> {
        (**self).on_train_begin(run)
    }
    fn on_train_end(&mut self, run: &mut Run<'_>) -> Result<()> {
        (**self).on_train_end(run)
    }
    fn on_epoch_begin(&mut self, run: &mut Run<'_>, epoch: usize) -> Result<()> {
        (**self).on_epoch_begin(run, epoch)
    }
    fn on_epoch_end(&mut self, run: &mut Run<'_>, epoch: usize, logs: &Logs) -> Result<()> {
        (**self).on_epoch_end(run, epoch, logs)
    }
    fn on_batch_begin(&mut self, run: &mut Run<'_>, batch: usize) -> Result<()> {
        (**self).on_batch_begin(run, batch)
    }
    fn on_batch_end(&mut self, run: &mut Run<'_>, batch: usize, logs: &Logs) -> Result<()> {
        (**self).on_batch_end(run, batch, logs)
    }
    fn is_due(&self) -> bool {
        (**self).is_due()
    }
    fn save(&mut self, run: &mut Run<'_>) -> Result<()> {
        (**self).save(run)
    }
    fn forgives(&self, error: &Error) -> bool {
        (**self).forgives(error)
    }
    fn state(&self) -> Option<State> {
        (**self).state()
    }
    fn restore(&mut self, state: &State) -> Result<()> {
        (**self).restore(state)
    }
}
