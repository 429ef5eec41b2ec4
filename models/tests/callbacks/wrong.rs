//! What callbacks refuse, before the first batch.

use cornu_autodiff::{DType, Tensor};
use cornu_models::callbacks::{
    CSVLogger, Callback, EarlyStopping, ModelCheckpoint, ReduceLROnPlateau, Run,
};
use cornu_models::{LogNames, Result};

use crate::{Script, one_weight, quiet};

/// What is asked for, and what the error says.
type Wrong = (&'static str, fn() -> Box<dyn Callback>, &'static [&'static str]);

const WRONG: &[Wrong] = &[
    (
        "a misspelt monitor",
        || Box::new(EarlyStopping::new("val_los")),
        &["unknown monitor `val_los`; did you mean `val_loss`? There are also val_mae, loss, mae"],
    ),
    (
        "one that is another metric's",
        || Box::new(ReduceLROnPlateau::new("accuracy")),
        &["unknown monitor `accuracy`", "val_loss", "score"],
    ),
    (
        "a misspelt monitor of what is saved",
        || Box::new(ModelCheckpoint::new("x.cornu").monitor("vla_mae").save_best_only(true)),
        &["unknown monitor `vla_mae`", "did you mean `val_mae`?"],
    ),
    (
        "a value of which nobody knows the better way",
        || Box::new(EarlyStopping::new("score")),
        &["monitor `score`: `mode` must say which way it improves"],
    ),
    (
        "a value of validation after batches",
        || {
            let best = ModelCheckpoint::new("x.cornu").monitor("val_loss").save_best_only(true);
            Box::new(best.save_freq(2))
        },
        &["unknown monitor `val_loss`", "batch_loss"],
    ),
    (
        "a file named after nothing",
        || Box::new(ModelCheckpoint::new("{val_acc:.2f}.cornu")),
        &["`{val_acc}` must be `epoch` or a name of the logs"],
    ),
    (
        "a file named after batches, once an epoch",
        || Box::new(ModelCheckpoint::new("{batch}.cornu")),
        &["`{batch}` must be `epoch`"],
    ),
    (
        "a file of weights with another name",
        || Box::new(ModelCheckpoint::new("x.cornu").save_weights_only(true)),
        &["must end in", "`x.cornu`"],
    ),
    (
        "no batches between two files",
        || Box::new(ModelCheckpoint::new("x.cornu").save_freq(0)),
        &["model_checkpoint: `save_freq`: it must be at least 1"],
    ),
    (
        "a factor that raises",
        || Box::new(ReduceLROnPlateau::new("loss").factor(1.0)),
        &["`factor`: it must be above 0 and below 1; got 1"],
    ),
    (
        "a least rate that is none",
        || Box::new(ReduceLROnPlateau::new("loss").min_lr(f64::NAN)),
        &["`min_lr`: it must be finite and not negative; got NaN"],
    ),
    (
        "a least change that is none",
        || Box::new(EarlyStopping::new("loss").min_delta(f64::NAN)),
        &["monitor `loss`: `min_delta`: it must be finite; got NaN"],
    ),
    (
        "a log where none can be written",
        || Box::new(CSVLogger::new("no/such/folder/log.csv")),
        &["no/such/folder/log.csv: it must be writable"],
    ),
];

#[test]
fn what_callbacks_were_told_wrong_is_refused_before_the_first_batch() {
    for (what, make, parts) in WRONG {
        let x = Tensor::ones([2, 1], DType::F32);
        let mut model = one_weight(0.1);
        let before = model.get_weights()[0].to_f64_vec().expect("a weight");
        let scores = Script { scores: vec![0.0], epoch: 0 };
        let options = quiet().validation_data(&x, &x).callback(scores).callback(Boxed(make()));
        let error = model.fit(&x, &x, options).err().unwrap_or_else(|| panic!("{what}: trained"));
        for part in *parts {
            assert!(error.to_string().contains(part), "{what}: `{part}` is not in: {error}");
        }
        assert_eq!(model.get_weights()[0].to_f64_vec().expect("a weight"), before, "{what}");
    }
}

/// A callback of any kind.
#[derive(Debug)]
struct Boxed(Box<dyn Callback>);

impl Callback for Boxed {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn check(&mut self, names: &LogNames) -> Result<()> {
        self.0.check(names)
    }
    fn on_train_begin(&mut self, run: &mut Run<'_>) -> Result<()> {
        self.0.on_train_begin(run)
    }
}
