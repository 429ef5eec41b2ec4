//! Telling callbacks, and keeping what they remember.

use crate::callbacks::{Callback, Run, State};
use crate::error::Result;
use crate::history::Logs;
use crate::model::Model;

/// The callbacks of a `fit`, and whether one of them has asked to stop.
pub(super) struct Hooks<'c> {
    pub(super) callbacks: Vec<Box<dyn Callback + 'c>>,
    pub(super) stop: bool,
}

impl Hooks<'_> {
    /// Tells every callback, in the order in which they were given.
    pub(super) fn each(
        &mut self,
        model: &mut Model,
        mut call: impl FnMut(&mut dyn Callback, &mut Run<'_>) -> Result<()>,
    ) -> Result<()> {
        let Hooks { callbacks, stop } = self;
        callbacks.iter_mut().try_for_each(|callback| {
            let mut run = Run { model: &mut *model, stop: &mut *stop };
            call(&mut **callback, &mut run)
        })
    }

    /// Tells every callback that training is over, also if one of them fails.
    pub(super) fn train_end(&mut self, model: &mut Model) -> Result<()> {
        let mut ended = Ok(());
        for callback in &mut self.callbacks {
            let mut run = Run { model: &mut *model, stop: &mut self.stop };
            ended = ended.and(callback.on_train_end(&mut run));
        }
        ended
    }

    /// Adds to the logs of an epoch what callbacks report.
    pub(super) fn report(&self, model: &Model, logs: &mut Logs) {
        for (name, value) in self.callbacks.iter().flat_map(|c| c.report(model)) {
            logs.insert(name, value);
        }
    }

    pub(super) fn batch_end(&mut self, model: &mut Model, batch: usize, logs: &Logs) -> Result<()> {
        self.each(model, |c, run| c.on_batch_end(run, batch, logs))?;
        if self.callbacks.iter().any(|c| c.is_due()) { self.save(model) } else { Ok(()) }
    }

    pub(super) fn epoch_end(&mut self, model: &mut Model, epoch: usize, logs: &Logs) -> Result<()> {
        self.each(model, |c, run| c.on_epoch_end(run, epoch, logs))?;
        self.save(model)
    }

    /// Lets callbacks save, with what all of them remember.
    fn save(&mut self, model: &mut Model) -> Result<()> {
        self.remember(model);
        self.each(model, |c, run| c.save(run))
    }

    /// Keeps what callbacks remember where a checkpoint finds it.
    pub(super) fn remember(&self, model: &mut Model) {
        let states = self.callbacks.iter().map(|c| (c.name().to_owned(), c.state()));
        model.progress.callbacks = states.filter_map(|(name, s)| Some((name, s?))).collect();
    }

    /// Hands callbacks what they remembered, by name and order.
    pub(super) fn restore(&mut self, mut states: Vec<(String, State)>) -> Result<()> {
        for callback in &mut self.callbacks {
            if let Some(at) = states.iter().position(|(name, _)| name == callback.name()) {
                callback.restore(&states.remove(at).1)?;
            }
        }
        Ok(())
    }
}
