//! Making weights.

use cornu_autodiff::{DType, Shape, Spec};

use crate::constraint::Constraint;
use crate::error::Result;
use crate::initializer::Initializer;
use crate::parameter::Parameter;
use crate::regularizer::Regularizer;

/// Makes a layer's weights, in the order in which Keras lists them.
///
/// Weights are made without values; a model draws them, from its own seed, once it is complete.
#[derive(Debug)]
pub struct WeightBuilder {
    dtype: DType,
    /// Part of the layer that weights are being made for, with a slash behind it.
    part: String,
    made: Vec<Parameter>,
    /// Weights of layers within this one.
    inner: Vec<Parameter>,
}

/// What a weight has besides its shape and first value.
#[derive(Clone, Debug, Default)]
pub struct WeightOptions {
    /// Penalty added to the loss.
    pub regularizer: Option<Regularizer>,
    /// What the value is brought back to after each step.
    pub constraint: Option<Constraint>,
    /// Set for statistics, which training doesn't learn.
    pub statistic: bool,
}

impl WeightOptions {
    /// Of a weight that is learned.
    pub fn learned(
        regularizer: &Option<Regularizer>,
        constraint: &Option<Constraint>,
    ) -> WeightOptions {
        WeightOptions {
            regularizer: regularizer.clone(),
            constraint: constraint.clone(),
            statistic: false,
        }
    }

    /// Of a weight that isn't learned: a moving mean, say.
    pub fn statistic() -> WeightOptions {
        WeightOptions { statistic: true, ..WeightOptions::default() }
    }
}

impl WeightBuilder {
    /// A builder of weights of one dtype.
    pub fn new(dtype: DType) -> WeightBuilder {
        WeightBuilder { dtype, part: String::new(), made: Vec::new(), inner: Vec::new() }
    }

    /// The dtype of weights.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// A weight that is learned.
    ///
    /// # Errors
    /// When there are more axes than a tensor can have.
    pub fn add(
        &mut self,
        name: &str,
        shape: &[usize],
        initializer: &Initializer,
    ) -> Result<Parameter> {
        self.add_with(name, shape, initializer, WeightOptions::default())
    }

    /// A weight with a penalty, a constraint, or that isn't learned.
    ///
    /// # Errors
    /// As [`add`](WeightBuilder::add).
    pub fn add_with(
        &mut self,
        name: &str,
        shape: &[usize],
        initializer: &Initializer,
        options: WeightOptions,
    ) -> Result<Parameter> {
        let shape = Shape::new(shape)?;
        let spec = Spec::new(self.dtype, shape);
        let local = format!("{}{name}", self.part);
        let parameter = Parameter::new(local, spec, initializer.clone(), options);
        self.made.push(parameter.clone());
        Ok(parameter)
    }

    /// A whole number that training doesn't learn, 0 at first; Keras's dtype for it is int32.
    ///
    /// # Errors
    /// As [`add`](WeightBuilder::add).
    pub fn add_counter(&mut self, name: &str) -> Result<Parameter> {
        let spec = Spec::new(DType::I32, Shape::new(&[])?);
        let local = format!("{}{name}", self.part);
        let options = WeightOptions::statistic();
        let parameter = Parameter::new(local, spec, Initializer::Zeros, options);
        self.made.push(parameter.clone());
        Ok(parameter)
    }

    /// Takes in weights that exist already: those of a layer within this one, in its order.
    pub fn adopt(&mut self, weights: impl IntoIterator<Item = Parameter>) {
        self.inner.extend(weights);
    }

    /// Lists a weight of a layer within this one among the layer's own, where Keras does so.
    pub(crate) fn share(&mut self, weight: &Parameter) {
        self.made.push(weight.clone());
    }

    /// A builder of weights that are named `part/name`, for a layer within this one. What it
    /// has made is to be [adopted](WeightBuilder::adopt).
    pub(crate) fn part(&self, part: &str, dtype: DType) -> WeightBuilder {
        let mut inner = WeightBuilder::new(dtype);
        inner.part = format!("{}{part}/", self.part);
        inner
    }

    /// Runs `f` for a part of the layer whose weights are named `part/name`.
    ///
    /// # Errors
    /// Those of `f`.
    pub fn within<R>(
        &mut self,
        part: &str,
        f: impl FnOnce(&mut WeightBuilder) -> Result<R>,
    ) -> Result<R> {
        let mut inner = self.part(part, self.dtype);
        let result = f(&mut inner)?;
        self.adopt(inner.finish());
        Ok(result)
    }

    /// The weights made so far as Keras orders them: learned ones first, then statistics, then
    /// those of layers within the layer.
    pub(crate) fn finish(self) -> Vec<Parameter> {
        let (learned, statistics): (Vec<_>, Vec<_>) =
            self.made.into_iter().partition(Parameter::is_learned);
        let own: Vec<Parameter> = learned.into_iter().chain(statistics).collect();
        let shared = |weight: &Parameter| own.iter().any(|other| other.is(weight));
        let inner: Vec<Parameter> = self.inner.into_iter().filter(|w| !shared(w)).collect();
        own.into_iter().chain(inner).collect()
    }
}
