//! Activations of a user's own.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use cornu_autodiff::Tensor;

use crate::activation::Activation;

type Function = dyn Fn(&Tensor) -> Tensor + Send + Sync;

/// Functions that a program has registered.
static ADDED: RwLock<BTreeMap<String, Arc<Function>>> = RwLock::new(BTreeMap::new());

/// An activation of your own, and the name under which it is written and found again.
#[derive(Clone)]
pub struct ActivationFunction {
    name: Arc<str>,
    function: Arc<Function>,
}

impl ActivationFunction {
    /// The name under which it is registered.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn call(&self, x: &Tensor) -> Tensor {
        (self.function)(x)
    }

    pub(super) fn find(name: &str) -> Option<ActivationFunction> {
        let added = ADDED.read().unwrap_or_else(PoisonError::into_inner);
        let function = added.get(name)?.clone();
        Some(ActivationFunction { name: name.into(), function })
    }

    pub(super) fn names() -> Vec<String> {
        ADDED.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }
}

impl fmt::Debug for ActivationFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl PartialEq for ActivationFunction {
    /// The same function, not merely one of the same name.
    fn eq(&self, other: &ActivationFunction) -> bool {
        Arc::ptr_eq(&self.function, &other.function)
    }
}

impl Activation {
    /// Registers a function of your own, so that layers and files can name it.
    ///
    /// It is made of ops, so that gradients flow through it. A name of Keras's keeps meaning
    /// what it means in Keras.
    ///
    /// ```
    /// use cornu_autodiff::Tensor;
    /// use cornu_layers::Activation;
    /// let cube = Activation::register("cube", |x| x * x * x);
    /// assert_eq!(cube.apply(&Tensor::from([2.0]))?.to_vec::<f64>()?, [8.0]);
    /// assert_eq!(Activation::from("cube"), cube);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn register(
        name: impl Into<String>,
        function: impl Fn(&Tensor) -> Tensor + Send + Sync + 'static,
    ) -> Activation {
        let (name, function): (String, Arc<Function>) = (name.into(), Arc::new(function));
        let mut added = ADDED.write().unwrap_or_else(PoisonError::into_inner);
        added.insert(name.clone(), function.clone());
        Activation::Function(ActivationFunction { name: name.into(), function })
    }
}
