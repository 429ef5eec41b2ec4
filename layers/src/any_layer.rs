//! Layers without their types.

use std::any::Any;
use std::fmt::Debug;

use cornu_autodiff::{Spec, Tensor};
use serde_json::Value;

use crate::builder::WeightBuilder;
use crate::context::Context;
use crate::error::Result;
use crate::handle::LayerRef;
use crate::layer::{Inputs, Layer, Tensors, input_shapes};
use crate::parameter::Parameter;
use crate::registry::Reviver;
use crate::setting::{Common, Config, Configured, check_setting};

/// A layer together with its weights: what [`AnyLayer::build`] makes.
pub trait Built: Debug + Send + Sync {
    /// The outputs and, if the inputs are masked, the outputs' mask.
    ///
    /// # Errors
    /// When the inputs are not what the layer can work with, or it can't obey the mask.
    fn call(
        &self,
        inputs: &Inputs<'_>,
        context: &mut Context<'_>,
    ) -> Result<(Tensors, Option<Tensor>)>;

    /// What the layer remembers from one call to the next.
    fn states(&self) -> Vec<Parameter> {
        Vec::new()
    }
}

#[derive(Debug)]
struct BuiltLayer<L: Layer> {
    layer: L,
    weights: L::Weights,
}

impl<L: Layer> Built for BuiltLayer<L> {
    #[inline]
    fn call(
        &self,
        inputs: &Inputs<'_>,
        context: &mut Context<'_>,
    ) -> Result<(Tensors, Option<Tensor>)> {
        let (outputs, mask) = self.layer.call_with_mask(&self.weights, inputs, context)?;
        if !L::PENALIZES_ITSELF {
            penalize(Configured::common(&self.layer), &outputs, context)?;
        }
        Ok((outputs, mask))
    }

    fn states(&self) -> Vec<Parameter> {
        self.layer.states(&self.weights)
    }
}

/// A layer without its type. Every [`Layer`] is one; so is a whole model, when it is used as a
/// layer of another.
pub trait AnyLayer: Debug + Send + Sync {
    /// The class's name in Keras.
    fn class(&self) -> &str;
    /// The Python module that Keras names in the JSON.
    fn module(&self) -> &str;
    /// Name, trainable flag, dtype and input shape.
    fn common(&self) -> &Common;
    /// The layer's own options as Keras writes them.
    fn settings(&self) -> Config;
    /// Keys of every layer's config that this class hasn't.
    fn without(&self) -> &[&str] {
        &[]
    }
    /// Checks the options and makes the weights.
    ///
    /// # Errors
    /// As [`Layer::build`].
    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<Box<dyn Built>>;
    /// The layers inside this one, if it is made of layers.
    fn sublayers(&self) -> &[LayerRef] {
        &[]
    }
    /// Layers that are options of this one, as [`Layer::parts`].
    fn parts(&self) -> Vec<LayerRef> {
        Vec::new()
    }
    /// Sizes of the states, if the layer is a cell, as [`Layer::state_sizes`].
    fn state_sizes(&self) -> Vec<usize> {
        Vec::new()
    }
    /// Options that Keras takes at each call, where they ask for something.
    fn call_arguments(&self) -> Config {
        Config::new()
    }
    /// Whether a bool input behind the others is a mask, which Keras builds nothing for.
    fn takes_mask(&self) -> bool {
        false
    }
    /// Whether, in training too, each sample's output depends on that sample alone.
    fn is_per_sample(&self) -> bool {
        are_per_sample(self.sublayers())
    }
    /// How many of the outputs have the mask, as [`Layer::masked_outputs`].
    fn masked_outputs(&self) -> usize {
        usize::MAX
    }
    /// What Keras writes of the shapes that the layer was built for.
    fn build_config(&self, shapes: &[Value]) -> Value {
        input_shapes(shapes)
    }
    /// The whole layer, under this name, as JSON, where that is more than class and config.
    fn envelope(&self, _name: &str) -> Option<Value> {
        None
    }
    /// A call on these tensors as Keras's JSON of a graph says it, where that is not as for other
    /// layers.
    fn call_json(&self, _tensors: &[Value]) -> Option<Value> {
        None
    }
    /// What makes a layer of this class from JSON, as [`Layer::REVIVER`].
    fn reviver(&self) -> Option<Reviver> {
        None
    }
    /// Whether Keras takes the layer for built from its beginning.
    fn is_built_at_once(&self) -> bool {
        false
    }
    /// The layer as what it is.
    fn as_any(&self) -> &dyn Any;
}

// What doesn't depend on a layer's type is done in functions that are compiled once.

/// Adds the penalty on the outputs to the loss.
fn penalize(common: &Common, outputs: &[Tensor], context: &mut Context<'_>) -> Result<()> {
    let Some(regularizer) = &common.activity_regularizer else { return Ok(()) };
    for output in outputs {
        // A batch without samples has no penalty, and mustn't be divided by.
        let samples = output.shape().first().copied().unwrap_or(1).max(1);
        context.add_loss(regularizer.penalty(output)? * (1.0 / samples as f64));
    }
    Ok(())
}

/// Takes out what Keras gives at each call.
fn remove(config: &mut Config, call_arguments: &[&str]) {
    for key in call_arguments {
        config.shift_remove(*key);
    }
}

/// Of what Keras gives at each call, that which asks for something.
fn asked(config: Config, call_arguments: &[&str]) -> Config {
    let asks = |(key, value): &(String, Value)| {
        call_arguments.contains(&key.as_str()) && *value != Value::Bool(false)
    };
    config.into_iter().filter(asks).collect()
}

fn are_per_sample(layers: &[LayerRef]) -> bool {
    layers.iter().all(LayerRef::is_per_sample)
}

/// Adds the keys that have one meaning here.
fn write_fixed(config: &mut Config, fixed: &[(&str, &str)]) {
    for (key, value) in fixed {
        config.insert((*key).to_owned(), value.parse().expect("`FIXED` holds JSON"));
    }
}

impl<L: Layer> AnyLayer for L {
    fn class(&self) -> &str {
        L::CLASS
    }
    fn module(&self) -> &str {
        L::MODULE
    }
    fn common(&self) -> &Common {
        Configured::common(self)
    }
    fn settings(&self) -> Config {
        let mut config = Configured::settings(self);
        remove(&mut config, L::CALL_ARGUMENTS);
        self.write_settings(&mut config);
        write_fixed(&mut config, Self::FIXED);
        config
    }
    fn without(&self) -> &[&str] {
        L::WITHOUT
    }
    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<Box<dyn Built>> {
        self.check_settings()?;
        check_setting("activity_regularizer", &Configured::common(self).activity_regularizer)?;
        let weights = Layer::build(self, inputs, weights)?;
        Ok(Box::new(BuiltLayer { layer: self.clone(), weights }))
    }
    fn parts(&self) -> Vec<LayerRef> {
        Layer::parts(self)
    }
    fn state_sizes(&self) -> Vec<usize> {
        Layer::state_sizes(self)
    }
    fn takes_mask(&self) -> bool {
        L::MASK_INPUT
    }
    fn call_arguments(&self) -> Config {
        asked(Configured::settings(self), L::CALL_ARGUMENTS)
    }
    fn is_per_sample(&self) -> bool {
        L::PER_SAMPLE && are_per_sample(&Layer::parts(self))
    }
    fn masked_outputs(&self) -> usize {
        Layer::masked_outputs(self)
    }
    fn build_config(&self, shapes: &[Value]) -> Value {
        L::build_config(shapes)
    }
    fn reviver(&self) -> Option<Reviver> {
        L::REVIVER
    }
    fn is_built_at_once(&self) -> bool {
        L::BUILT_AT_ONCE
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}
