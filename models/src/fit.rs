//! The epoch loop.

use cornu_autodiff::Tensor;
use serde_json::Value;

use crate::callbacks::{Callback, Reporter, Run, Verbose};
use crate::class_weight::ClassWeight;
use crate::data::{ArrayBatches, Batch, Batches, Data, Samples, Split};
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

/// Options of [`Model::fit`], under Keras's names and at Keras's defaults.
///
/// ```
/// use cornu_models::{Fit, Split, callbacks::EarlyStopping};
/// let options = Fit::new()
///     .epochs(100)
///     .batch_size(16)
///     .validation_split(Split::Shuffled(0.2))
///     .callback(EarlyStopping::new("val_loss").patience(5));
/// ```
#[derive(Debug, Default)]
pub struct Fit<'a> {
    epochs: Option<usize>,
    initial_epoch: usize,
    resume: bool,
    batch_size: Option<usize>,
    in_order: bool,
    steps_per_epoch: Option<usize>,
    validation: Option<(Data, Data, Data)>,
    validation_split: Option<Split>,
    validation_batch_size: Option<usize>,
    validation_steps: Option<usize>,
    validation_freq: Option<usize>,
    class_weight: Option<ClassWeight>,
    sample_weight: Data,
    callbacks: Vec<Box<dyn Callback + 'a>>,
    verbose: Verbose,
}

impl<'a> Fit<'a> {
    /// One epoch in batches of 32, shuffled.
    pub fn new() -> Fit<'a> {
        Fit::default()
    }

    /// The epoch to end with, counted from 1; with `initial_epoch` 0, how many there are.
    #[must_use]
    pub fn epochs(mut self, epochs: usize) -> Fit<'a> {
        self.epochs = Some(epochs);
        self
    }

    /// The epoch to begin with, counted from 0: what schedules and logs are told.
    #[must_use]
    pub fn initial_epoch(mut self, epoch: usize) -> Fit<'a> {
        self.initial_epoch = epoch;
        self
    }

    /// Goes on where the last `fit`, or the checkpoint that the model came from, stopped: its
    /// epoch, its history, what its callbacks remember.
    #[must_use]
    pub fn resume(mut self) -> Fit<'a> {
        self.resume = true;
        self
    }

    /// Samples per batch; 32, or all if there are fewer.
    #[must_use]
    pub fn batch_size(mut self, size: usize) -> Fit<'a> {
        self.batch_size = Some(size);
        self
    }

    /// Whether samples are put in another order before each epoch; true unless set.
    #[must_use]
    pub fn shuffle(mut self, shuffle: bool) -> Fit<'a> {
        self.in_order = !shuffle;
        self
    }

    /// Batches per epoch; all there are unless set.
    #[must_use]
    pub fn steps_per_epoch(mut self, steps: usize) -> Fit<'a> {
        self.steps_per_epoch = Some(steps);
        self
    }

    /// Data to evaluate on after each epoch.
    #[must_use]
    pub fn validation_data(mut self, x: impl Into<Data>, y: impl Into<Data>) -> Fit<'a> {
        self.validation = Some((x.into(), y.into(), Data::none()));
        self
    }

    /// As [`validation_data`](Fit::validation_data), with sample weights.
    #[must_use]
    pub fn weighted_validation_data(
        mut self,
        x: impl Into<Data>,
        y: impl Into<Data>,
        sample_weight: impl Into<Data>,
    ) -> Fit<'a> {
        self.validation = Some((x.into(), y.into(), sample_weight.into()));
        self
    }

    /// Sets part of the samples aside to evaluate on.
    #[must_use]
    pub fn validation_split(mut self, split: Split) -> Fit<'a> {
        self.validation_split = Some(split);
        self
    }

    /// Samples per batch of validation; that of training unless set.
    #[must_use]
    pub fn validation_batch_size(mut self, size: usize) -> Fit<'a> {
        self.validation_batch_size = Some(size);
        self
    }

    /// Batches per validation; all there are unless set.
    #[must_use]
    pub fn validation_steps(mut self, steps: usize) -> Fit<'a> {
        self.validation_steps = Some(steps);
        self
    }

    /// After how many epochs there is a validation; 1 unless set.
    #[must_use]
    pub fn validation_freq(mut self, epochs: usize) -> Fit<'a> {
        self.validation_freq = Some(epochs);
        self
    }

    /// What a sample of each class counts in the loss. Every class in the data must be there.
    #[must_use]
    pub fn class_weight(mut self, weights: impl Into<ClassWeight>) -> Fit<'a> {
        self.class_weight = Some(weights.into());
        self
    }

    /// What each sample, or each of its steps, counts in the loss.
    #[must_use]
    pub fn sample_weight(mut self, weights: impl Into<Data>) -> Fit<'a> {
        self.sample_weight = weights.into();
        self
    }

    /// Adds a callback, by value or by `&mut` to look at it afterwards.
    #[must_use]
    pub fn callback(mut self, callback: impl Callback + 'a) -> Fit<'a> {
        self.callbacks.push(Box::new(callback));
        self
    }

    /// What is shown while training: by default a bar on a terminal and a line an epoch
    /// elsewhere, on stderr.
    #[must_use]
    pub fn verbose(mut self, verbose: Verbose) -> Fit<'a> {
        self.verbose = verbose;
        self
    }
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

    /// Trains on one batch and gives its loss and metrics: of this batch alone, as it was before
    /// the update.
    ///
    /// # Errors
    /// As [`fit`](Model::fit).
    pub fn train_on_batch(&mut self, x: impl Into<Data>, y: impl Into<Data>) -> Result<Logs> {
        self.train_on(&Batch::new(x, y))
    }

    /// As [`train_on_batch`](Model::train_on_batch), on a batch with weights.
    ///
    /// # Errors
    /// As [`fit`](Model::fit).
    pub fn train_on(&mut self, batch: &Batch) -> Result<Logs> {
        self.build_for(&batch.x)?;
        let mut tracker = Tracker::new(self.compiled("train_on_batch")?);
        self.train_step(batch, Some(&mut tracker), Place { epoch: 1, batch: 1 })?;
        Ok(tracker.logs(self.compiled("train_on_batch")?, ""))
    }

    /// Loss and metrics of one batch, without training on it.
    ///
    /// # Errors
    /// As [`evaluate`](Model::evaluate).
    pub fn test_on_batch(&self, x: impl Into<Data>, y: impl Into<Data>) -> Result<Logs> {
        let mut tracker = Tracker::new(self.compiled("test_on_batch")?);
        self.test_step(&Batch::new(x, y), &mut tracker)?;
        Ok(tracker.logs(self.compiled("test_on_batch")?, ""))
    }

    /// The output for one batch, as it is: no batching, no copies.
    ///
    /// # Errors
    /// As [`predict`](Model::predict).
    pub fn predict_on_batch(&self, x: &Tensor) -> Result<Tensor> {
        let graph = self.graph("predict")?;
        let x = graph.accept("predict", std::slice::from_ref(x))?;
        let mut outputs = graph.run(&x, &mut cornu_layers::Context::inference())?;
        match (outputs.tensors.pop(), outputs.tensors.len()) {
            (Some(y), 0) => Ok(y),
            (_, more) => {
                let rule = "the model must have one output; `predict_all` gives several";
                Err(Error::value("predict", rule, more + 1))
            }
        }
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
    for at in 0..callbacks.len() {
        let mut run = Run { model: &mut *model, stop: &mut *stop };
        call(&mut *callbacks[at], &mut run)?;
    }
    Ok(())
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
