//! Asking a model: outputs, classes, loss and metrics over data.

use std::borrow::Cow;

use cornu_autodiff::ops::Concat;
use cornu_autodiff::{DType, Tensor, apply};
use cornu_layers::Context;

use crate::data::{ArrayBatches, Batch, Data, Samples};
use crate::error::{Error, Result};
use crate::history::Logs;
use crate::model::Model;
use crate::step::Tracker;

/// Samples per batch where nothing else is said, as in Keras.
pub(crate) const BATCH_SIZE: usize = 32;

/// Told of each batch that is done: how many are, and how many there will be.
pub type Progress<'a> = &'a mut dyn FnMut(usize, usize);

impl Model {
    /// The output for each sample of `x`, computed in batches of 32. For several outputs there
    /// is [`predict_all`](Model::predict_all).
    ///
    /// Takes `&self`: one model predicts on many threads at once.
    ///
    /// # Errors
    /// When the data don't fit the inputs, or the model has several outputs.
    pub fn predict(&self, x: impl Into<Data>) -> Result<Tensor> {
        let outputs = self.predict_all(x)?;
        match <[Tensor; 1]>::try_from(outputs) {
            Ok([y]) => Ok(y),
            Err(outputs) => {
                let rule = "the model must have one output; `predict_all` gives several";
                Err(Error::value("predict", rule, outputs.len()))
            }
        }
    }

    /// Every output for each sample of `x`.
    ///
    /// # Errors
    /// When the data don't fit the inputs.
    pub fn predict_all(&self, x: impl Into<Data>) -> Result<Vec<Tensor>> {
        self.predict_batches(x, BATCH_SIZE)
    }

    /// As [`predict_all`](Model::predict_all), with batches of another size. A larger one may
    /// be faster and takes more memory.
    ///
    /// # Errors
    /// When the data don't fit the inputs, or `batch_size` is 0.
    pub fn predict_batches(&self, x: impl Into<Data>, batch_size: usize) -> Result<Vec<Tensor>> {
        self.predict_watched(x, batch_size, &mut |_, _| {})
    }

    /// As [`predict_batches`](Model::predict_batches), telling how far it is.
    ///
    /// # Errors
    /// As [`predict_batches`](Model::predict_batches).
    pub fn predict_watched(
        &self,
        x: impl Into<Data>,
        batch_size: usize,
        progress: Progress<'_>,
    ) -> Result<Vec<Tensor>> {
        let graph = self.graph("predict")?;
        if batch_size == 0 {
            let rule = "`batch_size` must be at least 1";
            return Err(Error::value("predict", rule, 0));
        }
        let x = x.into().arrange("predict", &graph.input_names())?;
        let x = graph.accept("predict", &x)?.into_vec();
        let samples = Samples { x, ..Samples::default() };
        let count = samples.count("predict")?;
        let mut parts: Vec<Vec<Tensor>> = Vec::new();
        for batch in ArrayBatches::new(&samples, count, batch_size, None) {
            let mut context = Context::inference();
            let outputs = graph.run(&batch.x, &mut context)?;
            context.apply_updates()?;
            parts.push(outputs.tensors.into_vec());
            progress(parts.len(), count.div_ceil(batch_size));
        }
        if parts.len() == 1 {
            return Ok(parts.remove(0));
        }
        (0..graph.outputs.len())
            .map(|i| {
                let column: Vec<&Tensor> = parts.iter().map(|p| &p[i]).collect();
                Ok(apply(Concat { axis: 0 }, &column)?)
            })
            .collect()
    }

    /// The class of each sample, int64: whether the output is above 0.5 where it has one
    /// column, shape `(samples, 1)`; else the column of the largest output, shape `(samples,)`.
    ///
    /// # Errors
    /// As [`predict`](Model::predict).
    pub fn predict_classes(&self, x: impl Into<Data>) -> Result<Tensor> {
        let y = self.predict(x)?;
        match y.dims().last() {
            Some(1) => Ok(y.greater_scalar(0.5).cast(DType::I64)),
            Some(_) => Ok(y.argmax(-1)),
            None => Err(Error::value("predict_classes", "outputs must have an axis", "scalars")),
        }
    }

    /// Loss and metrics over data, under Keras's names, in batches of 32.
    ///
    /// # Errors
    /// When the model is not compiled, or the data don't fit.
    pub fn evaluate(&self, x: impl Into<Data>, y: impl Into<Data>) -> Result<Logs> {
        self.evaluate_weighted(x, y, Data::none(), BATCH_SIZE)
    }

    /// As [`evaluate`](Model::evaluate), with sample weights (none: [`Data::none`]) and batches
    /// of another size.
    ///
    /// # Errors
    /// As [`evaluate`](Model::evaluate), or when `batch_size` is 0.
    pub fn evaluate_weighted(
        &self,
        x: impl Into<Data>,
        y: impl Into<Data>,
        sample_weight: impl Into<Data>,
        batch_size: usize,
    ) -> Result<Logs> {
        self.evaluate_watched(x, y, sample_weight, batch_size, &mut |_, _| {})
    }

    /// As [`evaluate_weighted`](Model::evaluate_weighted), telling how far it is.
    ///
    /// # Errors
    /// As [`evaluate_weighted`](Model::evaluate_weighted).
    pub fn evaluate_watched(
        &self,
        x: impl Into<Data>,
        y: impl Into<Data>,
        sample_weight: impl Into<Data>,
        batch_size: usize,
        progress: Progress<'_>,
    ) -> Result<Logs> {
        let samples = self.samples("evaluate", x.into(), y.into(), sample_weight.into())?;
        if batch_size == 0 {
            let rule = "`batch_size` must be at least 1";
            return Err(Error::value("evaluate", rule, 0));
        }
        let tracker = self.evaluate_samples(&samples, batch_size, None, progress)?;
        Ok(tracker.logs(self.compiled("evaluate")?, ""))
    }

    pub(crate) fn evaluate_samples(
        &self,
        samples: &Samples,
        batch_size: usize,
        steps: Option<usize>,
        progress: Progress<'_>,
    ) -> Result<Tracker> {
        let count = samples.count("evaluate")?;
        let mut tracker = Tracker::new(self.compiled("evaluate")?);
        let batches = ArrayBatches::new(samples, count, batch_size, None);
        let all = count.div_ceil(batch_size).min(steps.unwrap_or(usize::MAX));
        for (i, batch) in batches.take(all).enumerate() {
            self.test_step(&batch, &mut tracker)?;
            progress(i + 1, all);
        }
        Ok(tracker)
    }

    /// A batch as it came, checked, its parts in order.
    pub(crate) fn accept_batch<'a>(&self, place: &str, batch: &'a Batch) -> Result<Cow<'a, Batch>> {
        let mut batch = Cow::Borrowed(batch);
        if batch.named.is_some() {
            let batch = batch.to_mut();
            if let Some((x, y)) = batch.named.take().map(|named| *named) {
                batch.x = x.arrange(place, &self.graph(place)?.input_names())?;
                batch.y = y.arrange(place, &self.compiled(place)?.target_names())?;
            }
        }
        if batch.x.is_empty() {
            // The graph says better than a count what is missing.
            self.graph(place)?.accept(place, &batch.x)?;
        }
        batch.check(place)?;
        Ok(batch)
    }

    /// Data arranged in the order of inputs and of outputs that have a loss.
    pub(crate) fn samples(
        &self,
        place: &str,
        x: Data,
        y: Data,
        sample_weight: Data,
    ) -> Result<Samples> {
        let graph = self.graph(place)?;
        let compiled = self.compiled(place)?;
        let outputs = compiled.target_names();
        let x = x.arrange(place, &graph.input_names())?;
        let y = y.arrange(place, &outputs)?;
        if y.len() != outputs.len() {
            let rule = format!("there must be targets for the outputs `{}`", outputs.join("`, `"));
            return Err(Error::value(place, rule, format!("{} arrays", y.len())));
        }
        let sample_weight = sample_weight.arrange(place, &outputs)?;
        if sample_weight.len() > 1 && sample_weight.len() != outputs.len() {
            let rule = "sample weights must be one array for all outputs or one for each";
            return Err(Error::value(place, rule, sample_weight.len()));
        }
        let x = graph.accept(place, &x)?.into_vec();
        let samples = Samples { x, y, sample_weight };
        samples.count(place)?;
        Ok(samples)
    }
}
