//! A run that was stopped anywhere goes on as if nothing had happened: `fit(2N)` is `fit(N)`, a
//! file, and `fit` again, bit for bit.

use std::path::{Path, PathBuf};

use cornu_autodiff::Tensor;
use cornu_layers::prelude::*;
use cornu_models::callbacks::{
    Callback, EarlyStopping, LearningRateScheduler, ModelCheckpoint, ReduceLROnPlateau, Run,
    Verbose,
};
use cornu_models::optimizers::schedules::ExponentialDecay;
use cornu_models::optimizers::{Adam, AdamW, Optimizer, RMSprop, SGD};
use cornu_models::{
    Batch, Batches, Compile, Error, Fit, History, Logs, Model, OptimizerChoice, Result, Sequential,
    Split, Stop,
};

/// A path of this test's own, and nothing there.
fn temporary(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("cornu-resume-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    let _ = std::fs::remove_file(&path);
    path
}

/// Points and whether they lie inside a circle.
fn circle() -> (Tensor, Tensor) {
    let points = (0..44).map(|i| (f64::from(i) * 0.7).sin() * f64::from(i % 7) / 4.0);
    let points: Vec<f32> = points.map(|v| v as f32).collect();
    let inside = points.chunks(2).map(|p| f32::from(p[0] * p[0] + p[1] * p[1] < 0.5)).collect();
    (Tensor::new(points, [22, 2]).unwrap(), Tensor::new(inside, [22, 1]).unwrap())
}

/// Dropout draws by the step; batch normalization keeps statistics; one weight is constrained.
fn model(optimizer: impl Into<Optimizer>) -> Sequential {
    let mut model = Sequential::new().seed(3);
    model.add(Dense::new(8).input_dim(2).activation("relu").kernel_constraint("max_norm")).unwrap();
    model.add(Dropout::new(0.3)).unwrap();
    model.add(BatchNormalization::new()).unwrap();
    model.add(Dense::new(1).activation("sigmoid")).unwrap();
    let compile = Compile::new().loss("binary_crossentropy").metrics(["accuracy"]);
    model.compile(compile.optimizer(OptimizerChoice::Typed(Box::new(optimizer.into())))).unwrap();
    model
}

/// Every way in which an optimizer remembers.
fn optimizers() -> Vec<(&'static str, Optimizer)> {
    vec![
        ("momentum", SGD::new(0.1).momentum(0.9).nesterov(true).into()),
        ("adam", Adam::new(0.01).amsgrad(true).into()),
        ("decay", AdamW::new(0.01).weight_decay(0.1).global_clipnorm(0.5).into()),
        ("centered", RMSprop::new(0.01).centered(true).momentum(0.5).into()),
        ("schedule", Adam::new(ExponentialDecay::new(0.02, 5u64, 0.7)).into()),
        ("accumulation", Adam::new(0.01).gradient_accumulation_steps(3).into()),
        ("average", SGD::new(0.1).use_ema(true).ema_momentum(0.8).into()),
        ("overwritten", Adam::new(0.01).use_ema(true).ema_overwrite_frequency(4).into()),
    ]
}

fn options<'a>(epochs: usize) -> Fit<'a> {
    Fit::new()
        .epochs(epochs)
        .batch_size(4)
        .validation_split(Split::Shuffled(0.2))
        .verbose(Verbose::Silent)
}

fn bits(x: &Tensor) -> Vec<u64> {
    x.to_f64_vec().unwrap().into_iter().map(f64::to_bits).collect()
}

/// All that training changes.
fn everything(model: &Model) -> Vec<(String, Vec<u64>)> {
    let weights = model.weights().iter().map(|w| (w.path().to_owned(), bits(&w.value())));
    let state = model.optimizer().unwrap().state();
    weights.chain(state.iter().map(|(name, value)| (name.clone(), bits(value)))).collect()
}

fn numbers(history: &History) -> Vec<(String, Vec<u64>)> {
    let bits = |v: &[f64]| v.iter().map(|x| x.to_bits()).collect();
    history.series().map(|(name, v)| (name.to_owned(), bits(v))).collect()
}

fn checkpoint(path: &Path) -> ModelCheckpoint {
    ModelCheckpoint::new(path.to_str().unwrap())
}

#[test]
fn a_run_in_two_halves_is_the_whole_run() {
    let (x, y) = circle();
    for (name, optimizer) in optimizers() {
        let path = temporary(&format!("{name}.cornu"));
        let mut whole = model(optimizer.clone());
        let history = whole.fit(&x, &y, options(6)).unwrap();
        // A program that is killed after this line leaves only the file behind.
        model(optimizer).fit(&x, &y, options(3).callback(checkpoint(&path))).unwrap();
        let mut again = Model::load_checkpoint(&path).unwrap();
        let resumed = again.fit(&x, &y, options(6).resume()).unwrap();
        assert_eq!(numbers(&resumed), numbers(&history), "{name}");
        assert_eq!(everything(&again), everything(&whole), "{name}");
    }
}

/// Stops `fit` after some batches of an epoch, as Ctrl-C would.
#[derive(Debug)]
struct StopAt {
    epoch: usize,
    batch: usize,
    now: usize,
    stop: Stop,
}

impl Callback for StopAt {
    fn name(&self) -> &str {
        "stop_at"
    }
    fn on_epoch_begin(&mut self, _: &mut Run<'_>, epoch: usize) -> Result<()> {
        self.now = epoch;
        Ok(())
    }
    fn on_batch_end(&mut self, _: &mut Run<'_>, batch: usize, _: &Logs) -> Result<()> {
        if (self.now, batch) == (self.epoch, self.batch) {
            self.stop.stop();
        }
        Ok(())
    }
}

#[test]
fn a_run_that_was_stopped_in_the_middle_of_an_epoch_goes_on_with_its_next_batch() {
    let (x, y) = circle();
    for (name, optimizer) in optimizers().into_iter().filter(|(_, o)| !o.options().use_ema) {
        for batch in [0, 2, 4] {
            let path = temporary(&format!("{name}{batch}.cornu"));
            let halve =
                || LearningRateScheduler::new(|epoch, r| if epoch == 2 { r / 2.0 } else { r });
            let scheduled = name == "schedule";
            let options = |epochs| match scheduled {
                true => options(epochs),
                false => options(epochs).callback(halve()),
            };
            let mut whole = model(optimizer.clone());
            whole.fit(&x, &y, options(4)).unwrap();
            let stop = Stop::new();
            let stop_at = StopAt { epoch: 2, batch, now: 0, stop: stop.clone() };
            let mut stopped = model(optimizer.clone());
            let history = stopped.fit(&x, &y, options(4).callback(stop_at).stop(&stop)).unwrap();
            assert_eq!(history.epochs(), [0, 1], "only whole epochs");
            stopped.save_checkpoint(&path).unwrap();
            let mut again = Model::load_checkpoint(&path).unwrap();
            let resumed = again.fit(&x, &y, options(4).resume()).unwrap();
            assert_eq!(resumed.epochs(), [0, 1, 2, 3], "{name}");
            assert_eq!(everything(&again), everything(&whole), "{name}, batch {batch}");
        }
    }
}

#[test]
fn checkpoints_between_batches_are_exact_too() {
    let (x, y) = circle();
    let path = temporary("batches.cornu");
    let mut whole = model(Adam::new(0.01));
    whole.fit(&x, &y, options(4)).unwrap();
    // 5 batches an epoch: the last file is of batch 2 of the third epoch.
    let every = checkpoint(&path).save_freq(6);
    model(Adam::new(0.01)).fit(&x, &y, options(3).callback(every)).unwrap();
    let mut again = Model::load_checkpoint(&path).unwrap();
    let history = again.fit(&x, &y, options(4).resume()).unwrap();
    assert_eq!(history.epochs(), [0, 1, 2, 3]);
    assert_eq!(everything(&again), everything(&whole));
}

#[test]
fn epochs_of_another_length_than_the_data_go_on_where_they_stopped() {
    let (x, y) = circle();
    for steps in [2, 3, 5, 8] {
        let path = temporary(&format!("steps{steps}.cornu"));
        let options = |epochs| options(epochs).steps_per_epoch(steps);
        let mut whole = model(Adam::new(0.01));
        let history = whole.fit(&x, &y, options(6)).unwrap();
        model(Adam::new(0.01)).fit(&x, &y, options(2).callback(checkpoint(&path))).unwrap();
        let mut again = Model::load_checkpoint(&path).unwrap();
        let resumed = again.fit(&x, &y, options(6).resume()).unwrap();
        assert_eq!(numbers(&resumed), numbers(&history), "{steps} steps");
        assert_eq!(everything(&again), everything(&whole), "{steps} steps");
    }
}

#[test]
fn a_stream_goes_on_with_its_next_batch() {
    let (x, y) = circle();
    let stream = || {
        Batches::from_epochs(|epoch| {
            let (x, y) = circle();
            (0..5).map(move |i| {
                let rows = |t: &Tensor| t.slice(0, (i + epoch % 3) as isize..(i + 4) as isize);
                Ok::<_, Error>(Batch::new(rows(&x), rows(&y)))
            })
        })
    };
    let options = |epochs| Fit::new().epochs(epochs).verbose(Verbose::Silent);
    let mut whole = model(Adam::new(0.01));
    whole.fit_batches(&mut stream(), options(4).validation_data(&x, &y)).unwrap();
    let path = temporary("stream.cornu");
    let every = checkpoint(&path).save_freq(7);
    model(Adam::new(0.01)).fit_batches(&mut stream(), options(2).callback(every)).unwrap();
    let mut again = Model::load_checkpoint(&path).unwrap();
    again.fit_batches(&mut stream(), options(4).resume()).unwrap();
    assert_eq!(everything(&again), everything(&whole));
}

#[test]
fn callbacks_go_on_with_what_they_remember() {
    let (x, y) = circle();
    let run = |model: &mut Model, epochs: usize, path: &Path, best: &Path| {
        let mut stop = EarlyStopping::new("val_loss").patience(3).restore_best_weights(true);
        let mut best = checkpoint(best).monitor("val_loss").save_best_only(true);
        let options = options(epochs)
            .callback(&mut stop)
            .callback(ReduceLROnPlateau::new("loss").patience(2).min_delta(0.05).factor(0.5))
            .callback(&mut best)
            .callback(checkpoint(path))
            .resume();
        let history = model.fit(&x, &y, options).unwrap();
        (numbers(&history), stop.best(), stop.best_epoch(), stop.stopped_epoch(), best.best())
    };
    let (path, best) = (temporary("remember.cornu"), temporary("best.cornu"));
    let mut whole = model(Adam::new(0.1));
    let expected = run(&mut whole, 40, &temporary("unused.cornu"), &temporary("whole.cornu"));
    let epochs = expected.0[0].1.len();
    assert!((4..40).contains(&epochs), "patience ends this run, after {epochs} epochs");
    for first in 1..epochs {
        run(&mut model(Adam::new(0.1)), first, &path, &best);
        let mut again = Model::load_checkpoint(&path).unwrap();
        assert_eq!(run(&mut again, 40, &path, &best), expected, "stopped after {first}");
        assert_eq!(everything(&again), everything(&whole), "stopped after {first}");
    }
}

#[test]
fn a_checkpoint_knows_the_best_value_that_it_is_itself() {
    let path = temporary("itself.cornu");
    let (x, y) = circle();
    let best = || checkpoint(&path).monitor("loss").save_best_only(true);
    let mut first = model(SGD::new(0.1));
    let mut saved = best();
    first.fit(&x, &y, options(3).callback(&mut saved)).unwrap();
    // Worse from here on: the file must stay what it is.
    let before = std::fs::read(&path).unwrap();
    let mut again = Model::load_checkpoint(&path).unwrap();
    again.optimizer_mut().unwrap().set_learning_rate(0.0).unwrap();
    again.layers()[0].set_trainable(false);
    let worse: Vec<Tensor> = again.get_weights().iter().map(|w| w * 3.0).collect();
    again.set_weights(&worse).unwrap();
    let mut resumed = best();
    again.fit(&x, &y, options(5).resume().callback(&mut resumed)).unwrap();
    assert_eq!(resumed.best(), saved.best());
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn what_is_remembered_of_frozen_weights_survives_a_file() {
    let (x, y) = circle();
    for (name, optimizer) in optimizers() {
        let path = temporary(&format!("frozen_{name}.cornu"));
        let freeze = |model: &Model, freeze: bool| model.layers()[0].set_trainable(!freeze);
        // Without a break: two epochs, two with a frozen layer, two without.
        let run = |model: &mut Model, first: usize, last: usize, frozen: bool| {
            freeze(model, frozen);
            let save = checkpoint(&path);
            let options = options(last).initial_epoch(first).callback(save);
            model.fit(&x, &y, options).unwrap();
        };
        let mut whole = model(optimizer.clone());
        run(&mut whole, 0, 2, false);
        run(&mut whole, 2, 4, true);
        whole.save_checkpoint(&path).unwrap();
        let mut again = Model::load_checkpoint(&path).unwrap();
        run(&mut whole, 4, 6, false);
        run(&mut again, 4, 6, false);
        assert_eq!(everything(&again), everything(&whole), "{name}");
    }
}

#[test]
fn a_resumed_run_with_nothing_left_to_do_changes_nothing() {
    let (x, y) = circle();
    for (name, optimizer) in optimizers() {
        let mut model = model(optimizer);
        model.layers()[0].set_trainable(false);
        model.fit(&x, &y, options(2)).unwrap();
        let before = everything(&model);
        let history = model.fit(&x, &y, options(2).resume()).unwrap();
        assert_eq!(history.epochs(), [0, 1], "{name}");
        assert_eq!(everything(&model), before, "{name}");
    }
}

#[test]
fn an_average_of_a_weight_that_was_frozen_begins_with_its_value() {
    let (x, y) = circle();
    let mut model = model(SGD::new(0.0).use_ema(true).ema_momentum(0.9));
    model.layers()[0].set_trainable(false);
    model.fit(&x, &y, options(2)).unwrap();
    let value = |model: &Model| model.weights()[0].value().to_f64_vec().unwrap();
    let before = value(&model);
    model.layers()[0].set_trainable(true);
    model.fit(&x, &y, options(2)).unwrap();
    // With a rate of 0, the average of a value is that value, rounded a few times.
    for (after, before) in value(&model).into_iter().zip(before) {
        assert!((after - before).abs() <= 1e-6, "{after} against {before}");
    }
}
