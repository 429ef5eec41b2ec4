//! What layers ask of their options and inputs.

use cornu_autodiff::{Error as TensorError, Shape, Spec};

use crate::error::{Error, Result};

/// Refuses 0.
pub(crate) fn positive(option: &str, n: usize) -> Result<()> {
    if n > 0 {
        Ok(())
    } else {
        Err(Error::setting(format!("`{option}`"), "it must be positive", n))
    }
}

/// Refuses a 0 among sizes.
pub(crate) fn all_positive(option: &str, sizes: &[usize]) -> Result<()> {
    if sizes.iter().all(|&n| n > 0) {
        return Ok(());
    }
    Err(Error::setting(format!("`{option}`"), "all must be positive", format!("{sizes:?}")))
}

/// Refuses what isn't a probability.
pub(crate) fn probability(option: &str, p: f64) -> Result<()> {
    if (0.0..=1.0).contains(&p) {
        return Ok(());
    }
    Err(Error::setting(format!("`{option}`"), "it must be in [0, 1]", p))
}

/// Refuses what isn't a probability below 1.
pub(crate) fn below_one(option: &str, p: f64) -> Result<()> {
    if (0.0..1.0).contains(&p) {
        return Ok(());
    }
    Err(Error::setting(format!("`{option}`"), "it must be in [0, 1)", p))
}

/// Refuses what isn't a positive number.
pub(crate) fn positive_number(option: &str, x: f64) -> Result<()> {
    if x > 0.0 && x.is_finite() {
        return Ok(());
    }
    Err(Error::setting(format!("`{option}`"), "it must be positive and finite", x))
}

/// The one input of a layer that takes floating-point numbers with `least` axes or more.
pub(crate) fn one_float(inputs: &[Spec], least: usize) -> Result<&Spec> {
    let x = one(inputs, least)?;
    if x.dtype.is_float() {
        return Ok(x);
    }
    Err(TensorError::dtype("input", "the layer takes floating-point numbers", &[x]).into())
}

/// The one input of a layer that takes `least` axes or more.
pub(crate) fn one(inputs: &[Spec], least: usize) -> Result<&Spec> {
    match inputs {
        [x] if x.shape.rank() >= least => Ok(x),
        _ => {
            let shapes: Vec<&Shape> = inputs.iter().map(|x| &x.shape).collect();
            let rule = if least == 0 {
                "the layer takes one input".to_owned()
            } else {
                format!("the layer takes one input of rank {least} or more")
            };
            Err(Error::input(rule, &shapes))
        }
    }
}
