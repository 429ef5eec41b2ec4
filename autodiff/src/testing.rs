//! Checks for those who write ops: gradients against finite differences, and comparisons that
//! a NaN cannot pass.

use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::op::must;
use crate::tape::Tape;
use crate::tensor::Tensor;

/// Distance between the two points of a difference quotient, relative to the value.
const STEP: f64 = 1e-5;
/// What a gradient may differ from the difference quotient: this, and this part of it.
const ABSOLUTE: f64 = 1e-6;
const RELATIVE: f64 = 1e-5;

/// Compares the gradients of `f` with central differences in float64, to the second order.
///
/// The function that is checked is `s(x) = Σ cᵢ · f(x)ᵢ` with fixed coefficients `c` that look
/// random. First every partial derivative of `s` must agree with
/// `(s(x + h) - s(x - h)) / 2h`; then the same is asked of the gradient of `s`. Agreement is
/// `|exact - numeric| <= 1e-6 + 1e-5 · |numeric|`, which NaN never fulfils.
///
/// Floating-point inputs are converted to float64 and varied one element at a time, so keep them
/// small and away from kinks; other inputs stay what they are. `f` must give the same result for
/// the same inputs, and be written for any floating-point type.
///
/// # Errors
/// When an exact and a numeric derivative differ; the error tells where. When the result of `f`
/// is not floating-point, and what [`Tape`] itself finds wrong.
///
/// # Panics
/// When `f` does.
///
/// ```
/// use cornu_autodiff::{Tensor, testing::check_grad};
/// let x = Tensor::from([0.3, -1.2, 2.0]);
/// check_grad(|x| x[0].tanh() * &x[1], &[x.clone(), x + 1.0])?;
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub fn check_grad(f: impl Fn(&[Tensor]) -> Tensor, inputs: &[Tensor]) -> Result<()> {
    check_grad_to(2, f, inputs)
}

/// As [`check_grad`], to another order than the second: 1 for a function that cannot be
/// differentiated twice.
///
/// # Errors
/// As [`check_grad`].
///
/// # Panics
/// As [`check_grad`].
pub fn check_grad_to(
    order: usize,
    f: impl Fn(&[Tensor]) -> Tensor,
    inputs: &[Tensor],
) -> Result<()> {
    let inputs: Vec<Tensor> = inputs.iter().map(as_f64).collect();
    (1..=order).try_for_each(|order| check_order(order, &f, &inputs))
}

fn as_f64(x: &Tensor) -> Tensor {
    if x.dtype().is_float() { x.cast(DType::F64) } else { x.clone() }
}

fn check_order(order: usize, f: &dyn Fn(&[Tensor]) -> Tensor, inputs: &[Tensor]) -> Result<()> {
    let exact = slopes(order - 1, f, inputs)?;
    for (at, slope) in exact.iter().enumerate() {
        if !inputs[at].dtype().is_float() {
            continue;
        }
        let exact = match slope {
            Some(slope) => slope.to_f64_vec()?,
            None => vec![0.0; inputs[at].size()],
        };
        for (element, &exact) in exact.iter().enumerate() {
            let numeric = quotient(order - 1, f, inputs, at, element)?;
            if !close(exact, numeric, RELATIVE, ABSOLUTE) {
                let rule = "the derivative must agree with finite differences";
                let got = format!(
                    "{exact} against {numeric} for element {element} of input {at}, order {order}"
                );
                return Err(Error::Gradient { rule: rule.into(), got });
            }
        }
    }
    Ok(())
}

/// The gradients, by all inputs, of the scalar to be checked at one order.
fn slopes(
    order: usize,
    f: &dyn Fn(&[Tensor]) -> Tensor,
    inputs: &[Tensor],
) -> Result<Vec<Option<Tensor>>> {
    let tape = Tape::new();
    let y = scalar(order, f, inputs)?;
    tape.gradient_options(&y, &inputs.iter().collect::<Vec<_>>())
}

/// Order 0: the sum of `f` with coefficients. Order `n + 1`: that of the gradients at order `n`.
fn scalar(order: usize, f: &dyn Fn(&[Tensor]) -> Tensor, inputs: &[Tensor]) -> Result<Tensor> {
    if order == 0 {
        let y = f(inputs);
        if !y.dtype().is_float() {
            return Err(Error::dtype("check_grad", "the result must be float", &[y.spec()]));
        }
        return Ok(weighted(&y, 0));
    }
    let slopes = slopes(order - 1, f, inputs)?;
    let parts = slopes.iter().enumerate().filter_map(|(i, g)| Some(weighted(g.as_ref()?, i + 1)));
    // Without any part the gradient is zero, wherever the inputs are.
    let zero = inputs.iter().find(|x| x.dtype().is_float()).map(|x| (x * 0.0).sum(.., false));
    let zero = zero.unwrap_or_else(|| Tensor::scalar(0.0).stop_gradient());
    Ok(parts.fold(zero, |sum, part| sum + part))
}

/// `Σ cᵢ · xᵢ` with coefficients of size 0.5 to 1.5 and either sign.
fn weighted(x: &Tensor, seed: usize) -> Tensor {
    let mut state = seed as u64;
    let coefficients: Vec<f64> = (0..x.size()).map(|_| coefficient(&mut state)).collect();
    let coefficients = must(Tensor::new(coefficients, *x.shape()));
    (x * coefficients.cast(x.dtype())).sum(.., false)
}

/// SplitMix64 (Steele, Lea and Flood 2014).
fn coefficient(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let bits = z ^ (z >> 31);
    let size = 0.5 + (bits >> 11) as f64 / (1u64 << 53) as f64;
    if bits & 1 == 1 { -size } else { size }
}

/// The central difference quotient by one element of one input.
fn quotient(
    order: usize,
    f: &dyn Fn(&[Tensor]) -> Tensor,
    inputs: &[Tensor],
    input: usize,
    element: usize,
) -> Result<f64> {
    let values = inputs[input].to_vec::<f64>()?;
    let step = STEP * values[element].abs().max(1.0);
    let at = |value: f64| -> Result<f64> {
        let mut values = values.clone();
        values[element] = value;
        let mut moved = inputs.to_vec();
        moved[input] = Tensor::new(values, *inputs[input].shape())?;
        scalar(order, f, &moved)?.cast(DType::F64).item::<f64>()
    };
    let (above, below) = (values[element] + step, values[element] - step);
    Ok((at(above)? - at(below)?) / (above - below))
}

/// `|a - b| <= absolute + relative · |b|`, or both the same infinity.
fn close(a: f64, b: f64, relative: f64, absolute: f64) -> bool {
    a == b || (b.is_finite() && (a - b).abs() <= absolute + relative * b.abs())
}

/// Asserts that two tensors have one dtype and shape, and `|a - b| <= atol + rtol · |b|` in every
/// element. Equal infinities agree; a NaN agrees with nothing.
///
/// # Panics
/// When they differ, naming the first element that does.
///
/// ```
/// use cornu_autodiff::{Tensor, testing::assert_close};
/// assert_close(&Tensor::from([1.0f32, 2.0]), &Tensor::from([1.0f32, 2.000_001]), 1e-5, 0.0);
/// ```
#[track_caller]
pub fn assert_close(a: &Tensor, b: &Tensor, rtol: f64, atol: f64) {
    assert_eq!(a.spec(), b.spec(), "assert_close: dtype and shape must be equal");
    for (i, (x, y)) in must(a.to_f64_vec()).into_iter().zip(must(b.to_f64_vec())).enumerate() {
        assert!(
            close(x, y, rtol, atol),
            "assert_close: elements must agree to {atol} + {rtol} · |b|; got {x} and {y} at \
             element {i} of {}",
            a.shape()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Call, Gradients, Op, Saves, Spec, apply};

    /// `x³` with a wrong, or a rightly valued but cut off, derivative.
    #[derive(Debug)]
    struct Cube {
        slope: fn(&Tensor) -> Tensor,
    }

    impl Op for Cube {
        fn name(&self) -> &'static str {
            "cube"
        }
        fn infer(&self, x: &[&Spec]) -> Result<Spec> {
            Ok(*x[0])
        }
        fn forward(&self, x: &[&Tensor], _: &Spec) -> Result<Tensor> {
            Ok(x[0] * x[0] * x[0])
        }
        fn saves(&self) -> Saves {
            Saves::Inputs
        }
        fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
            into.add(0, || g * (self.slope)(call.input(0)));
        }
    }

    fn check(slope: fn(&Tensor) -> Tensor) -> Result<()> {
        let cube = |x: &[Tensor]| must(apply(Cube { slope }, &[&x[0]]));
        check_grad(cube, &[Tensor::from([0.5f32, -2.0])])
    }

    fn failure(slope: fn(&Tensor) -> Tensor) -> String {
        check(slope).expect_err("a wrong derivative is found").to_string()
    }

    #[test]
    fn a_right_derivative_passes_and_wrong_ones_are_told_by_order() {
        check(|x| x * x * 3.0).expect("the derivative is right");
        assert!(failure(|x| x * x * 2.0).contains("element 0 of input 0, order 1"));
        assert!(failure(|x| (x * x * 3.0).stop_gradient()).contains("order 2"));
    }

    #[test]
    fn nan_fails() {
        assert!(failure(|x| x * f64::NAN).contains("NaN"));
        let nan = Tensor::from([f64::NAN]);
        assert!(std::panic::catch_unwind(|| assert_close(&nan, &nan, 1.0, 1.0)).is_err());
        assert!(!close(1.0, f64::INFINITY, 1.0, 1.0) && !close(f64::INFINITY, 1.0, 1.0, 1.0));
    }

    #[test]
    fn inputs_that_are_not_used_or_not_numbers_are_no_obstacle() {
        let x = Tensor::from([0.5, 1.5]);
        check_grad(|x| &x[0] * 2.0, &[x.clone(), x.clone(), Tensor::from([1i32])])
            .expect("a linear function");
        let error = check_grad(|x| x[0].greater_scalar(1.0), &[x]).expect_err("bool has no slope");
        assert_eq!(
            error.to_string(),
            "check_grad: the result must be float; got bool; convert with `cast`"
        );
    }
}
