//! Gated recurrent units.

use super::{Recurrence, RecurrentInputs, RecurrentOptions, sequence};
use crate::error::Result;
use crate::kernels::recurrent::Gru;
use crate::tensor::Tensor;

impl Recurrence for Gru {
    const NAME: &'static str = "gru";
    const RULE: &'static str = "shapes must be (batch, steps, inputs) with a step, (inputs, \
                                3 · units), (units, 3 · units), (2, 3 · units), (batch, units) \
                                and, for the mask, (batch, steps)";

    fn step(
        x: &Tensor,
        states: &[Tensor],
        recurrent: &Tensor,
        bias: Option<&Tensor>,
    ) -> Vec<Tensor> {
        let h = &states[0];
        let inner = h.matmul(recurrent);
        let inner = bias.map_or(inner.clone(), |bias| inner + bias).split(3, -1);
        let x = x.split(3, -1);
        let (z, r) = ((&x[0] + &inner[0]).sigmoid(), (&x[1] + &inner[1]).sigmoid());
        let candidate = (&x[2] + r * &inner[2]).tanh();
        vec![&z * h + (1.0 - &z) * candidate]
    }
}

/// Gated recurrent units (Cho et al. 2014, arXiv:1406.1078) over a whole sequence, in one op, the
/// reset gate behind the product as in Keras's `reset_after`: with `[x_z, x_r, x_h]` the thirds of
/// `x[t] · kernel + bias[0]` and `[h_z, h_r, h_h]` those of `h[t-1] · recurrent_kernel + bias[1]`,
/// `z = σ(x_z + h_z)`, `r = σ(x_r + h_r)` and `h[t] = z · h[t-1] + (1 - z) · tanh(x_h + r · h_h)`.
/// Returns `h`, `(batch, units)` or `(batch, steps, units)`, and, if it is asked for, the last
/// `h`, `(batch, units)`.
///
/// | x | kernel | recurrent kernel | bias | h |
/// |---|---|---|---|---|
/// | `(batch, steps, inputs)` | `(inputs, 3 · units)` | `(units, 3 · units)` | `(2, 3 · units)` | `(batch, units)` |
///
/// Gradients that fade from step to step end at 0 below 2^-96 (float64: 1e-290), before they
/// become subnormal numbers, which processors are slow with.
///
/// # Errors
/// When shapes or dtypes don't fit, there is no step or no unit, or more than one initial state.
///
/// ```
/// # use cornu_autodiff::{DType, Tensor, ops::{RecurrentInputs, RecurrentOptions, gru}};
/// let inputs = RecurrentInputs {
///     x: &Tensor::ones([1, 2, 3], DType::F32),
///     kernel: &Tensor::zeros([3, 3], DType::F32),
///     recurrent_kernel: &Tensor::zeros([1, 3], DType::F32),
///     bias: Some(&Tensor::from([[0.0f32, 0.0, 1.0], [0.0, 0.0, 0.0]])),
///     initial_state: &[],
///     mask: None,
/// };
/// let (h, _) = gru(&inputs, RecurrentOptions::default())?;
/// assert!((h.item::<f32>()? - 0.75 * 1f32.tanh()).abs() < 1e-6);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub fn gru(
    inputs: &RecurrentInputs<'_>,
    options: RecurrentOptions,
) -> Result<(Tensor, Vec<Tensor>)> {
    sequence::<Gru>(inputs, options)
}
