//! The part of an optimizer that is the same for every rule.

use cornu_autodiff::{Elementwise, Error, Float, Result, Tensor, squared_norm, update};
use serde_json::Value;
use smallvec::SmallVec;

use super::base::Base;
use super::kept::Kept;
use super::loss_scale::{LossScaleOptimizer, Scaling};
use super::multi::{Map, MultiOptimizer, rule_json};
use super::rule::{Rule, Step};
use super::schedules::LearningRate;
use super::variable::Variable;
use crate::options::{Config, write_object};

/// Changes variables by their gradients.
///
/// A [`Rule`] says how; everything else is done here, in Keras's order: gradients are
/// accumulated, scaled and clipped, variables decay, the rule changes them, averages follow,
/// constraints bring them back.
///
/// ```
/// use cornu_autodiff::{Tape, Tensor};
/// use cornu_models::optimizers::{Optimizer, SGD};
/// let mut w = Tensor::scalar(4.0);
/// let mut optimizer = Optimizer::from(SGD::new(0.25));
/// for _ in 0..3 {
///     let tape = Tape::new();
///     let loss = &w * &w;
///     let gradients = tape.gradient(&loss, &[&w])?;
///     optimizer.apply([("w", &mut w)], &gradients)?;
/// }
/// assert_eq!(w.item::<f64>()?, 0.5);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Optimizer {
    /// One; or several that share the variables, of which the last has those that are left.
    pub(super) rules: Vec<Box<dyn Rule>>,
    /// How they share them.
    pub(super) map: Option<Map>,
    /// If it finds out what the loss must be multiplied by.
    pub(super) scaling: Option<Scaling>,
    /// Number of gradients that were applied, accumulated ones included.
    pub(super) iteration: u64,
    pub(super) kept: Vec<Kept>,
    /// Of variables that don't take part at present.
    pub(super) dormant: Vec<Kept>,
}

impl Optimizer {
    /// An optimizer that follows a rule.
    pub fn new(rule: impl Rule) -> Optimizer {
        Optimizer::of(vec![Box::new(rule)], None)
    }

    /// An optimizer of several rules, or of one.
    pub(super) fn of(rules: Vec<Box<dyn Rule>>, map: Option<Map>) -> Optimizer {
        let (kept, dormant) = (Vec::new(), Vec::new());
        Optimizer { rules, map, scaling: None, iteration: 0, kept, dormant }
    }

    /// The rule, or of several the default one.
    fn rule(&self) -> &dyn Rule {
        &**self.rules.last().expect("an optimizer has a rule")
    }

    /// The name, which begins the slots' paths.
    pub fn name(&self) -> &str {
        match (&self.scaling, &self.map) {
            (Some(scaling), _) => &scaling.name,
            (None, Some(map)) => &map.name,
            (None, None) => &self.rule().base().name,
        }
    }

    /// The class in Keras.
    pub fn class_name(&self) -> &str {
        if self.scaling.is_some() { LossScaleOptimizer::CLASS } else { self.inner_class() }
    }

    fn inner_class(&self) -> &str {
        if self.map.is_some() { MultiOptimizer::CLASS } else { self.rule().class_name() }
    }

    /// Its rules: one, or of several optimizers all, the default one last.
    #[cfg(feature = "keras-files")]
    pub(crate) fn rules(&self) -> &[Box<dyn Rule>] {
        &self.rules
    }

    /// Whether several rules share the variables.
    #[cfg(feature = "keras-files")]
    pub(crate) fn is_made_of_several(&self) -> bool {
        self.map.is_some()
    }

    /// The options that every optimizer has. Of one that is made of others, those of the inner or
    /// the default one.
    pub fn options(&self) -> &Base {
        self.rule().base()
    }

    /// The options as Keras writes them.
    pub fn config(&self) -> Config {
        let inner = match &self.map {
            Some(map) => {
                write_object("keras.optimizers", MultiOptimizer::CLASS, map.config(&self.rules))
            }
            None => rule_json(self.rule()),
        };
        match (&self.scaling, inner) {
            (Some(scaling), inner) => scaling.config(inner),
            (None, mut inner) => serde_json::from_value(inner["config"].take()).unwrap_or_default(),
        }
    }

    /// The optimizer as Keras writes it.
    pub fn to_json(&self) -> Value {
        write_object("keras.optimizers", self.class_name(), self.config())
    }

    /// Refuses options outside their range.
    ///
    /// # Errors
    /// Naming the option.
    pub fn check(&self) -> Result<()> {
        self.map.as_ref().map_or(Ok(()), Map::check)?;
        let factor = self.rule().base().loss_scale_factor;
        self.scaling.as_ref().map_or(Ok(()), |scaling| scaling.check(factor))?;
        self.rules.iter().try_for_each(|rule| {
            rule.base().check(rule.class_name())?;
            if let LearningRate::Schedule(schedule) = &rule.base().learning_rate {
                schedule.check()?;
            }
            rule.check()
        })
    }

    /// Number of gradients that were applied; those that were only accumulated count too.
    pub fn iterations(&self) -> u64 {
        self.iteration
    }

    /// The loss, multiplied by `loss_scale_factor` or the scale that was found. Gradients are
    /// divided by it later.
    pub fn scale_loss(&self, loss: &Tensor) -> Tensor {
        let found = self.scaling.as_ref().map(|scaling| scaling.scale);
        match found.or(self.rule().base().loss_scale_factor) {
            Some(factor) => loss * factor,
            None => loss.clone(),
        }
    }

    /// Whether gradients that are not finite only tell it to scale the loss less.
    pub(crate) fn finds_loss_scale(&self) -> bool {
        self.scaling.is_some()
    }

    /// Changes variables by their gradients.
    ///
    /// # Errors
    /// When a gradient doesn't have its variable's dtype and shape, or the variables are not
    /// those of the first call; then none has changed.
    pub fn apply<V: Variable>(
        &mut self,
        variables: impl IntoIterator<Item = V>,
        gradients: &[Tensor],
    ) -> Result<()> {
        let mut variables: Vec<V> = variables.into_iter().collect();
        if self.kept.is_empty() {
            self.build(&variables)?;
        }
        self.fit(&variables, gradients)?;
        self.apply_followed(&mut variables, gradients)
    }

    /// As [`apply`](Optimizer::apply), to the variables that [`follow`](Optimizer::follow) has
    /// just seen, with gradients that a tape made for them.
    pub(crate) fn apply_followed<V: Variable>(
        &mut self,
        variables: &mut [V],
        gradients: &[Tensor],
    ) -> Result<()> {
        let unscale = self.scaling.as_ref().map_or(1.0, |scaling| 1.0 / scaling.scale);
        if let Some(scaling) = &mut self.scaling
            && !scaling.bears(gradients)?
        {
            return Ok(());
        }
        self.accumulate(gradients, unscale)?;
        let steps = (0..self.rules.len()).map(|owner| self.step(owner, gradients, unscale));
        let steps: SmallVec<[Option<Step>; 1]> = steps.collect::<Result<_>>()?;
        for (i, variable) in variables.iter_mut().enumerate() {
            let kept = &mut self.kept[i];
            let Some(mut step) = steps[kept.owner] else { continue };
            let (rule, base) = (&self.rules[kept.owner], self.rules[kept.owner].base());
            let every = base.gradient_accumulation_steps.unwrap_or(1);
            let gradient = kept.accumulator.as_ref().unwrap_or(&gradients[i]);
            step.learning_rate = base.rate_of(kept.group, step.learning_rate, self.iteration);
            step.decay = kept.decay * step.learning_rate;
            step.first = step.number == kept.joined / every + 1;
            step.scale *= clip_one(base, gradient, step.scale)?;
            let slots = &mut kept.slots;
            variable.update(&mut |value| rule.update(&step, value, gradient, slots))?;
            if let Some(sum) = &mut kept.accumulator {
                *sum = sum.zeros_like();
            }
        }
        for (i, variable) in variables.iter_mut().enumerate() {
            self.finish(i, variable)?;
        }
        self.iteration += 1;
        Ok(())
    }

    /// Gradients and variables must be what they were when the slots were made.
    fn fit<V: Variable>(&self, variables: &[V], gradients: &[Tensor]) -> Result<()> {
        let place = || format!("optimizer `{}`", self.class_name());
        if gradients.len() != variables.len() {
            let rule = "there must be one gradient for each variable";
            let got = format!("{} gradients, {} variables", gradients.len(), variables.len());
            return Err(Error::value(place(), rule, got));
        }
        if variables.len() != self.kept.len() {
            let rule = "the variables must be those of the first step; for others make a new \
                        optimizer";
            let got = format!("{} variables, before {}", variables.len(), self.kept.len());
            return Err(Error::value(place(), rule, got));
        }
        for ((variable, gradient), kept) in variables.iter().zip(gradients).zip(&self.kept) {
            if variable.path() != kept.path || variable.spec() != kept.spec {
                let rule = "the variables must be those of the first step; for others make a new \
                            optimizer";
                let new = format!("`{}` {:?}", variable.path(), variable.spec());
                let got = format!("{new}, before `{}` {:?}", kept.path, kept.spec);
                return Err(Error::value(place(), rule, got));
            }
            if *gradient.spec() != kept.spec {
                let place = format!("{}: gradient of `{}`", place(), kept.path);
                let rule = format!("it must be {:?}", kept.spec);
                return Err(Error::value(place, rule, format!("{:?}", gradient.spec())));
            }
        }
        Ok(())
    }

    /// Adds gradients to their accumulators.
    fn accumulate(&mut self, gradients: &[Tensor], unscale: f64) -> Result<()> {
        for (kept, gradient) in self.kept.iter_mut().zip(gradients) {
            if let Some(sum) = &mut kept.accumulator {
                update(sum, gradient, [], Accumulate { unscale })?;
            }
        }
        Ok(())
    }

    /// The step that a rule makes, if it is time for one.
    fn step(&self, owner: usize, gradients: &[Tensor], unscale: f64) -> Result<Option<Step>> {
        let base = self.rules[owner].base();
        let every = base.gradient_accumulation_steps.unwrap_or(1);
        if !(self.iteration + 1).is_multiple_of(every) {
            return Ok(None);
        }
        // What was accumulated has been divided by the scale already.
        let unscale = if base.gradient_accumulation_steps.is_some() { 1.0 } else { unscale };
        let mut step = Step {
            // Keras's schedules count every gradient, its bias corrections only updates.
            learning_rate: base.learning_rate.at(self.iteration),
            number: self.iteration / every + 1,
            first: false,
            scale: unscale / (every as f64 * base.loss_scale_factor.unwrap_or(1.0)),
            limit: base.clipvalue.unwrap_or(f64::INFINITY),
            decay: 0.0,
        };
        if let Some(largest) = base.global_clipnorm {
            // The norm of all gradients of the rule together.
            let mut sum = 0.0;
            for (kept, gradient) in self.kept.iter().zip(gradients) {
                if kept.owner == owner {
                    sum += squared_norm(kept.accumulator.as_ref().unwrap_or(gradient))?;
                }
            }
            step.scale *= clip(largest, sum.sqrt() * step.scale);
        }
        Ok(Some(step))
    }

    /// What follows the step: the average, and the constraint.
    fn finish<V: Variable>(&mut self, index: usize, variable: &mut V) -> Result<()> {
        let base = self.rules[self.kept[index].owner].base();
        let every = base.gradient_accumulation_steps.unwrap_or(1);
        let updates = self.iteration / every;
        // An average begins with the first value, whenever its variable joined.
        let first = updates == self.kept[index].joined / every;
        if let Some(average) = &mut self.kept[index].average {
            let momentum = if first { 0.0 } else { base.ema_momentum };
            let frequency = base.ema_overwrite_frequency;
            let overwrite = frequency.is_some_and(|every| (updates + 1).is_multiple_of(every));
            variable.update(&mut |value| {
                update(average, value, [], Average { momentum })?;
                if overwrite {
                    *value = average.clone();
                }
                Ok(())
            })?;
        }
        variable.constrain()
    }

    /// Replaces variables by their averages, if averages are kept of them. `fit` does it at its
    /// end.
    ///
    /// # Errors
    /// When a variable has another dtype or shape than before.
    pub fn finalize<V: Variable>(&self, variables: impl IntoIterator<Item = V>) -> Result<()> {
        let mut variables: Vec<V> = variables.into_iter().collect();
        for variable in &mut variables {
            let known = self.kept.iter().find(|kept| kept.path == variable.path());
            let stepped = known.filter(|kept| kept.joined < self.iteration);
            let Some(average) = stepped.and_then(|kept| kept.average.clone()) else { continue };
            if variable.spec() != *average.spec() {
                let place = format!("optimizer `{}`: `{}`", self.class_name(), variable.path());
                let rule = format!("the average is {:?}", average.spec());
                return Err(Error::value(place, rule, format!("{:?}", variable.spec())));
            }
            variable.update(&mut |value| {
                *value = average.clone();
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// What brings a norm down to the largest one that is allowed; NaN if the norm is not finite.
fn clip(largest: f64, norm: f64) -> f64 {
    if norm.is_finite() { largest / norm.max(largest) } else { f64::NAN }
}

/// Clipping of one gradient by its own norm.
fn clip_one(base: &Base, gradient: &Tensor, scale: f64) -> Result<f64> {
    match base.clipnorm {
        Some(largest) => Ok(clip(largest, squared_norm(gradient)?.sqrt() * scale)),
        None => Ok(1.0),
    }
}

/// `sum += unscale · g`
#[derive(Clone, Copy)]
struct Accumulate {
    unscale: f64,
}

impl Elementwise<0> for Accumulate {
    #[inline(always)]
    fn update<T: Float>(&self, sum: T, g: T, []: [T; 0]) -> (T, [T; 0]) {
        (sum + g * T::of(self.unscale), [])
    }
}

/// `average = momentum · average + (1 - momentum) · value`
#[derive(Clone, Copy)]
struct Average {
    momentum: f64,
}

impl Elementwise<0> for Average {
    #[inline(always)]
    fn update<T: Float>(&self, average: T, value: T, []: [T; 0]) -> (T, [T; 0]) {
        (T::of(self.momentum) * average + T::of(1.0 - self.momentum) * value, [])
    }
}
