use std::fmt;

use cornu_autodiff::{Result, Tensor};

use super::loss::{Loss, Reduction};
use super::pair::{Place, aligned};
use crate::options::Config;

type Values = dyn Fn(&Tensor, &Tensor) -> Result<Tensor> + Send + Sync;

/// A loss that is a user's own function. It cannot be saved with its model's config.
///
/// The function gets labels and predictions of one dtype and one shape, and gives one value for
/// each sample; its gradient comes from the tape.
///
/// ```
/// use cornu_models::losses::Function;
/// let quartic = Function::new("quartic", |y_true, y_pred| {
///     let error = y_true - y_pred;
///     Ok((&error * &error).square().mean(-1, false))
/// });
/// ```
pub struct Function {
    name: String,
    reduction: Reduction,
    values: Box<Values>,
}

impl Function {
    /// A loss from a function of labels and predictions.
    pub fn new(
        name: impl Into<String>,
        values: impl Fn(&Tensor, &Tensor) -> Result<Tensor> + Send + Sync + 'static,
    ) -> Function {
        let reduction = Reduction::default();
        Function { name: name.into(), reduction, values: Box::new(values) }
    }

    /// How the values become one number.
    #[must_use]
    pub fn reduction(mut self, reduction: Reduction) -> Function {
        self.reduction = reduction;
        self
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function(`{}`)", self.name)
    }
}

impl Loss for Function {
    fn name(&self) -> &str {
        &self.name
    }
    fn class_name(&self) -> &str {
        &self.name
    }
    fn config(&self) -> Config {
        Config::new()
    }
    fn reduction(&self) -> Reduction {
        self.reduction
    }
    fn call(&self, y_true: &Tensor, y_pred: &Tensor) -> Result<Tensor> {
        let (y_true, y_pred) = aligned(Place("loss", &self.name), y_true, y_pred)?;
        (self.values)(&y_true, &y_pred)
    }
}
