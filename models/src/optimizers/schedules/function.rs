use std::fmt;

use super::learning_rate::LearningRateSchedule;
use crate::options::Config;

/// A schedule that is a function of the step. It cannot be saved with its optimizer's config.
///
/// ```
/// use cornu_models::optimizers::SGD;
/// use cornu_models::optimizers::schedules::Function;
/// let halved = Function::new("halved", |step| if step < 1000 { 0.1 } else { 0.05 });
/// let optimizer = SGD::new(halved);
/// ```
pub struct Function {
    name: String,
    function: Box<dyn Fn(u64) -> f64 + Send + Sync>,
}

impl Function {
    /// A schedule from a function of the step, which is counted from 0.
    pub fn new(
        name: impl Into<String>,
        function: impl Fn(u64) -> f64 + Send + Sync + 'static,
    ) -> Function {
        Function { name: name.into(), function: Box::new(function) }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function(`{}`)", self.name)
    }
}

impl LearningRateSchedule for Function {
    fn at(&self, step: u64) -> f64 {
        (self.function)(step)
    }
    fn class_name(&self) -> &str {
        &self.name
    }
    fn config(&self) -> Config {
        Config::new()
    }
}
