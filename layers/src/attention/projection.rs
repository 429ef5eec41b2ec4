//! Learned maps to heads and back.

use cornu_autodiff::{Tensor, ops};
use smallvec::SmallVec;

use crate::builder::{WeightBuilder, WeightOptions};
use crate::context::Context;
use crate::error::Result;
use crate::parameter::Parameter;
use crate::part::Part;
use crate::regularizer::Regularizer;

/// A linear map of the last axes of a tensor.
#[derive(Debug)]
pub(super) struct Projection {
    kernel: Parameter,
    bias: Option<Parameter>,
    /// Number of axes that are summed over.
    bound: usize,
}

impl Projection {
    /// Makes `name/kernel`, `(bound…, free…)`, and `name/bias`, `(free…)`.
    pub(super) fn make(
        name: &str,
        [bound, free]: [&[usize]; 2],
        [kernel, bias]: &[Part<'_>; 2],
        weights: &mut WeightBuilder,
    ) -> Result<Projection> {
        weights.within(name, |weights| {
            let options = WeightOptions::learned(kernel.regularizer, kernel.constraint);
            let shape = [bound, free].concat();
            Ok(Projection {
                kernel: weights.add_with("kernel", &shape, kernel.initializer, options)?,
                bias: bias.make("bias", free, weights)?,
                bound: bound.len(),
            })
        })
    }

    /// `(…, bound…)` to `(…, free…)`.
    pub(super) fn apply(&self, x: &Tensor) -> Result<Tensor> {
        let kernel = self.kernel.value();
        let (bound, free) = kernel.dims().split_at(self.bound);
        let (rows, columns) = (bound.iter().product::<usize>(), free.iter().product::<usize>());
        let flat = |x: Tensor, dims: &[usize]| {
            let dims: SmallVec<[isize; 8]> = dims.iter().map(|&d| d as isize).collect();
            x.try_reshape(&dims)
        };
        let before = &x.dims()[..x.rank() - self.bound];
        let x = flat(x.clone(), &[before, &[rows]].concat())?;
        let matrix = flat(kernel.clone(), &[rows, columns])?;
        let bias = self.bias.as_ref().map(|bias| flat(bias.value(), &[columns])).transpose()?;
        let y = ops::linear(&x, &matrix, bias.as_ref(), ops::Fused::Linear)?;
        Ok(flat(y, &[before, free].concat())?)
    }
}

/// The weights of [`MultiHeadAttention`](crate::MultiHeadAttention) and
/// [`GroupQueryAttention`](crate::GroupQueryAttention).
#[derive(Debug)]
pub struct HeadsWeights {
    pub(super) query: Projection,
    pub(super) key: Projection,
    pub(super) gate: Option<Projection>,
    pub(super) value: Projection,
    pub(super) output: Projection,
}

/// How large the heads are.
pub(super) struct HeadSizes<'a> {
    /// Features of query, key and value.
    pub(super) features: [usize; 3],
    /// `(heads, size)` of the query.
    pub(super) query: [usize; 2],
    /// `(heads, size)` of the key.
    pub(super) key: [usize; 2],
    /// `(heads, size)` of the value.
    pub(super) value: [usize; 2],
    /// `(heads, size)` of what attention gives.
    pub(super) context: [usize; 2],
    /// Axes of the output.
    pub(super) output: &'a [usize],
}

impl HeadsWeights {
    /// Makes them in Keras's order.
    pub(super) fn make(
        sizes: &HeadSizes<'_>,
        use_gate: bool,
        parts: &[Part<'_>; 2],
        weights: &mut WeightBuilder,
    ) -> Result<HeadsWeights> {
        let [query, key, value] = sizes.features;
        let mut make = |name: &str, bound: &[usize], free: &[usize]| {
            Projection::make(name, [bound, free], parts, weights)
        };
        Ok(HeadsWeights {
            query: make("query", &[query], &sizes.query)?,
            key: make("key", &[key], &sizes.key)?,
            gate: match use_gate {
                true => Some(make("gate", &[query], &sizes.context)?),
                false => None,
            },
            value: make("value", &[value], &sizes.value)?,
            output: make("attention_output", &sizes.context, sizes.output)?,
        })
    }
}

/// Adds the penalty on what a part computed, divided by the batch size, as in Keras.
pub(super) fn penalize(
    penalty: &Option<Regularizer>,
    y: &Tensor,
    context: &mut Context<'_>,
) -> Result<()> {
    if let Some(penalty) = penalty {
        let samples = y.dims().first().copied().unwrap_or(1).max(1);
        context.add_loss(penalty.penalty(y)? * (1.0 / samples as f64));
    }
    Ok(())
}
