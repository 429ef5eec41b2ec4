//! Stopping when nothing improves any more.

use cornu_autodiff::Tensor;
use cornu_layers::Setting;
use serde_json::json;

use super::monitor::{Mode, Monitor};
use super::{Callback, Run, State};
use crate::error::{Error, Result};
use crate::history::{LogNames, Logs};

/// Stops training when a monitored value has not improved for some epochs, and can put the best
/// weights back.
///
/// Unlike in Keras, `restore_best_weights` restores whatever ended training: patience, the last
/// epoch, another callback, or an error such as a NaN.
///
/// ```
/// use cornu_models::callbacks::EarlyStopping;
/// let stop = EarlyStopping::new("val_loss").patience(5).restore_best_weights(true);
/// ```
#[derive(Clone, Debug)]
pub struct EarlyStopping {
    monitor: Monitor,
    patience: usize,
    baseline: Option<f64>,
    restore_best_weights: bool,
    start_from_epoch: usize,
    wait: usize,
    stopped_epoch: Option<usize>,
    best_epoch: Option<usize>,
    best_weights: Option<Vec<Tensor>>,
}

impl EarlyStopping {
    /// Stops at the first epoch in which the value of this name does not improve.
    pub fn new(monitor: &str) -> EarlyStopping {
        EarlyStopping {
            monitor: Monitor::new(monitor),
            patience: 0,
            baseline: None,
            restore_best_weights: false,
            start_from_epoch: 0,
            wait: 0,
            stopped_epoch: None,
            best_epoch: None,
            best_weights: None,
        }
    }

    /// Epochs without improvement after which training stops.
    #[must_use]
    pub fn patience(mut self, epochs: usize) -> EarlyStopping {
        self.patience = epochs;
        self
    }

    /// What a change must exceed to count as improvement.
    #[must_use]
    pub fn min_delta(mut self, delta: f64) -> EarlyStopping {
        self.monitor.min_delta = delta.abs();
        self
    }

    /// Which way the value improves.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> EarlyStopping {
        self.monitor.mode = mode;
        self
    }

    /// A value that must be beaten before patience begins anew.
    #[must_use]
    pub fn baseline(mut self, value: f64) -> EarlyStopping {
        self.baseline = Some(value);
        self
    }

    /// Whether the weights of the best epoch are put back at the end.
    #[must_use]
    pub fn restore_best_weights(mut self, restore: bool) -> EarlyStopping {
        self.restore_best_weights = restore;
        self
    }

    /// The first epoch, counted from 0, that is looked at.
    #[must_use]
    pub fn start_from_epoch(mut self, epoch: usize) -> EarlyStopping {
        self.start_from_epoch = epoch;
        self
    }

    /// The best value, once there is one.
    pub fn best(&self) -> Option<f64> {
        self.monitor.best
    }

    /// The epoch of the best value, counted from 0.
    pub fn best_epoch(&self) -> Option<usize> {
        self.best_epoch
    }

    /// The epoch after which training was stopped, counted from 0; `None` if it wasn't.
    pub fn stopped_epoch(&self) -> Option<usize> {
        self.stopped_epoch
    }
}

impl Callback for EarlyStopping {
    fn name(&self) -> &str {
        "early_stopping"
    }

    fn check(&mut self, names: &LogNames) -> Result<()> {
        // A new `fit` begins anew; `restore` comes after.
        self.wait = 0;
        self.stopped_epoch = None;
        self.best_epoch = None;
        self.best_weights = None;
        self.monitor.check(names)
    }

    fn on_epoch_end(&mut self, run: &mut Run<'_>, epoch: usize, logs: &Logs) -> Result<()> {
        if epoch < self.start_from_epoch {
            return Ok(());
        }
        let Some(value) = self.monitor.value(logs) else { return Ok(()) };
        self.wait += 1;
        if self.monitor.is_better(value, self.monitor.best) {
            self.monitor.best = Some(value);
            self.best_epoch = Some(epoch);
            if self.restore_best_weights {
                self.best_weights = Some(run.model.get_weights());
            }
            if self.baseline.is_none() || self.monitor.is_better(value, self.baseline) {
                self.wait = 0;
            }
            return Ok(());
        }
        if self.wait >= self.patience && epoch > 0 {
            self.stopped_epoch = Some(epoch);
            run.stop_training();
        }
        Ok(())
    }

    fn on_train_end(&mut self, run: &mut Run<'_>) -> Result<()> {
        match &self.best_weights {
            Some(weights) => run.model.set_weights(weights),
            None => Ok(()),
        }
    }

    fn state(&self) -> Option<State> {
        let values = json!({
            "wait": self.wait,
            "best": self.monitor.best.to_json(),
            "best_epoch": self.best_epoch,
        });
        Some(State { values, tensors: self.best_weights.clone().unwrap_or_default() })
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let State { values, tensors } = state;
        let wrong = || Error::value("early_stopping", "its saved state must be whole", values);
        self.wait = Setting::from_json(&values["wait"]).map_err(|_| wrong())?;
        self.monitor.best = Setting::from_json(&values["best"]).map_err(|_| wrong())?;
        self.best_epoch = Setting::from_json(&values["best_epoch"]).map_err(|_| wrong())?;
        self.best_weights = (!tensors.is_empty()).then(|| tensors.clone());
        Ok(())
    }
}
