//! One batch at a time.

use cornu_autodiff::Tensor;
use cornu_layers::Context;

use crate::data::{Batch, Data};
use crate::error::{Error, Result};
use crate::history::Logs;
use crate::model::Model;
use crate::step::{Place, Tracker};

impl Model {
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
        let batch = self.accept_batch("train_on_batch", batch)?;
        let mut tracker = Tracker::new(self.compiled("train_on_batch")?);
        self.train_step(&batch, Some(&mut tracker), Place { epoch: 1, batch: 1 })?;
        Ok(tracker.logs(self.compiled("train_on_batch")?, ""))
    }

    /// Loss and metrics of one batch, without training on it.
    ///
    /// # Errors
    /// As [`evaluate`](Model::evaluate).
    pub fn test_on_batch(&self, x: impl Into<Data>, y: impl Into<Data>) -> Result<Logs> {
        let batch = Batch::new(x, y);
        let batch = self.accept_batch("test_on_batch", &batch)?;
        let mut tracker = Tracker::new(self.compiled("test_on_batch")?);
        self.test_step(&batch, &mut tracker)?;
        Ok(tracker.logs(self.compiled("test_on_batch")?, ""))
    }

    /// The output for one batch, as it is: no batching, no copies.
    ///
    /// # Errors
    /// As [`predict`](Model::predict).
    pub fn predict_on_batch(&self, x: &Tensor) -> Result<Tensor> {
        let graph = self.graph("predict")?;
        let x = graph.accept("predict", std::slice::from_ref(x))?;
        let mut context = Context::inference();
        let mut outputs = graph.run(&x, &mut context)?;
        context.apply_updates()?;
        match (outputs.tensors.pop(), outputs.tensors.len()) {
            (Some(y), 0) => Ok(y),
            (_, more) => {
                let rule = "the model must have one output; `predict_all` gives several";
                Err(Error::value("predict", rule, more + 1))
            }
        }
    }
}
