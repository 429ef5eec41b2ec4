//! Saving while training.

use std::path::{Path, PathBuf};

use cornu_layers::Setting;
use serde_json::json;

use super::monitor::{Mode, Monitor};
use super::{Callback, Run, State};
use crate::error::{Error, Result};
use crate::history::{LogNames, Logs};
use crate::saving::{check_weights_path, create_folder};

/// Saves the model, or its weights, after each epoch, or only when a monitored value has
/// improved.
///
/// Places in the path are filled in: `{epoch}`, counted from 1, and any name of the logs, with a
/// width and decimals as in Keras, such as `{epoch:02d}` and `{val_loss:.2f}`. Folders are made.
/// A file is written beside its target and renamed, so there is always a whole one. Unlike in
/// Keras, a monitor that does not exist is an error before the first batch.
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
    /// Batches between two saves; `None` saves after epochs.
    every: Option<usize>,
    /// Batches since the last save.
    seen: usize,
    /// Where to save next, once everybody has been told of the epoch's end.
    due: Option<PathBuf>,
}

impl ModelCheckpoint {
    /// Saves a whole checkpoint after every epoch.
    pub fn new(path: impl Into<String>) -> ModelCheckpoint {
        ModelCheckpoint {
            path: path.into(),
            monitor: Monitor::new("val_loss"),
            save_best_only: false,
            save_weights_only: false,
            every: None,
            seen: 0,
            due: None,
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

    /// Saves after every `batches` batches instead of after every epoch. The path may then have
    /// `{batch}` in it; values of logs are means over the epoch so far.
    #[must_use]
    pub fn save_freq(mut self, batches: usize) -> ModelCheckpoint {
        self.every = Some(batches);
        self
    }

    /// The best value so far, once there is one.
    pub fn best(&self) -> Option<f64> {
        self.monitor.best
    }

    /// Decides whether to save, and where.
    fn decide(&mut self, epoch: usize, batch: usize, logs: &Logs) -> Result<()> {
        if self.save_best_only {
            let Some(value) = self.monitor.value(logs) else { return Ok(()) };
            if !self.monitor.is_better(value, self.monitor.best) {
                return Ok(());
            }
            self.monitor.best = Some(value);
        }
        let value = |name: &str| match name {
            "epoch" => Some((epoch + 1) as f64),
            "batch" => Some((batch + 1) as f64),
            _ => Some(logs.get(name).unwrap_or(f64::NAN)),
        };
        self.due = Some(PathBuf::from(fill(&self.path, value)?));
        Ok(())
    }
}

impl Callback for ModelCheckpoint {
    fn name(&self) -> &str {
        "model_checkpoint"
    }

    fn check(&mut self, names: &LogNames) -> Result<()> {
        (self.seen, self.due, self.monitor.best) = (0, None, None);
        let mut names = names.clone();
        if let Some(every) = self.every {
            if every == 0 {
                let place = "model_checkpoint: `save_freq`";
                return Err(Error::value(place, "it must be at least 1", 0));
            }
            names = names.of_batches();
        }
        if self.save_best_only {
            self.monitor.check(&names)?;
        }
        let by_batch = self.every.is_some();
        let known =
            |name: &str| name == "epoch" || (by_batch && name == "batch") || names.contains(name);
        fill(&self.path, |name| known(name).then_some(0.0))?;
        if self.save_weights_only { check_weights_path(Path::new(&self.path)) } else { Ok(()) }
    }

    fn on_train_begin(&mut self, run: &mut Run<'_>) -> Result<()> {
        // What can't be saved is better known before training than after an epoch.
        if self.save_weights_only { Ok(()) } else { run.model.to_json().map(|_| ()) }
    }

    fn on_batch_end(&mut self, run: &mut Run<'_>, batch: usize, logs: &Logs) -> Result<()> {
        let Some(every) = self.every else { return Ok(()) };
        self.seen += 1;
        if self.seen < every {
            return Ok(());
        }
        self.seen = 0;
        self.decide(run.model.progress.epoch, batch, logs)
    }

    fn on_epoch_end(&mut self, _: &mut Run<'_>, epoch: usize, logs: &Logs) -> Result<()> {
        if self.every.is_none() { self.decide(epoch, 0, logs) } else { Ok(()) }
    }

    fn is_due(&self) -> bool {
        self.due.is_some()
    }

    fn save(&mut self, run: &mut Run<'_>) -> Result<()> {
        let Some(path) = self.due.take() else { return Ok(()) };
        create_folder(&path)?;
        match self.save_weights_only {
            true => run.model.save_weights(&path),
            false => run.model.save_checkpoint(&path),
        }
    }

    fn state(&self) -> Option<State> {
        Some(json!({ "best": self.monitor.best.to_json(), "seen": self.seen }).into())
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let values = &state.values;
        let wrong = |_| Error::value("model_checkpoint", "its saved state must be whole", values);
        self.monitor.best = Setting::from_json(&values["best"]).map_err(wrong)?;
        self.seen = Setting::from_json(&values["seen"]).map_err(wrong)?;
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
        let width = if width.is_empty() { 0 } else { width.parse().ok().filter(|w| *w <= 99)? };
        let value = value as i64;
        return Some(if zeros { format!("{value:0width$}") } else { format!("{value:width$}") });
    }
    if let Some(decimals) = format.strip_prefix('.').and_then(|f| f.strip_suffix('f')) {
        let decimals: usize = decimals.parse().ok().filter(|d| *d <= 17)?;
        return Some(format!("{value:.decimals$}"));
    }
    match format {
        "" if name == "epoch" || name == "batch" => Some(format!("{}", value as i64)),
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
