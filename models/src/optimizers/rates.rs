//! Learning rates of an optimizer: read, and set anew.

use cornu_autodiff::{Error, Result};

use super::base::check_rate;
use super::groups::GroupRate;
use super::optimizer::Optimizer;
use super::schedules::LearningRate;

impl Optimizer {
    /// The learning rate of the next step; of several optimizers that of the default one. (Keras
    /// refuses to tell it.)
    pub fn learning_rate(&self) -> f64 {
        self.options().learning_rate.at(self.iteration)
    }

    /// The learning rate of the next step of a variable, which is another in a
    /// [group](super::SGD::group) or with [several optimizers](super::MultiOptimizer).
    ///
    /// # Errors
    /// When several groups or optimizers claim the variable.
    pub fn learning_rate_of(&self, path: &str) -> Result<f64> {
        let base = self.rules[self.owner(path)?].base();
        let group = base.group_of(self.class_name(), path)?;
        Ok(base.rate_of(group, base.learning_rate.at(self.iteration), self.iteration))
    }

    /// Sets the learning rate of the steps to come, but for groups with one of their own.
    ///
    /// # Errors
    /// When a schedule decides it, when there are several optimizers, or when it is not a finite
    /// number from 0 up.
    pub fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        let class = self.class_name().to_owned();
        if let Some(map) = &self.map {
            let place = format!("optimizer `{class}`: `learning_rate`");
            let rule = "it can't be set, because each optimizer has its own";
            return Err(Error::value(place, rule, format!("{} patterns", map.patterns.len())));
        }
        let base = self.rules[0].base_mut();
        set(&class, &mut base.learning_rate, rate)
    }

    /// Sets the learning rate that a group has of its own.
    ///
    /// # Errors
    /// When there is no such group, when its learning rate is decided by a schedule or by that of
    /// the rest, or when it is not a finite number from 0 up.
    pub fn set_group_learning_rate(&mut self, pattern: &str, rate: f64) -> Result<()> {
        let class = self.class_name().to_owned();
        let mut groups = self.rules.iter_mut().flat_map(|rule| &mut rule.base_mut().groups);
        match groups.find(|group| group.pattern == pattern).map(|group| &mut group.learning_rate) {
            Some(GroupRate::Own(own)) => set(&class, own, rate),
            Some(GroupRate::Times(factor)) => {
                let place = format!("optimizer `{class}`: group `{pattern}`");
                let rule = "it can't be set, because that of the rest decides it";
                Err(Error::value(place, rule, format!("{factor} times")))
            }
            None => {
                let groups = self.rules.iter().flat_map(|rule| &rule.base().groups);
                let known: Vec<&str> = groups.map(|group| group.pattern.as_str()).collect();
                Err(Error::unknown("group of the optimizer", pattern, &known))
            }
        }
    }
}

fn set(class: &str, place: &mut LearningRate, rate: f64) -> Result<()> {
    check_rate(class, rate)?;
    match place {
        LearningRate::Constant(old) => *old = rate,
        LearningRate::Schedule(schedule) => {
            let rule = "it can't be set, because a schedule decides it; give the optimizer a \
                        number instead";
            let place = format!("optimizer `{class}`: `learning_rate`");
            return Err(Error::value(place, rule, format!("`{}`", schedule.class_name())));
        }
    }
    Ok(())
}
