//! A layer as models hold it: named, shared, built once.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use cornu_autodiff::{DType, Spec, Tensor};
use serde_json::{Value, json};
use smallvec::SmallVec;

use crate::any_layer::{AnyLayer, Built};
use crate::builder::WeightBuilder;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Tensors};
use crate::operation::Operation;
use crate::parameter::Parameter;
use crate::registry::Reviver;
use crate::setting::{Config, Setting};
use crate::snake_case::snake_case;
use crate::symbol::{shape_text, unprobed};

/// A shared handle to a layer. Clones are the same layer, with the same weights: calling it
/// twice in a graph shares them.
#[derive(Clone)]
pub struct LayerRef(Arc<Inner>);

struct Inner {
    layer: Box<dyn AnyLayer>,
    name: OnceLock<String>,
    frozen: AtomicBool,
    built: OnceLock<State>,
}

/// What exists once the shapes of the inputs are known.
struct State {
    built: Box<dyn Built>,
    weights: Vec<Parameter>,
    dtype: DType,
    /// Shapes of the inputs the layer was built for.
    shapes: Vec<Vec<Option<usize>>>,
    /// Whether the last input is a mask.
    masked: bool,
}

impl LayerRef {
    /// A handle to a layer; [`IntoLayer`] does it for you.
    pub fn new(layer: impl AnyLayer + 'static) -> LayerRef {
        LayerRef::from_box(Box::new(layer))
    }

    fn from_box(layer: Box<dyn AnyLayer>) -> LayerRef {
        let common = layer.common();
        let name = common.name.clone().map_or_else(OnceLock::new, OnceLock::from);
        let frozen = AtomicBool::new(common.frozen);
        LayerRef(Arc::new(Inner { layer, name, frozen, built: OnceLock::new() }))
    }

    /// The layer's name. Before a model has numbered it, its class in snake case.
    pub fn name(&self) -> String {
        self.0.name.get().cloned().unwrap_or_else(|| snake_case(self.class()))
    }

    /// The name it was given by its user or a model, if it has one yet.
    pub fn given_name(&self) -> Option<&str> {
        self.0.name.get().map(String::as_str)
    }

    /// Names it, unless it has a name.
    pub fn set_name(&self, name: String) {
        let _ = self.0.name.set(name);
    }

    /// The class's name in Keras.
    pub fn class(&self) -> &str {
        self.0.layer.class()
    }

    /// The layer as what it is, if it is an `L`.
    pub fn downcast<L: 'static>(&self) -> Option<&L> {
        self.0.layer.as_any().downcast_ref()
    }

    /// The shape of a sample, where the layer was told.
    pub fn input_shape(&self) -> Option<&[Option<usize>]> {
        self.0.layer.common().input_shape.as_deref()
    }

    /// The dtype it was given, or that of its first floating-point input once it is built.
    pub fn dtype(&self) -> Option<DType> {
        self.0.built.get().map(|s| s.dtype).or(self.0.layer.common().dtype)
    }

    /// The layers inside this one, if it is a model.
    pub fn sublayers(&self) -> &[LayerRef] {
        self.0.layer.sublayers()
    }

    /// Layers that are options of this one: what a wrapper wraps. Their weights are among its
    /// own.
    pub fn parts(&self) -> Vec<LayerRef> {
        self.0.layer.parts()
    }

    /// Its weights in Keras's order; none before it is built.
    pub fn weights(&self) -> &[Parameter] {
        self.0.built.get().map_or(&[], |state| &state.weights)
    }

    /// Whether its weights exist.
    pub fn is_built(&self) -> bool {
        self.0.built.get().is_some()
    }

    /// Whether it has nothing to build, in Keras's eyes.
    pub fn is_built_at_once(&self) -> bool {
        self.0.layer.is_built_at_once()
    }

    /// Whether training changes its weights.
    pub fn is_trainable(&self) -> bool {
        !self.0.frozen.load(Ordering::Relaxed)
    }

    /// Freezes the layer and all within it, or lets it be trained again. Takes effect at once;
    /// what an optimizer remembers of its weights is kept.
    pub fn set_trainable(&self, trainable: bool) {
        self.0.frozen.store(!trainable, Ordering::Relaxed);
        self.weights().iter().for_each(|w| w.set_frozen(!trainable));
        self.sublayers().iter().for_each(|layer| layer.set_trainable(trainable));
        self.0.layer.parts().iter().for_each(|layer| layer.set_trainable(trainable));
    }

    /// How many of its outputs, from the first on, have the mask that [`call`](LayerRef::call)
    /// gives.
    pub fn masked_outputs(&self) -> usize {
        self.0.layer.masked_outputs()
    }

    /// Options that Keras takes at each call of the layer, where they ask for something: what
    /// is written with the calls of a graph.
    pub fn call_arguments(&self) -> Config {
        self.0.layer.call_arguments()
    }

    /// A call on tensors, given as JSON, as Keras's JSON of a graph says it, where that is not as
    /// for other layers.
    pub fn call_json(&self, tensors: &[Value]) -> Option<Value> {
        self.0.layer.call_json(tensors)
    }

    /// Whether it is an [`Operation`], which Keras doesn't count among a model's layers.
    pub fn is_operation(&self) -> bool {
        self.downcast::<Operation>().is_some()
    }

    /// Whether, in training too, each sample's output depends on that sample alone.
    pub fn is_per_sample(&self) -> bool {
        self.0.layer.is_per_sample()
    }

    /// What makes a layer of its class from JSON, where the class says so.
    pub(crate) fn reviver(&self) -> Option<Reviver> {
        self.0.layer.reviver()
    }

    /// Whether it isn't made of other layers.
    pub(crate) fn is_of_one_piece(&self) -> bool {
        self.sublayers().is_empty() && self.0.layer.parts().is_empty()
    }

    /// Sizes of its states, if it is the cell of a recurrent layer; otherwise none.
    pub fn state_sizes(&self) -> Vec<usize> {
        self.0.layer.state_sizes()
    }

    /// What it remembers from one call to the next: the states of a recurrent layer that is
    /// `stateful`. They are no weights; a call leaves their new values in its [`Context`].
    pub fn states(&self) -> Vec<Parameter> {
        let inner = self.sublayers().iter().flat_map(LayerRef::states);
        self.0
            .built
            .get()
            .map_or_else(Vec::new, |s| s.built.states())
            .into_iter()
            .chain(inner)
            .collect()
    }

    /// Forgets what it remembers: Keras's `reset_state`. Nothing happens to a layer without
    /// states.
    pub fn reset_state(&self) {
        self.states().iter().for_each(|state| state.update(|value| *value = value.zeros_like()));
    }

    /// Whether both are the same layer, not merely equal ones.
    pub fn is(&self, other: &LayerRef) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Makes the weights, unless they exist; a model draws their first values.
    ///
    /// # Errors
    /// When options or input shapes don't fit, naming the layer.
    pub fn build(&self, inputs: &[Spec]) -> Result<()> {
        if self.is_built() {
            return Ok(());
        }
        let own = self.0.layer.common().dtype;
        let first = inputs.iter().map(|x| x.dtype).find(|d| d.is_float());
        let dtype = own.or(first).unwrap_or_default();
        self.build_with(inputs, WeightBuilder::new(dtype))
    }

    /// As [`build`](LayerRef::build), as a part of the layer that `outer` makes weights for:
    /// it has these weights, too.
    ///
    /// # Errors
    /// As [`build`](LayerRef::build).
    pub fn build_within(&self, inputs: &[Spec], outer: &mut WeightBuilder) -> Result<()> {
        if !self.is_built() {
            let dtype = self.0.layer.common().dtype.unwrap_or(outer.dtype());
            self.build_with(inputs, outer.part(&self.name(), dtype))?;
        }
        outer.adopt(self.weights().iter().cloned());
        Ok(())
    }

    fn build_with(&self, inputs: &[Spec], mut weights: WeightBuilder) -> Result<()> {
        let dtype = weights.dtype();
        let built = self.0.layer.build(inputs, &mut weights).map_err(|e| self.named(e))?;
        let weights = weights.finish();
        if !self.is_trainable() {
            weights.iter().for_each(|w| w.set_frozen(true));
        }
        let shapes = inputs.iter().map(|x| unprobed(&x.shape)).collect();
        let masked = inputs.last().is_some_and(|x| x.dtype == DType::Bool);
        let masked = masked && self.0.layer.takes_mask();
        let _ = self.0.built.set(State { built, weights, dtype, shapes, masked });
        Ok(())
    }

    /// The outputs and, if the inputs are masked, the outputs' mask.
    ///
    /// # Errors
    /// When the layer isn't built, or can't work with the inputs; the error names the layer.
    #[inline]
    pub fn call(
        &self,
        inputs: &Inputs<'_>,
        context: &mut Context<'_>,
    ) -> Result<(Tensors, Option<Tensor>)> {
        let Some(state) = self.0.built.get() else {
            let error =
                Error::setting("layer", "it must be built before it is called", "no weights");
            return Err(self.named(error));
        };
        let cast: SmallVec<[Tensor; 2]>;
        let mut inputs = *inputs;
        let strange = |x: &Tensor| x.dtype().is_float() && x.dtype() != state.dtype;
        if !state.weights.is_empty() && inputs.tensors.iter().any(strange) {
            cast = cast_floats(inputs.tensors, state.dtype);
            inputs.tensors = &cast;
        }
        let outside = context.set_frozen(!self.is_trainable());
        let outputs = state.built.call(&inputs, context);
        context.set_frozen(outside);
        outputs.map_err(|e| self.misfit(e, &inputs, state))
    }

    /// As [`call`](LayerRef::call), with these values in place of those of its
    /// [`weights`](LayerRef::weights): Keras's `stateless_call`. Gradients flow to the values.
    ///
    /// # Errors
    /// As [`call`](LayerRef::call), and when the values are not as many as the weights or of
    /// other dtypes or shapes, or when the layer is made of other layers.
    pub fn stateless_call(
        &self,
        values: &[Tensor],
        inputs: &Inputs<'_>,
        context: &mut Context<'_>,
    ) -> Result<(Tensors, Option<Tensor>)> {
        let own = self.weights();
        if !self.is_of_one_piece() {
            let rule = "only layers that are not made of others can be called on other weights";
            return Err(self.named(Error::setting("layer", rule, self.class())));
        }
        if own.len() != values.len() {
            let rule = format!("there must be a value for each of {} weights", own.len());
            return Err(self.named(Error::setting("values", rule, values.len())));
        }
        let dtype = self.dtype().unwrap_or_default();
        let tensors = match own {
            [] => inputs.tensors.into(),
            _ => cast_floats(inputs.tensors, dtype),
        };
        let inputs = &Inputs { tensors: &tensors, ..*inputs };
        let specs: Vec<Spec> = tensors.iter().map(|x| *x.spec()).collect();
        let mut weights = WeightBuilder::new(dtype);
        let built = self.0.layer.build(&specs, &mut weights).map_err(|e| self.named(e))?;
        let weights = weights.finish();
        for (weight, value) in weights.iter().zip(values) {
            weight.set(value.clone()).map_err(|e| self.named(e))?;
        }
        let outside = context.set_frozen(!self.is_trainable());
        let outputs = built.call(inputs, context);
        context.set_frozen(outside);
        context.rename_updates(&weights, own);
        outputs.map_err(|e| self.named(e))
    }

    fn named(&self, error: Error) -> Error {
        error.in_layer(&self.name(), self.class())
    }

    /// An op's error on inputs of other shapes than the layer was built for is about that.
    fn misfit(&self, error: Error, inputs: &Inputs<'_>, state: &State) -> Error {
        let fits = |(x, shape): (&Tensor, &Vec<Option<usize>>)| {
            x.rank() == shape.len()
                && x.dims().iter().zip(shape).all(|(d, s)| s.is_none_or(|s| s == *d))
        };
        let all = inputs.tensors.len() == state.shapes.len()
            && inputs.tensors.iter().zip(&state.shapes).all(fits);
        if all || matches!(error, Error::Layer { .. }) {
            return self.named(error);
        }
        let texts: Vec<String> = state.shapes.iter().map(|s| shape_text(s)).collect();
        let shapes: Vec<_> = inputs.tensors.iter().map(Tensor::shape).collect();
        self.named(Error::input(
            format!("the layer was built for {}", texts.join(" and ")),
            &shapes,
        ))
    }

    /// The layer in Keras's JSON.
    pub fn to_json(&self) -> Value {
        if let Some(whole) = self.0.layer.envelope(&self.name()) {
            return whole;
        }
        let mut config = Config::new();
        let common = self.0.layer.common();
        config.insert("name".into(), json!(self.name()));
        config.insert("trainable".into(), json!(self.is_trainable()));
        config.insert("dtype".into(), self.dtype().unwrap_or_default().to_json());
        let settings = self.0.layer.settings();
        let written = settings.contains_key("activity_regularizer");
        if let Some(penalty) = common.activity_regularizer.as_ref().filter(|_| !written) {
            config.insert("activity_regularizer".into(), penalty.to_json());
        }
        config.extend(settings);
        for key in self.0.layer.without() {
            config.shift_remove(*key);
        }
        let mut whole = json!({
            "module": self.0.layer.module(),
            "class_name": self.class(),
            "config": config,
            "registered_name": null,
        });
        if let Some(state) = self.0.built.get()
            && !self.0.layer.is_built_at_once()
        {
            let built_for = &state.shapes[..state.shapes.len() - usize::from(state.masked)];
            let shapes: Vec<Value> = built_for.iter().map(|s| json!(s)).collect();
            whole["build_config"] = self.0.layer.build_config(&shapes);
        }
        whole
    }
}

/// Tensors with their floating-point numbers in one dtype.
fn cast_floats(tensors: &[Tensor], dtype: DType) -> SmallVec<[Tensor; 2]> {
    let strange = |x: &Tensor| x.dtype().is_float() && x.dtype() != dtype;
    tensors.iter().map(|x| if strange(x) { x.cast(dtype) } else { x.clone() }).collect()
}

impl fmt::Debug for LayerRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {:?}", self.name(), self.0.layer)
    }
}

/// What can be added to a model or called on symbols: a layer, a handle to one, a model.
pub trait IntoLayer {
    /// A handle to the layer.
    fn into_layer(self) -> LayerRef;
}
