//! What an optimizer changes.

use cornu_autodiff::{Result, Spec, Tensor};

/// A tensor that an optimizer may change: a model's parameter, or a name with a `&mut Tensor`.
pub trait Variable {
    /// Its name within the model, `sequential/dense/kernel`. Slots are named after it.
    fn path(&self) -> &str;

    /// Its dtype and shape.
    fn spec(&self) -> Spec;

    /// Lets `change` overwrite the value.
    ///
    /// # Errors
    /// That of `change`.
    fn update(&mut self, change: &mut dyn FnMut(&mut Tensor) -> Result<()>) -> Result<()>;

    /// Brings the value back to where it must be after a step.
    ///
    /// # Errors
    /// When the constraint does not fit the value.
    fn constrain(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Variable for (&str, &mut Tensor) {
    fn path(&self) -> &str {
        self.0
    }
    fn spec(&self) -> Spec {
        *self.1.spec()
    }
    fn update(&mut self, change: &mut dyn FnMut(&mut Tensor) -> Result<()>) -> Result<()> {
        change(self.1)
    }
}

impl<V: Variable> Variable for &mut V {
    fn path(&self) -> &str {
        (**self).path()
    }
    fn spec(&self) -> Spec {
        (**self).spec()
    }
    fn update(&mut self, change: &mut dyn FnMut(&mut Tensor) -> Result<()>) -> Result<()> {
        (**self).update(change)
    }
    fn constrain(&mut self) -> Result<()> {
        (**self).constrain()
    }
}
