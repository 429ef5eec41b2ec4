//! Watching one value: which way it improves, and whether it did.

use crate::error::{Error, Result};
use crate::history::{LogNames, Logs};
use crate::metrics::Direction;

/// Which way a monitored value improves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// As the metric says of itself, and down for losses: Keras's rule. A value of which it is
    /// not known is an error.
    #[default]
    Auto,
    /// Smaller is better.
    Min,
    /// Larger is better.
    Max,
}

/// A monitored value and the best of it so far.
#[derive(Clone, Debug)]
pub(crate) struct Monitor {
    /// The name in the logs; `acc` finds `accuracy` and the reverse.
    pub(crate) name: String,
    pub(crate) mode: Mode,
    /// Whether larger is better; found out by [`check`](Monitor::check).
    rises: bool,
    /// What a change must exceed to count.
    pub(crate) min_delta: f64,
    pub(crate) best: Option<f64>,
}

impl Monitor {
    pub(crate) fn new(name: &str) -> Monitor {
        Monitor { name: name.into(), mode: Mode::Auto, rises: false, min_delta: 0.0, best: None }
    }

    /// Refuses a name that the logs will not hold, or of which the better way is not known.
    pub(crate) fn check(&mut self, names: &LogNames) -> Result<()> {
        self.best = None;
        if !(self.min_delta >= 0.0 && self.min_delta.is_finite()) {
            let place = format!("monitor `{}`: `min_delta`", self.name);
            return Err(Error::value(place, "it must be finite", self.min_delta));
        }
        let other = if self.name.ends_with("accuracy") {
            self.name.replace("accuracy", "acc")
        } else {
            self.name.replace("acc", "accuracy")
        };
        let name = [&self.name, &other].into_iter().find(|name| names.contains(name)).cloned();
        let Some(name) = name else {
            let known: Vec<&str> = names.iter().collect();
            return Err(cornu_autodiff::Error::unknown("monitor", &self.name, &known).into());
        };
        self.name = name;
        self.rises = match (self.mode, names.direction(&self.name)) {
            (Mode::Min, _) | (Mode::Auto, Some(Direction::Down)) => false,
            (Mode::Max, _) | (Mode::Auto, Some(Direction::Up)) => true,
            (Mode::Auto, None) => {
                let rule = "`mode` must say which way it improves";
                return Err(Error::value(format!("monitor `{}`", self.name), rule, "`Auto`"));
            }
        };
        Ok(())
    }

    /// The present value.
    pub(crate) fn value(&self, logs: &Logs) -> Option<f64> {
        logs.get(&self.name)
    }

    /// Whether `value` is better than `than` by more than `min_delta`. NaN never is.
    pub(crate) fn is_better(&self, value: f64, than: Option<f64>) -> bool {
        match than {
            None => !value.is_nan(),
            Some(than) if self.rises => value - self.min_delta > than,
            Some(than) => value + self.min_delta < than,
        }
    }
}
