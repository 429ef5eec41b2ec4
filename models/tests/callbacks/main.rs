//! Callbacks: when they are told what, what they do, and what they refuse.

#[path = "../golden/mod.rs"]
mod golden;
mod keras;
mod turns;
mod wrong;

use cornu_autodiff::{DType, Tensor};
use cornu_layers::prelude::*;
use cornu_models::callbacks::{Callback, Run, Verbose};
use cornu_models::optimizers::SGD;
use cornu_models::{Compile, Fit, Logs, Model, Result, Sequential};

pub(crate) fn quiet<'a>() -> Fit<'a> {
    Fit::new().verbose(Verbose::Silent)
}

pub(crate) fn one_weight(rate: f64) -> Sequential {
    let mut model = Sequential::new();
    model.add(Dense::new(1).input_dim(1).use_bias(false)).expect("a layer");
    let compile = Compile::new().loss("mse").optimizer(SGD::new(rate)).metrics(["mae"]);
    model.compile(compile).expect("known names");
    model
}

/// Adds a `score` to the logs, and sets the one weight to the number of the epoch.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) scores: Vec<f64>,
    pub(crate) epoch: usize,
}

impl Callback for Script {
    fn name(&self) -> &str {
        "script"
    }
    fn report(&self, _: &Model) -> Vec<(String, f64)> {
        vec![("score".into(), self.scores[self.epoch])]
    }
    fn on_epoch_begin(&mut self, _: &mut Run<'_>, epoch: usize) -> Result<()> {
        self.epoch = epoch;
        Ok(())
    }
    fn on_epoch_end(&mut self, run: &mut Run<'_>, epoch: usize, _: &Logs) -> Result<()> {
        run.model.set_weights(&[Tensor::full([1, 1], epoch as f64, DType::F32)])
    }
}
