//! What an optimizer remembers, as Keras's files have it, which is not quite how it is kept
//! here.

use cornu_autodiff::Tensor;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::model::Model;
use crate::optimizers::{Optimizer, product_of_nadam};
use crate::step::Learned;

/// The variables of a compiled model's optimizer in Keras's order; none if it isn't compiled.
pub(super) fn variables(model: &Model) -> Result<Vec<Tensor>> {
    let Some(compiled) = &model.compiled else { return Ok(Vec::new()) };
    let mut optimizer = compiled.optimizer.clone();
    let built = !optimizer.paths().is_empty();
    if built {
        // Those of weights that are trained now, as Keras would have them.
        optimizer.follow(&learned(model))?;
    }
    let classes = optimizer.rule_classes();
    let own = |class: &&&str| ["Adafactor", "Nadam"].contains(*class);
    if let (true, Some(class)) = (classes.len() > 1, classes.iter().find(own)) {
        let rule = "Keras's files can't hold what this optimizer remembers beside others";
        return Err(Error::value("save", rule, format!("`{class}`")));
    }
    let factors = classes == ["Adafactor"];
    let nadam = classes == ["Nadam"];
    let mut out = Vec::new();
    let mut before = String::new();
    for (path, value) in optimizer.state() {
        if let Some(variable) = path.strip_suffix("velocity")
            && factors
            && before.strip_suffix('c') != Some(variable)
        {
            // A vector has two zeros where a matrix has means of its rows and columns.
            out.extend([Tensor::scalar(0i32), Tensor::scalar(0i32)]);
        }
        out.push(value);
        before = path;
    }
    if built && nadam {
        out.push(Tensor::scalar(product(&optimizer) as f32));
    }
    Ok(out)
}

fn learned(model: &Model) -> Vec<Learned<'_>> {
    model.weights.iter().filter(|w| w.is_trainable()).map(Learned).collect()
}

/// What Nadam keeps in Keras; here it follows from the number of the step.
fn product(optimizer: &Optimizer) -> f64 {
    let every = optimizer.options().gradient_accumulation_steps.unwrap_or(1);
    let config = optimizer.config();
    let inner = config.get("inner_optimizer").map(|inner| &inner["config"]["beta_1"]);
    let beta = inner.or(config.get("beta_1")).and_then(Value::as_f64).unwrap_or_default();
    product_of_nadam(beta, optimizer.iterations() / every)
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
        if optimizer.rule_classes() == ["Nadam"] {
            state.pop_if(|last| last.rank() == 0);
        }
        if optimizer.rule_classes() == ["Adafactor"] {
            // Whole numbers are its placeholders, but for counts at the beginning.
            let first = if optimizer.finds_loss_scale() { 5 } else { 1 };
            let mut at = 0;
            state.retain(|value| {
                at += 1;
                at <= first || value.rank() > 0 || value.dtype().is_float()
            });
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
