//! Optimizers: how gradients change a model's variables.
//!
//! Names, defaults and numbers are Keras's. A rule is one small file; what all rules share
//! ([`Base`]) is done once, in [`Optimizer`].

mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adamax;
mod base;
mod check;
mod declare;
mod ftrl;
mod groups;
mod kept;
mod lamb;
mod lion;
mod loss_scale;
mod multi;
mod muon;
mod nadam;
mod optimizer;
mod rates;
mod rmsprop;
mod rule;
mod schedule_free_adamw;
pub mod schedules;
mod sgd;
mod state;
mod variable;

pub use adadelta::Adadelta;
pub use adafactor::Adafactor;
pub use adagrad::Adagrad;
pub use adam::{Adam, AdamW};
pub use adamax::Adamax;
pub use base::Base;
pub(crate) use declare::optimizer;
pub use ftrl::Ftrl;
pub use groups::{Group, GroupRate};
pub use lamb::Lamb;
pub use lion::Lion;
pub use loss_scale::LossScaleOptimizer;
pub use multi::MultiOptimizer;
pub use muon::Muon;
pub use nadam::Nadam;
#[cfg(feature = "keras-files")]
pub(crate) use nadam::product as product_of_nadam;
pub use optimizer::Optimizer;
pub use rmsprop::RMSprop;
pub use rule::{Rule, Step};
pub use schedule_free_adamw::ScheduleFreeAdamW;
pub use sgd::SGD;
pub use variable::Variable;

use cornu_autodiff::{Error, Result};
use serde_json::Value;

use crate::options::{Config, parse_object};

type Reader = fn(&Config) -> Result<Optimizer>;

/// Every optimizer by its class.
const OPTIMIZERS: &[(&str, Reader)] = &[
    (Adadelta::CLASS, Adadelta::read),
    (Adafactor::CLASS, Adafactor::read),
    (Adagrad::CLASS, Adagrad::read),
    (Adam::CLASS, Adam::read),
    (AdamW::CLASS, AdamW::read),
    (Adamax::CLASS, Adamax::read),
    (Ftrl::CLASS, Ftrl::read),
    (Lamb::CLASS, Lamb::read),
    (Lion::CLASS, Lion::read),
    (LossScaleOptimizer::CLASS, LossScaleOptimizer::read),
    (MultiOptimizer::CLASS, MultiOptimizer::read),
    (Muon::CLASS, Muon::read),
    (Nadam::CLASS, Nadam::read),
    (RMSprop::CLASS, RMSprop::read),
    (SGD::CLASS, SGD::read),
    (ScheduleFreeAdamW::CLASS, ScheduleFreeAdamW::read),
];

/// The names of all classes.
pub fn names() -> Vec<&'static str> {
    OPTIMIZERS.iter().map(|(class, _)| *class).collect()
}

/// The optimizer of a name, upper or lower case as in Keras: `"adam"`, `"RMSprop"`.
///
/// # Errors
/// When there is none; the error lists those that there are, nearest first.
pub fn by_name(name: &str) -> Result<Optimizer> {
    read(name, &Config::new())
}

/// An optimizer from a name, or from Keras's JSON with `class_name` and `config`.
///
/// # Errors
/// When the class is unknown, or an option is unknown or out of its range.
pub fn from_json(value: &Value) -> Result<Optimizer> {
    let (class, config) = parse_object("optimizer", value)?;
    read(class, config.unwrap_or(&Config::new()))
}

fn read(class: &str, config: &Config) -> Result<Optimizer> {
    match OPTIMIZERS.iter().find(|(known, _)| known.eq_ignore_ascii_case(class)) {
        Some((_, read)) => read(config),
        None => Err(Error::unknown("optimizer", class, &names())),
    }
}

/// What `compile` takes as an optimizer: a name, or a typed value.
pub trait IntoOptimizer {
    /// The optimizer.
    ///
    /// # Errors
    /// When the name is unknown or an option is out of its range.
    fn into_optimizer(self) -> Result<Optimizer>;
}

impl IntoOptimizer for Optimizer {
    fn into_optimizer(self) -> Result<Optimizer> {
        self.check()?;
        Ok(self)
    }
}

impl IntoOptimizer for &str {
    fn into_optimizer(self) -> Result<Optimizer> {
        by_name(self)
    }
}

impl IntoOptimizer for &String {
    fn into_optimizer(self) -> Result<Optimizer> {
        by_name(self)
    }
}
