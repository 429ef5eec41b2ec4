//! Training on data: what is asked for is checked, then the epochs run.

mod epochs;
mod hooks;
mod options;
mod progress;
mod single;
mod source;
mod stop;

pub use options::Fit;
pub(crate) use progress::Progress;
pub use stop::Stop;

use cornu_layers::Symbol;

use crate::callbacks::Reporter;
use crate::data::{Batches, Data, Samples};
use crate::error::{Error, Result};
use crate::history::History;
use crate::model::Model;
use crate::predict::BATCH_SIZE;
use epochs::Epochs;
use hooks::Hooks;
use source::{Memory, Source};

impl Model {
    /// Trains on `x` and the targets `y`, and goes on from the present weights if called again.
    ///
    /// A `steps_per_epoch` other than the number of batches lets an epoch go on where the last one
    /// ended, and begin with the first batch, in a new order, once all were used. (In Keras such
    /// an epoch is cut short.)
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
        let memory = Memory {
            samples: &samples,
            count,
            batch_size,
            shuffled: !options.in_order,
            pass: None,
        };
        self.run_fit(Source::Memory(memory), held, options)
    }

    /// Trains on batches as they come: data larger than memory, or made on the fly. With
    /// `steps_per_epoch`, every epoch must have as many.
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
        source: Source<'_, '_>,
        mut held: Option<Samples>,
        mut options: Fit<'_>,
    ) -> Result<History> {
        options.check()?;
        if let Some((x, y, weights)) = options.validation.take() {
            self.build_for(&x.arrange("fit", &[]).unwrap_or_default())?;
            held = Some(self.samples("validation", x, y, weights)?);
        }
        let first = if options.resume { self.progress.epoch } else { options.initial_epoch };
        let epochs = options.epochs.unwrap_or(first + 1);
        let steps = options.steps_per_epoch.or(match &source {
            Source::Memory(memory) => Some(memory.batches()),
            Source::Stream(_) => None,
        });
        let mut hooks = Hooks { callbacks: std::mem::take(&mut options.callbacks), stop: false };
        self.check_callbacks(&mut hooks, held.is_some())?;
        if options.resume {
            hooks.restore(self.progress.callbacks.clone())?;
        } else {
            let Progress { step, shuffles, .. } = self.progress;
            self.progress = Progress { step, shuffles, epoch: first, ..Progress::default() };
        }
        let reporter = Reporter::new(&options.verbose, epochs, steps);
        let held = held.as_ref();
        let mut run = Epochs {
            source,
            held,
            options: &options,
            hooks,
            reporter,
            range: first..epochs,
            steps,
        };
        let begun = run.hooks.each(self, |c, run| c.on_train_begin(run));
        let mut ended = begun.and_then(|()| run.run(self));
        run.hooks.remember(self);
        if let Err(error) = &ended
            && run.hooks.callbacks.iter().any(|c| c.forgives(error))
        {
            ended = Ok(());
        }
        let ended = ended.and_then(|()| self.finalize_weights());
        // Callbacks put the best weights back whatever ended training.
        let closed = run.hooks.train_end(self);
        ended?;
        closed?;
        self.check_weights()?;
        Ok(self.progress.history.clone())
    }

    fn check_callbacks(&self, hooks: &mut Hooks<'_>, validated: bool) -> Result<()> {
        let reported = hooks.callbacks.iter().flat_map(|c| c.report(self)).collect();
        let last_axis = |y: &Symbol| y.shape().last().copied().flatten().unwrap_or(0);
        let units: Vec<usize> = self.outputs().unwrap_or_default().iter().map(last_axis).collect();
        let names = self.compiled("fit")?.log_names(&units).with(reported, validated);
        hooks.callbacks.iter_mut().try_for_each(|callback| callback.check(&names))
    }
}
