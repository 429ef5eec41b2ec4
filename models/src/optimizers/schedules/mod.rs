//! Learning rates as functions of the step.

mod cosine_decay;
mod cosine_decay_restarts;
mod exponential_decay;
mod function;
mod inverse_time_decay;
mod learning_rate;
mod piecewise_constant_decay;
mod polynomial_decay;

pub use cosine_decay::CosineDecay;
pub use cosine_decay_restarts::CosineDecayRestarts;
pub use exponential_decay::ExponentialDecay;
pub use function::Function;
pub use inverse_time_decay::InverseTimeDecay;
pub use learning_rate::{LearningRate, LearningRateSchedule};
pub use piecewise_constant_decay::PiecewiseConstantDecay;
pub use polynomial_decay::PolynomialDecay;

use cornu_autodiff::{Error, Result};
use serde_json::Value;

use crate::options::{Config, Options, parse_object, write_object};

/// Declares a schedule: its options, its value at a step, and the range of its options.
macro_rules! schedule {
    (
        $(#[$meta:meta])*
        pub struct $Name:ident[$class:literal] { $($options:tt)* }
        at |$this:ident, $step:ident| $value:block
        check |$that:ident| $check:expr
    ) => {
        $crate::options::options! {
            $(#[$meta])*
            pub struct $Name[$class] { $($options)* }
        }

        impl LearningRateSchedule for $Name {
            fn at(&$this, $step: u64) -> f64 $value
            fn class_name(&self) -> &str {
                $class
            }
            fn config(&self) -> $crate::options::Config {
                $crate::options::Options::write(self)
            }
            fn check(&$that) -> Result<()> {
                $check
            }
        }
    };
}
pub(crate) use schedule;

type Reader = fn(&Config) -> Result<Box<dyn LearningRateSchedule>>;

fn read<S: Options + LearningRateSchedule + 'static>(
    config: &Config,
) -> Result<Box<dyn LearningRateSchedule>> {
    let schedule = S::read(config)?;
    schedule.check()?;
    Ok(Box::new(schedule))
}

/// Every schedule by its class.
const SCHEDULES: &[(&str, Reader)] = &[
    (CosineDecay::CLASS, read::<CosineDecay>),
    (CosineDecayRestarts::CLASS, read::<CosineDecayRestarts>),
    (ExponentialDecay::CLASS, read::<ExponentialDecay>),
    (InverseTimeDecay::CLASS, read::<InverseTimeDecay>),
    (PiecewiseConstantDecay::CLASS, read::<PiecewiseConstantDecay>),
    (PolynomialDecay::CLASS, read::<PolynomialDecay>),
];

/// The names of all classes.
pub fn names() -> Vec<&'static str> {
    SCHEDULES.iter().map(|(class, _)| *class).collect()
}

/// A schedule from Keras's JSON, an object with `class_name` and `config`.
///
/// # Errors
/// When the class is unknown, or an option is missing, unknown or out of its range.
pub fn from_json(value: &Value) -> Result<Box<dyn LearningRateSchedule>> {
    let (class, config) = parse_object("learning-rate schedule", value)?;
    match SCHEDULES.iter().find(|(known, _)| *known == class) {
        Some((_, read)) => read(config.unwrap_or(&Config::new())),
        None => Err(Error::unknown("learning-rate schedule", class, &names())),
    }
}

/// A schedule as Keras writes it.
pub fn to_json(schedule: &dyn LearningRateSchedule) -> Value {
    write_object("keras.optimizers.schedules", schedule.class_name(), schedule.config())
}

/// A schedule needs at least one step.
fn positive_steps(class: &str, key: &str, steps: u64) -> Result<()> {
    if steps > 0 {
        return Ok(());
    }
    Err(Error::value(format!("schedule `{class}`: `{key}`"), "it must be above 0", "0"))
}
