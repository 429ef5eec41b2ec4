//! What an optimizer remembers, for checkpoints.

use cornu_autodiff::{Error, Result, Tensor};

use super::optimizer::Optimizer;
use super::schedules::LearningRate;

impl Optimizer {
    /// What the optimizer remembers, with Keras's paths in Keras's order: the iteration, the
    /// learning rate unless a schedule decides it, averages, gradient accumulators, and the
    /// rule's slots. The iteration is int64 and the learning rate float64, so that a run goes on
    /// with the same bits.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        let name = self.name();
        let mut state = vec![(format!("{name}/iteration"), Tensor::scalar(self.iteration as i64))];
        if let LearningRate::Constant(rate) = self.rule.base().learning_rate {
            state.push((format!("{name}/learning_rate"), Tensor::scalar(rate)));
        }
        let mut clone = self.clone();
        state.extend(clone.places().into_iter().map(|(path, place)| (path, place.clone())));
        state
    }

    /// Puts back what [`state`](Optimizer::state) gave, in its order. The slots must have been
    /// made, by [`build`](Optimizer::build) or a first step.
    ///
    /// # Errors
    /// When number, dtypes or shapes differ; then nothing has changed.
    pub fn set_state(&mut self, state: &[Tensor]) -> Result<()> {
        let scheduled = matches!(self.rule.base().learning_rate, LearningRate::Schedule(_));
        let place = format!("state of optimizer `{}`", self.name());
        let wanted = self.state();
        if state.len() != wanted.len() {
            let rule = "there must be as many tensors as the optimizer has; it must have the same \
                        options and variables, and be built";
            let got = format!("{}, not {}", state.len(), wanted.len());
            return Err(Error::value(place, rule, got));
        }
        let scalars = if scheduled { 1 } else { 2 };
        for (i, ((path, wanted), given)) in wanted.iter().zip(state).enumerate() {
            // The two numbers may have the dtypes of Keras.
            let fits = if i < scalars {
                given.rank() == 0 && given.dtype().is_float() == wanted.dtype().is_float()
            } else {
                given.spec() == wanted.spec()
            };
            if !fits || given.is_symbolic() {
                let rule = format!("it must be {:?}", wanted.spec());
                let got = format!("{:?}", given.spec());
                return Err(Error::value(format!("{place}: `{path}`"), rule, got));
            }
        }
        let iteration = number(&state[0])?;
        if iteration < 0.0 {
            let rule = "it must not be negative";
            return Err(Error::value(format!("{place}: iteration"), rule, iteration.to_string()));
        }
        if !scheduled {
            self.set_learning_rate(number(&state[1])?)?;
        }
        self.iteration = iteration as u64;
        self.kept.iter_mut().for_each(|kept| kept.joined = 0);
        for ((_, place), value) in self.places().into_iter().zip(&state[scalars..]) {
            *place = value.clone();
        }
        Ok(())
    }

    /// Paths of the variables of which something is remembered, now trained or not.
    pub(crate) fn paths(&self) -> Vec<&str> {
        self.kept.iter().chain(&self.dormant).map(|kept| kept.path.as_str()).collect()
    }

    /// Where the tensors of the state are kept, with their paths, in Keras's order.
    fn places(&mut self) -> Vec<(String, &mut Tensor)> {
        let groups = self.rule.slots().len();
        let name = self.name().to_owned();
        let path =
            |variable: &str, what: &str| format!("{name}/{}_{what}", variable.replace('/', "_"));
        let (mut averages, mut sums) = (Vec::new(), Vec::new());
        let mut slots: Vec<Vec<(String, &mut Tensor)>> = (0..groups).map(|_| vec![]).collect();
        for kept in &mut self.kept {
            let variable = &kept.path;
            averages.extend(kept.average.as_mut().map(|t| (path(variable, "average"), t)));
            let sum = kept.accumulator.as_mut();
            sums.extend(sum.map(|t| (path(variable, "gradient_accumulator"), t)));
            for ((group, slot), tensor) in kept.names.iter().zip(&mut kept.slots) {
                slots[*group].push((path(variable, slot), tensor));
            }
        }
        averages.into_iter().chain(sums).chain(slots.into_iter().flatten()).collect()
    }
}

/// The value of a scalar of any type.
fn number(scalar: &Tensor) -> Result<f64> {
    Ok(scalar.to_f64_vec()?[0])
}
