//! A model as a layer of another. Weights are shared, not copied.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use cornu_autodiff::{Spec, Tensor};
use cornu_layers::{
    AnyLayer, Arg, Built, Common, Config, Context, Error, Inputs, IntoLayer, LayerRef, Result,
    Tensors, WeightBuilder, call, unprobed,
};
use serde_json::Value;

use crate::graph::Graph;
use crate::model::{Kind, Model};
use crate::saving::config::{is_trainable, model_json};
use crate::sequential::Sequential;

/// What of a model is needed to call it.
#[derive(Debug)]
pub(crate) struct Nested {
    pub(crate) kind: Kind,
    pub(crate) layers: Vec<LayerRef>,
    /// Known at once, or from the first input a chain is called on.
    pub(crate) graph: OnceLock<Arc<Graph>>,
    common: Common,
}

impl IntoLayer for &Model {
    fn into_layer(self) -> LayerRef {
        let graph = self.graph.clone().map_or_else(OnceLock::new, OnceLock::from);
        let name = (self.name != self.kind.default_name()).then(|| self.name.clone());
        let frozen = !is_trainable(&self.layers);
        let common = Common { name, frozen, ..Common::default() };
        LayerRef::new(Nested { kind: self.kind, layers: self.layers.clone(), graph, common })
    }
}

impl IntoLayer for Model {
    fn into_layer(self) -> LayerRef {
        (&self).into_layer()
    }
}

impl IntoLayer for &Sequential {
    fn into_layer(self) -> LayerRef {
        let model: &Model = self;
        model.into_layer()
    }
}

impl IntoLayer for Sequential {
    fn into_layer(self) -> LayerRef {
        (&self).into_layer()
    }
}

macro_rules! as_option {
    ($($Model:ty),*) => {$(
        impl Arg<LayerRef> for $Model {
            fn arg(self) -> LayerRef {
                self.into_layer()
            }
        }
    )*};
}
as_option!(Model, &Model, Sequential, &Sequential);

impl Nested {
    /// The graph of a chain that is called for the first time.
    fn chain(&self, inputs: &[Spec]) -> Result<Arc<Graph>> {
        let [x] = inputs else {
            return Err(Error::graph("sequential", "a chain takes one input", inputs.len()));
        };
        let shape = unprobed(&x.shape);
        let input = cornu_layers::Input::new(shape[1..].to_vec()).dtype(x.dtype);
        let first = input.name("input_layer").symbol();
        let mut last = vec![first.clone()];
        for layer in &self.layers {
            last = call(layer, &last)?;
        }
        let graph = Graph::new(vec![first], last);
        graph.map(Arc::new).map_err(|e| Error::graph("sequential", e.to_string(), "a chain"))
    }
}

impl AnyLayer for Nested {
    fn class(&self) -> &str {
        self.kind.class()
    }
    fn module(&self) -> &str {
        self.kind.module()
    }
    fn common(&self) -> &Common {
        &self.common
    }
    fn settings(&self) -> Config {
        Config::new()
    }
    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<Box<dyn Built>> {
        let graph = match self.graph.get() {
            Some(graph) => graph.clone(),
            None => {
                let graph = self.chain(inputs)?;
                self.graph.get_or_init(|| graph).clone()
            }
        };
        for layer in &self.layers {
            weights.adopt(layer.weights().iter().cloned());
        }
        Ok(Box::new(Inner { graph }))
    }
    fn sublayers(&self) -> &[LayerRef] {
        &self.layers
    }
    fn envelope(&self, name: &str) -> Option<Value> {
        Some(model_json(self.kind, name, &self.layers, self.graph.get().map(|g| &**g)))
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[derive(Debug)]
struct Inner {
    graph: Arc<Graph>,
}

impl Built for Inner {
    fn call(
        &self,
        inputs: &Inputs<'_>,
        context: &mut Context<'_>,
    ) -> Result<(Tensors, Option<Tensor>)> {
        let outputs = self
            .graph
            .run_watched(inputs.tensors, inputs.masks, context, |_, _| {})
            .map_err(|error| match error {
                crate::Error::Layer(error) => error,
                other => Error::graph("model", other.to_string(), "its inputs"),
            })?;
        let mask: Option<Tensor> = outputs.masks.into_iter().flatten().next();
        Ok((outputs.tensors, mask))
    }
}
