//! What an optimizer keeps for each variable, and for which variables.

use cornu_autodiff::{Error, Result, Spec, Tensor};

use super::optimizer::Optimizer;
use super::variable::Variable;

/// What is kept for one variable.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) path: String,
    /// Which of the optimizer's rules changes it.
    pub(super) owner: usize,
    /// Which of the rule's groups it is in.
    pub(super) group: Option<usize>,
    pub(super) spec: Spec,
    /// The iteration at which it joined the others.
    pub(super) joined: u64,
    pub(super) average: Option<Tensor>,
    pub(super) accumulator: Option<Tensor>,
    /// In the order of [`Rule::slots`](super::Rule::slots).
    pub(super) slots: Vec<Tensor>,
    /// Group and name of each slot.
    pub(super) names: Vec<(usize, &'static str)>,
    /// Weight decay, 0 if the variable is excluded from it.
    pub(super) decay: f64,
}

impl Optimizer {
    /// Makes the slots for variables. [`apply`](Optimizer::apply) does it at its first call; call
    /// it to put saved slots back before.
    ///
    /// # Errors
    /// When an option is out of its range, a variable is not floating-point, or a name that is
    /// excluded from weight decay, a group's pattern or one of several optimizers' is that of no
    /// variable.
    pub fn build<V: Variable>(&mut self, variables: &[V]) -> Result<()> {
        self.check_names(&variables.iter().map(V::path).collect::<Vec<_>>())?;
        self.build_some(variables)
    }

    /// As [`build`](Optimizer::build), for some of the variables: names may be those of others.
    pub(crate) fn build_some<V: Variable>(&mut self, variables: &[V]) -> Result<()> {
        self.check()?;
        self.kept = variables.iter().map(|v| self.keep(v)).collect::<Result<_>>()?;
        Ok(())
    }

    /// Goes on with other variables than before: what is kept for one that was there stays, one
    /// that is new begins anew, and one that is gone is remembered for when it comes back. So
    /// layers can be frozen and unfrozen between steps.
    ///
    /// # Errors
    /// As [`build`](Optimizer::build).
    pub fn follow<V: Variable>(&mut self, variables: &[V]) -> Result<()> {
        self.follow_among(variables, || variables.iter().map(V::path).collect())
    }

    /// As [`follow`](Optimizer::follow), with the paths of `all` that may ever be trained: names
    /// in options may be those of frozen ones.
    pub(crate) fn follow_among<'a, V: Variable>(
        &mut self,
        variables: &[V],
        all: impl FnOnce() -> Vec<&'a str>,
    ) -> Result<()> {
        if self.kept.is_empty() && self.dormant.is_empty() {
            self.check_names(&all())?;
            return self.build_some(variables);
        }
        let same = |(v, kept): (&V, &Kept)| v.path() == kept.path;
        if variables.len() == self.kept.len() && variables.iter().zip(&self.kept).all(same) {
            return Ok(());
        }
        let mut known = std::mem::take(&mut self.kept);
        known.append(&mut self.dormant);
        for variable in variables {
            let at = known.iter().position(|k| k.path == variable.path());
            let kept = match at {
                Some(at) => known.swap_remove(at),
                None => self.keep(variable)?,
            };
            self.kept.push(kept);
        }
        self.dormant = known;
        Ok(())
    }

    /// Each name in the options must be that of a variable.
    fn check_names(&self, paths: &[&str]) -> Result<()> {
        let mut owned = vec![Vec::new(); self.rules.len()];
        for path in paths {
            owned[self.owner(path)?].push(*path);
        }
        for (i, pattern) in self.map.iter().flat_map(|map| &map.patterns).enumerate() {
            if owned[i].is_empty() {
                return Err(Error::unknown("variable for an optimizer", pattern, paths));
            }
        }
        let named = |name: &String, paths: &[&str]| paths.iter().any(|path| path.contains(name));
        for (rule, paths) in self.rules.iter().zip(&owned) {
            let base = rule.base();
            for name in &base.exclude_from_weight_decay {
                if !named(name, paths) {
                    let what = "variable to exclude from weight decay";
                    return Err(Error::unknown(what, name, paths));
                }
            }
            for group in &base.groups {
                if !named(&group.pattern, paths) {
                    let what = "variable for a group of the optimizer";
                    return Err(Error::unknown(what, &group.pattern, paths));
                }
            }
        }
        Ok(())
    }

    /// Which of the rules changes a variable.
    pub(super) fn owner(&self, path: &str) -> Result<usize> {
        self.map.as_ref().map_or(Ok(0), |map| map.owner(path))
    }

    /// What is kept for a variable that is new.
    fn keep<V: Variable>(&self, variable: &V) -> Result<Kept> {
        let owner = self.owner(variable.path())?;
        let rule = &self.rules[owner];
        let base = rule.base();
        let (path, spec) = (variable.path(), variable.spec());
        if !spec.dtype.is_float() {
            let place = format!("optimizer `{}`: variable `{path}`", self.class_name());
            return Err(Error::dtype(place, "it must be float32 or float64", &[&spec]));
        }
        let zeros = || Tensor::zeros(spec.shape, spec.dtype);
        let excluded = base.exclude_from_weight_decay.iter().any(|name| path.contains(name));
        let decay = if excluded { None } else { rule.weight_decay(path, &spec) };
        let (mut slots, mut names) = (Vec::new(), Vec::new());
        for (group, slot_names) in rule.slots().into_iter().enumerate() {
            for &name in slot_names {
                if let Some(start) = rule.start(name, path, &spec) {
                    slots.push(start);
                    names.push((group, name));
                }
            }
        }
        Ok(Kept {
            path: path.to_owned(),
            owner,
            group: base.group_of(self.class_name(), path)?,
            spec,
            joined: self.iteration,
            average: base.use_ema.then(zeros),
            accumulator: base.gradient_accumulation_steps.map(|_| zeros()),
            slots,
            names,
            decay: decay.unwrap_or(0.0),
        })
    }
}
