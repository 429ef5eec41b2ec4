//! Variables with learning rates of their own.

use cornu_autodiff::{Error, Result};
use serde_json::{Value, json};

use super::base::{Base, check_rate};
use super::schedules::{self, LearningRate};
use crate::options::{only, take};

/// Variables whose learning rate is another than that of the rest.
#[derive(Clone, Debug)]
pub struct Group {
    /// What their paths contain: `encoder/`, `bias`.
    pub pattern: String,
    /// Their learning rate.
    pub learning_rate: GroupRate,
}

/// The learning rate of a [`Group`].
#[derive(Clone, Debug)]
pub enum GroupRate {
    /// Its own, a number or a schedule, whatever that of the rest is.
    Own(LearningRate),
    /// That of the rest, times a number: schedules and callbacks act on it, too.
    Times(f64),
}

impl Group {
    fn at(&self, rest: f64, iteration: u64) -> f64 {
        match &self.learning_rate {
            GroupRate::Own(rate) => rate.at(iteration),
            GroupRate::Times(factor) => rest * factor,
        }
    }

    fn write(&self) -> Value {
        let (key, value) = match &self.learning_rate {
            GroupRate::Own(LearningRate::Constant(rate)) => ("learning_rate", json!(rate)),
            GroupRate::Own(LearningRate::Schedule(schedule)) => {
                ("learning_rate", schedules::to_json(&**schedule))
            }
            GroupRate::Times(factor) => ("times", json!(factor)),
        };
        json!({ "pattern": self.pattern, key: value })
    }

    fn read(class: &str, value: &Value) -> Result<Group> {
        let place = format!("{class}.groups");
        let Some(config) = value.as_object() else {
            let rule = "it must be an object with `pattern` and `learning_rate` or `times`";
            return Err(Error::value(format!("config of `{place}`"), rule, value.to_string()));
        };
        only(&place, config, &["pattern", "learning_rate", "times"])?;
        let pattern: String = take(&place, config, "pattern", String::new())?;
        let learning_rate = match config.get("learning_rate") {
            None => GroupRate::Times(take(&place, config, "times", f64::NAN)?),
            Some(Value::Number(rate)) => {
                GroupRate::Own(LearningRate::Constant(rate.as_f64().unwrap_or(f64::NAN)))
            }
            Some(other) => {
                GroupRate::Own(LearningRate::Schedule(schedules::from_json(other)?.into()))
            }
        };
        Ok(Group { pattern, learning_rate })
    }

    fn check(&self, class: &str) -> Result<()> {
        match &self.learning_rate {
            GroupRate::Own(LearningRate::Constant(rate)) => check_rate(class, *rate),
            GroupRate::Own(LearningRate::Schedule(schedule)) => schedule.check(),
            GroupRate::Times(factor) if *factor >= 0.0 && factor.is_finite() => Ok(()),
            GroupRate::Times(factor) => {
                let place = format!("optimizer `{class}`: `groups`: `times`");
                let rule = "it must be finite and not negative";
                Err(Error::value(place, rule, factor.to_string()))
            }
        }
    }
}

impl Base {
    /// The learning rate of a variable, that of the rest being known.
    pub(super) fn rate_of(&self, group: Option<usize>, rest: f64, iteration: u64) -> f64 {
        group.map_or(rest, |group| self.groups[group].at(rest, iteration))
    }

    /// The group of a variable.
    ///
    /// # Errors
    /// When there are several.
    pub(super) fn group_of(&self, class: &str, path: &str) -> Result<Option<usize>> {
        let fits = |group: &Group| path.contains(&group.pattern);
        let mut fitting = self.groups.iter().enumerate().filter(|(_, group)| fits(group));
        let (first, second) = (fitting.next(), fitting.next());
        if let (Some((_, first)), Some((_, second))) = (first, second) {
            let place = format!("optimizer `{class}`: variable `{path}`");
            let got = format!("`{}` and `{}`", first.pattern, second.pattern);
            return Err(Error::value(place, "it must be in one group at most", got));
        }
        Ok(first.map(|(at, _)| at))
    }

    pub(super) fn write_groups(&self) -> Value {
        self.groups.iter().map(Group::write).collect()
    }

    pub(super) fn read_groups(class: &str, value: &Value) -> Result<Vec<Group>> {
        match value.as_array() {
            Some(groups) => groups.iter().map(|group| Group::read(class, group)).collect(),
            None => {
                let place = format!("config of `{class}`: `groups`");
                Err(Error::value(place, "it must be a list", value.to_string()))
            }
        }
    }

    pub(super) fn check_groups(&self, class: &str) -> Result<()> {
        for (i, group) in self.groups.iter().enumerate() {
            let twice = self.groups[..i].iter().any(|before| before.pattern == group.pattern);
            if group.pattern.is_empty() || twice {
                let place = format!("optimizer `{class}`: `groups`");
                let rule = "each must have a pattern of its own that is not empty";
                return Err(Error::value(place, rule, format!("`{}`", group.pattern)));
            }
            group.check(class)?;
        }
        Ok(())
    }

    /// Numbers that are learning rates of groups, for the state.
    pub(super) fn group_rates(&mut self) -> impl Iterator<Item = (usize, &mut f64)> {
        self.groups.iter_mut().enumerate().filter_map(|(i, group)| match &mut group.learning_rate {
            GroupRate::Own(LearningRate::Constant(rate)) => Some((i, rate)),
            _ => None,
        })
    }
}
