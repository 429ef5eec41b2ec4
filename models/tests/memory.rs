//! Memory stays flat, and nothing is left on the tape, whatever happens.

mod support;

use std::sync::{Mutex, MutexGuard, PoisonError};

use cornu_autodiff::{DType, Tape, Tensor, is_recording};
use cornu_layers::prelude::*;
use cornu_models::callbacks::LambdaCallback;
use cornu_models::optimizers::SGD;
use cornu_models::{Compile, Sequential};
use support::quiet;

/// Memory is the whole program's: tests take turns.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes of this program that are in memory; `None` where the system doesn't tell.
fn resident() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

/// What one more page or arena may cost; a leak of 100 bytes a time would be as much.
const SLACK: usize = 1 << 20;

/// Does it until memory has its size, then `times` more, during which it must not grow.
#[track_caller]
fn assert_flat(what: &str, times: usize, mut step: impl FnMut()) {
    (0..times / 10).for_each(|_| step());
    let Some(before) = resident() else {
        println!("skipped: /proc/self/statm, which tells the memory in use, is not there");
        return;
    };
    (0..times).for_each(|_| step());
    let after = resident().expect("it was there before");
    let grown = after.saturating_sub(before);
    assert!(grown < SLACK, "{what}, {times} times: grew by {grown} bytes from {before}");
}

const X: [[f32; 2]; 4] = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
const Y: [[f32; 1]; 4] = [[0.0], [1.0], [1.0], [0.0]];

fn xor() -> Sequential {
    let mut model = Sequential::new().seed(7);
    model.add(Dense::new(10).input_dim(2).activation("tanh")).unwrap();
    model.add(Dense::new(1).activation("sigmoid")).unwrap();
    let compile = Compile::new().loss("binary_crossentropy").metrics(["accuracy"]);
    model.compile(compile.optimizer(SGD::new(0.1))).unwrap();
    model
}

#[test]
fn ten_thousand_steps_leave_nothing_behind() {
    let _turn = alone();
    let (x, y) = (Tensor::from(X), Tensor::from(Y));
    let mut model = xor();
    assert_flat("train_on_batch", 10_000, || drop(model.train_on_batch(&x, &y).unwrap()));
    assert_flat("predict", 10_000, || drop(model.predict(&x).unwrap()));
    assert_flat("evaluate", 10_000, || drop(model.evaluate(&x, &y).unwrap()));
    assert_flat("fit", 2_000, || drop(model.fit(&x, &y, quiet().batch_size(1)).unwrap()));
    assert_flat("a model", 1_000, || drop(xor().fit(&x, &y, quiet()).unwrap()));
    let tape = Tape::new();
    assert!(tape.is_empty());
}

#[test]
fn an_error_in_a_step_leaves_no_tape_and_no_memory() {
    let _turn = alone();
    let mut model = Sequential::new().seed(1);
    model.add(Dense::new(3).input_dim(2).activation("softmax")).unwrap();
    let compile = Compile::new().loss("sparse_categorical_crossentropy").optimizer("adam");
    model.compile(compile).unwrap();
    let x = Tensor::from(X);
    let bad_label = Tensor::from([0i64, 1, 2, 3]);
    let nan = &x * f32::NAN as f64;
    let good = Tensor::from([0i64, 1, 2, 0]);
    assert_flat("steps that fail", 2_000, || {
        assert!(model.train_on_batch(&x, &bad_label).is_err());
        assert!(model.train_on_batch(&nan, &good).is_err());
        assert!(!is_recording());
    });
    let tape = Tape::new();
    assert!(tape.is_empty());
    let y = Tensor::scalar(2.0) * 3.0;
    assert_eq!((tape.len(), y.dtype()), (1, DType::F64));
}

#[test]
fn a_panic_in_a_callback_leaves_no_tape_and_a_model_that_works() {
    let _turn = alone();
    let (x, y) = (Tensor::from(X), Tensor::from(Y));
    let mut model = xor();
    let panics = std::panic::AssertUnwindSafe(|| {
        let panic = LambdaCallback::new(|_, _, _| panic!("in the middle"));
        model.fit(&x, &y, quiet().callback(panic))
    });
    assert!(std::panic::catch_unwind(panics).is_err());
    assert!(!is_recording());
    model.fit(&x, &y, quiet().epochs(3)).unwrap();
    assert!(model.predict(&x).unwrap().is_finite());
}
