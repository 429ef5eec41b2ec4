//! A number that is none stops training, with its place, and the last good weights stay.

mod support;

use cornu_autodiff::Tensor;
use cornu_layers::prelude::*;
use cornu_models::callbacks::{EarlyStopping, LambdaCallback, TerminateOnNaN};
use cornu_models::losses::Function;
use cornu_models::optimizers::SGD;
use cornu_models::{Batch, Batches, Compile, Error, Sequential};
use support::quiet;

fn regression() -> Sequential {
    let mut model = Sequential::new().seed(1);
    model.add(Dense::new(4).input_dim(2).activation("relu")).unwrap();
    model.add(Dense::new(1)).unwrap();
    model.compile(Compile::new().loss("mse").optimizer("adam")).unwrap();
    model
}

fn bits(model: &Sequential) -> Vec<u32> {
    let weights = model.get_weights();
    weights.iter().flat_map(|w| w.to_vec::<f32>().unwrap()).map(f32::to_bits).collect()
}

/// Three batches an epoch; the one of this epoch and batch, counted from 1, holds a NaN.
fn batches<'a>(bad: (usize, usize)) -> Batches<'a> {
    Batches::from_epochs(move |epoch| {
        (0..3).map(move |batch| {
            let bad = bad == (epoch + 1, batch + 1);
            let x = if bad { f32::NAN } else { (3 * epoch + batch) as f32 / 10.0 };
            Ok(Batch::new([[x, 1.0]], [[0.5f32]]))
        })
    })
}

#[test]
fn the_error_says_epoch_and_batch_and_the_weights_are_those_before_it() {
    let mut model = regression();
    let error = model.fit_batches(&mut batches((2, 3)), quiet().epochs(4)).unwrap_err();
    let text = error.to_string();
    let said = "fit: epoch 2, batch 3: the loss is not finite; first seen in input 0 of the data";
    assert!(text.starts_with(said), "{text}");
    assert!(text.contains("weights are those before this batch"), "{text}");
    // The same five batches, and no sixth.
    let mut good = regression();
    let mut stop = Batches::from_epochs(|epoch| {
        let batch = move |b| Batch::new([[(3 * epoch + b) as f32 / 10.0, 1.0]], [[0.5f32]]);
        (0..if epoch == 0 { 3 } else { 2 }).map(move |b| Ok(batch(b)))
    });
    good.fit_batches(&mut stop, quiet().epochs(2)).unwrap();
    assert_eq!(bits(&model), bits(&good));
    let state = |m: &Sequential| format!("{:?}", m.optimizer().unwrap().state());
    assert_eq!(state(&model), state(&good));
    // It can be trained on.
    model.fit([[0.5f32, 1.0]], [[0.5f32]], quiet()).unwrap();
}

#[test]
fn the_first_guilty_layer_is_named_not_those_behind_it() {
    let mut model = Sequential::new().seed(1);
    for name in ["innocent", "guilty", "behind_it"] {
        let activation = if name == "guilty" { "exponential" } else { "linear" };
        let layer = Dense::new(2).kernel_initializer("ones").activation(activation);
        model.add(if name == "innocent" { layer.input_dim(2) } else { layer }.name(name)).unwrap();
    }
    model.compile(Compile::new().loss("mae").optimizer("sgd")).unwrap();
    let before = bits(&model);
    let error = model.fit([[100.0f32, 0.0]], [[0.0f32, 0.0]], quiet()).unwrap_err().to_string();
    assert!(error.contains("first seen in the output of layer `guilty`"), "{error}");
    assert_eq!(bits(&model), before);
}

#[test]
fn a_weight_that_is_not_finite_is_named() {
    let mut model = regression();
    let mut weights = model.get_weights();
    weights[2] = &weights[2] * f64::INFINITY;
    model.set_weights(&weights).unwrap();
    let error = model.fit([[1.0f32, 1.0]], [[0.0f32]], quiet()).unwrap_err().to_string();
    assert!(error.contains("first seen in weight `sequential/dense_1/kernel`"), "{error}");
}

#[test]
fn a_gradient_that_is_not_finite_stops_although_the_loss_is() {
    let mut model = Sequential::new().seed(1);
    model.add(Dense::new(1).input_dim(1).kernel_initializer("zeros")).unwrap();
    // The slope of a root at 0.
    let root = Function::new("root", |_, y_pred| Ok(y_pred.abs().sqrt().mean(-1, false)));
    model.compile(Compile::new().loss(root).optimizer("adam")).unwrap();
    let error = model.fit([[1.0f32]], [[0.0f32]], quiet()).unwrap_err();
    let said = "epoch 1, batch 1: the gradient of `sequential/dense/kernel` is not finite";
    assert!(error.to_string().contains(said), "{error}");
    assert!(matches!(error, Error::NotFinite { epoch: 1, batch: 1, .. }));
    assert_eq!(bits(&model), [0, 0]);
}

#[test]
fn a_step_that_overflows_a_weight_is_an_error_that_names_it() {
    // Found by the next batch, or at the end.
    for (epochs, said) in [
        (3, "epoch 2, batch 1: the loss is not finite; first seen in weight `sequential/dense/"),
        (1, "every weight must be finite after training; try a lower learning rate"),
    ] {
        let mut model = Sequential::new().seed(1);
        model.add(Dense::new(1).input_dim(1)).unwrap();
        model.compile(Compile::new().loss("mse").optimizer(SGD::new(1e38))).unwrap();
        let options = quiet().epochs(epochs);
        let error = model.fit([[10.0f32]], [[1e3f32]], options).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn a_batch_whose_metric_fails_is_not_trained_on() {
    let mut model = regression();
    // Predictions outside of 0..=1 have no area under a curve.
    let compile = Compile::new().loss("mse").optimizer("sgd").metrics(["auc"]);
    model.compile(compile).unwrap();
    let weights: Vec<Tensor> = model.get_weights().iter().map(|w| w * 0.0 + 2.0).collect();
    model.set_weights(&weights).unwrap();
    let before = bits(&model);
    let error = model.fit([[1.0f32, 1.0]], [[1.0f32]], quiet()).unwrap_err().to_string();
    assert!(error.contains("metric `auc`"), "{error}");
    assert_eq!(bits(&model), before);
}

#[test]
fn the_best_weights_come_back_after_a_nan() {
    let mut model = regression();
    let mut of_epochs = Vec::new();
    let mut losses = Vec::new();
    let note = LambdaCallback::new(|run, _, logs| {
        of_epochs.push(run.model.get_weights());
        losses.push(logs.get("loss").unwrap());
        Ok(())
    });
    let mut best = EarlyStopping::new("loss").patience(100).restore_best_weights(true);
    let options = quiet().epochs(9).callback(note).callback(&mut best);
    model.fit_batches(&mut batches((6, 2)), options).unwrap_err();
    assert_eq!(losses.len(), 5);
    let least = (0..5).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap();
    assert_eq!(best.best_epoch(), Some(least));
    for (now, then) in model.get_weights().iter().zip(&of_epochs[least]) {
        assert_eq!(now.to_vec::<f32>().unwrap(), then.to_vec::<f32>().unwrap());
    }
}

#[test]
fn a_callback_may_take_a_nan_as_the_end() {
    let mut model = regression();
    let options = quiet().epochs(9).callback(TerminateOnNaN);
    let history = model.fit_batches(&mut batches((3, 1)), options).unwrap();
    assert_eq!(history.epochs(), [0, 1], "only whole epochs");
    let mut good = regression();
    good.fit_batches(&mut batches((9, 9)), quiet().epochs(2)).unwrap();
    assert_eq!(bits(&model), bits(&good));
    // What is no NaN stays an error.
    let error = model.fit([[1.0f32]], [[1.0f32]], quiet().callback(TerminateOnNaN)).unwrap_err();
    assert!(error.to_string().contains("(None, 2)"), "{error}");
}

#[test]
fn a_nan_in_validation_is_logged_and_never_the_best() {
    let mut model = regression();
    let (x, y) = ([[0.5f32, 1.0]], [[0.5f32]]);
    let mut best = EarlyStopping::new("val_loss").patience(2);
    let options = quiet().epochs(9).validation_data([[f32::NAN, 1.0]], y);
    let history = model.fit(x, y, options.callback(&mut best)).unwrap();
    assert!(history.get("val_loss").unwrap().iter().all(|v| v.is_nan()));
    assert_eq!((best.best(), best.stopped_epoch()), (None, Some(1)));
}
