//! Weights: tensors that training changes and layers share.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use cornu_autodiff::{Generator, Shape, Spec, Tensor};

use crate::builder::WeightOptions;
use crate::constraint::Constraint;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::regularizer::Regularizer;

/// A shared handle to a weight. Clones are the same weight.
///
/// Its [`value`](Parameter::value) is a tensor that never changes; training replaces it. So
/// `predict` may run on many threads while another holds the weight.
#[derive(Clone)]
pub struct Parameter(Arc<Inner>);

struct Inner {
    /// Within its layer: `kernel`, or `forward_layer/cell/kernel`.
    local: String,
    path: OnceLock<String>,
    spec: Spec,
    value: RwLock<Tensor>,
    initializer: Initializer,
    /// Whether training is meant to change it at all: false for moving statistics.
    trainable: bool,
    /// Set while the layer it belongs to is frozen.
    frozen: AtomicBool,
    regularizer: Option<Regularizer>,
    constraint: Option<Constraint>,
}

impl Parameter {
    /// A weight without a value yet; `local` names it within its layer.
    pub fn new(
        local: impl Into<String>,
        spec: Spec,
        initializer: Initializer,
        options: WeightOptions,
    ) -> Parameter {
        let WeightOptions { regularizer, constraint, statistic } = options;
        Parameter(Arc::new(Inner {
            local: local.into(),
            path: OnceLock::new(),
            spec,
            value: RwLock::new(Tensor::symbolic(spec)),
            initializer,
            trainable: !statistic,
            frozen: AtomicBool::new(false),
            regularizer,
            constraint,
        }))
    }

    /// Its own name, as in Keras: `kernel`, `bias`, …
    pub fn name(&self) -> &str {
        self.0.local.rsplit('/').next().unwrap_or(&self.0.local)
    }

    /// Its name within the layer: `kernel`, or `forward_layer/cell/kernel` in a part of a part.
    pub fn local_path(&self) -> &str {
        &self.0.local
    }

    /// Its name within the model, as in Keras: `sequential/dense/kernel`.
    pub fn path(&self) -> &str {
        self.0.path.get().unwrap_or(&self.0.local)
    }

    /// Names it within its model. The first model that it becomes part of decides.
    pub fn set_path(&self, path: String) {
        let _ = self.0.path.set(path);
    }

    /// Its shape, which never changes.
    pub fn shape(&self) -> &Shape {
        &self.0.spec.shape
    }

    /// Its dtype and shape, which never change.
    pub fn spec(&self) -> &Spec {
        &self.0.spec
    }

    /// Whether it has a value.
    pub fn is_initialized(&self) -> bool {
        !self.value().is_symbolic()
    }

    /// Draws its first value.
    ///
    /// # Errors
    /// When the initializer can't make this shape.
    pub fn initialize(&self, generator: &Generator) -> Result<()> {
        let Spec { dtype, shape } = self.0.spec;
        let value = self.0.initializer.sample(&shape, dtype, generator).map_err(|e| {
            Error::setting(format!("first value of `{}`", self.path()), e.to_string(), shape)
        })?;
        self.set(value)
    }

    /// Its present value.
    #[inline]
    pub fn value(&self) -> Tensor {
        self.0.value.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces its value.
    ///
    /// # Errors
    /// When dtype or shape differ.
    pub fn set(&self, value: Tensor) -> Result<()> {
        if value.spec() != self.spec() {
            let rule = format!("its dtype and shape are {:?}", self.spec());
            let got = format!("{:?}", value.spec());
            return Err(Error::setting(format!("weight `{}`", self.path()), rule, got));
        }
        self.update(|place| *place = value);
        Ok(())
    }

    /// Lets `change` replace or overwrite the value while nobody reads it.
    pub fn update<R>(&self, change: impl FnOnce(&mut Tensor) -> R) -> R {
        change(&mut self.0.value.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether training changes it now: it is meant to, and its layer isn't frozen.
    pub fn is_trainable(&self) -> bool {
        self.0.trainable && !self.0.frozen.load(Ordering::Relaxed)
    }

    /// Whether training would change it if its layer weren't frozen: false for statistics.
    pub fn is_learned(&self) -> bool {
        self.0.trainable
    }

    /// Freezes it or lets it be trained again.
    pub fn set_frozen(&self, frozen: bool) {
        self.0.frozen.store(frozen, Ordering::Relaxed);
    }

    /// The penalty on it, if any.
    pub fn regularizer(&self) -> Option<&Regularizer> {
        self.0.regularizer.as_ref()
    }

    /// What its value is brought back to after a step, if anything.
    pub fn constraint(&self) -> Option<&Constraint> {
        self.0.constraint.as_ref()
    }

    /// Number of elements.
    pub fn size(&self) -> usize {
        self.0.spec.shape.size()
    }

    /// Whether both are the same weight, not merely equal ones.
    pub fn is(&self, other: &Parameter) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parameter(`{}`, {})", self.path(), self.shape())
    }
}
