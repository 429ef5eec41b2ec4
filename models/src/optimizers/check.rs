//! Ranges of options.

use cornu_autodiff::{Error, Result};

/// Each option must be in `0..1`.
pub(super) fn below_one(class: &str, options: &[(&str, f64)]) -> Result<()> {
    all(class, options, "it must be in 0..1", |v| (0.0..1.0).contains(&v))
}

/// Each option must be in `0..=1`.
pub(super) fn at_most_one(class: &str, options: &[(&str, f64)]) -> Result<()> {
    all(class, options, "it must be in 0..=1", |v| (0.0..=1.0).contains(&v))
}

/// No option may be negative.
pub(super) fn not_negative(class: &str, options: &[(&str, f64)]) -> Result<()> {
    all(class, options, "it must not be negative", |v| v >= 0.0)
}

/// Each option must be above 0.
pub(super) fn positive(class: &str, options: &[(&str, f64)]) -> Result<()> {
    all(class, options, "it must be above 0", |v| v > 0.0)
}

/// Each option must be a finite number.
pub(super) fn finite(class: &str, options: &[(&str, f64)]) -> Result<()> {
    all(class, options, "it must be finite", f64::is_finite)
}

/// The first option that is not `good` is an error; NaN must not be good.
fn all(class: &str, options: &[(&str, f64)], rule: &str, good: impl Fn(f64) -> bool) -> Result<()> {
    match options.iter().find(|(_, value)| !good(*value)) {
        None => Ok(()),
        Some((key, value)) => {
            Err(Error::value(format!("optimizer `{class}`: `{key}`"), rule, value.to_string()))
        }
    }
}
