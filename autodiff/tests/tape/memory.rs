//! Nothing is kept longer than it must, and a panic leaves no trace.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cornu_autodiff::{Call, Gradients, Op, Result, Saves, Spec, Tape, Tensor, apply, is_recording};

use crate::{scalar, slope};

/// An op that passes its input on; the rest is said by the test.
macro_rules! passes_on {
    ($Op:ty, $name:literal, $saves:expr, |$this:ident, $call:ident, $g:ident| $gradient:expr) => {
        impl Op for $Op {
            fn name(&self) -> &'static str {
                $name
            }
            fn infer(&self, x: &[&Spec]) -> Result<Spec> {
                Ok(*x[0])
            }
            fn forward(&self, x: &[&Tensor], _: &Spec) -> Result<Tensor> {
                Ok(x[0].clone())
            }
            fn saves(&self) -> Saves {
                $saves
            }
            fn vjp(&self, $call: &Call<'_>, $g: &Tensor, into: &mut Gradients<'_>) {
                let $this = self;
                into.add(0, || $gradient);
            }
        }
    };
}

/// Passes its input on, and counts how many of its like live.
#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(living: &Arc<AtomicUsize>) -> Counted {
        living.fetch_add(1, Ordering::Relaxed);
        Counted(living.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

passes_on!(Counted, "counted", Saves::Inputs, |_op, _call, g| g.clone());

#[test]
fn nothing_outlives_the_last_tape() {
    let living = Arc::new(AtomicUsize::new(0));
    let count = || living.load(Ordering::Relaxed);
    let x = scalar(1.0);
    let call = |x: &Tensor| apply(Counted::new(&living), &[x]).expect("it accepts everything");

    drop(call(&x));
    assert_eq!(count(), 0, "without a tape nothing is kept");

    let tape = Tape::new();
    let y = call(&call(&x));
    assert_eq!(count(), 2);
    drop(tape);
    assert_eq!(count(), 0, "a tape dropped without a gradient frees what it kept");

    let tape = Tape::new();
    let y = call(&y);
    tape.gradient(&y, &[&x]).expect_err("made on another tape");
    assert_eq!(count(), 0, "so does one whose gradient failed");

    let (outer, inner) = (Tape::new(), Tape::new());
    let y = call(&x);
    drop(inner);
    assert_eq!(count(), 1, "an outer tape still needs it");
    assert_eq!(slope(outer, &y, &x), 1.0);
    assert_eq!(count(), 0);
}

#[test]
fn an_entry_is_freed_as_soon_as_its_gradient_is_passed_on() {
    #[derive(Debug)]
    struct Watch(Arc<AtomicUsize>, Arc<AtomicUsize>);
    passes_on!(Watch, "watch", Saves::Nothing, |op, _call, g| {
        op.1.store(op.0.load(Ordering::Relaxed), Ordering::Relaxed);
        g.clone()
    });
    let (living, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(99)));
    let x = scalar(1.0);
    let tape = Tape::new();
    let mut y = apply(Watch(living.clone(), seen.clone()), &[&x]).expect("it accepts everything");
    for _ in 0..10 {
        y = apply(Counted::new(&living), &[&y]).expect("it accepts everything");
    }
    assert_eq!(living.load(Ordering::Relaxed), 10);
    assert_eq!(slope(tape, &y, &x), 1.0);
    assert_eq!(seen.load(Ordering::Relaxed), 0);
}

#[test]
fn a_panic_in_a_gradient_leaves_the_thread_usable() {
    #[derive(Debug)]
    struct Bad;
    passes_on!(Bad, "bad", Saves::Nothing, |_op, call, _g| call.input(0).clone());
    let x = scalar(1.0);
    let panic = std::panic::catch_unwind(|| {
        let tape = Tape::new();
        let y = apply(Bad, &[&x]).expect("it accepts everything");
        tape.gradient(&y, &[&x])
    });
    let text =
        *panic.expect_err("it reads what it didn't save").downcast::<String>().expect("text");
    assert_eq!(text, "`bad` reads input 0 but doesn't save it");
    assert!(!is_recording());
    let tape = Tape::new();
    let y = &x * 2.0;
    assert_eq!(tape.len(), 1);
    assert_eq!(slope(tape, &y, &x), 2.0);
}
