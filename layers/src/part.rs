//! Weights that many layers have: one with its options, and a kernel with a bias.

use crate::builder::{WeightBuilder, WeightOptions};
use crate::constraint::Constraint;
use crate::error::Result;
use crate::initializer::Initializer;
use crate::parameter::Parameter;
use crate::regularizer::Regularizer;

/// A layer's options for one of its weights.
pub(crate) struct Part<'a> {
    pub(crate) used: bool,
    pub(crate) initializer: &'a Initializer,
    pub(crate) regularizer: &'a Option<Regularizer>,
    pub(crate) constraint: &'a Option<Constraint>,
}

impl Part<'_> {
    /// The weight, if it is used.
    pub(crate) fn make(
        &self,
        name: &str,
        shape: &[usize],
        weights: &mut WeightBuilder,
    ) -> Result<Option<Parameter>> {
        let options = WeightOptions::learned(self.regularizer, self.constraint);
        let make = || weights.add_with(name, shape, self.initializer, options);
        self.used.then(make).transpose()
    }
}

/// The weights of a layer that multiplies by a kernel and may add a bias.
#[derive(Debug)]
pub struct KernelWeights {
    pub(crate) kernel: Parameter,
    pub(crate) bias: Option<Parameter>,
}

impl KernelWeights {
    /// Makes `kernel` of this shape, and `bias` of the kernel's last axis.
    pub(crate) fn make(
        kernel: &Part<'_>,
        bias: &Part<'_>,
        shape: &[usize],
        weights: &mut WeightBuilder,
    ) -> Result<KernelWeights> {
        let options = WeightOptions::learned(kernel.regularizer, kernel.constraint);
        let kernel = weights.add_with("kernel", shape, kernel.initializer, options)?;
        let bias = bias.make("bias", &shape[shape.len() - 1..], weights)?;
        Ok(KernelWeights { kernel, bias })
    }
}
