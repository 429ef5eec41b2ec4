//! The loop over epochs, and that over an epoch's batches.

use std::ops::Range;

use crate::callbacks::Reporter;
use crate::data::Samples;
use crate::error::Result;
use crate::fit::Fit;
use crate::fit::hooks::Hooks;
use crate::fit::source::{Epoch, Source, too_few};
use crate::history::Logs;
use crate::model::Model;
use crate::predict::BATCH_SIZE;
use crate::step::{Place, Tracker};

/// What the loop over epochs works with.
pub(super) struct Epochs<'l, 's, 'b, 'c> {
    pub(super) source: Source<'s, 'b>,
    pub(super) held: Option<&'l Samples>,
    pub(super) options: &'l Fit<'c>,
    pub(super) hooks: Hooks<'c>,
    pub(super) reporter: Reporter,
    pub(super) range: Range<usize>,
    /// Batches in an epoch, if known.
    pub(super) steps: Option<usize>,
}

impl Epochs<'_, '_, '_, '_> {
    pub(super) fn run(&mut self, model: &mut Model) -> Result<()> {
        for epoch in self.range.clone() {
            if self.hooks.stop || self.is_stopped() {
                break;
            }
            self.reporter.begin(epoch);
            // One that was broken off in the middle has begun before.
            if model.progress.batch == 0 {
                self.hooks.each(model, |c, run| c.on_epoch_begin(run, epoch))?;
            }
            let Some(mut logs) = self.train(model, epoch)? else { break };
            let trained = model.progress.batch;
            self.validate(model, epoch, &mut logs)?;
            self.hooks.report(model, &mut logs);
            let progress = &mut model.progress;
            (progress.epoch, progress.batch) = (epoch + 1, 0);
            if self.options.steps_per_epoch.is_none() {
                progress.position = 0;
            }
            progress.history.push(epoch, &logs);
            // Before the callbacks: what they print stands on lines of its own.
            self.reporter.end(epoch, trained, &logs);
            self.hooks.epoch_end(model, epoch, &logs)?;
        }
        Ok(())
    }

    fn is_stopped(&self) -> bool {
        self.options.stop.as_ref().is_some_and(|stop| stop.is_stopped())
    }

    /// Trains on an epoch's batches; `None` if it was stopped from outside.
    fn train(&mut self, model: &mut Model, epoch: usize) -> Result<Option<Logs>> {
        let mut tracker = Tracker::new(model.compiled("fit")?);
        let shuffle = model.generator.split("shuffle");
        let mut trained = model.progress.batch;
        let mut batches = self.source.epoch(epoch, trained)?;
        while self.steps.is_none_or(|steps| trained < steps) {
            let Some(batch) = batches.next(&mut model.progress, &shuffle)? else {
                if trained == 0 || self.options.steps_per_epoch.is_some() {
                    return Err(too_few(trained, self.options.steps_per_epoch));
                }
                break;
            };
            let batch = match batches {
                Epoch::Memory(_) => batch,
                Epoch::Stream(_) => {
                    model.build_for(&batch.x)?;
                    model.accept_batch("fit", &batch)?.into_owned()
                }
            };
            let number = trained;
            self.hooks.each(model, |c, run| c.on_batch_begin(run, number))?;
            let place = Place { epoch: epoch + 1, batch: number + 1 };
            let loss = model.train_step(&batch, Some(&mut tracker), place)?;
            trained += 1;
            model.progress.batch = trained;
            if let Epoch::Memory(_) = batches {
                model.progress.position += 1;
            }
            if !self.hooks.callbacks.is_empty() || self.reporter.is_live() {
                let mut logs = tracker.logs(model.compiled("fit")?, "");
                logs.insert("batch_loss", loss.total);
                self.reporter.batch(trained, &logs);
                self.hooks.batch_end(model, number, &logs)?;
            }
            if self.options.stop.as_ref().is_some_and(|stop| stop.is_stopped()) {
                return Ok(None);
            }
            if self.hooks.stop {
                break;
            }
        }
        Ok(Some(tracker.logs(model.compiled("fit")?, "")))
    }

    fn validate(&mut self, model: &Model, epoch: usize, logs: &mut Logs) -> Result<()> {
        let due = (epoch + 1).is_multiple_of(self.options.validation_freq.unwrap_or(1));
        let Some(samples) = self.held.filter(|_| due) else { return Ok(()) };
        self.reporter.show(model.progress.batch, logs);
        let size = self.options.validation_batch_size.or(self.options.batch_size);
        let steps = self.options.validation_steps;
        let size = size.unwrap_or(BATCH_SIZE);
        let tracker = model.evaluate_samples(samples, size, steps, &mut |_, _| {})?;
        tracker.write(model.compiled("fit")?, "val_", logs);
        Ok(())
    }
}
