//! What an optimizer remembers, as Keras's files have it, which is not quite how it is kept
//! here.

use cornu_autodiff::Tensor;
use serde_json::Value;

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

/// The variables of a compiled model's optimizer in Keras's order; none if it isn't compiled.
pub(super) fn variables(model: &Model) -> Result<Vec<Tensor>> {
    let Some(compiled) = &model.compiled else { return Ok(Vec::new()) };
    let mut optimizer = compiled.optimizer.clone();
    if !optimizer.paths().is_empty() {
        // Those of weights that are trained now, as Keras would have them.
        optimizer.follow(&learned(model))?;
    }
    let value = |variable| match variable {
        Variable::Kept(value) | Variable::Other(value) => value,
    };
    Ok(in_keras(&optimizer).into_iter().map(value).collect())
}

fn learned(model: &Model) -> Vec<Learned<'_>> {
    model.weights.iter().filter(|w| w.is_trainable()).map(Learned).collect()
}

/// The variables that Keras has of an optimizer, in its order: those of each rule begin with its
/// iteration, after those of the optimizer around it.
fn in_keras(optimizer: &Optimizer) -> Vec<Variable> {
    let state = optimizer.state();
    let rules = optimizer.rules();
    let begins =
        |(at, (path, _)): (usize, &(String, Tensor))| path.ends_with("/iteration").then_some(at);
    let begins: Vec<usize> = state.iter().enumerate().filter_map(begins).collect();
    let begins = &begins[begins.len() - rules.len()..];
    let kept = |(_, value): &(String, Tensor)| Variable::Kept(value.clone());
    let mut all: Vec<Variable> = state[..begins[0]].iter().map(kept).collect();
    let ends = begins[1..].iter().copied().chain([state.len()]);
    for ((rule, &begin), end) in rules.iter().zip(begins).zip(ends) {
        let own = &state[begin..end];
        match rule.class_name() {
            "Adafactor" => all.extend(with_zeros(own)),
            _ => all.extend(own.iter().map(kept)),
        }
        // A `LossScaleOptimizer` of Keras forgets it.
        let has_product = rule.class_name() == "Nadam" && !optimizer.finds_loss_scale();
        if has_product && own.iter().any(|(path, _)| path.ends_with("velocity")) {
            let product = product(&**rule, optimizer.iterations());
            all.push(Variable::Other(Tensor::scalar(product as f32)));
        }
    }
    all
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
        let all = in_keras(&optimizer);
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
