//! One batch: forward, loss, backward, update.

use cornu_autodiff::{Generator, Spec, Tape, Tensor};
use cornu_layers::{Context, Parameter};
use smallvec::SmallVec;

use crate::compiling::{Compiled, OutputRules, Tracked, Which};
use crate::data::Batch;
use crate::error::{Error, Result};
use crate::graph::Outputs;
use crate::history::Logs;
use crate::metrics;
use crate::model::Model;
use crate::optimizers::Variable;

/// Losses of one batch.
#[derive(Clone, Debug, Default)]
pub(crate) struct StepLoss {
    /// With weights and penalties: what was minimised.
    pub(crate) total: f64,
    /// Each output's own; only if there are several.
    pub(crate) each: SmallVec<[f64; 2]>,
}

/// Running means and metrics over the batches of an epoch.
#[derive(Debug)]
pub(crate) struct Tracker {
    /// Sums weighted by batch size, so that a short last batch counts as what it is.
    total: f64,
    each: Vec<f64>,
    samples: f64,
    pub(crate) metrics: SmallVec<[Vec<Tracked>; 1]>,
}

impl Tracker {
    pub(crate) fn new(compiled: &Compiled) -> Tracker {
        let metrics = compiled.fresh_metrics();
        Tracker { total: 0.0, each: Vec::new(), samples: 0.0, metrics }
    }

    pub(crate) fn add_loss(&mut self, loss: &StepLoss, samples: usize) {
        let weight = samples as f64;
        self.total += loss.total * weight;
        self.each.resize(loss.each.len(), 0.0);
        self.each.iter_mut().zip(&loss.each).for_each(|(sum, l)| *sum += l * weight);
        self.samples += weight;
    }

    /// Takes in a batch's predictions.
    pub(crate) fn add_outputs(
        &mut self,
        compiled: &Compiled,
        outputs: &Outputs,
        batch: &Batch,
    ) -> Result<()> {
        for Target { at, rules, y, weight } in targets(compiled, batch)? {
            let (predicted, mask) = (&outputs.tensors[at], outputs.masks[at].as_ref());
            for tracked in &mut self.metrics[at] {
                if let Which::ByShape(name) = &tracked.metric {
                    let metric = metrics::by_shape(name, y.dims(), predicted.dims())?;
                    tracked.metric = Which::Known(metric);
                }
                let Which::Known(metric) = &mut tracked.metric else { continue };
                let weight = match (weight.filter(|_| tracked.weighted), mask) {
                    (weight, None) => weight.cloned(),
                    (None, Some(mask)) => Some(mask.cast(predicted.dtype())),
                    (Some(w), Some(mask)) => Some(masked_weight(w, mask)),
                };
                metric
                    .update(y, predicted, weight.as_ref())
                    .map_err(|e| Error::from(e).within(format!("output `{}`", rules.name)))?;
            }
        }
        Ok(())
    }

    /// The values so far, under Keras's keys with `prefix` in front.
    pub(crate) fn logs(&self, compiled: &Compiled, prefix: &str) -> Logs {
        let mut logs = Logs::default();
        self.write(compiled, prefix, &mut logs);
        logs
    }

    pub(crate) fn write(&self, compiled: &Compiled, prefix: &str, logs: &mut Logs) {
        let samples = self.samples.max(f64::MIN_POSITIVE);
        logs.insert([prefix, "loss"].concat(), self.total / samples);
        let with_loss = compiled.outputs.iter().filter(|o| o.loss.is_some());
        for (output, sum) in with_loss.zip(&self.each) {
            logs.insert(format!("{prefix}{}_loss", output.name), sum / samples);
        }
        for tracked in self.metrics.iter().flatten() {
            if let Which::Known(metric) = &tracked.metric {
                match metric.result().values() {
                    [value] => logs.insert(format!("{prefix}{}", tracked.key), *value),
                    several => {
                        for (i, value) in several.iter().enumerate() {
                            logs.insert(format!("{prefix}{}_{i}", tracked.key), *value);
                        }
                    }
                }
            }
        }
    }
}

fn masked_weight(weight: &Tensor, mask: &Tensor) -> Tensor {
    let mask = mask.cast(weight.dtype());
    let mut weight = weight.clone();
    while weight.rank() < mask.rank() {
        weight = weight.expand_dims(-1);
    }
    weight * mask
}

/// An output that something is asked of: where it is, its target, and what samples count.
struct Target<'a> {
    at: usize,
    rules: &'a OutputRules,
    y: &'a Tensor,
    weight: Option<&'a Tensor>,
}

/// The outputs with a loss or metrics, each of which must have a target.
fn targets<'a>(
    compiled: &'a Compiled,
    batch: &'a Batch,
) -> Result<impl Iterator<Item = Target<'a>>> {
    let asked = || compiled.outputs.iter().enumerate().filter(|(_, rules)| rules.has_target());
    let (count, y, weights) = (asked().count(), &batch.y, &batch.sample_weight);
    let wrong = |what: &str, got: usize| {
        let names = compiled.target_names().join("`, `");
        let rule = format!("there must be {what} for the outputs `{names}`");
        Err(Error::value("targets", rule, format!("{got} arrays")))
    };
    if y.len() != count {
        return wrong("targets", y.len());
    }
    if weights.len() > 1 && weights.len() != count {
        return wrong("sample weights, one for all or one each,", weights.len());
    }
    let weight = |i: usize| if weights.len() > 1 { weights.get(i) } else { weights.first() };
    let each = asked().zip(y).enumerate();
    Ok(each.map(move |(i, ((at, rules), y))| Target { at, rules, y, weight: weight(i) }))
}

/// The sum that training minimises, and each output's own loss.
pub(crate) fn total_loss(
    compiled: &Compiled,
    outputs: &Outputs,
    batch: &Batch,
    weights: &[Parameter],
    context: &mut Context<'_>,
) -> Result<(Tensor, SmallVec<[Tensor; 2]>)> {
    let mut total: Option<Tensor> = None;
    let mut each: SmallVec<[Tensor; 2]> = SmallVec::new();
    let mut add = |loss: Tensor| {
        total = Some(match total.take() {
            None => loss,
            Some(sum) if sum.dtype() == loss.dtype() => sum + loss,
            Some(sum) => {
                let dtype = sum.dtype();
                sum + loss.cast(dtype)
            }
        });
    };
    for Target { at, rules, y, weight } in targets(compiled, batch)? {
        let Some(loss) = &rules.loss else { continue };
        let (predicted, mask) = (&outputs.tensors[at], outputs.masks[at].as_ref());
        let value = loss
            .value(y, predicted, weight, mask)
            .map_err(|e| Error::from(e).within(format!("output `{}`", rules.name)))?;
        let value = if value.rank() > 0 { value.sum(.., false) } else { value };
        each.push(value.clone());
        add(if rules.weight == 1.0 { value } else { value * rules.weight });
    }
    for weight in weights {
        if let Some(regularizer) = weight.regularizer()
            && weight.is_trainable()
        {
            add(regularizer.penalty(&context.used(weight))?);
        }
    }
    context.take_losses().into_iter().for_each(&mut add);
    let total = total.expect("`compile` makes sure that there is a loss");
    Ok((total, each))
}

/// A weight as the optimizer sees it.
pub(crate) struct Learned<'a>(pub(crate) &'a Parameter);

impl Variable for Learned<'_> {
    fn path(&self) -> &str {
        self.0.path()
    }
    fn spec(&self) -> Spec {
        *self.0.spec()
    }
    fn update(
        &mut self,
        change: &mut dyn FnMut(&mut Tensor) -> cornu_autodiff::Result<()>,
    ) -> cornu_autodiff::Result<()> {
        self.0.update(change)
    }
    fn constrain(&mut self) -> cornu_autodiff::Result<()> {
        let Some(constraint) = self.0.constraint() else { return Ok(()) };
        let value = constraint.apply(&self.0.value()).map_err(|e| {
            cornu_autodiff::Error::value(self.0.path(), "the constraint must fit", e.to_string())
        })?;
        self.0.update(|place| *place = value);
        Ok(())
    }
}

/// Where a step stands, for error texts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) epoch: usize,
    pub(crate) batch: usize,
}

impl Model {
    /// Trains on one batch. Nothing changes if it fails.
    pub(crate) fn train_step(
        &mut self,
        batch: &Batch,
        tracker: Option<&mut Tracker>,
        place: Place,
    ) -> Result<StepLoss> {
        let graph = self.graph("fit")?.clone();
        let inputs = graph.accept("fit", &batch.x)?;
        let dropout = self.step_generator();
        let mut context = Context::training(&dropout);
        let tape = Tape::new();
        let values: SmallVec<[Tensor; 8]> =
            self.weights.iter().filter(|w| w.is_trainable()).map(Parameter::value).collect();
        let outputs = graph.run(&inputs, &mut context)?;
        let compiled = self.compiled("fit")?;
        let (total, each) = total_loss(compiled, &outputs, batch, &self.weights, &mut context)?;
        let loss = step_loss(&total, &each)?;
        if !loss.total.is_finite() {
            drop(tape);
            return Err(self.not_finite(&inputs, "the loss", place));
        }
        let sources: SmallVec<[&Tensor; 8]> = values.iter().collect();
        let scaled = self.compiled("fit")?.optimizer.scale_loss(&total);
        let gradients = tape.gradient_options(&scaled, &sources)?;
        drop(sources);
        drop(values);
        // Before anything changes: a metric may refuse the batch.
        if let Some(tracker) = tracker {
            tracker.add_outputs(self.compiled("fit")?, &outputs, batch)?;
            tracker.add_loss(&loss, batch.len());
        }
        self.update_weights(gradients, &inputs, place)?;
        context.apply_updates()?;
        self.progress.step += 1;
        Ok(loss)
    }

    fn update_weights(
        &mut self,
        gradients: Vec<Option<Tensor>>,
        inputs: &[Tensor],
        place: Place,
    ) -> Result<()> {
        let trainable = self.weights.iter().filter(|w| w.is_trainable());
        let mut variables: SmallVec<[Learned<'_>; 8]> = trainable.map(Learned).collect();
        let missing = variables.iter().zip(&gradients).filter(|(_, g)| g.is_none());
        let missing: Vec<String> = missing.map(|(w, _)| format!("`{}`", w.0.path())).collect();
        if !missing.is_empty() {
            return Err(Error::NoGradient(missing));
        }
        let gradients: SmallVec<[Tensor; 8]> = gradients.into_iter().flatten().collect();
        let scaled = self.compiled("fit")?.optimizer.finds_loss_scale();
        if let Some(at) = gradients.iter().position(|g| !g.is_finite())
            && !scaled
        {
            let what = format!("the gradient of `{}`", variables[at].0.path());
            drop(variables);
            return Err(self.not_finite(inputs, &what, place));
        }
        let compiled = self.compiled.as_mut().expect("`train_step` has asked for it");
        let all = || self.weights.iter().map(Parameter::path).collect();
        compiled.optimizer.follow_among(&variables, all)?;
        compiled.optimizer.apply_followed(&mut variables, &gradients)?;
        Ok(())
    }

    /// Puts moving averages in the place of weights, if the optimizer keeps them: the end of
    /// training.
    pub(crate) fn finalize_weights(&mut self) -> Result<()> {
        let Some(compiled) = &self.compiled else { return Ok(()) };
        let trainable = self.weights.iter().filter(|w| w.is_trainable());
        let variables: Vec<Learned<'_>> = trainable.map(Learned).collect();
        Ok(compiled.optimizer.finalize(variables)?)
    }

    /// Refuses weights that a step has made infinite or NaN: nothing good can come of them.
    pub(crate) fn check_weights(&self) -> Result<()> {
        match self.weights.iter().find(|w| !w.value().is_finite()) {
            None => Ok(()),
            Some(weight) => {
                let rule = "every weight must be finite after training; try a lower learning \
                            rate or `clipnorm`";
                Err(Error::value("fit", rule, format!("NaN or infinity in `{}`", weight.path())))
            }
        }
    }

    /// Randomness of one step: it follows from the seed and the step's number alone.
    fn step_generator(&self) -> Generator {
        self.generator.split("dropout").split_index(self.progress.step)
    }

    /// Looks for where NaN or infinity first appeared.
    fn not_finite(&self, inputs: &[Tensor], what: &str, place: Place) -> Error {
        let culprit = self.culprit(inputs);
        let Place { epoch, batch } = place;
        Error::NotFinite { epoch, batch, what: what.into(), culprit }
    }

    fn culprit(&self, inputs: &[Tensor]) -> String {
        if let Some(at) = inputs.iter().position(|x| !x.is_finite()) {
            return format!("input {at} of the data");
        }
        if let Some(weight) = self.weights.iter().find(|w| !w.value().is_finite()) {
            return format!("weight `{}`", weight.path());
        }
        let dropout = self.step_generator();
        let mut context = Context::training(&dropout);
        let mut first = None;
        if let Ok(graph) = self.graph("fit") {
            let _ = graph.run_watched(inputs, &[], &mut context, |layer, outputs| {
                if first.is_none() && outputs.iter().any(|y| !y.is_finite()) {
                    first = Some(format!("the output of layer `{}`", layer.name()));
                }
            });
        }
        first.unwrap_or_else(|| "the loss or its gradient; all layers' outputs are finite".into())
    }

    /// Loss and metrics of one batch, without training.
    pub(crate) fn test_step(&self, batch: &Batch, tracker: &mut Tracker) -> Result<()> {
        let graph = self.graph("evaluate")?;
        let compiled = self.compiled("evaluate")?;
        let inputs = graph.accept("evaluate", &batch.x)?;
        let mut context = Context::inference();
        let outputs = graph.run(&inputs, &mut context)?;
        let (total, each) = total_loss(compiled, &outputs, batch, &self.weights, &mut context)?;
        context.apply_updates()?;
        tracker.add_loss(&step_loss(&total, &each)?, batch.len());
        tracker.add_outputs(compiled, &outputs, batch)
    }
}

fn step_loss(total: &Tensor, each: &[Tensor]) -> Result<StepLoss> {
    let number = |x: &Tensor| -> Result<f64> {
        Ok(match x.dtype() {
            cornu_autodiff::DType::F32 => f64::from(x.item::<f32>()?),
            _ => x.item::<f64>()?,
        })
    };
    let mut loss = StepLoss { total: number(total)?, each: SmallVec::new() };
    if each.len() > 1 {
        for x in each {
            loss.each.push(number(x)?);
        }
    }
    Ok(loss)
}
