//! Every text that a shape, an element type or a value gets that doesn't fit, as a user reads it:
//! `place: rule; got facts; hint`.

mod contractions;
mod elements;
mod shapes;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use cornu_autodiff::{DType, Op, Result, Shape, Tensor, apply};

/// Numbers of a shape.
fn f32s<const R: usize>(shape: [usize; R]) -> Tensor {
    Tensor::ones(shape, DType::F32)
}

fn whole<const R: usize>(shape: [usize; R]) -> Tensor {
    Tensor::zeros(shape, DType::I32)
}

fn bools<const R: usize>(shape: [usize; R]) -> Tensor {
    Tensor::ones(shape, DType::Bool)
}

fn shape(dims: &[usize]) -> Shape {
    Shape::new(dims).expect("few axes")
}

/// The text of an error, of the kind that `apply` returns.
fn run(op: impl Op, inputs: &[&Tensor]) {
    show(apply(op, inputs));
}

fn show<T>(result: Result<T>) {
    if let Err(error) = result {
        panic!("{error}");
    }
}

thread_local! {
    /// Where the last panic was.
    static FILE: RefCell<String> = const { RefCell::new(String::new()) };
    /// Whether a panic is what the test wants.
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// What the call says, as a panic with the text of an error at the caller's line.
fn text(call: fn()) -> String {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let file = info.location().map_or("", |place| place.file());
            FILE.set(file.to_string());
            if EXPECTED.get() {
                return;
            }
            before(info);
        }));
    });
    EXPECTED.set(true);
    let panic = catch_unwind(AssertUnwindSafe(call));
    EXPECTED.set(false);
    let panic = panic.expect_err("the call must not succeed");
    let text = panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "no text".into());
    let file = FILE.take();
    if file.contains("tests/errors/") { text } else { format!("{text} (in {file})") }
}

fn check(table: &[(fn(), &str)]) {
    let wrong: Vec<String> = table
        .iter()
        .filter_map(|(call, expected)| {
            let got = text(*call);
            (got != *expected).then(|| format!("expected {expected}\n     got {got}"))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
