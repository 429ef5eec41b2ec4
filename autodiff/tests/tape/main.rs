//! The tape: orders, nesting, length, threads, memory, and what it says of itself.

mod memory;
mod pause;

use std::time::{Duration, Instant};

use cornu_autodiff::testing::assert_close;
use cornu_autodiff::{DType, Result, Tape, Tensor, is_recording, ops};

fn scalar(x: f64) -> Tensor {
    Tensor::scalar(x)
}

fn value(x: &Tensor) -> f64 {
    x.item::<f64>().expect("a float64 scalar")
}

/// The gradient of a scalar by one source, as a number.
fn slope(tape: Tape, y: &Tensor, x: &Tensor) -> f64 {
    value(&tape.gradient(y, &[x]).expect("a path")[0])
}

#[test]
fn gradients_of_gradients_of_gradients_are_right() {
    let x = scalar(0.7);
    let (third, second, first) = (Tape::new(), Tape::new(), Tape::new());
    let y = x.sin() * x.exp();
    let d1 = first.gradient(&y, &[&x]).expect("a path").remove(0);
    let d2 = second.gradient(&d1, &[&x]).expect("a path").remove(0);
    let d3 = third.gradient(&d2, &[&x]).expect("a path").remove(0);
    let (sin, cos, exp) = (0.7f64.sin(), 0.7f64.cos(), 0.7f64.exp());
    let close = |a: &Tensor, b: f64| assert!((value(a) - b).abs() < 1e-12, "{a:?} is not {b}");
    close(&d1, exp * (sin + cos));
    close(&d2, exp * 2.0 * cos);
    close(&d3, exp * 2.0 * (cos - sin));
    assert!(!is_recording());
}

#[test]
fn a_tape_inside_another_sees_only_its_own_part() {
    let x = scalar(2.0);
    let outer = Tape::new();
    let a = &x * &x;
    let inner = Tape::new();
    let b = &a * &x;
    // `a` is a constant to the inner tape: its own making is not in the window.
    assert_eq!(slope(inner, &b, &x), 4.0);
    assert_eq!(slope(outer, &b, &x), 12.0);
}

#[test]
fn tapes_may_end_in_any_order() {
    let x = scalar(3.0);
    let first = Tape::new();
    let a = &x * &x;
    let second = Tape::new();
    let b = &a * &a;
    assert_eq!(slope(first, &b, &x), 108.0);
    assert!(is_recording());
    let c = &b + &a;
    assert_eq!(slope(second, &c, &a), 19.0);
    assert!(!is_recording());
}

#[test]
fn a_source_may_be_an_intermediate_result_the_target_or_named_twice() {
    let x = scalar(3.0);
    let tape = Tape::new();
    let square = &x * &x;
    let y = &square * 5.0;
    let gradients = tape.gradient(&y, &[&x, &square, &y, &x]).expect("paths");
    let values: Vec<f64> = gradients.iter().map(value).collect();
    assert_eq!(values, [30.0, 5.0, 1.0, 30.0]);
}

#[test]
fn a_value_used_many_times_gathers_all_its_gradients() {
    let x = Tensor::from([1.0, 2.0]);
    let tape = Tape::new();
    let y = (&x + &x * &x + x.exp() + &x).sum(.., false);
    let g = tape.gradient(&y, &[&x]).expect("a path").remove(0);
    assert_close(&g, &(2.0 + &x * 2.0 + x.exp()), 1e-15, 0.0);
}

#[test]
fn a_clone_is_the_same_value() {
    let x = scalar(3.0);
    let tape = Tape::new();
    let y = &x.clone() * 2.0;
    assert_eq!(slope(tape, &y, &x.clone()), 2.0);
}

#[test]
fn broadcasting_is_undone() {
    let (a, b) = (Tensor::ones([3, 1], DType::F64), Tensor::ones([2, 1, 4], DType::F64));
    let tape = Tape::new();
    let y = (&a * &b).sum(.., false);
    let gradients = tape.gradient(&y, &[&a, &b]).expect("paths");
    assert_close(&gradients[0], &Tensor::full([3, 1], 8.0, DType::F64), 0.0, 0.0);
    assert_close(&gradients[1], &Tensor::full([2, 1, 4], 3.0, DType::F64), 0.0, 0.0);
}

#[test]
fn a_chain_of_100_000_steps_neither_overflows_nor_is_slow() {
    let start = Instant::now();
    let x = scalar(1.0);
    // A small stack: recursion would not survive.
    let run = move || {
        for order in [1, 2] {
            let outer = (order == 2).then(Tape::new);
            let tape = Tape::new();
            let mut y = x.clone();
            for _ in 0..100_000 {
                y = &y * 1.000_01;
            }
            let g = tape.gradient(&y, &[&x]).expect("a path").remove(0);
            assert!((value(&g) - 1.000_01f64.powi(100_000)).abs() < 1e-9);
            drop(outer);
        }
    };
    let thread = std::thread::Builder::new().stack_size(256 * 1024).spawn(run);
    thread.expect("a thread").join().expect("it ends well");
    assert!(start.elapsed() < Duration::from_secs(30), "took {:?}", start.elapsed());
}

#[test]
fn each_thread_has_its_own_tapes() {
    fn is_send_and_sync<T: Send + Sync>(_: &T) {}
    let w = Tensor::from([1.0, 2.0, 3.0]);
    is_send_and_sync(&w);
    let tape = Tape::new();
    let here = (&w * &w).sum(.., false);
    std::thread::scope(|scope| {
        for factor in 1..5 {
            let w = &w;
            scope.spawn(move || {
                assert!(!is_recording());
                let tape = Tape::new();
                let y = (w * f64::from(factor)).sum(.., false);
                let g = tape.gradient(&y, &[w]).expect("a path").remove(0);
                assert_eq!(g.to_vec::<f64>().expect("float64"), vec![f64::from(factor); 3]);
            });
        }
    });
    assert_eq!(tape.len(), 2);
    let g = tape.gradient(&here, &[&w]).expect("a path").remove(0);
    assert_eq!(g.to_vec::<f64>().expect("float64"), [2.0, 4.0, 6.0]);
}

#[test]
fn a_gradient_that_does_not_exist_is_an_error_or_none() {
    let (x, other) = (scalar(1.0), Tensor::from([1.0, 2.0]));
    let text = |result: Result<Vec<Tensor>>| result.expect_err("no gradient").to_string();

    let tape = Tape::new();
    let y = &x * 2.0;
    assert_eq!(
        text(tape.gradient(&y, &[&x, &other])),
        "gradient: the target must depend on every source by a differentiable path; \
         got source 1 of shape (2,)"
    );
    let tape = Tape::new();
    let y = &x * x.stop_gradient();
    let found = tape.gradient_options(&y, &[&x, &other]).expect("a scalar of this tape");
    assert_eq!(found[0].as_ref().map(value), Some(1.0));
    assert!(found[1].is_none());

    let tape = Tape::new();
    let y = &other * 2.0;
    assert_eq!(
        text(tape.gradient(&y, &[&other])),
        "gradient: the target must be a floating-point scalar; sum it, or use `vjp`; \
         got float64 (2,)"
    );
    let y = &x * 2.0;
    let tape = Tape::new();
    assert_eq!(
        text(tape.gradient(&y, &[&x])),
        "gradient: the target must have been computed while the tape was recording; \
         got float64 ()"
    );
    let tape = Tape::new();
    let y = x.stop_gradient();
    assert!(text(tape.gradient(&y, &[&x])).contains("a differentiable path"));
}

#[test]
fn a_cotangent_weighs_the_elements_of_a_target() {
    let x = Tensor::from([1.0, 2.0]);
    let tape = Tape::new();
    let y = &x * &x;
    let g = tape.vjp_options(&y, &Tensor::from([10.0, 1.0]), &[&x]).expect("a target of this tape");
    assert_eq!(g[0].as_ref().expect("a path").to_vec::<f64>().expect("float64"), [20.0, 4.0]);
    let tape = Tape::new();
    let y = &x * &x;
    assert_eq!(
        tape.vjp_options(&y, &scalar(1.0), &[&x]).expect_err("another shape").to_string(),
        "vjp: the cotangent must have the target's dtype and shape; got (2,) and ()"
    );
}

#[test]
fn values_are_never_overwritten_while_somebody_may_read_them() {
    let x = Tensor::from([1.0, 2.0]);
    let keep = &x + 1.0;
    let kept = keep.clone();
    let y = keep * &x;
    assert_eq!(kept.to_vec::<f64>().expect("float64"), [2.0, 3.0]);
    let row = y.slice(0, 0..1);
    let z = y + &x;
    assert_eq!(row.to_vec::<f64>().expect("float64"), [2.0]);
    let tape = Tape::new();
    let mut a = &z * 1.0;
    a += &x;
    let b = a * &x;
    let g = tape.gradient(&b.sum(.., false), &[&x]).expect("a path").remove(0);
    assert_close(&g, &(&z + &x * 2.0), 1e-15, 0.0);
}

#[test]
fn symbolic_calls_are_not_recorded() {
    let x = Tensor::symbolic(*Tensor::ones([2, 3], DType::F32).spec());
    let tape = Tape::new();
    assert_eq!((x.t().matmul(&x) + 1.0).dims(), [3, 3]);
    assert!(tape.is_empty());
}

#[test]
fn a_tape_prints_as_a_list_and_as_a_graph() {
    let (x, w) = (Tensor::ones([2, 3], DType::F32), Tensor::ones([3, 1], DType::F32));
    let tape = Tape::new();
    let y = x.matmul(&w).relu() * 2.0;
    ops::concat(&[&y, &x], 1).slice(0, -1..);
    assert_eq!(
        tape.to_string(),
        "t0 = matmul(x0, x1)  float32 (2, 1)\n\
         t1 = relu(t0)  float32 (2, 1)\n\
         t2 = scale(t1) (2.0)  float32 (2, 1)\n\
         t3 = concat(t2, x0) { axis: 1 }  float32 (2, 4)\n\
         t4 = slice(t3) [-1:]  float32 (1, 4)\n"
    );
    assert_eq!(format!("{tape:?}"), "Tape of 5 ops");
    let dot = tape.to_dot();
    assert!(dot.starts_with("digraph tape {\n") && dot.ends_with("}\n"), "{dot}");
    for line in [
        "t0 [label = \"matmul\\nfloat32 (2, 1)\"];",
        "x1 [label = \"x1\\nfloat32 (3, 1)\", shape = oval];",
        "x0 -> t0;",
        "t1 -> t2;",
        "t2 [label = \"scale (2.0)\\nfloat32 (2, 1)\"];",
    ] {
        assert!(dot.contains(line), "{line}\n{dot}");
    }
    assert_eq!(dot.matches("x0 [label").count(), 1, "an input is drawn once\n{dot}");
}
