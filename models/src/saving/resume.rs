//! Checkpoints of models: stopped here, gone on with there.

use std::path::Path;

use cornu_autodiff::Tensor;

use crate::callbacks::State;
use crate::error::{Error, Result};
use crate::fit::Progress;
use crate::history::{History, Logs};
use crate::model::Model;
use crate::optimizers::Optimizer;
use crate::saving::Checkpoint;
use crate::saving::codec::in_file;
use crate::saving::json;
use crate::step::Learned;

impl Model {
    /// Writes all that is needed to go on later: structure, weights, and, if the model is
    /// compiled, what it was compiled for, what the optimizer remembers, how far `fit` has come,
    /// its history, what its callbacks remember, and where randomness stands. The file is
    /// replaced whole.
    ///
    /// A run that goes on from a checkpoint with [`Fit::resume`](crate::Fit::resume) has the same
    /// weights, bit for bit, as one that was never stopped, if the checkpoint was written while
    /// it ran, as [`ModelCheckpoint`](crate::callbacks::ModelCheckpoint) does, or after it was
    /// [stopped](crate::Stop). The end of a `fit` itself may change weights: callbacks put the
    /// best ones back, and an optimizer that averages them leaves the averages.
    ///
    /// ```
    /// use cornu_layers::prelude::*;
    /// use cornu_models::{Compile, Fit, Model, Sequential, callbacks::Verbose};
    /// # let path = std::env::temp_dir().join(format!("{}.checkpoint", std::process::id()));
    /// let mut model = Sequential::new().with(Dense::new(1).input_dim(1))?;
    /// model.compile(Compile::new().loss("mse").optimizer("adam"))?;
    /// let (x, y) = ([[1.0f32], [2.0]], [[2.0f32], [4.0]]);
    /// model.fit(x, y, Fit::new().epochs(3).verbose(Verbose::Silent))?;
    /// model.save_checkpoint(&path)?;
    ///
    /// let mut again = Model::load_checkpoint(&path)?;
    /// let history = again.fit(x, y, Fit::new().epochs(5).resume().verbose(Verbose::Silent))?;
    /// assert_eq!(history.epochs(), [0, 1, 2, 3, 4]);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), cornu_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the shape of the model's input is not known yet, or the file can't be written.
    pub fn save_checkpoint(&self, path: impl AsRef<Path>) -> Result<()> {
        self.checkpoint()?.write(path)
    }

    /// The model of a checkpoint.
    ///
    /// # Errors
    /// When the file can't be read, was cut off or altered, or names a layer, loss, metric or
    /// optimizer that can't be made from its name; for these, make and compile the model and
    /// call [`restore_checkpoint`](Model::restore_checkpoint).
    pub fn load_checkpoint(path: impl AsRef<Path>) -> Result<Model> {
        let path = path.as_ref();
        Model::from_checkpoint(&Checkpoint::read(path)?).map_err(in_file(path))
    }

    /// Puts this model, made and compiled as it was, where the checkpoint was written.
    ///
    /// # Errors
    /// When the file can't be read, was cut off or altered, or is that of another model.
    pub fn restore_checkpoint(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        self.restore(&Checkpoint::read(path)?).map_err(in_file(path))
    }

    /// What [`save_checkpoint`](Model::save_checkpoint) writes.
    ///
    /// # Errors
    /// When the shape of the model's input is not known yet.
    pub fn checkpoint(&self) -> Result<Checkpoint> {
        self.graph("checkpoint")?;
        let mut optimizer = Vec::new();
        let mut optimized = Vec::new();
        if let Some(compiled) = &self.compiled {
            // What is remembered of frozen weights is kept, too.
            let mut all = compiled.optimizer.clone();
            let known: Vec<String> = all.paths().into_iter().map(str::to_owned).collect();
            let known = |at: &usize| known.iter().any(|path| path == self.weights[*at].path());
            let at: Vec<usize> = (0..self.weights.len()).filter(known).collect();
            if !at.is_empty() {
                let variables: Vec<Learned<'_>> =
                    at.iter().map(|&i| Learned(&self.weights[i])).collect();
                all.follow(&variables)?;
            }
            optimizer = all.state();
            optimized = at.into_iter().map(|i| i as u64).collect();
        }
        let Progress { step, shuffles, position, epoch, batch, history, callbacks } =
            &self.progress;
        let series = history.series().map(|(name, values)| (name.to_owned(), values.to_vec()));
        Ok(Checkpoint {
            model: self.to_json()?,
            weights: self.named_values(),
            optimizer,
            optimized,
            generator: self.generator.state(),
            step: *step,
            shuffles: *shuffles,
            position: *position as u64,
            epoch: *epoch as u64,
            batch: *batch as u64,
            epochs: history.epochs().iter().map(|&epoch| epoch as u64).collect(),
            history: series.collect(),
            callbacks: callbacks
                .iter()
                .map(|(name, s)| (name.clone(), s.values.to_string(), s.tensors.clone()))
                .collect(),
        })
    }

    /// The model of a checkpoint.
    ///
    /// # Errors
    /// As [`load_checkpoint`](Model::load_checkpoint).
    pub fn from_checkpoint(checkpoint: &Checkpoint) -> Result<Model> {
        let mut model = Model::from_json(&checkpoint.model)?;
        model.restore(checkpoint)?;
        Ok(model)
    }

    /// Puts this model where the checkpoint was taken.
    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let progress = progress(checkpoint)?;
        self.graph("checkpoint")?;
        let optimizer = self.optimizer_of(checkpoint)?;
        self.assign("checkpoint", &checkpoint.weights)?;
        if let (Some(compiled), Some(optimizer)) = (&mut self.compiled, optimizer) {
            compiled.optimizer = optimizer;
        }
        self.generator.restore(checkpoint.generator);
        self.progress = progress;
        Ok(())
    }

    /// The optimizer with what it remembered; `None` if the checkpoint holds none.
    fn optimizer_of(&self, checkpoint: &Checkpoint) -> Result<Option<Optimizer>> {
        if checkpoint.optimizer.is_empty() {
            return Ok(None);
        }
        let Some(compiled) = &self.compiled else {
            let hint = "call `compile` as it was compiled then";
            let rule = "the checkpoint is of a compiled model";
            return Err(Error::order("restore_checkpoint", rule, hint));
        };
        let mut variables = Vec::new();
        for &at in &checkpoint.optimized {
            let weight = usize::try_from(at).ok().and_then(|at| self.weights.get(at));
            variables.push(Learned(weight.ok_or_else(|| {
                let rule = format!("the model has {} weights", self.weights.len());
                Error::value("checkpoint", rule, format!("one with number {at}"))
            })?));
        }
        let mut optimizer = compiled.optimizer.clone();
        optimizer.build_some(&variables)?;
        let state: Vec<Tensor> =
            checkpoint.optimizer.iter().map(|(_, value)| value.clone()).collect();
        optimizer.set_state(&state)?;
        Ok(Some(optimizer))
    }
}

fn progress(checkpoint: &Checkpoint) -> Result<Progress> {
    let number = |n: u64| {
        usize::try_from(n).map_err(|_| Error::value("checkpoint", "a count must be countable", n))
    };
    let mut history = History::default();
    for (at, &epoch) in checkpoint.epochs.iter().enumerate() {
        let mut logs = Logs::default();
        for (name, values) in &checkpoint.history {
            let Some(&value) = values.get(at) else {
                let rule = format!("`{name}` in the history must have a value for each epoch");
                return Err(Error::value("checkpoint", rule, values.len()));
            };
            logs.insert(name.clone(), value);
        }
        history.push(number(epoch)?, &logs);
    }
    let state = |(name, text, tensors): &(String, String, Vec<Tensor>)| -> Result<_> {
        let values = json::parse("checkpoint", text)?;
        Ok((name.clone(), State { values, tensors: tensors.clone() }))
    };
    Ok(Progress {
        step: checkpoint.step,
        shuffles: checkpoint.shuffles,
        position: number(checkpoint.position)?,
        epoch: number(checkpoint.epoch)?,
        batch: number(checkpoint.batch)?,
        history,
        callbacks: checkpoint.callbacks.iter().map(state).collect::<Result<_>>()?,
    })
}
