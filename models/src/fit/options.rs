//! What `fit` can be told.

use crate::callbacks::{Callback, Verbose};
use crate::class_weight::ClassWeight;
use crate::data::{Data, Split};
use crate::error::{Error, Result};
use crate::fit::Stop;

/// Options of [`fit`](crate::Model::fit), under Keras's names and at Keras's defaults.
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
    pub(super) epochs: Option<usize>,
    pub(super) initial_epoch: usize,
    pub(super) resume: bool,
    pub(super) batch_size: Option<usize>,
    pub(super) in_order: bool,
    pub(super) steps_per_epoch: Option<usize>,
    pub(super) validation: Option<(Data, Data, Data)>,
    pub(super) validation_split: Option<Split>,
    pub(super) validation_batch_size: Option<usize>,
    pub(super) validation_steps: Option<usize>,
    pub(super) validation_freq: Option<usize>,
    pub(super) class_weight: Option<ClassWeight>,
    pub(super) sample_weight: Data,
    pub(super) callbacks: Vec<Box<dyn Callback + 'a>>,
    pub(super) verbose: Verbose,
    pub(super) stop: Option<Stop>,
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
    /// epoch, its history, what its callbacks remember. An epoch that was broken off goes on with
    /// its next batch; its logs then cover the rest of it.
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

    /// Batches per epoch; all there are unless set. See [`fit`](crate::Model::fit).
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

    /// Lets `stop` end this `fit` from another thread, or by Ctrl-C.
    #[must_use]
    pub fn stop(mut self, stop: &Stop) -> Fit<'a> {
        self.stop = Some(stop.clone());
        self
    }

    /// Refuses counts of nothing.
    pub(super) fn check(&self) -> Result<()> {
        let counts = [
            ("steps_per_epoch", self.steps_per_epoch),
            ("validation_batch_size", self.validation_batch_size),
            ("validation_steps", self.validation_steps),
            ("validation_freq", self.validation_freq),
        ];
        match counts.iter().find(|(_, count)| *count == Some(0)) {
            None => Ok(()),
            Some((name, _)) => Err(Error::value("fit", format!("`{name}` must be at least 1"), 0)),
        }
    }
}
