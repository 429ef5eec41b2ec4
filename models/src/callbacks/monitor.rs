//! Watching one value: which way it improves, and whether it did.

use crate::error::Result;
use crate::history::Logs;

/// Which way a monitored value improves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Up for accuracies, AUC and their like, down for everything else: Keras's rule.
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
    /// What a change must exceed to count.
    pub(crate) min_delta: f64,
    pub(crate) best: Option<f64>,
}

impl Monitor {
    pub(crate) fn new(name: &str) -> Monitor {
        Monitor { name: name.into(), mode: Mode::Auto, min_delta: 0.0, best: None }
    }

    /// Refuses a name that the logs will not hold.
    pub(crate) fn check(&mut self, names: &[String]) -> Result<()> {
        if names.contains(&self.name) {
            return Ok(());
        }
        let (prefix, own) = match self.name.strip_prefix("val_") {
            Some(own) => ("val_", own),
            None => ("", self.name.as_str()),
        };
        let other = match own {
            "acc" => format!("{prefix}accuracy"),
            "accuracy" => format!("{prefix}acc"),
            _ => String::new(),
        };
        if names.contains(&other) {
            self.name = other;
            return Ok(());
        }
        Err(cornu_autodiff::Error::unknown("monitor", &self.name, names).into())
    }

    fn rises(&self) -> bool {
        const RISING: [&str; 6] = ["acc", "auc", "precision", "recall", "iou", "fbeta"];
        match self.mode {
            Mode::Min => false,
            Mode::Max => true,
            Mode::Auto => {
                let own = self.name.strip_prefix("val_").unwrap_or(&self.name);
                !own.ends_with("loss") && RISING.iter().any(|word| own.contains(word))
            }
        }
    }

    /// The present value.
    pub(crate) fn value(&self, logs: &Logs) -> Option<f64> {
        logs.get(&self.name)
    }

    /// Whether `value` is better than `than` by more than `min_delta`. NaN never is.
    pub(crate) fn is_better(&self, value: f64, than: Option<f64>) -> bool {
        match than {
            None => !value.is_nan(),
            Some(than) if self.rises() => value - self.min_delta > than,
            Some(than) => value + self.min_delta < than,
        }
    }
}
