//! What normalizations have in common: a learned scale and offset.

use cornu_autodiff::{Spec, Tensor, axis_of};

use crate::builder::WeightBuilder;
use crate::error::{Error, Result};
use crate::parameter::Parameter;
use crate::part::Part;

/// A learned scale `gamma` and offset `beta`, either of which may be left out.
#[derive(Debug)]
pub struct ScaleWeights {
    pub(super) gamma: Option<Parameter>,
    pub(super) beta: Option<Parameter>,
}

impl ScaleWeights {
    pub(super) fn make(
        gamma: &Part<'_>,
        beta: &Part<'_>,
        shape: &[usize],
        weights: &mut WeightBuilder,
    ) -> Result<ScaleWeights> {
        let gamma = gamma.make("gamma", shape, weights)?;
        Ok(ScaleWeights { gamma, beta: beta.make("beta", shape, weights)? })
    }

    /// Values of `gamma` and `beta` with axes of size 1, to be used on an input of that shape.
    pub(super) fn values(&self, shape: &[isize]) -> Result<[Option<Tensor>; 2]> {
        let shaped =
            |w: &Option<Parameter>| w.as_ref().map(|w| w.value().try_reshape(shape)).transpose();
        Ok([shaped(&self.gamma)?, shaped(&self.beta)?])
    }
}

/// `(x - mean) / sqrt(variance + epsilon) · gamma + beta`
pub(super) fn normalize(
    x: &Tensor,
    mean: &Tensor,
    variance: &Tensor,
    epsilon: f64,
    [gamma, beta]: [Option<Tensor>; 2],
) -> Tensor {
    let mut scale = (variance + epsilon).rsqrt();
    if let Some(gamma) = gamma {
        scale *= &gamma;
    }
    let mut offset = -(mean * &scale);
    if let Some(beta) = beta {
        offset += &beta;
    }
    x * scale + offset
}

/// Positions of axes from the front, ascending.
pub(crate) fn positions(axes: &[isize], x: &Spec) -> Result<Vec<usize>> {
    let at = axes.iter().map(|&axis| axis_of("`axis`", axis, x.shape.rank()));
    let mut at = at.collect::<Result<Vec<usize>, _>>()?;
    at.sort_unstable();
    if at.is_empty() || at.windows(2).any(|pair| pair[0] == pair[1]) {
        let rule = "it must name one axis or more, none twice";
        return Err(Error::setting("`axis`", rule, format!("{axes:?}")));
    }
    Ok(at)
}

/// Whether axes in ascending order are the last of the input, for which there are fused ops.
pub(super) fn are_last(at: &[usize], x: &Tensor) -> bool {
    at.iter().rev().zip((0..x.rank()).rev()).all(|(axis, last)| *axis == last)
}

/// Sizes at `kept` axes, 1 elsewhere.
pub(super) fn kept(x: &Tensor, kept: &[usize]) -> Vec<isize> {
    let size = |(axis, &n): (usize, &usize)| if kept.contains(&axis) { n as isize } else { 1 };
    x.dims().iter().enumerate().map(size).collect()
}
