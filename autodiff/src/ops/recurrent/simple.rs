//! The plain recurrent layer.

use super::{Recurrence, RecurrentInputs, RecurrentOptions, sequence};
use crate::error::Result;
use crate::kernels::recurrent::Simple;
use crate::tensor::Tensor;

impl Recurrence for Simple {
    const NAME: &'static str = "simple_rnn";
    const RULE: &'static str = "shapes must be (batch, steps, inputs) with a step, (inputs, \
                                units), (units, units), (units), (batch, units) and, for the \
                                mask, (batch, steps)";

    fn step(x: &Tensor, states: &[Tensor], recurrent: &Tensor, _: Option<&Tensor>) -> Vec<Tensor> {
        vec![(x + states[0].matmul(recurrent)).tanh()]
    }
}

/// `h[t] = tanh(x[t] · kernel + h[t-1] · recurrent_kernel + bias)` (Elman 1990) over a whole
/// sequence, in one op. Returns `h`, `(batch, units)` or `(batch, steps, units)`, and, if it is
/// asked for, the last `h`, `(batch, units)`.
///
/// | x | kernel | recurrent kernel | bias | h |
/// |---|---|---|---|---|
/// | `(batch, steps, inputs)` | `(inputs, units)` | `(units, units)` | `(units)` | `(batch, units)` |
///
/// Gradients that fade from step to step end at 0 below 2^-96 (float64: 1e-290), before they
/// become subnormal numbers, which processors are slow with.
///
/// # Errors
/// When shapes or dtypes don't fit, there is no step or no unit, or more than one initial state.
///
/// ```
/// # use cornu_autodiff::{DType, Tensor, ops::{RecurrentInputs, RecurrentOptions, simple_rnn}};
/// let inputs = RecurrentInputs {
///     x: &Tensor::ones([1, 2, 3], DType::F32),
///     kernel: &Tensor::zeros([3, 1], DType::F32),
///     recurrent_kernel: &Tensor::ones([1, 1], DType::F32),
///     bias: Some(&Tensor::from([1.0f32])),
///     initial_state: &[],
///     mask: None,
/// };
/// let (h, _) = simple_rnn(&inputs, RecurrentOptions::default())?;
/// assert!((h.item::<f32>()? - (1f32.tanh() + 1.0).tanh()).abs() < 1e-6);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub fn simple_rnn(
    inputs: &RecurrentInputs<'_>,
    options: RecurrentOptions,
) -> Result<(Tensor, Vec<Tensor>)> {
    sequence::<Simple>(inputs, options)
}
