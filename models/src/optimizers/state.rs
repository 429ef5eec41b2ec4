//! What an optimizer remembers, for checkpoints.

use cornu_autodiff::{Error, Result, Tensor};

use super::base::check_rate;
use super::optimizer::Optimizer;
use super::schedules::LearningRate;

/// Whether a tensor of the state is a number of the optimizer's, which may have the dtype that
/// Keras gives it, or one that is kept for a variable.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Number,
    Kept,
}

impl Optimizer {
    /// What the optimizer remembers, with Keras's paths in Keras's order: the iteration, the
    /// learning rate unless a schedule decides it, averages, gradient accumulators, and the
    /// rule's slots. The iteration is int64 and the learning rate float64, so that a run goes on
    /// with the same bits.
    ///
    /// A [`LossScaleOptimizer`](super::LossScaleOptimizer) has its counter and its scale before
    /// them, a [`MultiOptimizer`](super::MultiOptimizer) its iteration and then what each has, and
    /// both, as in Keras, an iteration and a learning rate of 0 that nothing uses. A group's own
    /// learning rate follows that of the rest.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        self.parts().into_iter().map(|(path, tensor, _)| (path, tensor)).collect()
    }

    fn parts(&self) -> Vec<(String, Tensor, Kind)> {
        let mut parts = Vec::new();
        let mut put = |path: String, number: Tensor| parts.push((path, number, Kind::Number));
        if let Some(scaling) = &self.scaling {
            let name = &scaling.name;
            put(format!("{name}/iteration"), Tensor::scalar(0i64));
            put(format!("{name}/learning_rate"), Tensor::scalar(0f64));
            put(format!("{name}/step_counter"), Tensor::scalar(scaling.counter as i64));
            put(format!("{name}/dynamic_scale"), Tensor::scalar(scaling.scale));
        }
        if let Some(map) = &self.map {
            put(format!("{}/iteration", map.name), Tensor::scalar(self.iteration as i64));
            put(format!("{}/learning_rate", map.name), Tensor::scalar(0f64));
        }
        let mut clone = self.clone();
        for owner in 0..self.rules.len() {
            let base = clone.rules[owner].base_mut();
            let name = base.name.clone();
            let iteration = Tensor::scalar(self.iteration as i64);
            parts.push((format!("{name}/iteration"), iteration, Kind::Number));
            if let LearningRate::Constant(rate) = base.learning_rate {
                let path = format!("{name}/learning_rate");
                parts.push((path, Tensor::scalar(rate), Kind::Number));
            }
            for (i, rate) in base.group_rates() {
                let path = format!("{name}/learning_rate_{}", i + 1);
                parts.push((path, Tensor::scalar(*rate), Kind::Number));
            }
            let places = clone.places(owner).into_iter();
            parts.extend(places.map(|(path, place)| (path, place.clone(), Kind::Kept)));
        }
        parts
    }

    /// Puts back what [`state`](Optimizer::state) gave, in its order. The slots must have been
    /// made, by [`build`](Optimizer::build) or a first step.
    ///
    /// # Errors
    /// When number, dtypes or shapes differ; then nothing has changed.
    pub fn set_state(&mut self, state: &[Tensor]) -> Result<()> {
        let place = format!("state of optimizer `{}`", self.name());
        let wanted = self.parts();
        if state.len() != wanted.len() {
            let rule = "there must be as many tensors as the optimizer has; it must have the same \
                        options and variables, and be built";
            let got = format!("{}, not {}", state.len(), wanted.len());
            return Err(Error::value(place, rule, got));
        }
        for ((path, wanted, kind), given) in wanted.iter().zip(state) {
            let fits = match kind {
                Kind::Number => {
                    given.rank() == 0 && given.dtype().is_float() == wanted.dtype().is_float()
                }
                Kind::Kept => given.spec() == wanted.spec(),
            };
            if !fits || given.is_symbolic() {
                let rule = format!("it must be {:?}", wanted.spec());
                let got = format!("{:?}", given.spec());
                return Err(Error::value(format!("{place}: `{path}`"), rule, got));
            }
            if *kind == Kind::Number && !(0.0..=f64::MAX).contains(&number(given)?) {
                let rule = "it must not be negative";
                let got = number(given)?.to_string();
                return Err(Error::value(format!("{place}: `{path}`"), rule, got));
            }
        }
        let mut next = self.clone();
        next.put_back(state)?;
        *self = next;
        Ok(())
    }

    /// The tensors fit.
    fn put_back(&mut self, state: &[Tensor]) -> Result<()> {
        let mut state = state.iter();
        let mut next = || state.next().expect("as many as the optimizer has");
        if let Some(scaling) = &mut self.scaling {
            let _unused = (next(), next());
            scaling.counter = number(next())? as u64;
            scaling.scale = number(next())?;
            if scaling.scale == 0.0 {
                let place = format!("state of optimizer `{}`: `dynamic_scale`", scaling.name);
                return Err(Error::value(place, "it must be above 0", "0"));
            }
        }
        if self.map.is_some() {
            let _repeated = (next(), next());
        }
        self.kept.iter_mut().for_each(|kept| kept.joined = 0);
        for owner in 0..self.rules.len() {
            // All the same, but that Keras's is 0 of one without variables.
            let iteration = number(next())? as u64;
            self.iteration = if owner == 0 { iteration } else { self.iteration.max(iteration) };
            let class = self.rules[owner].class_name().to_owned();
            let base = self.rules[owner].base_mut();
            if let LearningRate::Constant(rate) = &mut base.learning_rate {
                *rate = number(next())?;
                check_rate(&class, *rate)?;
            }
            for (_, rate) in base.group_rates() {
                *rate = number(next())?;
                check_rate(&class, *rate)?;
            }
            for (_, place) in self.places(owner) {
                *place = next().clone();
            }
        }
        Ok(())
    }

    /// Paths of the variables of which something is remembered, now trained or not.
    pub(crate) fn paths(&self) -> Vec<&str> {
        self.kept.iter().chain(&self.dormant).map(|kept| kept.path.as_str()).collect()
    }

    /// Where the tensors of one rule are kept, with their paths, in Keras's order.
    fn places(&mut self, owner: usize) -> Vec<(String, &mut Tensor)> {
        let groups = self.rules[owner].slots().len();
        let name = self.rules[owner].base().name.clone();
        let path =
            |variable: &str, what: &str| format!("{name}/{}_{what}", variable.replace('/', "_"));
        let (mut averages, mut sums) = (Vec::new(), Vec::new());
        let mut slots: Vec<Vec<(String, &mut Tensor)>> = (0..groups).map(|_| vec![]).collect();
        for kept in self.kept.iter_mut().filter(|kept| kept.owner == owner) {
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
