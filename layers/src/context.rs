//! What a call knows besides its inputs, and what it leaves besides its outputs.

use cornu_autodiff::{Generator, Tensor};

use crate::error::Result;
use crate::parameter::Parameter;

/// One pass through a model. Layers never change during a call: what a training step is to
/// change or to add to the loss they leave here.
#[derive(Debug)]
pub struct Context<'a> {
    training: bool,
    /// Whether the layer being called is frozen.
    frozen: bool,
    generator: Option<&'a Generator>,
    losses: Vec<Tensor>,
    updates: Vec<(Parameter, Tensor)>,
    /// Values that weights had in this pass in place of their own.
    stand_ins: Vec<(Parameter, Tensor)>,
}

impl<'a> Context<'a> {
    /// A pass that only predicts.
    pub fn inference() -> Context<'static> {
        Context::new(None)
    }

    /// A pass that trains, with the randomness of its dropouts.
    pub fn training(generator: &'a Generator) -> Context<'a> {
        Context::new(Some(generator))
    }

    fn new(generator: Option<&'a Generator>) -> Context<'a> {
        Context {
            training: generator.is_some(),
            frozen: false,
            generator,
            losses: Vec::new(),
            updates: Vec::new(),
            stand_ins: Vec::new(),
        }
    }

    /// Whether this pass trains.
    pub fn is_training(&self) -> bool {
        self.training
    }

    /// Whether the layer being called is frozen. Batch normalization then predicts, even in a
    /// pass that trains.
    pub fn is_frozen(&self) -> bool {
        self.frozen
    }

    pub(crate) fn set_frozen(&mut self, frozen: bool) -> bool {
        std::mem::replace(&mut self.frozen, frozen)
    }

    /// Where randomness comes from; only while training.
    pub fn generator(&self) -> Option<&'a Generator> {
        self.generator.filter(|_| self.training)
    }

    /// Adds a scalar to the loss: an activity regularizer, say.
    pub fn add_loss(&mut self, loss: Tensor) {
        self.losses.push(loss);
    }

    /// Leaves a new value for a weight that isn't learned, or for a state, to be set once the
    /// step has succeeded.
    pub fn update(&mut self, parameter: &Parameter, value: Tensor) {
        self.updates.push((parameter.clone(), value));
    }

    /// The value that a weight will have: the last left in this pass, or its present one. A
    /// layer that is called twice in a pass goes on from what its first call left.
    pub fn latest(&self, parameter: &Parameter) -> Tensor {
        let left = self.updates.iter().rev().find(|(other, _)| other.is(parameter));
        left.map_or_else(|| parameter.value(), |(_, value)| value.clone())
    }

    /// Says that this pass computed with `value` in place of a weight's own: penalties are to be
    /// on what was computed with.
    pub fn stand_in(&mut self, parameter: &Parameter, value: Tensor) {
        self.stand_ins.push((parameter.clone(), value));
    }

    /// The value of a weight with which this pass computed: its own, unless another
    /// [stood in](Context::stand_in) for it.
    pub fn used(&self, parameter: &Parameter) -> Tensor {
        let other = self.stand_ins.iter().rev().find(|(other, _)| other.is(parameter));
        other.map_or_else(|| parameter.value(), |(_, value)| value.clone())
    }

    /// The losses added so far.
    pub fn take_losses(&mut self) -> Vec<Tensor> {
        std::mem::take(&mut self.losses)
    }

    /// The new values left so far. A weight that one step updates twice, in a shared layer, is
    /// there twice.
    pub fn take_updates(&mut self) -> Vec<(Parameter, Tensor)> {
        std::mem::take(&mut self.updates)
    }

    /// Sets the new values left so far.
    ///
    /// # Errors
    /// When one has another dtype or shape than its weight.
    pub fn apply_updates(&mut self) -> Result<()> {
        self.take_updates().into_iter().try_for_each(|(weight, value)| weight.set(value))
    }

    /// What a call within this one, in a context of its own, has left.
    pub(crate) fn adopt(&mut self, mut inner: Context<'_>) {
        self.losses.append(&mut inner.losses);
        self.updates.append(&mut inner.updates);
        self.stand_ins.append(&mut inner.stand_ins);
    }

    /// Takes new values that were left for some weights as left for others.
    pub(crate) fn rename_updates(&mut self, from: &[Parameter], to: &[Parameter]) {
        for (parameter, _) in &mut self.updates {
            if let Some(at) = from.iter().position(|other| other.is(parameter)) {
                *parameter = to[at].clone();
            }
        }
    }
}
