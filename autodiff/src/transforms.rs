//! Functions of tensors made into functions of their derivatives.
//!
//! Each takes a function, a place, and gives the derivative there; a closure that calls one of
//! them is again such a function, so they nest to any order.

use std::fmt;

use crate::error::{Error, Result};
use crate::op::{Call, Gradients, Op, Saves, apply, must};
use crate::ops::stack;
use crate::shape::{Shape, Spec};
use crate::tape::{Pause, Tape};
use crate::tensor::Tensor;

/// The gradient of a scalar function of one tensor: `∂f/∂x`, of the shape of `x`.
///
/// # Errors
/// When the result is not a floating-point scalar, or does not depend on `x`.
///
/// ```
/// use cornu_autodiff::{Tensor, grad};
/// let cube = |x: &Tensor| x * x * x;
/// let x = Tensor::scalar(2.0);
/// assert_eq!(grad(cube, &x)?.item::<f64>()?, 12.0);
/// let slope = |x: &Tensor| grad(cube, x).expect("it depends on x");
/// assert_eq!(grad(slope, &x)?.item::<f64>()?, 12.0); // 6x
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub fn grad(f: impl FnOnce(&Tensor) -> Tensor, x: &Tensor) -> Result<Tensor> {
    value_and_grad(|x| f(x[0]), &[x]).map(|(_, mut gradients)| gradients.remove(0))
}

/// The value of a scalar function of tensors, and its gradient by each.
///
/// # Errors
/// When the result is not a floating-point scalar, or does not depend on one of the inputs.
///
/// ```
/// use cornu_autodiff::{Tensor, value_and_grad};
/// let (a, b) = (Tensor::scalar(3.0), Tensor::scalar(4.0));
/// let (y, gradients) = value_and_grad(|x| x[0] * x[1], &[&a, &b])?;
/// assert_eq!(y.item::<f64>()?, 12.0);
/// assert_eq!(gradients[0].item::<f64>()?, 4.0);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub fn value_and_grad(
    f: impl FnOnce(&[&Tensor]) -> Tensor,
    inputs: &[&Tensor],
) -> Result<(Tensor, Vec<Tensor>)> {
    let tape = Tape::new();
    let y = f(inputs);
    let gradients = tape.gradient(&y, inputs)?;
    Ok((y, gradients))
}

/// The value of a function of tensors, and the gradients by each of `Σ cotangent · value`: the
/// product of the cotangent with the Jacobian, without the Jacobian. An input on which the value
/// does not depend gets zeros.
///
/// # Errors
/// When the cotangent has another dtype or shape than the value, or the value depends on nothing.
///
/// ```
/// use cornu_autodiff::{Tensor, vjp};
/// let x = Tensor::from([1.0, 2.0]);
/// let (y, gradients) = vjp(|x| x[0] * x[0], &[&x], &Tensor::from([1.0, 10.0]))?;
/// assert_eq!(y.to_vec::<f64>()?, [1.0, 4.0]);
/// assert_eq!(gradients[0].to_vec::<f64>()?, [2.0, 40.0]);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub fn vjp(
    f: impl FnOnce(&[&Tensor]) -> Tensor,
    inputs: &[&Tensor],
    cotangent: &Tensor,
) -> Result<(Tensor, Vec<Tensor>)> {
    let tape = Tape::new();
    let y = f(inputs);
    let gradients = tape.vjp_options(&y, cotangent, inputs)?;
    let or_zeros = |(g, x): (Option<Tensor>, &&Tensor)| g.unwrap_or_else(|| x.zeros_like());
    Ok((y, gradients.into_iter().zip(inputs).map(or_zeros).collect()))
}

/// All partial derivatives of a function of one tensor, of the shape of the value followed by
/// that of `x`: one walk back for each element of the value. Zeros where it does not depend on
/// `x`.
///
/// # Errors
/// When the value is not floating-point, or value and `x` together have more than
/// [`MAX_RANK`](crate::MAX_RANK) axes.
///
/// ```
/// use cornu_autodiff::{Tensor, jacobian};
/// let x = Tensor::from([1.0, 2.0]);
/// let y = jacobian(|x| x * x.sum(.., false), &x)?;
/// assert_eq!(y.to_vec::<f64>()?, [4.0, 1.0, 2.0, 5.0]);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub fn jacobian(f: impl FnOnce(&Tensor) -> Tensor, x: &Tensor) -> Result<Tensor> {
    let tape = Tape::new();
    let y = f(x);
    if !y.dtype().is_float() {
        let rule = "the value must be float32 or float64";
        return Err(Error::dtype("jacobian", rule, &[y.spec()]));
    }
    let shape = Shape::new(&[y.dims(), x.dims()].concat())?;
    if shape.size() == 0 || (tape.made_at(&y).is_none() && y.id() != x.id()) {
        return Ok(Tensor::zeros(shape, x.dtype()));
    }
    let mut rows = Vec::with_capacity(y.size());
    for i in 0..y.size() {
        let one = {
            let _pause = Pause::new();
            let mut one = vec![0.0; y.size()];
            one[i] = 1.0;
            Tensor::new(one, *y.shape())?.cast(y.dtype())
        };
        let row = tape.vjp_again(&y, &one, &[x])?.remove(0);
        rows.push(row.unwrap_or_else(|| x.zeros_like()));
    }
    drop(tape);
    apply(crate::ops::Reshape(shape), &[&stack(&rows, 0)])
}

/// All second partial derivatives of a scalar function of one tensor, of the shape of `x` twice.
///
/// # Errors
/// As [`grad`] and [`jacobian`].
///
/// ```
/// use cornu_autodiff::{Tensor, hessian};
/// let x = Tensor::from([1.0, 2.0]);
/// let h = hessian(|x| (x * x * x).sum(.., false), &x)?;
/// assert_eq!(h.to_vec::<f64>()?, [6.0, 0.0, 0.0, 12.0]);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub fn hessian(f: impl FnOnce(&Tensor) -> Tensor, x: &Tensor) -> Result<Tensor> {
    let mut error = None;
    let slope = |x: &Tensor| {
        grad(f, x).unwrap_or_else(|e| {
            error = Some(e);
            x.zeros_like()
        })
    };
    let h = jacobian(slope, x);
    error.map_or(h, Err)
}

/// The product of the matrix of second derivatives of a scalar function with a vector of the
/// shape of `x`, without the matrix: the gradient of `Σ v · ∂f/∂x` (Pearlmutter 1994).
///
/// # Errors
/// As [`grad`], and when `v` has another dtype or shape than `x`.
///
/// ```
/// use cornu_autodiff::{Tensor, hessian_vector};
/// let (x, v) = (Tensor::from([1.0, 2.0]), Tensor::from([1.0, 10.0]));
/// let y = hessian_vector(|x| (x * x * x).sum(.., false), &x, &v)?;
/// assert_eq!(y.to_vec::<f64>()?, [6.0, 120.0]);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub fn hessian_vector(f: impl FnOnce(&Tensor) -> Tensor, x: &Tensor, v: &Tensor) -> Result<Tensor> {
    if x.spec() != v.spec() {
        let rule = "the vector must have the dtype and shape of the place";
        return Err(Error::shape("hessian_vector", rule, &[x.spec(), v.spec()]));
    }
    let tape = Tape::new();
    let slope = grad(f, x)?;
    if tape.made_at(&slope).is_none() {
        return Ok(x.zeros_like());
    }
    let found = tape.vjp_options(&slope, v, &[x])?.remove(0);
    Ok(found.unwrap_or_else(|| x.zeros_like()))
}

/// From inputs, value and the gradient by the value, the gradients by the inputs.
type Rule = dyn Fn(&[&Tensor], &Tensor, &Tensor) -> Vec<Tensor> + Send + Sync;

struct CustomGradient {
    value: Tensor,
    rule: Box<Rule>,
}

impl fmt::Debug for CustomGradient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomGradient")
    }
}

impl Op for CustomGradient {
    fn name(&self) -> &'static str {
        "custom_gradient"
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        0..=usize::MAX
    }
    fn infer(&self, _: &[&Spec]) -> Result<Spec> {
        Ok(*self.value.spec())
    }
    fn forward(&self, _: &[&Tensor], _: &Spec) -> Result<Tensor> {
        Ok(self.value.clone())
    }
    fn saves(&self) -> Saves {
        Saves::All
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        let inputs: Vec<&Tensor> = (0..call.len()).map(|i| call.input(i)).collect();
        let gradients = (self.rule)(&inputs, call.output(), g);
        if gradients.len() != inputs.len() {
            let rule = "there must be one gradient for each input";
            let got = format!("{} for {} inputs", gradients.len(), inputs.len());
            must::<()>(Err(Error::value("custom_gradient", rule, got)));
        }
        for (i, gradient) in gradients.into_iter().enumerate() {
            into.add(i, || gradient);
        }
    }
}

/// The value of a function of tensors, with a gradient of your own: `rule` gets the inputs, the
/// value and the gradient by the value, and gives the gradient by each input. Keras and
/// TensorFlow call this `custom_gradient`.
///
/// Write `rule` with tensor operations, and it can be differentiated again. For gradients that
/// shall appear under a name, or for loops of your own, write an [`Op`].
///
/// # Panics
/// When `f` does; in a backward pass, when `rule` doesn't give one gradient of the right dtype
/// and a fitting shape for each input.
///
/// ```
/// use cornu_autodiff::{Tensor, custom_gradient, grad};
/// /// Rounds, but lets gradients pass as if it did not (Bengio et al. 2013, arXiv:1308.3432).
/// fn straight_through(x: &Tensor) -> Tensor {
///     custom_gradient(|x| x[0].round(), &[x], |_, _, g| vec![g.clone()])
/// }
/// let x = Tensor::scalar(0.7);
/// assert_eq!(straight_through(&x).item::<f64>()?, 1.0);
/// assert_eq!(grad(|x| straight_through(x) * 3.0, &x)?.item::<f64>()?, 3.0);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub fn custom_gradient(
    f: impl FnOnce(&[&Tensor]) -> Tensor,
    inputs: &[&Tensor],
    rule: impl Fn(&[&Tensor], &Tensor, &Tensor) -> Vec<Tensor> + Send + Sync + 'static,
) -> Tensor {
    let value = {
        let _pause = Pause::new();
        f(inputs)
    };
    if value.is_symbolic() {
        return value;
    }
    must(apply(CustomGradient { value, rule: Box::new(rule) }, inputs))
}
