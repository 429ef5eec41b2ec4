//! Several optimizers for the variables of one model.

use cornu_autodiff::{Error, Result};
use serde_json::{Value, json};

use super::{IntoOptimizer, Optimizer, Rule};
use crate::options::{Config, only, parse_object, take, write_object};

/// Several optimizers, each for the variables whose path its pattern names, and one for the rest.
/// Each clips, averages and accumulates by itself.
///
/// A pattern is a whole path, in which `.*` stands for anything, `encoder/.*`; of Keras's regular
/// expressions no other sign is known. A pattern that names no variable is an error, as is a
/// variable that two of them name; Keras says nothing of the former. Keras's `OptimizerMap` is in
/// here, and its callables are not.
///
/// For other learning rates alone, groups of one optimizer are simpler:
/// [`SGD::group`](super::SGD::group).
///
/// ```
/// use cornu_models::optimizers::{Adam, MultiOptimizer, SGD};
/// let optimizer = MultiOptimizer::new(SGD::new(0.1)).with("encoder/.*", Adam::new(1e-5));
/// ```
#[derive(Clone, Debug)]
pub struct MultiOptimizer {
    map: Map,
    rules: Vec<Box<dyn Rule>>,
    default: Box<dyn Rule>,
}

impl MultiOptimizer {
    pub(crate) const CLASS: &'static str = "MultiOptimizer";

    /// With the optimizer of all variables that no pattern names.
    #[must_use]
    pub fn new(default_optimizer: impl Into<Optimizer>) -> MultiOptimizer {
        let mut map = Map { name: "multi_optimizer".into(), ..Map::default() };
        let default = map.plain(default_optimizer.into());
        MultiOptimizer { map, rules: Vec::new(), default }
    }

    /// Gives the variables that a pattern names to another optimizer.
    #[must_use]
    pub fn with(
        mut self,
        pattern: impl Into<String>,
        optimizer: impl Into<Optimizer>,
    ) -> MultiOptimizer {
        let rule = self.map.plain(optimizer.into());
        self.rules.push(rule);
        self.map.patterns.push(pattern.into());
        self
    }

    /// What the loss is multiplied by before gradients are taken, instead of what the optimizers
    /// say themselves.
    #[must_use]
    pub fn loss_scale_factor(mut self, factor: impl Into<Option<f64>>) -> MultiOptimizer {
        self.map.loss_scale_factor = factor.into();
        self
    }

    /// The name, which begins the iteration's path.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> MultiOptimizer {
        self.map.name = name.into();
        self
    }

    pub(crate) fn read(config: &Config) -> Result<Optimizer> {
        let class = MultiOptimizer::CLASS;
        only(class, config, &["optimizer_map", "loss_scale_factor", "name"])?;
        let missing = |key: &str| {
            let rule = format!("the key `{key}` must be there");
            Error::value(format!("config of `{class}`"), rule, "no such key")
        };
        let map = config.get("optimizer_map").ok_or_else(|| missing("optimizer_map"))?;
        let (_, map) = parse_object("optimizer map", map)?;
        let map = map.ok_or_else(|| missing("optimizer_map.config"))?;
        only(class, map, &["default_optimizer", "optimizer_map"])?;
        let default = map.get("default_optimizer").ok_or_else(|| missing("default_optimizer"))?;
        let mut read =
            MultiOptimizer::new(super::from_json(default)?).loss_scale_factor(take::<Option<f64>>(
                class,
                config,
                "loss_scale_factor",
                None,
            )?);
        read.map.name = take(class, config, "name", read.map.name)?;
        for (pattern, optimizer) in take(class, map, "optimizer_map", Config::new())? {
            read = read.with(pattern, super::from_json(&optimizer)?);
        }
        read.into_optimizer()
    }
}

impl From<MultiOptimizer> for Optimizer {
    fn from(MultiOptimizer { map, mut rules, default }: MultiOptimizer) -> Optimizer {
        rules.push(default);
        for rule in &mut rules {
            rule.base_mut().loss_scale_factor = map.loss_scale_factor;
        }
        Optimizer::of(rules, Some(map))
    }
}

impl IntoOptimizer for MultiOptimizer {
    fn into_optimizer(self) -> Result<Optimizer> {
        Optimizer::from(self).into_optimizer()
    }
}

/// Which variables belong to which of several rules: a pattern for each but the last.
#[derive(Clone, Debug, Default)]
pub(super) struct Map {
    pub(super) name: String,
    pub(super) patterns: Vec<String>,
    loss_scale_factor: Option<f64>,
    /// An optimizer that was given and is none of one rule.
    nested: Option<String>,
}

/// Signs that mean something in a regular expression.
const SIGNS: [char; 14] = ['\\', '^', '$', '.', '|', '?', '*', '+', '(', ')', '[', ']', '{', '}'];

impl Map {
    /// The rule of an optimizer of one.
    fn plain(&mut self, mut optimizer: Optimizer) -> Box<dyn Rule> {
        if optimizer.map.is_some() || optimizer.scaling.is_some() {
            self.nested = Some(optimizer.class_name().to_owned());
        }
        optimizer.rules.pop().expect("an optimizer has a rule")
    }

    pub(super) fn config(&self, rules: &[Box<dyn Rule>]) -> Config {
        let written: Vec<Value> = rules.iter().map(|rule| rule_json(&**rule)).collect();
        let mut patterns = Config::new();
        for (pattern, rule) in self.patterns.iter().zip(&written) {
            patterns.insert(pattern.clone(), rule.clone());
        }
        let mut map = Config::new();
        map.insert("default_optimizer".into(), written.last().cloned().unwrap_or_default());
        map.insert("optimizer_map".into(), Value::Object(patterns));
        let config = json!({
            "optimizer_map": write_object("keras.optimizers", "OptimizerMap", map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        });
        config.as_object().cloned().unwrap_or_default()
    }

    pub(super) fn check(&self) -> Result<()> {
        let place = || format!("optimizer `{}`: `optimizer_map`", MultiOptimizer::CLASS);
        if let Some(nested) = &self.nested {
            let rule = "its optimizers must not be made of others";
            return Err(Error::value(place(), rule, format!("a `{nested}`")));
        }
        for (i, pattern) in self.patterns.iter().enumerate() {
            if pattern.is_empty() || pattern.replace(".*", "").contains(&SIGNS[..]) {
                let rule = "a pattern must be a path in which `.*` stands for anything";
                return Err(Error::value(place(), rule, format!("`{pattern}`")));
            }
            if self.patterns[..i].contains(pattern) {
                let rule = "each pattern must be there once";
                return Err(Error::value(place(), rule, format!("`{pattern}` twice")));
            }
        }
        Ok(())
    }

    /// Which rule changes a variable: that whose pattern is its path, or else the one whose
    /// pattern fits, or else the last.
    ///
    /// # Errors
    /// When several fit.
    pub(super) fn owner(&self, path: &str) -> Result<usize> {
        if let Some(exact) = self.patterns.iter().position(|pattern| pattern == path) {
            return Ok(exact);
        }
        let mut fitting = (0..self.patterns.len()).filter(|&i| fits(&self.patterns[i], path));
        match (fitting.next(), fitting.next()) {
            (Some(first), Some(second)) => {
                let place = format!("optimizer `{}`: variable `{path}`", MultiOptimizer::CLASS);
                let got = format!("`{}` and `{}`", self.patterns[first], self.patterns[second]);
                Err(Error::value(place, "one pattern at most must fit it", got))
            }
            (first, _) => Ok(first.unwrap_or(self.patterns.len())),
        }
    }
}

/// A rule as Keras writes an optimizer.
pub(super) fn rule_json(rule: &dyn Rule) -> Value {
    let mut config = rule.base().write();
    config.extend(rule.config());
    write_object("keras.optimizers", rule.class_name(), config)
}

/// Whether a path is a pattern with something in place of each `.*`.
fn fits(pattern: &str, path: &str) -> bool {
    let Some((first, rest)) = pattern.split_once(".*") else { return pattern == path };
    let Some(mut left) = path.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once(".*").unwrap_or(("", rest));
    for part in middle.split(".*") {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn dot_star_stands_for_anything() {
        for (pattern, path, wanted) in [
            ("a/b", "a/b", true),
            ("a/b", "a/bc", false),
            ("a/.*", "a/b/c", true),
            ("a/.*", "ba/b", false),
            (".*/bias", "a/b/bias", true),
            (".*/bias", "a/bias/b", false),
            (".*", "", true),
            ("a.*a", "a", false),
            ("a.*a", "aa", true),
            ("a/.*/b/.*c", "a/x/b/c", true),
            ("a/.*/b/.*c", "a/b/c", false),
            (".*b.*b.*", "ab", false),
            (".*b.*b.*", "abcb", true),
        ] {
            assert_eq!(fits(pattern, path), wanted, "{pattern} on {path}");
        }
    }
}
