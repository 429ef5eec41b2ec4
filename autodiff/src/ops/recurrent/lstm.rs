//! Long short-term memory.

use super::{Recurrence, RecurrentInputs, RecurrentOptions, sequence};
use crate::error::Result;
use crate::kernels::recurrent::Lstm;
use crate::tensor::Tensor;

impl Recurrence for Lstm {
    const NAME: &'static str = "lstm";
    const RULE: &'static str = "shapes must be (batch, steps, inputs) with a step, (inputs, \
                                4 · units), (units, 4 · units), (4 · units), twice (batch, units) \
                                and, for the mask, (batch, steps)";

    fn step(x: &Tensor, states: &[Tensor], recurrent: &Tensor, _: Option<&Tensor>) -> Vec<Tensor> {
        let (h, c) = (&states[0], &states[1]);
        let z = (x + h.matmul(recurrent)).split(4, -1);
        let c = z[1].sigmoid() * c + z[0].sigmoid() * z[2].tanh();
        vec![z[3].sigmoid() * c.tanh(), c]
    }
}

/// Long short-term memory (Hochreiter and Schmidhuber 1997) over a whole sequence, in one op:
/// with `[i, f, g, o] = x[t] · kernel + h[t-1] · recurrent_kernel + bias`,
/// `c[t] = σ(f) · c[t-1] + σ(i) · tanh(g)` and `h[t] = σ(o) · tanh(c[t])`. Returns `h`,
/// `(batch, units)` or `(batch, steps, units)`, and, if they are asked for, the states h and c
/// after the last step, `(batch, units)`.
///
/// | x | kernel | recurrent kernel | bias | h and c |
/// |---|---|---|---|---|
/// | `(batch, steps, inputs)` | `(inputs, 4 · units)` | `(units, 4 · units)` | `(4 · units)` | `(batch, units)` |
///
/// Gradients that fade from step to step end at 0 below 2^-96 (float64: 1e-290), before they
/// become subnormal numbers, which processors are slow with.
///
/// # Errors
/// When shapes or dtypes don't fit, there is no step or no unit, or one initial state alone.
///
/// ```
/// # use cornu_autodiff::{DType, Tensor, ops::{RecurrentInputs, RecurrentOptions, lstm}};
/// let inputs = RecurrentInputs {
///     x: &Tensor::ones([1, 2, 3], DType::F32),
///     kernel: &Tensor::zeros([3, 4], DType::F32),
///     recurrent_kernel: &Tensor::zeros([1, 4], DType::F32),
///     bias: Some(&Tensor::from([0.0f32, 0.0, 1.0, 0.0])),
///     initial_state: &[],
///     mask: None,
/// };
/// let (h, _) = lstm(&inputs, RecurrentOptions::default())?;
/// // c is 0.5 · tanh 1 after the first step, half of that and as much again after the second.
/// let c = 0.75 * 1f32.tanh();
/// assert!((h.item::<f32>()? - 0.5 * c.tanh()).abs() < 1e-6);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub fn lstm(
    inputs: &RecurrentInputs<'_>,
    options: RecurrentOptions,
) -> Result<(Tensor, Vec<Tensor>)> {
    sequence::<Lstm>(inputs, options)
}
