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

/// `part!(layer, used, kernel)`: the [`Part`] of the layer's options `kernel_initializer`,
/// `kernel_regularizer` and `kernel_constraint`.
macro_rules! part {
    (@ $layer:expr, $used:expr, $initializer:ident $regularizer:ident $constraint:ident) => {
        $crate::part::Part {
            used: $used,
            initializer: &$layer.$initializer,
            regularizer: &$layer.$regularizer,
            constraint: &$layer.$constraint,
        }
    };
    ($l:expr, $used:expr, kernel) => {
        $crate::part::part!(@ $l, $used, kernel_initializer kernel_regularizer kernel_constraint)
    };
    ($l:expr, $used:expr, recurrent) => {
        $crate::part::part!(@ $l, $used, recurrent_initializer recurrent_regularizer recurrent_constraint)
    };
    ($l:expr, $used:expr, depthwise) => {
        $crate::part::part!(@ $l, $used, depthwise_initializer depthwise_regularizer depthwise_constraint)
    };
    ($l:expr, $used:expr, pointwise) => {
        $crate::part::part!(@ $l, $used, pointwise_initializer pointwise_regularizer pointwise_constraint)
    };
    ($l:expr, $used:expr, bias) => {
        $crate::part::part!(@ $l, $used, bias_initializer bias_regularizer bias_constraint)
    };
    ($l:expr, $used:expr, gamma) => {
        $crate::part::part!(@ $l, $used, gamma_initializer gamma_regularizer gamma_constraint)
    };
    ($l:expr, $used:expr, beta) => {
        $crate::part::part!(@ $l, $used, beta_initializer beta_regularizer beta_constraint)
    };
}
pub(crate) use part;

impl Part<'_> {
    /// The weight, if it is used.
    pub(crate) fn make(
        &self,
        name: &str,
        shape: &[usize],
        weights: &mut WeightBuilder,
    ) -> Result<Option<Parameter>> {
        self.used.then(|| self.make_always(name, shape, weights)).transpose()
    }

    /// The weight, whether it is said to be used or not.
    pub(crate) fn make_always(
        &self,
        name: &str,
        shape: &[usize],
        weights: &mut WeightBuilder,
    ) -> Result<Parameter> {
        let options = WeightOptions::learned(self.regularizer, self.constraint);
        weights.add_with(name, shape, self.initializer, options)
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
        KernelWeights::make_sized(kernel, bias, shape, shape[shape.len() - 1], weights)
    }

    /// Makes `kernel` of this shape, and `bias` of that many elements.
    pub(crate) fn make_sized(
        kernel: &Part<'_>,
        bias: &Part<'_>,
        shape: &[usize],
        outputs: usize,
        weights: &mut WeightBuilder,
    ) -> Result<KernelWeights> {
        let kernel = kernel.make_always("kernel", shape, weights)?;
        Ok(KernelWeights { kernel, bias: bias.make("bias", &[outputs], weights)? })
    }
}
