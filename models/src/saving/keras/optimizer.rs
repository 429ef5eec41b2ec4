//! What an optimizer remembers, as Keras's files have it, which is not quite how it is kept
//! here.

use cornu_autodiff::Tensor;
use cornu_layers::snake_case;
use serde_json::Value;

use super::paths::numbered;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::optimizers::{Optimizer, Rule, product_of_nadam};
use crate::step::Learned;

/// A variable of an optimizer in Keras.
enum Variable {
    /// The next of [`Optimizer::state`].
    Kept(Tensor),
    /// One that follows from others here, or that nothing reads.
    Other(Tensor),
}

/// The groups in which Keras keeps a compiled model's optimizer, with the variables of each in its
/// order; none if the model isn't compiled. An optimizer made of others has a group of all that it
/// and they remember, and each of the others has one of its own.
pub(super) fn groups(model: &Model) -> Result<Vec<(String, Vec<Tensor>)>> {
    let Some(compiled) = &model.compiled else { return Ok(Vec::new()) };
    let mut optimizer = compiled.optimizer.clone();
    if !optimizer.paths().is_empty() {
        // Those of weights that are trained now, as Keras would have them.
        optimizer.follow(&learned(model))?;
    }
    let Parts { around, each } = in_keras(&optimizer);
    let values = |variables: &[Variable]| -> Vec<Tensor> {
        let value = |variable: &Variable| match variable {
            Variable::Kept(value) | Variable::Other(value) => value.clone(),
        };
        variables.iter().map(value).collect()
    };
    let after = |skipped: usize| {
        let around = around.iter().skip(skipped).map(Vec::as_slice);
        around.chain(each.iter().map(Vec::as_slice)).flat_map(values).collect()
    };
    let mut path = String::from("optimizer");
    let mut groups = vec![(format!("{path}/vars"), after(0))];
    if optimizer.finds_loss_scale() {
        path += "/inner_optimizer";
        groups.push((format!("{path}/vars"), after(1)));
    }
    if optimizer.is_made_of_several() {
        let classes = optimizer.rules().iter().map(|rule| snake_case(rule.class_name()));
        for (name, own) in numbered(classes).into_iter().zip(&each) {
            groups.push((format!("{path}/optimizers/{name}/vars"), values(own)));
        }
    }
    Ok(groups)
}

fn learned(model: &Model) -> Vec<Learned<'_>> {
    model.weights.iter().filter(|w| w.is_trainable()).map(Learned).collect()
}

/// The variables that Keras has of an optimizer, in its order.
struct Parts {
    /// Those of each optimizer around the rules, from the outside.
    around: Vec<Vec<Variable>>,
    /// Those of each rule.
    each: Vec<Vec<Variable>>,
}

/// The variables of each begin with its iteration.
fn in_keras(optimizer: &Optimizer) -> Parts {
    let state = optimizer.state();
    let rules = optimizer.rules();
    let begins =
        |(at, (path, _)): (usize, &(String, Tensor))| path.ends_with("/iteration").then_some(at);
    let begins: Vec<usize> = state.iter().enumerate().filter_map(begins).collect();
    let ends = begins[1..].iter().copied().chain([state.len()]);
    let kept = |(_, value): &(String, Tensor)| Variable::Kept(value.clone());
    let mut spans = begins.iter().zip(ends).map(|(&begin, end)| &state[begin..end]);
    let outer = begins.len() - rules.len();
    let around = spans.by_ref().take(outer).map(|own| own.iter().map(kept).collect()).collect();
    let of_rule = |(rule, own): (&dyn Rule, &[(String, Tensor)])| {
        let mut all: Vec<Variable> = match rule.class_name() {
            "Adafactor" => with_zeros(own),
            _ => own.iter().map(kept).collect(),
        };
        // A `LossScaleOptimizer` of Keras forgets it.
        let has_product = rule.class_name() == "Nadam" && !optimizer.finds_loss_scale();
        if has_product && own.iter().any(|(path, _)| path.ends_with("velocity")) {
            let product = product(rule, optimizer.iterations());
            all.push(Variable::Other(Tensor::scalar(product as f32)));
        }
        all
    };
    Parts { around, each: rules.iter().map(|rule| &**rule).zip(spans).map(of_rule).collect() }
}

/// What Adafactor keeps: of a vector two zeros where it has means of a matrix's rows and columns.
fn with_zeros(own: &[(String, Tensor)]) -> Vec<Variable> {
    let mut all = Vec::new();
    let mut before = "";
    for (path, value) in own {
        if let Some(variable) = path.strip_suffix("velocity")
            && before.strip_suffix('c') != Some(variable)
        {
            all.extend([0, 0].map(|zero| Variable::Other(Tensor::scalar(zero))));
        }
        all.push(Variable::Kept(value.clone()));
        before = path;
    }
    all
}

/// What Nadam keeps in Keras; here it follows from the number of the step.
fn product(rule: &dyn Rule, iterations: u64) -> f64 {
    let every = rule.base().gradient_accumulation_steps.unwrap_or(1);
    let beta = rule.config().get("beta_1").and_then(Value::as_f64).unwrap_or_default();
    product_of_nadam(beta, iterations / every)
}

/// Gives the optimizer its variables, in Keras's order.
pub(super) fn restore(model: &mut Model, mut state: Vec<Tensor>) -> Result<()> {
    let Some(compiled) = &model.compiled else { return Ok(()) };
    if let Some(bad) = state.iter().position(|value| !value.is_finite()) {
        let place = format!("variable {bad} of the optimizer");
        return Err(Error::value(place, "every element must be finite", "NaN or an infinity"));
    }
    let mut optimizer = compiled.optimizer.clone();
    if state.len() > optimizer.state().len() {
        optimizer.build_some(&learned(model))?;
        let Parts { around, each } = in_keras(&optimizer);
        let all: Vec<Variable> = around.into_iter().chain(each).flatten().collect();
        if state.len() == all.len() {
            let mut all = all.iter();
            state.retain(|_| matches!(all.next(), Some(Variable::Kept(_))));
        }
    }
    for (value, (_, own)) in state.iter_mut().zip(optimizer.state()) {
        // Counts of another size, and slots of halves.
        if value.dtype().is_float() == own.dtype().is_float() && value.dtype() != own.dtype() {
            *value = value.cast(own.dtype());
        }
    }
    optimizer.set_state(&state)?;
    model.progress.step = optimizer.iterations();
    if let Some(compiled) = &mut model.compiled {
        compiled.optimizer = optimizer;
    }
    Ok(())
}
