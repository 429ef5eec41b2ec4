//! The epoch loop.

mod options;
mod single;

pub use options::Fit;

use serde_json::Value;

use crate::callbacks::{Callback, Reporter, Run};
use crate::data::{ArrayBatches, Batch, Batches, Data, Samples};
use crate::error::{Error, Result};
use crate::history::{History, Logs};
use crate::model::Model;
use crate::predict::BATCH_SIZE;
use crate::step::{Place, Tracker};

/// How far training has come: what a checkpoint keeps besides weights and optimizer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    /// Batches trained on since the model was compiled; dropout follows from it.
    pub(crate) step: u64,
    /// Epochs begun since the model was compiled; shuffling follows from it.
    pub(crate) shuffles: u64,
    /// Epochs completed in the `fit` that is running or was last.
    pub(crate) epoch: usize,
    /// Of that `fit`.
    pub(crate) history: History,
    /// What each of its callbacks remembers, by name.
    pub(crate) callbacks: Vec<(String, Value)>,
}

/// Where an epoch's batches come from.
enum Source<'s, 'b> {
    Memory { samples: Samples, count: usize, batch_size: usize },
    Stream(&'s mut Batches<'b>),
}

impl Model {
    /// Trains on `x` and the targets `y`, and goes on from the present weights if called again.
    ///
    /// # Errors
    /// When the model is not compiled; data, weights or options don't fit; a monitor has no
    /// such name; a trainable weight has no gradient; or a loss or gradient is not finite.
    /// The model then has the weights it had before the batch that failed.
    pub fn fit(
        &mut self,
        x: impl Into<Data>,
        y: impl Into<Data>,
        mut options: Fit<'_>,
    ) -> Result<History> {
        let x: Data = x.into();
        self.build_for(&x.arrange("fit", &[]).unwrap_or_default())?;
        let weights = std::mem::take(&mut options.sample_weight);
        let mut samples = self.samples("fit", x, y.into(), weights)?;
        if let Some(class_weight) = options.class_weight.take() {
            samples.sample_weight = class_weight.apply(&samples)?;
        }
        let mut held = None;
        if let Some(split) = options.validation_split {
            if options.validation.is_some() {
                let rule = "`validation_data` and `validation_split` exclude each other";
                return Err(Error::value("fit", rule, "both"));
            }
            let (train, validation) = split.apply(&samples, &self.generator.split("split"))?;
            (samples, held) = (train, Some(validation));
        }
        let count = samples.count("fit")?;
        let batch_size = match options.batch_size {
            None => BATCH_SIZE.min(count),
            Some(size) if (1..=count).contains(&size) => size,
            Some(size) => {
                let rule = format!("`batch_size` must be in 1..={count}, the number of samples");
                return Err(Error::value("fit", rule, size));
            }
        };
        self.run_fit(Source::Memory { samples, count, batch_size }, held, options)
    }

    /// Trains on batches as they come: data larger than memory, or made on the fly.
    ///
    /// # Errors
    /// As [`fit`](Model::fit), and the error of a batch that could not be made.
    pub fn fit_batches(&mut self, batches: &mut Batches<'_>, options: Fit<'_>) -> Result<History> {
        let of_arrays = [
            ("batch_size", options.batch_size.is_some()),
            ("validation_split", options.validation_split.is_some()),
            ("class_weight", options.class_weight.is_some()),
            ("sample_weight", !options.sample_weight.is_empty()),
        ];
        if let Some((name, _)) = of_arrays.iter().find(|(_, given)| *given) {
            let rule = format!("`{name}` is for arrays; a batch brings its own");
            return Err(Error::value("fit", rule, "a stream of batches"));
        }
        self.run_fit(Source::Stream(batches), None, options)
    }

    fn run_fit(
        &mut self,
        mut source: Source<'_, '_>,
        mut held: Option<Samples>,
        mut options: Fit<'_>,
    ) -> Result<History> {
        if let Some((x, y, weights)) = options.validation.take() {
            held = Some(self.samples("validation", x, y, weights)?);
        }
        let first = if options.resume { self.progress.epoch } else { options.initial_epoch };
        let epochs = options.epochs.unwrap_or(first + 1);
        let steps = match &source {
            Source::Memory { count, batch_size, .. } => {
                let all = count.div_ceil(*batch_size);
                Some(options.steps_per_epoch.map_or(all, |steps| steps.min(all)))
            }
            Source::Stream(_) => options.steps_per_epoch,
        };
        let mut callbacks = std::mem::take(&mut options.callbacks);
        self.check_monitors(&mut callbacks, held.is_some())?;
        if options.resume {
            restore(&mut callbacks, &self.progress.callbacks)?;
        } else {
            self.progress.history = History::default();
            self.progress.callbacks.clear();
        }
        self.progress.epoch = first;
        let mut reporter = Reporter::new(&options.verbose, epochs, steps);
        let mut stop = false;
        each(&mut callbacks, self, &mut stop, &mut |c, run| c.on_train_begin(run))?;
        let ended = self.epochs(EpochLoop {
            source: &mut source,
            held: held.as_ref(),
            options: &options,
            callbacks: &mut callbacks,
            reporter: &mut reporter,
            range: first..epochs,
            steps,
            stop: &mut stop,
        });
        if ended.is_ok() {
            self.finalize_weights()?;
        }
        // Callbacks put the best weights back whatever ended training.
        let closed = each(&mut callbacks, self, &mut stop, &mut |c, run| c.on_train_end(run));
        ended?;
        closed?;
        Ok(self.progress.history.clone())
    }

    fn check_monitors(
        &self,
        callbacks: &mut [Box<dyn Callback + '_>],
        validated: bool,
    ) -> Result<()> {
        let mut names = self.compiled("fit")?.keys();
        if validated {
            names.extend(names.clone().iter().map(|name| format!("val_{name}")));
        }
        callbacks.iter_mut().try_for_each(|callback| callback.check(&names))
    }

    fn epochs(&mut self, mut run: EpochLoop<'_, '_, '_, '_>) -> Result<()> {
        for epoch in run.range.clone() {
            if *run.stop {
                break;
            }
            run.reporter.begin(epoch);
            each(run.callbacks, self, run.stop, &mut |c, r| c.on_epoch_begin(r, epoch))?;
            let mut logs = self.one_epoch(epoch, &mut run)?;
            let due = (epoch + 1) % run.options.validation_freq.unwrap_or(1).max(1) == 0;
            if let Some(samples) = run.held.filter(|_| due) {
                let size = run.options.validation_batch_size.or(run.options.batch_size);
                let size = size.unwrap_or(BATCH_SIZE).max(1);
                let steps = run.options.validation_steps;
                let tracker = self.evaluate_samples(samples, size, steps)?;
                tracker.write(self.compiled("fit")?, "val_", &mut logs);
            }
            self.progress.epoch = epoch + 1;
            self.progress.history.push(epoch, &logs);
            end_epoch(run.callbacks, self, run.stop, epoch, &logs)?;
            run.reporter.end(epoch, &logs);
        }
        Ok(())
    }

    fn one_epoch(&mut self, epoch: usize, run: &mut EpochLoop<'_, '_, '_, '_>) -> Result<Logs> {
        let mut tracker = Tracker::new(self.compiled("fit")?);
        let shuffle = self.generator.split("shuffle").split_index(self.progress.shuffles);
        self.progress.shuffles += 1;
        let shuffle = (!run.options.in_order).then_some(&shuffle);
        let limit = run.steps.unwrap_or(usize::MAX);
        let mut batches: Box<dyn Iterator<Item = Result<Batch>> + '_> = match run.source {
            Source::Memory { samples, count, batch_size } => {
                Box::new(ArrayBatches::new(samples, *count, *batch_size, shuffle).map(Ok))
            }
            Source::Stream(stream) => stream.epoch(epoch),
        };
        let mut trained = 0;
        while trained < limit {
            let Some(batch) = batches.next() else { break };
            let batch = batch?;
            let number = trained;
            each(run.callbacks, self, run.stop, &mut |c, r| c.on_batch_begin(r, number))?;
            let place = Place { epoch: epoch + 1, batch: number + 1 };
            let loss = self.train_step(&batch, Some(&mut tracker), place)?;
            trained += 1;
            if !run.callbacks.is_empty() || run.reporter.is_live() {
                let mut logs = tracker.logs(self.compiled("fit")?, "");
                logs.insert("batch_loss", loss.total);
                run.reporter.batch(trained, &logs);
                each(run.callbacks, self, run.stop, &mut |c, r| c.on_batch_end(r, number, &logs))?;
            }
            if *run.stop {
                break;
            }
        }
        if trained == 0 {
            return Err(Error::value("fit", "an epoch must have at least one batch", "none"));
        }
        Ok(tracker.logs(self.compiled("fit")?, ""))
    }
}

/// What the loop over epochs works with.
struct EpochLoop<'l, 's, 'b, 'c> {
    source: &'l mut Source<'s, 'b>,
    held: Option<&'l Samples>,
    options: &'l Fit<'c>,
    callbacks: &'l mut Vec<Box<dyn Callback + 'c>>,
    reporter: &'l mut Reporter,
    range: std::ops::Range<usize>,
    steps: Option<usize>,
    stop: &'l mut bool,
}

/// Calls every callback, in the order in which they were given.
fn each(
    callbacks: &mut [Box<dyn Callback + '_>],
    model: &mut Model,
    stop: &mut bool,
    call: &mut dyn FnMut(&mut dyn Callback, &mut Run<'_>) -> Result<()>,
) -> Result<()> {
    callbacks.iter_mut().try_for_each(|callback| {
        let mut run = Run { model: &mut *model, stop: &mut *stop };
        call(&mut **callback, &mut run)
    })
}

/// The end of an epoch: callbacks that save what the others remember come last.
fn end_epoch(
    callbacks: &mut [Box<dyn Callback + '_>],
    model: &mut Model,
    stop: &mut bool,
    epoch: usize,
    logs: &Logs,
) -> Result<()> {
    for saving in [false, true] {
        if saving {
            remember(callbacks, model);
        }
        each(callbacks, model, stop, &mut |c, run| match c.saves() == saving {
            true => c.on_epoch_end(run, epoch, logs),
            false => Ok(()),
        })?;
    }
    Ok(())
}

/// Keeps what callbacks remember where a checkpoint finds it.
fn remember(callbacks: &[Box<dyn Callback + '_>], model: &mut Model) {
    model.progress.callbacks.clear();
    for callback in callbacks {
        if let Some(state) = callback.state() {
            model.progress.callbacks.push((callback.name().to_owned(), state));
        }
    }
}

/// Hands callbacks what they remembered, by name and order.
fn restore(callbacks: &mut [Box<dyn Callback + '_>], states: &[(String, Value)]) -> Result<()> {
    let mut states = states.to_vec();
    for callback in callbacks {
        if let Some(at) = states.iter().position(|(name, _)| name == callback.name()) {
            let (_, state) = states.remove(at);
            callback.restore(&state)?;
        }
    }
    Ok(())
}
