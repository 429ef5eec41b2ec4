//! Callbacks of a few lines.

use std::fmt;

use super::{Callback, Run};
use crate::error::Result;
use crate::history::Logs;

/// Ends training, without an error, when a batch's loss is NaN or infinite.
///
/// `fit` by itself returns an error that names the first guilty layer and keeps the last good
/// weights, so a finite loss is all that this callback ever sees; it is here for programs that
/// are moved from Keras and name it.
#[derive(Clone, Copy, Debug, Default)]
pub struct TerminateOnNaN;

impl Callback for TerminateOnNaN {
    fn name(&self) -> &str {
        "terminate_on_nan"
    }

    fn on_batch_end(&mut self, run: &mut Run<'_>, _: usize, logs: &Logs) -> Result<()> {
        if logs.get("batch_loss").is_some_and(|loss| !loss.is_finite()) {
            run.stop_training();
        }
        Ok(())
    }
}

/// Calls a closure after each epoch.
///
/// ```
/// use cornu_models::callbacks::LambdaCallback;
/// let stop_at_one_percent = LambdaCallback::new(|run, _epoch, logs| {
///     if logs.get("loss").is_some_and(|loss| loss < 0.01) {
///         run.stop_training();
///     }
///     Ok(())
/// });
/// ```
pub struct LambdaCallback<F>(F);

impl<F: FnMut(&mut Run<'_>, usize, &Logs) -> Result<()>> LambdaCallback<F> {
    /// The closure: it is told the run, the epoch, counted from 0, and its logs.
    pub fn new(on_epoch_end: F) -> LambdaCallback<F> {
        LambdaCallback(on_epoch_end)
    }
}

impl<F> fmt::Debug for LambdaCallback<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LambdaCallback")
    }
}

impl<F: FnMut(&mut Run<'_>, usize, &Logs) -> Result<()>> Callback for LambdaCallback<F> {
    fn name(&self) -> &str {
        "lambda_callback"
    }

    fn on_epoch_end(&mut self, run: &mut Run<'_>, epoch: usize, logs: &Logs) -> Result<()> {
        (self.0)(run, epoch, logs)
    }
}
