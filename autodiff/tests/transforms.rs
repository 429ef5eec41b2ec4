//! Derivatives as functions, and gradients of one's own.

use cornu_autodiff::testing::{assert_close, check_grad};
use cornu_autodiff::{
    DType, Tape, Tensor, custom_gradient, grad, hessian, hessian_vector, is_recording, jacobian,
    value_and_grad, vjp,
};

fn floats(x: &Tensor) -> Vec<f64> {
    x.to_vec::<f64>().expect("float64")
}

#[test]
fn gradients_nest() {
    let x = Tensor::scalar(0.5);
    let first = |x: &Tensor| grad(Tensor::sin, x).expect("a path");
    let second = |x: &Tensor| grad(first, x).expect("a path");
    let third = grad(second, &x).expect("a path");
    assert!((floats(&third)[0] + 0.5f64.cos()).abs() < 1e-12);
    assert!(!is_recording());
}

#[test]
fn values_and_gradients_of_several_inputs() {
    let (w, x) = (Tensor::from([[1.0, 2.0]]), Tensor::from([[3.0], [4.0]]));
    let f = |x: &[&Tensor]| x[0].matmul(x[1]).sum(.., false);
    let (y, gradients) = value_and_grad(f, &[&w, &x]).expect("paths");
    assert_eq!(floats(&y), [11.0]);
    assert_close(&gradients[0], &x.t(), 0.0, 0.0);
    assert_close(&gradients[1], &w.t(), 0.0, 0.0);
    let error = value_and_grad(|x| x[0] * 1.0, &[&w]).expect_err("not a scalar");
    assert!(error.to_string().contains("must be a floating-point scalar"));
    let (_, gradients) =
        vjp(|x| x[0] * 2.0, &[&w, &x], &Tensor::from([[1.0, -1.0]])).expect("a path");
    assert_eq!((floats(&gradients[0]), floats(&gradients[1])), (vec![2.0, -2.0], vec![0.0, 0.0]));
}

#[test]
fn a_jacobian_is_made_of_the_rows_of_all_derivatives() {
    let (a, x) = (Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), Tensor::from([0.1, 0.2, 0.3]));
    let j = jacobian(|x| a.matmul(x), &x).expect("floats");
    assert_close(&j, &a, 0.0, 0.0);
    let j = jacobian(|x| x.expand_dims(1) * x, &x).expect("floats");
    assert_eq!(j.dims(), [3, 3, 3]);
    assert_close(&j.index(0, 1).index(0, 1), &Tensor::from([0.0, 0.4, 0.0]), 1e-15, 0.0);
    assert_eq!(floats(&jacobian(|x| x.sum(.., false), &x).expect("floats")), [1.0; 3]);
    assert_close(
        &jacobian(Clone::clone, &x).expect("floats"),
        &Tensor::eye(3, DType::F64),
        0.0,
        0.0,
    );
    assert_eq!(floats(&jacobian(|x| x.ones_like(), &x).expect("floats")), [0.0; 9]);
    assert_eq!(jacobian(|x| x.slice(0, 0..0), &x).expect("floats").dims(), [0, 3]);
    assert!(jacobian(|x| x.greater_scalar(0.0), &x).is_err());
    // It can be differentiated again.
    check_grad(|x| jacobian(|x| x.sin() * x.sum(.., false), &x[0]).expect("floats"), &[x])
        .expect("right");
    assert!(!is_recording());
}

#[test]
fn a_jacobian_adds_nothing_but_its_rows_to_a_tape_around_it() {
    let x = Tensor::from([1.0, 2.0]);
    let tape = Tape::new();
    let y = jacobian(|x| x * x, &x).expect("floats").sum(.., false);
    let g = tape.gradient(&y, &[&x]).expect("a path").remove(0);
    assert_eq!(floats(&g), [2.0, 2.0]);
}

#[test]
fn second_derivatives_are_the_hessian_and_its_products() {
    let x = Tensor::from([0.3, -0.7]);
    let f = |x: &Tensor| (x.sin() * x.flip(0).exp()).sum(.., false);
    let h = hessian(f, &x).expect("a path");
    assert_close(&h, &h.t(), 1e-12, 0.0);
    let (a, b) = (0.3f64, -0.7f64);
    let expected = [
        [-a.sin() * b.exp() + b.sin() * a.exp(), a.cos() * b.exp() + b.cos() * a.exp()],
        [a.cos() * b.exp() + b.cos() * a.exp(), a.sin() * b.exp() - b.sin() * a.exp()],
    ];
    assert_close(&h, &Tensor::from(expected), 1e-12, 1e-12);
    let v = Tensor::from([2.0, -1.0]);
    assert_close(&hessian_vector(f, &x, &v).expect("a path"), &h.matmul(&v), 1e-12, 1e-12);
    assert_eq!(floats(&hessian(|x| x.sum(.., false), &x).expect("a path")), [0.0; 4]);
    let flat = hessian_vector(|x| x.sum(.., false), &x, &v).expect("a path");
    assert_eq!(floats(&flat), [0.0, 0.0]);
    assert!(hessian(|x| x.stop_gradient().sum(.., false), &x).is_err());
    let error = hessian_vector(f, &x, &Tensor::scalar(1.0)).expect_err("another shape");
    assert_eq!(
        error.to_string(),
        "hessian_vector: the vector must have the dtype and shape of the place; got (2,) and ()"
    );
}

#[test]
fn a_gradient_of_ones_own_replaces_that_of_the_function() {
    let square =
        |x: &Tensor| custom_gradient(|x| x[0] * x[0], &[x], |x, _, g| vec![g * x[0] * 2.0]);
    let x = Tensor::from([0.5, -2.0]);
    check_grad(|x| square(&x[0]), std::slice::from_ref(&x)).expect("right, to the second order");
    let clipped = |x: &Tensor| {
        custom_gradient(|x| x[0] * 10.0, &[x], |_, _, g| vec![(g * 10.0).clip(-1.0, 1.0)])
    };
    assert_eq!(floats(&grad(|x| clipped(x).sum(.., false), &x).expect("a path")), [1.0, 1.0]);
    // Only the call itself is on the tape, not what it is made of.
    let tape = Tape::new();
    square(&x);
    assert_eq!(tape.to_string(), "t0 = custom_gradient(x0)  float64 (2,)\n");
    drop(tape);
    let symbol = Tensor::symbolic(*x.spec());
    assert!(square(&symbol).is_symbolic());
    let wrong = std::panic::catch_unwind(|| {
        grad(|x| custom_gradient(|x| x[0].clone(), &[x], |_, _, _| vec![]), &Tensor::scalar(1.0))
    });
    let text = *wrong.expect_err("no gradient").downcast::<String>().expect("text");
    assert_eq!(
        text,
        "custom_gradient: there must be one gradient for each input; got 0 for 1 inputs"
    );
}
