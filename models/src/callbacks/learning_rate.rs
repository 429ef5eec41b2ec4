//! Changing the learning rate from outside the optimizer.

use std::fmt;

use cornu_layers::Setting;
use serde_json::json;

use super::monitor::{Mode, Monitor};
use super::{Callback, Run, State};
use crate::error::{Error, Result};
use crate::history::{LogNames, Logs};
use crate::model::Model;

/// What both callbacks here add to the logs, as Keras's do: the rate of the epoch.
fn report_rate(model: &Model) -> Vec<(String, f64)> {
    let rate = model.optimizer().map_or(f64::NAN, |optimizer| optimizer.learning_rate());
    vec![("learning_rate".to_owned(), rate)]
}

/// Sets the learning rate before each epoch to what a function of the epoch, counted from 0, and
/// the present rate says. Logs and history then hold `learning_rate`.
///
/// ```
/// use cornu_models::callbacks::LearningRateScheduler;
/// let halve = LearningRateScheduler::new(|epoch, rate| if epoch < 10 { rate } else { rate / 2.0 });
/// ```
pub struct LearningRateScheduler<F>(F);

impl<F: FnMut(usize, f64) -> f64> LearningRateScheduler<F> {
    /// The function that is asked.
    pub fn new(schedule: F) -> LearningRateScheduler<F> {
        LearningRateScheduler(schedule)
    }
}

impl<F> fmt::Debug for LearningRateScheduler<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LearningRateScheduler")
    }
}

impl<F: FnMut(usize, f64) -> f64> Callback for LearningRateScheduler<F> {
    fn name(&self) -> &str {
        "learning_rate_scheduler"
    }

    fn on_epoch_begin(&mut self, run: &mut Run<'_>, epoch: usize) -> Result<()> {
        let optimizer = run.model.optimizer_mut()?;
        let rate = (self.0)(epoch, optimizer.learning_rate());
        Ok(optimizer.set_learning_rate(rate)?)
    }

    fn report(&self, model: &Model) -> Vec<(String, f64)> {
        report_rate(model)
    }
}

/// Lowers the learning rate when a monitored value has not improved for some epochs. Logs and
/// history then hold `learning_rate`.
///
/// ```
/// use cornu_models::callbacks::ReduceLROnPlateau;
/// let slower = ReduceLROnPlateau::new("val_loss").factor(0.2).patience(5).min_lr(1e-5);
/// ```
#[derive(Clone, Debug)]
pub struct ReduceLROnPlateau {
    monitor: Monitor,
    factor: f64,
    patience: usize,
    cooldown: usize,
    min_lr: f64,
    wait: usize,
    cooling: usize,
}

impl ReduceLROnPlateau {
    /// Divides the rate by ten after ten epochs without an improvement of 0.0001, as Keras.
    pub fn new(monitor: &str) -> ReduceLROnPlateau {
        let mut monitor = Monitor::new(monitor);
        monitor.min_delta = 1e-4;
        ReduceLROnPlateau {
            monitor,
            factor: 0.1,
            patience: 10,
            cooldown: 0,
            min_lr: 0.0,
            wait: 0,
            cooling: 0,
        }
    }

    /// What the rate is multiplied by; below 1.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> ReduceLROnPlateau {
        self.factor = factor;
        self
    }

    /// Epochs without improvement after which the rate is lowered.
    #[must_use]
    pub fn patience(mut self, epochs: usize) -> ReduceLROnPlateau {
        self.patience = epochs;
        self
    }

    /// Epochs after a change during which nothing is counted.
    #[must_use]
    pub fn cooldown(mut self, epochs: usize) -> ReduceLROnPlateau {
        self.cooldown = epochs;
        self
    }

    /// The lowest rate.
    #[must_use]
    pub fn min_lr(mut self, rate: f64) -> ReduceLROnPlateau {
        self.min_lr = rate;
        self
    }

    /// What a change must exceed to count as improvement.
    #[must_use]
    pub fn min_delta(mut self, delta: f64) -> ReduceLROnPlateau {
        self.monitor.min_delta = delta.abs();
        self
    }

    /// Which way the value improves.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> ReduceLROnPlateau {
        self.monitor.mode = mode;
        self
    }
}

impl Callback for ReduceLROnPlateau {
    fn name(&self) -> &str {
        "reduce_lr_on_plateau"
    }

    fn check(&mut self, names: &LogNames) -> Result<()> {
        if !(self.factor > 0.0 && self.factor < 1.0) {
            let place = "reduce_lr_on_plateau: `factor`";
            return Err(Error::value(place, "it must be above 0 and below 1", self.factor));
        }
        if !(self.min_lr >= 0.0 && self.min_lr.is_finite()) {
            let place = "reduce_lr_on_plateau: `min_lr`";
            return Err(Error::value(place, "it must be finite and not negative", self.min_lr));
        }
        (self.wait, self.cooling) = (0, 0);
        self.monitor.check(names)
    }

    fn report(&self, model: &Model) -> Vec<(String, f64)> {
        report_rate(model)
    }

    fn on_epoch_end(&mut self, run: &mut Run<'_>, _: usize, logs: &Logs) -> Result<()> {
        let Some(value) = self.monitor.value(logs) else { return Ok(()) };
        if self.cooling > 0 {
            self.cooling -= 1;
            self.wait = 0;
        }
        if self.monitor.is_better(value, self.monitor.best) {
            self.monitor.best = Some(value);
            self.wait = 0;
        } else if self.cooling == 0 {
            self.wait += 1;
            if self.wait >= self.patience {
                let optimizer = run.model.optimizer_mut()?;
                let rate = optimizer.learning_rate();
                if rate > self.min_lr {
                    optimizer.set_learning_rate((rate * self.factor).max(self.min_lr))?;
                    self.cooling = self.cooldown;
                    self.wait = 0;
                }
            }
        }
        Ok(())
    }

    fn state(&self) -> Option<State> {
        let best = self.monitor.best.to_json();
        Some(json!({ "wait": self.wait, "cooling": self.cooling, "best": best }).into())
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let values = &state.values;
        let rule = "its saved state must be whole";
        let wrong = || Error::value("reduce_lr_on_plateau", rule, values);
        self.wait = Setting::from_json(&values["wait"]).map_err(|_| wrong())?;
        self.cooling = Setting::from_json(&values["cooling"]).map_err(|_| wrong())?;
        self.monitor.best = Setting::from_json(&values["best"]).map_err(|_| wrong())?;
        Ok(())
    }
}
