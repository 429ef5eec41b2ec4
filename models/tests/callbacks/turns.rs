//! When callbacks are told what.

use cornu_autodiff::{DType, Tensor};
use cornu_layers::prelude::*;
use cornu_models::callbacks::{Callback, EarlyStopping, LambdaCallback, Run};
use cornu_models::optimizers::SGD;
use cornu_models::{Compile, Logs, Model, Result, Sequential};

use crate::{one_weight, quiet};

#[test]
fn a_closure_sees_every_epoch_and_can_stop() {
    let mut seen = Vec::new();
    let watch = LambdaCallback::new(|run, epoch, logs| {
        seen.push((epoch, logs.get("loss").is_some()));
        if epoch == 2 {
            run.stop_training();
        }
        Ok(())
    });
    let x = [[1.0f32]];
    let history = one_weight(0.1).fit(x, x, quiet().epochs(10).callback(watch)).expect("training");
    assert_eq!(seen, [(0, true), (1, true), (2, true)]);
    assert_eq!(history.epochs(), [0, 1, 2]);
}

/// Writes down the turns of training.
#[derive(Debug, Default)]
struct Turns(Vec<String>);

impl Callback for Turns {
    fn name(&self) -> &str {
        "turns"
    }
    fn on_train_begin(&mut self, _: &mut Run<'_>) -> Result<()> {
        self.0.push("train".into());
        Ok(())
    }
    fn on_train_end(&mut self, _: &mut Run<'_>) -> Result<()> {
        self.0.push("end".into());
        Ok(())
    }
    fn on_epoch_begin(&mut self, _: &mut Run<'_>, epoch: usize) -> Result<()> {
        self.0.push(format!("epoch {epoch}"));
        Ok(())
    }
    fn on_epoch_end(&mut self, _: &mut Run<'_>, epoch: usize, logs: &Logs) -> Result<()> {
        self.0.push(format!("epoch {epoch}: {}", logs.names().collect::<Vec<_>>().join(" ")));
        Ok(())
    }
    fn on_batch_begin(&mut self, _: &mut Run<'_>, batch: usize) -> Result<()> {
        self.0.push(format!("batch {batch}"));
        Ok(())
    }
    fn on_batch_end(&mut self, run: &mut Run<'_>, batch: usize, logs: &Logs) -> Result<()> {
        self.0.push(format!("batch {batch}: {}", logs.names().collect::<Vec<_>>().join(" ")));
        if self.0.len() > 8 {
            run.stop_training();
        }
        Ok(())
    }
}

#[test]
fn callbacks_are_told_of_every_turn_in_order() {
    let mut turns = Turns::default();
    let x = Tensor::zeros([4, 1], DType::F32);
    let options = quiet().epochs(5).batch_size(2).validation_data(&x, &x);
    one_weight(0.1).fit(&x, &x, options.callback(&mut turns)).expect("training");
    let of_epoch = "loss mae val_loss val_mae";
    let of_batch = "batch_loss loss mae";
    assert_eq!(
        turns.0,
        [
            "train".to_owned(),
            "epoch 0".into(),
            "batch 0".into(),
            format!("batch 0: {of_batch}"),
            "batch 1".into(),
            format!("batch 1: {of_batch}"),
            format!("epoch 0: {of_epoch}"),
            "epoch 1".into(),
            "batch 0".into(),
            // Stopped here: the epoch ends early, as in Keras.
            format!("batch 0: {of_batch}"),
            format!("epoch 1: {of_epoch}"),
            "end".into(),
        ]
    );
}

#[test]
fn metrics_say_which_way_they_improve() {
    let cases = [("cosine_similarity", [-1.0f32, 0.5, -0.5], 1), ("mae", [3.0, 1.0, 2.0], 1)];
    for (metric, weights, best) in cases {
        let mut model = Sequential::new();
        model.add(Dense::new(1).input_dim(1).use_bias(false)).expect("a layer");
        let compile = Compile::new().loss("mse").optimizer(SGD::new(0.0)).metrics([metric]);
        model.compile(compile).expect("known names");
        let mut next = weights.into_iter();
        let mut set = |model: &Model| match next.next() {
            Some(weight) => model.set_weights(&[Tensor::from([[weight]])]),
            None => Ok(()),
        };
        set(&model).expect("the first weight");
        let mut stop = EarlyStopping::new(metric).patience(10);
        let options = quiet().epochs(3).callback(LambdaCallback::new(|run, _, _| set(run.model)));
        let (x, y) = ([[1.0f32], [2.0]], [[1.0f32], [2.0]]);
        model.fit(x, y, options.callback(&mut stop)).expect("training");
        assert_eq!(stop.best_epoch(), Some(best), "{metric}");
    }
}
