//! Callbacks of a few lines.

use std::fmt;

use super::{Callback, Run};
use crate::error::{Error, Result};
use crate::history::Logs;

/// Ends training without an error when a loss or a gradient is NaN or infinite.
///
/// `fit` by itself returns an error that names the first guilty layer. With this callback it
/// returns the history instead, of the epochs that were completed. Either way the model has the
/// weights it had before that batch; Keras leaves it with those after it.
#[derive(Clone, Copy, Debug, Default)]
pub struct TerminateOnNaN;

impl Callback for TerminateOnNaN {
    fn name(&self) -> &str {
        "terminate_on_nan"
    }

    fn forgives(&self, error: &Error) -> bool {
        matches!(error, Error::NotFinite { .. })
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
