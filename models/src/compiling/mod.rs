//! What a model is trained for, and by which rule.

mod json;
mod plan;

pub(crate) use json::compile_faults;

use cornu_layers::LayerRef;

use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::history::LogNames;
use crate::losses::Loss;
use crate::metrics::{Direction, Metric};
use crate::model::Model;
use crate::optimizers::{self, Optimizer};

use plan::Plan;

/// How a model is to be trained: optimizer, losses, metrics, under Keras's names or as values.
///
/// ```
/// use cornu_models::{Compile, optimizers::SGD};
/// let one_output = Compile::new()
///     .loss("binary_crossentropy")
///     .optimizer(SGD::new(0.1))
///     .metrics(["accuracy"]);
/// let two_outputs = Compile::new()
///     .loss_for("price", "mse")
///     .loss_for("kind", "sparse_categorical_crossentropy")
///     .loss_weight("price", 0.5)
///     .metrics_for("kind", ["accuracy"]);
/// ```
#[derive(Debug, Default)]
pub struct Compile {
    optimizer: Option<OptimizerChoice>,
    loss: Option<LossChoice>,
    losses: Vec<(String, LossChoice)>,
    loss_weights: Vec<(String, f64)>,
    metrics: Vec<MetricChoice>,
    metrics_for: Vec<(String, Vec<MetricChoice>)>,
    weighted: Vec<MetricChoice>,
    weighted_for: Vec<(String, Vec<MetricChoice>)>,
}

macro_rules! choice {
    ($(#[$doc:meta])* $Choice:ident, $Value:ty, $Trait:path, |$x:ident| $wrap:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $Choice {
            /// By its name in Keras, looked up by `compile`.
            Named(String),
            /// As a value.
            Typed($Value),
        }

        impl From<&str> for $Choice {
            fn from(name: &str) -> $Choice {
                $Choice::Named(name.to_owned())
            }
        }

        impl From<String> for $Choice {
            fn from(name: String) -> $Choice {
                $Choice::Named(name)
            }
        }

        impl<T: $Trait + 'static> From<T> for $Choice {
            fn from($x: T) -> $Choice {
                $Choice::Typed($wrap)
            }
        }
    };
}
choice! {
    /// A loss by name or by value.
    LossChoice, Box<dyn Loss>, Loss, |x| Box::new(x)
}
choice! {
    /// A metric by name or by value.
    MetricChoice, Box<dyn Metric>, Metric, |x| Box::new(x)
}
choice! {
    /// An optimizer by name or by value.
    OptimizerChoice, Box<Optimizer>, optimizers::Rule, |x| Box::new(Optimizer::new(x))
}

/// What is made of other optimizers is no rule.
macro_rules! composed {
    ($($Composed:ty)*) => {$(
        impl From<$Composed> for OptimizerChoice {
            fn from(optimizer: $Composed) -> OptimizerChoice {
                OptimizerChoice::Typed(Box::new(optimizer.into()))
            }
        }
    )*};
}
composed! { Optimizer optimizers::LossScaleOptimizer optimizers::MultiOptimizer }

fn choices<M: Into<MetricChoice>>(list: impl IntoIterator<Item = M>) -> Vec<MetricChoice> {
    list.into_iter().map(Into::into).collect()
}

impl Compile {
    /// RMSprop, Keras's default, no loss, no metrics.
    pub fn new() -> Compile {
        Compile::default()
    }

    /// The optimizer, by name (at its defaults) or by value.
    #[must_use]
    pub fn optimizer(mut self, optimizer: impl Into<OptimizerChoice>) -> Compile {
        self.optimizer = Some(optimizer.into());
        self
    }

    /// The loss of every output that isn't given one by name.
    #[must_use]
    pub fn loss(mut self, loss: impl Into<LossChoice>) -> Compile {
        self.loss = Some(loss.into());
        self
    }

    /// The loss of one output. Outputs without loss and metrics take no targets.
    #[must_use]
    pub fn loss_for(mut self, output: &str, loss: impl Into<LossChoice>) -> Compile {
        self.losses.push((output.into(), loss.into()));
        self
    }

    /// What an output's loss counts in the sum; 1 unless set.
    #[must_use]
    pub fn loss_weight(mut self, output: &str, weight: f64) -> Compile {
        self.loss_weights.push((output.into(), weight));
        self
    }

    /// Metrics of every output that isn't given its own. Steps that are masked don't count.
    ///
    /// # Difference from Keras
    /// Keras on JAX counts them while it trains, and not in `evaluate`.
    #[must_use]
    pub fn metrics<M: Into<MetricChoice>>(mut self, list: impl IntoIterator<Item = M>) -> Compile {
        self.metrics.extend(choices(list));
        self
    }

    /// Metrics of one output.
    #[must_use]
    pub fn metrics_for<M: Into<MetricChoice>>(
        mut self,
        output: &str,
        list: impl IntoIterator<Item = M>,
    ) -> Compile {
        self.metrics_for.push((output.into(), choices(list)));
        self
    }

    /// Metrics that count samples by their sample and class weights, of every output.
    #[must_use]
    pub fn weighted_metrics<M: Into<MetricChoice>>(
        mut self,
        list: impl IntoIterator<Item = M>,
    ) -> Compile {
        self.weighted.extend(choices(list));
        self
    }

    /// Metrics of one output that count samples by their weights.
    #[must_use]
    pub fn weighted_metrics_for<M: Into<MetricChoice>>(
        mut self,
        output: &str,
        list: impl IntoIterator<Item = M>,
    ) -> Compile {
        self.weighted_for.push((output.into(), choices(list)));
        self
    }
}

/// A metric in a compiled model, with the key under which logs hold it.
#[derive(Clone, Debug)]
pub(crate) struct Tracked {
    /// With the output's name in front if there are several.
    pub(crate) key: String,
    /// As `compile` was told: kept for the JSON.
    pub(crate) asked: Option<String>,
    pub(crate) metric: Which,
    /// Whether sample weights count.
    pub(crate) weighted: bool,
}

impl Tracked {
    /// Its key, or one for each of its values, and which way they improve. A metric that has
    /// values only once it has seen data will have one for each of the output's `units`.
    fn log_names(&self, units: usize) -> Vec<(String, Option<Direction>)> {
        let metric = match &self.metric {
            Which::Known(metric) => metric,
            Which::ByShape(name) if name.contains("acc") => {
                return vec![(self.key.clone(), Some(Direction::Up))];
            }
            Which::ByShape(_) => return vec![(self.key.clone(), Some(Direction::Down))],
        };
        let way = metric.direction();
        let values = match metric.result().values().len() {
            0 => units,
            known => known,
        };
        match values {
            0 | 1 => vec![(self.key.clone(), way)],
            several => (0..several).map(|i| (format!("{}_{i}", self.key), way)).collect(),
        }
    }
}

/// `accuracy` means one metric or another, by the shapes of the first targets.
#[derive(Clone, Debug)]
pub(crate) enum Which {
    ByShape(String),
    Known(Box<dyn Metric>),
}

/// What belongs to one output.
#[derive(Debug)]
pub(crate) struct OutputRules {
    pub(crate) name: String,
    pub(crate) loss: Option<Box<dyn Loss>>,
    /// As `compile` was told, if by name.
    pub(crate) loss_asked: Option<String>,
    pub(crate) weight: f64,
    pub(crate) metrics: Vec<Tracked>,
}

impl OutputRules {
    /// Whether there must be a target for it.
    pub(crate) fn has_target(&self) -> bool {
        self.loss.is_some() || !self.metrics.is_empty()
    }
}

/// A model's losses, metrics and optimizer.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) optimizer: Optimizer,
    pub(crate) outputs: Vec<OutputRules>,
}

impl Compiled {
    /// Names under which logs will hold values, without those of validation. `units` are the
    /// sizes of the outputs' last axes.
    pub(crate) fn log_names(&self, units: &[usize]) -> LogNames {
        let several = self.outputs.iter().filter(|o| o.loss.is_some()).count() > 1;
        let mut names = vec![("loss".to_owned(), Some(Direction::Down))];
        for (i, output) in self.outputs.iter().enumerate() {
            if several && output.loss.is_some() {
                names.push((format!("{}_loss", output.name), Some(Direction::Down)));
            }
            let units = units.get(i).copied().unwrap_or(0);
            names.extend(output.metrics.iter().flat_map(|metric| metric.log_names(units)));
        }
        LogNames::new(names)
    }

    /// The outputs for which there must be targets.
    pub(crate) fn target_names(&self) -> Vec<String> {
        let wanted = self.outputs.iter().filter(|o| o.has_target());
        wanted.map(|o| o.name.clone()).collect()
    }

    /// The metrics of all outputs, fresh.
    pub(crate) fn fresh_metrics(&self) -> SmallVec<[Vec<Tracked>; 1]> {
        let mut all: SmallVec<[Vec<Tracked>; 1]> =
            self.outputs.iter().map(|o| o.metrics.clone()).collect();
        for tracked in all.iter_mut().flatten() {
            if let Which::Known(metric) = &mut tracked.metric {
                metric.reset();
            }
        }
        all
    }
}

impl Model {
    /// Chooses optimizer, losses and metrics. Compiling again forgets what the optimizer
    /// remembers; weights stay.
    ///
    /// # Errors
    /// When a name means nothing, an option is out of range, an output that is named does not
    /// exist, or no output has a loss.
    pub fn compile(&mut self, mut compile: Compile) -> Result<()> {
        let names = self.names_of_outputs();
        let optimizer = match compile.optimizer.take() {
            None => optimizers::by_name("rmsprop")?,
            Some(OptimizerChoice::Named(name)) => optimizers::by_name(&name)?,
            Some(OptimizerChoice::Typed(optimizer)) => *optimizer,
        };
        optimizer.check()?;
        let outputs = Plan { several: names.len() > 1, names, ..Plan::default() };
        let outputs = outputs.fill(compile)?;
        if outputs.iter().all(|o| o.loss.is_none()) {
            let rule = "at least one output must have a loss";
            return Err(Error::value("compile", rule, "none"));
        }
        self.compiled = Some(Compiled { optimizer, outputs });
        self.progress = crate::fit::Progress::default();
        Ok(())
    }

    fn names_of_outputs(&self) -> Vec<String> {
        match &self.graph {
            Some(graph) => graph.output_names(),
            // A chain whose input shape is unknown still has one output, of its last layer.
            None => vec![self.layers.last().map(LayerRef::name).unwrap_or_default()],
        }
    }

    pub(crate) fn compiled(&self, place: &str) -> Result<&Compiled> {
        self.compiled.as_ref().ok_or_else(|| not_compiled(place))
    }

    pub(crate) fn compiled_mut(&mut self, place: &str) -> Result<&mut Compiled> {
        self.compiled.as_mut().ok_or_else(|| not_compiled(place))
    }

    /// Whether it has been compiled, and so has an optimizer.
    pub fn is_compiled(&self) -> bool {
        self.compiled.is_some()
    }

    /// The optimizer.
    ///
    /// # Errors
    /// When the model has not been compiled.
    pub fn optimizer(&self) -> Result<&Optimizer> {
        Ok(&self.compiled("optimizer")?.optimizer)
    }

    /// The optimizer, to change its learning rate, say.
    ///
    /// # Errors
    /// When the model has not been compiled.
    pub fn optimizer_mut(&mut self) -> Result<&mut Optimizer> {
        Ok(&mut self.compiled_mut("optimizer")?.optimizer)
    }
}

fn not_compiled(place: &str) -> Error {
    let hint = "call `model.compile(Compile::new().loss(…))`";
    Error::order(place, "the model must be compiled first", hint)
}
