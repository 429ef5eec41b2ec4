//! Saving while training.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::monitor::{Mode, Monitor};
use super::{Callback, Run};
use crate::error::{Error, Result};
use crate::history::Logs;

/// Saves the model, or its weights, after each epoch, or only when a monitored value has
/// improved.
///
/// Places in the path are filled in: `{epoch}` and any name of the logs, with a width and
/// decimals as in Keras, such as `{epoch:02d}` and `{val_loss:.2f}`. A file is written beside
/// its target and renamed, so there is always a whole one. Unlike in Keras, a monitor that does
/// not exist is an error before the first batch.
///
/// ```
/// use cornu_models::callbacks::ModelCheckpoint;
/// let best = ModelCheckpoint::new("best.cornu").monitor("val_loss").save_best_only(true);
/// ```
#[derive(Clone, Debug)]
pub struct ModelCheckpoint {
    path: String,
    monitor: Monitor,
    save_best_only: bool,
    save_weights_only: bool,
    every: usize,
}

impl ModelCheckpoint {
    /// Saves a whole checkpoint after every epoch.
    pub fn new(path: impl Into<String>) -> ModelCheckpoint {
        ModelCheckpoint {
            path: path.into(),
            monitor: Monitor::new("val_loss"),
            save_best_only: false,
            save_weights_only: false,
            every: 1,
        }
    }

    /// The value that tells which epoch is best; `val_loss` unless set.
    #[must_use]
    pub fn monitor(mut self, name: &str) -> ModelCheckpoint {
        self.monitor.name = name.into();
        self
    }

    /// Which way the value improves.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> ModelCheckpoint {
        self.monitor.mode = mode;
        self
    }

    /// Whether only an epoch that is better than all before is saved.
    #[must_use]
    pub fn save_best_only(mut self, only: bool) -> ModelCheckpoint {
        self.save_best_only = only;
        self
    }

    /// Whether only weights are saved, in the format that the path's suffix names.
    #[must_use]
    pub fn save_weights_only(mut self, only: bool) -> ModelCheckpoint {
        self.save_weights_only = only;
        self
    }

    /// Saves after every `epochs` epochs; 1 unless set.
    #[must_use]
    pub fn save_freq(mut self, epochs: usize) -> ModelCheckpoint {
        self.every = epochs.max(1);
        self
    }

    /// The best value so far, once there is one.
    pub fn best(&self) -> Option<f64> {
        self.monitor.best
    }
}

impl Callback for ModelCheckpoint {
    fn name(&self) -> &str {
        "model_checkpoint"
    }

    fn check(&mut self, names: &[String]) -> Result<()> {
        self.monitor.best = None;
        if self.save_best_only {
            self.monitor.check(names)?;
        }
        let mut names = names.to_vec();
        names.push("epoch".into());
        fill(&self.path, |name| names.iter().any(|n| n == name).then_some(0.0)).map(|_| ())
    }

    fn on_epoch_end(&mut self, run: &mut Run<'_>, epoch: usize, logs: &Logs) -> Result<()> {
        if !(epoch + 1).is_multiple_of(self.every) {
            return Ok(());
        }
        if self.save_best_only {
            let Some(value) = self.monitor.value(logs) else { return Ok(()) };
            if !self.monitor.is_better(value, self.monitor.best) {
                return Ok(());
            }
            self.monitor.best = Some(value);
        }
        let value = |name: &str| match name {
            "epoch" => Some((epoch + 1) as f64),
            _ => Some(logs.get(name).unwrap_or(f64::NAN)),
        };
        let path = PathBuf::from(fill(&self.path, value)?);
        match self.save_weights_only {
            true => run.model.save_weights(&path),
            false => run.model.save_checkpoint(&path),
        }
    }

    fn saves(&self) -> bool {
        true
    }

    fn state(&self) -> Option<Value> {
        Some(json!({ "best": self.monitor.best }))
    }

    fn restore(&mut self, state: &Value) -> Result<()> {
        self.monitor.best = state["best"].as_f64();
        Ok(())
    }
}

/// A path with its places filled in: `{name}`, `{name:03d}`, `{name:.2f}`.
fn fill(path: &str, value: impl Fn(&str) -> Option<f64>) -> Result<String> {
    let mut filled = String::new();
    let mut rest = path;
    while let Some(open) = rest.find('{') {
        let wrong = |rule: &str| Error::value("model_checkpoint: path", rule, path);
        let close = rest[open..].find('}').ok_or_else(|| wrong("every `{` must have its `}`"))?;
        let place = &rest[open + 1..open + close];
        let (name, format) = place.split_once(':').unwrap_or((place, ""));
        let value = value(name)
            .ok_or_else(|| wrong(&format!("`{{{name}}}` must be `epoch` or a name of the logs")))?;
        filled.push_str(&rest[..open]);
        filled.push_str(
            &formatted(value, name, format)
                .ok_or_else(|| wrong("a format must be like `02d` or `.2f`"))?,
        );
        rest = &rest[open + close + 1..];
    }
    filled.push_str(rest);
    Ok(filled)
}

/// A number in one of the two formats that Python and Keras use for it.
fn formatted(value: f64, name: &str, format: &str) -> Option<String> {
    if let Some(width) = format.strip_suffix('d') {
        let zeros = width.starts_with('0');
        let width: usize = if width.is_empty() { 0 } else { width.parse().ok()? };
        let value = value as i64;
        return Some(if zeros { format!("{value:0width$}") } else { format!("{value:width$}") });
    }
    if let Some(decimals) = format.strip_prefix('.').and_then(|f| f.strip_suffix('f')) {
        let decimals: usize = decimals.parse().ok().filter(|d| *d <= 17)?;
        return Some(format!("{value:.decimals$}"));
    }
    match format {
        "" if name == "epoch" => Some(format!("{}", value as i64)),
        "" => Some(format!("{value}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn places_in_a_path_are_filled_as_keras_fills_them() {
        let value = |name: &str| match name {
            "epoch" => Some(7.0),
            "val_loss" => Some(0.125),
            _ => None,
        };
        let filled = |path| fill(path, value).map_err(|e| e.to_string());
        assert_eq!(filled("m-{epoch:02d}-{val_loss:.2f}.cornu").as_deref(), Ok("m-07-0.12.cornu"));
        assert_eq!(filled("{epoch}.cornu").as_deref(), Ok("7.cornu"));
        assert!(filled("{loss}.cornu").is_err_and(|e| e.contains("`{loss}` must be `epoch`")));
        assert!(filled("{epoch.cornu").is_err());
        assert!(filled("{epoch:x}.cornu").is_err());
    }
}
