//! Assigning losses and metrics to outputs.

use super::{Compile, LossChoice, MetricChoice, OutputRules, Tracked, Which};
use crate::error::{Error, Result};
use crate::{losses, metrics};

/// The outputs while choices are being assigned to them.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) names: Vec<String>,
    pub(super) several: bool,
    pub(super) rules: Vec<OutputRules>,
}

impl Plan {
    pub(super) fn fill(mut self, compile: Compile) -> Result<Vec<OutputRules>> {
        for name in &self.names {
            self.rules.push(OutputRules {
                name: name.clone(),
                loss: None,
                loss_asked: None,
                weight: 1.0,
                metrics: Vec::new(),
            });
        }
        if let Some(choice) = compile.loss {
            if self.several && matches!(choice, LossChoice::Typed(_)) {
                let rule = "several outputs take one loss by name, or each its own by `loss_for`";
                return Err(Error::value("compile", rule, "one loss by value"));
            }
            match choice {
                LossChoice::Typed(loss) => self.rules[0].loss = Some(loss),
                LossChoice::Named(name) => {
                    for rules in &mut self.rules {
                        rules.loss = Some(losses::by_name(&name)?);
                        rules.loss_asked = Some(name.clone());
                    }
                }
            }
        }
        for (output, choice) in compile.losses {
            let rules = self.output(&output)?;
            rules.loss_asked = None;
            rules.loss = Some(match choice {
                LossChoice::Typed(loss) => loss,
                LossChoice::Named(name) => {
                    let loss = losses::by_name(&name)?;
                    rules.loss_asked = Some(name);
                    loss
                }
            });
        }
        for (output, weight) in compile.loss_weights {
            if !weight.is_finite() {
                let rule = format!("the loss weight of `{output}` must be finite");
                return Err(Error::value("compile", rule, weight));
            }
            self.output(&output)?.weight = weight;
        }
        for (choices, each, weighted) in [
            (compile.metrics, compile.metrics_for, false),
            (compile.weighted, compile.weighted_for, true),
        ] {
            self.track(choices, each, weighted)?;
        }
        for rules in &self.rules {
            rules.loss.as_ref().map_or(Ok(()), |loss| loss.check())?;
        }
        Ok(self.rules)
    }

    fn position(&self, name: &str) -> Result<usize> {
        let found = self.names.iter().position(|n| n == name);
        found.ok_or_else(|| cornu_autodiff::Error::unknown("output", name, &self.names).into())
    }

    fn output(&mut self, name: &str) -> Result<&mut OutputRules> {
        let at = self.position(name)?;
        Ok(&mut self.rules[at])
    }

    /// Assigns metrics: those for all outputs, then those for one.
    fn track(
        &mut self,
        choices: Vec<MetricChoice>,
        each: Vec<(String, Vec<MetricChoice>)>,
        weighted: bool,
    ) -> Result<()> {
        let common = choices.into_iter().map(tracked).collect::<Result<Vec<_>>>()?;
        let given: Vec<String> = each.iter().map(|(name, _)| name.clone()).collect();
        for at in 0..self.names.len() {
            if !given.contains(&self.names[at]) {
                for metric in &common {
                    self.insert(at, metric.clone(), weighted)?;
                }
            }
        }
        for (output, choices) in each {
            let at = self.position(&output)?;
            for choice in choices {
                self.insert(at, tracked(choice)?, weighted)?;
            }
        }
        Ok(())
    }

    /// Gives a metric its key; Keras's rule where plain and weighted metrics meet.
    fn insert(&mut self, at: usize, mut metric: Tracked, weighted: bool) -> Result<()> {
        metric.weighted = weighted;
        let own = metric.key.clone();
        let keyed = |name: &str| match self.several {
            true => format!("{}_{name}", self.names[at]),
            false => name.to_owned(),
        };
        metric.key = keyed(&own);
        let taken = |key: &str| self.rules[at].metrics.iter().any(|m| m.key == key);
        if taken(&metric.key) && weighted {
            metric.key = keyed(&format!("weighted_{own}"));
        }
        if taken(&metric.key) {
            let rule = "two metrics of one output must not have one name";
            return Err(Error::value("compile", rule, format!("`{own}` twice")));
        }
        self.rules[at].metrics.push(metric);
        Ok(())
    }
}

fn tracked(choice: MetricChoice) -> Result<Tracked> {
    Ok(match choice {
        MetricChoice::Typed(metric) => {
            metric.check()?;
            let key = metric.name().to_owned();
            Tracked { key, asked: None, metric: Which::Known(metric), weighted: false }
        }
        MetricChoice::Named(name) => {
            let metric = match metrics::is_by_shape(&name) {
                true => Which::ByShape(name.clone()),
                false => Which::Known(metrics::by_name(&name)?),
            };
            Tracked { key: name.clone(), asked: Some(name), metric, weighted: false }
        }
    })
}
