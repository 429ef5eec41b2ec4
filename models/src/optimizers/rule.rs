//! What makes one optimizer differ from another: its slots, and what it does to an element.

use std::fmt;

use cornu_autodiff::{Elementwise, Error, Float, Result, Spec, Tensor, update, update_after};

use super::base::Base;
use crate::options::Config;

/// One way to use a gradient. [`Optimizer`](super::Optimizer) does the rest: clipping, weight
/// decay, averaging, accumulation, the learning rate and the slots.
pub trait Rule: fmt::Debug + Send + Sync + 'static {
    /// The class's name in Keras, `RMSprop`.
    fn class_name(&self) -> &str;

    /// The options that every optimizer has.
    fn base(&self) -> &Base;

    /// As [`base`](Rule::base), to be changed.
    fn base_mut(&mut self) -> &mut Base;

    /// The rule's own options as Keras writes them.
    fn config(&self) -> Config;

    /// Refuses options outside their range.
    ///
    /// # Errors
    /// Naming the option.
    fn check(&self) -> Result<()>;

    /// Names of the tensors that are kept for each variable. They are saved group by group, and
    /// within a group variable by variable, as Keras does.
    fn slots(&self) -> Vec<&'static [&'static str]>;

    /// What a slot of a variable begins with: zeros, unless the rule says otherwise. None where
    /// the variable has no such slot.
    fn start(&self, slot: &str, path: &str, spec: &Spec) -> Option<Tensor> {
        let _ = (slot, path);
        Some(Tensor::zeros(spec.shape, spec.dtype))
    }

    /// The weight decay of a variable that is not excluded from it: the option, unless the rule
    /// says otherwise.
    fn weight_decay(&self, path: &str, spec: &Spec) -> Option<f64> {
        let _ = (path, spec);
        self.base().weight_decay
    }

    /// Changes a variable and its slots, which are in the order of [`slots`](Rule::slots):
    /// usually one call of [`Step::run`].
    ///
    /// # Errors
    /// When the tensors don't fit, which the optimizer has made sure of.
    fn update(
        &self,
        step: &Step,
        variable: &mut Tensor,
        gradient: &Tensor,
        slots: &mut [Tensor],
    ) -> Result<()>;

    /// A rule with the same options.
    fn clone_box(&self) -> Box<dyn Rule>;
}

impl Clone for Box<dyn Rule> {
    fn clone(&self) -> Box<dyn Rule> {
        (**self).clone_box()
    }
}

/// What a rule must know of the step it makes.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The learning rate.
    pub learning_rate: f64,
    /// Number of this update, from 1.
    pub number: u64,
    /// Whether the variable has never been updated before.
    pub first: bool,
    /// What the gradient is multiplied by: clipping by norm, averaging, loss scaling.
    pub(crate) scale: f64,
    /// What the gradient's elements are clipped to.
    pub(crate) limit: f64,
    /// The part of the variable that weight decay takes.
    pub(crate) decay: f64,
}

impl Step {
    /// One pass over a variable, its gradient and its slots. Scaling and clipping of the
    /// gradient and the variable's decay happen in the same pass, before `kernel`.
    ///
    /// # Errors
    /// When the tensors don't fit, or there are not `N` slots.
    #[inline]
    pub fn run<const N: usize>(
        &self,
        variable: &mut Tensor,
        gradient: &Tensor,
        slots: &mut [Tensor],
        kernel: impl Elementwise<N>,
    ) -> Result<()> {
        let got = slots.len();
        let Ok(slots) = <&mut [Tensor; N]>::try_from(slots) else {
            let rule = format!("the rule keeps {N} slots for each variable");
            return Err(Error::value("optimizer", rule, got.to_string()));
        };
        let first = self.prepares().then_some(Prepare(*self));
        update_after(first, variable, gradient, slots.each_mut(), kernel)
    }

    fn prepares(&self) -> bool {
        self.scale != 1.0 || self.limit != f64::INFINITY || self.decay != 0.0
    }

    /// For a rule that must see a whole tensor at once: decays the variable, and gives the
    /// gradient as the rule shall use it, scaled and clipped.
    ///
    /// # Errors
    /// When the tensors don't fit.
    pub fn prepare(&self, variable: &mut Tensor, gradient: &Tensor) -> Result<Tensor> {
        let mut prepared = [gradient.clone()];
        if self.prepares() {
            let [slot] = &mut prepared;
            update(variable, gradient, [slot], Prepare(*self))?;
        }
        let [prepared] = prepared;
        Ok(prepared)
    }
}

/// What every optimizer does first: stores the gradient scaled and clipped, and decays the
/// variable.
#[derive(Clone, Copy)]
struct Prepare(Step);

impl Elementwise<1> for Prepare {
    #[inline(always)]
    fn update<T: Float>(&self, x: T, g: T, _: [T; 1]) -> (T, [T; 1]) {
        let (scale, limit) = (T::of(self.0.scale), T::of(self.0.limit));
        let g = g * scale;
        // NaN passes both comparisons.
        let g = if g > limit { limit } else { g };
        let g = if g < -limit { -limit } else { g };
        (x - x * T::of(self.0.decay), [g])
    }
}
