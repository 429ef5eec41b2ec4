//! A dense layer in one op: matrix product, bias and activation.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::each_float;
use crate::error::{Error, Result};
use crate::kernels::gemm::{Finish, Gemm, Matrix};
use crate::kernels::reduce::run_is_finite;
use crate::op::{Call, Gradients, Op, Saves, apply};
use crate::ops::fused::{Activated, Fused};
use crate::ops::window::values;
use crate::shape::{Shape, Spec};
use crate::tape::is_recording;
use crate::tensor::Tensor;

/// `activation(x · kernel + bias)`, `(…, inputs)`, `(inputs, units)` and `(units)` to
/// `(…, units)`.
#[derive(Clone, Copy, Debug)]
pub struct Linear {
    /// What is applied to the sum.
    pub activation: Fused,
}

const RULE: &str =
    "shapes must be (…, inputs) for x, (inputs, units) for the kernel, (units) for the bias";

impl Op for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        2..=3
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        let dtype = x[0].dtype;
        if !dtype.is_float() || x.iter().any(|s| s.dtype != dtype) {
            let rule = "inputs must all be float32 or all float64";
            return Err(Error::dtype("linear", rule, x));
        }
        let (rank, kernel) = (x[0].shape.rank(), x[1].dims());
        let fits = rank >= 2
            && kernel.len() == 2
            && x[0].shape[rank - 1] == kernel[0]
            && x.get(2).is_none_or(|b| b.dims() == &kernel[1..]);
        if !fits {
            return Err(Error::shape("linear", RULE, x));
        }
        let mut shape = x[0].shape;
        shape.dims_mut()[rank - 1] = kernel[1];
        x[0].with(&shape)
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        Ok(each_float!(out.dtype, T => {
            let bias = x.get(2).map(|bias| bias.packed());
            let begin = bias.as_ref().map(|bias| {
                bias.contiguous_slice::<T>().expect("`packed` is contiguous")
            });
            let (x, kernel) = (rows_of(x[0]), x[1]);
            let (k, n) = (kernel.dims()[0], kernel.dims()[1]);
            let m = out.dims()[..out.shape.rank() - 1].iter().product();
            let finish = T::finish(self.activation);
            Tensor::build(out.shape, |y: &mut [T]| {
                T::gemm([m, n, k], flat_rows(&x), matrix(kernel), y, begin, finish);
            })
        }))
    }
    fn saves(&self) -> Saves {
        self.activation.saves()
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        self.vjp_owned(call, g.clone(), into);
    }
    fn vjp_owned(&self, call: &Call<'_>, g: Tensor, into: &mut Gradients<'_>) {
        let (x, kernel) = (call.input(0), call.input(1));
        if is_recording() {
            return in_ops(x, kernel, &self.activation.before(call, &g), into);
        }
        let with_sums = call.len() > 2 && into.wants(2);
        let (g, bias) = self.activation.before_at_once(call, g, with_sums);
        let units = kernel.dims()[1];
        let rows = g.dims()[..g.rank() - 1].iter().product();
        each_float!(g.dtype(), T => {
            let sums = Matrix::of_rows(values::<T>(&g), units);
            let (m, k, n) = (rows, kernel.dims()[0], units);
            into.add(0, || Tensor::build(*x.shape(), |out: &mut [T]| {
                // (m, n) · (n, k) -> (m, k)
                T::gemm([m, k, n], sums, matrix::<T>(kernel).transposed(), out, None, None);
            }));
            into.add(1, || {
                // (k, m) · (m, n) -> (k, n)
                let x = rows_of(x);
                looked_at(*kernel.shape(), |out: &mut [T], look| {
                    T::gemm([k, n, m], flat_rows::<T>(&x).transposed(), sums, out, None, look);
                })
            });
        });
        if let Some(bias) = bias {
            into.add(2, || bias);
        }
    }
}

/// Elements of a gradient that are worth looking at while they are in a cache.
const WORTH_A_LOOK: usize = 4096;

/// What `fill` computes, of which it is known whether it is finite: who trains asks that of every
/// gradient. The function that it is given is for runs of finished elements.
fn looked_at<T: Gemm>(shape: Shape, fill: impl FnOnce(&mut [T], Finish<'_, T>)) -> Tensor {
    let worth = shape.size() >= WORTH_A_LOOK;
    let finite = AtomicBool::new(worth);
    let look = |run: &mut [T]| {
        if !run_is_finite(run) {
            finite.store(false, Ordering::Relaxed);
        }
    };
    let mut y = Tensor::build(shape, |out| fill(out, if worth { Some(&look) } else { None }));
    if let (true, Some(buffer)) = (finite.into_inner(), &mut y.buffer) {
        buffer.note_finite();
    }
    y
}

/// The three gradients in ops, from that by the sum.
fn in_ops(x: &Tensor, kernel: &Tensor, g: &Tensor, into: &mut Gradients<'_>) {
    let flat = |x: &Tensor| match x.rank() {
        2 => x.clone(),
        rank => {
            let rows: usize = x.dims()[..rank - 1].iter().product();
            x.reshape([rows as isize, x.dims()[rank - 1] as isize])
        }
    };
    into.add(0, || g.matmul(&kernel.t()));
    into.add(1, || flat(x).t().matmul(&flat(g)));
    if into.wanted.len() > 2 {
        into.add(2, || flat(g).sum(0, false));
    }
}

/// `x` such that all its axes but the last can be seen as one.
fn rows_of(x: &Tensor) -> Cow<'_, Tensor> {
    if x.rank() == 2 { Cow::Borrowed(x) } else { x.packed() }
}

/// All axes but the last as rows.
fn flat_rows<T: Gemm>(x: &Tensor) -> Matrix<'_, T> {
    if x.rank() == 2 {
        return matrix(x);
    }
    let columns = x.dims()[x.rank() - 1];
    Matrix::of_rows(values(x), columns)
}

fn matrix<T: Gemm>(x: &Tensor) -> Matrix<'_, T> {
    super::matmul::matrix(x, 0)
}

/// `activation(x · kernel + bias)` in one op: `x` is `(…, inputs)`, the kernel
/// `(inputs, units)`, the bias `(units)`, the result `(…, units)`.
///
/// # Errors
/// When the shapes don't fit, `x` has fewer than two axes, or the dtypes differ.
///
/// ```
/// # use cornu_autodiff::{Tensor, ops::{Fused, linear}};
/// let x = Tensor::from([[1.0f32, 2.0]]);
/// let kernel = Tensor::from([[1.0f32, -1.0], [0.5, 0.5]]);
/// let y = linear(&x, &kernel, Some(&Tensor::from([0.0f32, -0.5])), Fused::Relu)?;
/// assert_eq!(y.to_vec::<f32>()?, [2.0, 0.0]);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
#[inline]
pub fn linear(
    x: &Tensor,
    kernel: &Tensor,
    bias: Option<&Tensor>,
    activation: Fused,
) -> Result<Tensor> {
    match bias {
        Some(bias) => apply(Linear { activation }, &[x, kernel, bias]),
        None => apply(Linear { activation }, &[x, kernel]),
    }
}

#[cfg(test)]
mod tests {
    use crate::dtype::DType;
    use crate::ops::{Fused, linear};
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    /// The gradient by the kernel of a sum, where one element of the input is `odd`.
    fn gradient(inputs: usize, odd: f32) -> Tensor {
        let mut x = vec![0.5f32; 3 * inputs];
        x[inputs + 1] = odd;
        let x = Tensor::new(x, [3, inputs]).unwrap();
        let kernel = Tensor::ones([inputs, 70], DType::F32);
        let tape = Tape::new();
        let y = linear(&x, &kernel, None, Fused::Linear).unwrap();
        tape.gradient(&y.sum(.., false), &[&kernel]).unwrap().remove(0)
    }

    /// Small gradients are looked at when they are asked, large ones when they are made.
    #[test]
    fn a_gradient_knows_whether_it_is_finite() {
        for inputs in [4, 90] {
            assert!(gradient(inputs, 1.0).is_finite());
            for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                assert!(!gradient(inputs, odd).is_finite(), "{inputs} {odd}");
            }
        }
    }

    #[test]
    fn what_is_written_over_is_looked_at_again() {
        let mut g = gradient(90, 1.0);
        assert!(g.buffer.as_ref().unwrap().is_known_finite());
        g.unique_slice::<f32>().unwrap()[7] = f32::NAN;
        assert!(!g.is_finite());
    }

    /// Slopes are taken in the gradient's place, but not in that of one that was asked for.
    #[test]
    fn a_gradient_that_was_asked_for_is_left_as_it_is() {
        let x = Tensor::from([[1.0f32, -1.0], [2.0, 3.0]]);
        let kernel = Tensor::from([[1.0f32, -1.0], [-2.0, 0.5]]);
        let tape = Tape::new();
        let y = linear(&x, &kernel, None, Fused::Relu).unwrap();
        let [by_y, by_kernel] =
            tape.gradient(&(&y * 2.0).sum(.., false), &[&y, &kernel]).unwrap().try_into().unwrap();
        assert_eq!(by_y.to_vec::<f32>().unwrap(), [2.0; 4]);
        assert_eq!(by_kernel.to_vec::<f32>().unwrap(), [2.0, 0.0, -2.0, 0.0]);
    }
}
