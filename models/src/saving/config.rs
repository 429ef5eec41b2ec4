//! A model's structure in Keras's own JSON.

use cornu_autodiff::DType;
use cornu_layers::{LayerRef, Setting, Symbol};
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::model::{Kind, Model};
use crate::saving::json;
use crate::saving::told::{Told, check_masks};
use crate::summary::call_index;

impl Model {
    /// The structure, without weights, in Keras's own JSON; if the model is compiled, with
    /// optimizer, losses and metrics. [`from_json`](Model::from_json) and Keras read it.
    ///
    /// Where a layer obeys a mask, Keras also writes how the mask is computed; here and there
    /// it is computed anew when the model is made, so it is left out. But of a recurrent layer
    /// that is given states it is written, as Keras forgets it there unless it is told.
    ///
    /// ```
    /// use cornu_layers::{Dense, LayerOptions};
    /// use cornu_models::{Model, Sequential};
    /// let model = Sequential::new().with(Dense::new(3).input_dim(2))?;
    /// let again = Model::from_json(&model.to_json()?)?;
    /// assert_eq!(again.layers()[0].name(), "dense");
    /// # Ok::<(), cornu_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// When an input of the model is the output of a layer that is not part of it, or a layer that
    /// is given states obeys a mask other than that of one `Embedding` or `Masking` layer.
    pub fn to_json(&self) -> Result<String> {
        Ok(json::write(&self.json_value()?))
    }

    pub(crate) fn json_value(&self) -> Result<Value> {
        for input in self.graph.iter().flat_map(|graph| &graph.inputs) {
            let node = input.node();
            if !node.inputs.is_empty() {
                let rule = "every input of the model must be an `Input`";
                let got = format!("the output of layer `{}`", node.layer.name());
                return Err(Error::value("to_json", rule, got));
            }
        }
        self.graph.as_deref().map_or(Ok(()), check_masks)?;
        let mut whole = model_json(self.kind, &self.name, &self.layers, self.graph.as_deref());
        if let Some(compiled) = &self.compiled {
            whole["compile_config"] = compiled.to_json();
        }
        Ok(whole)
    }
}

/// Whether a model of these layers is trainable: freezing it freezes them all, and that is how
/// it is known.
pub(crate) fn is_trainable(layers: &[LayerRef]) -> bool {
    let mut own = layers.iter().filter(|layer| layer.class() != "InputLayer").peekable();
    own.peek().is_none() || own.any(LayerRef::is_trainable)
}

/// A model in Keras's JSON, not compiled: also one that is a layer of another.
pub(crate) fn model_json(
    kind: Kind,
    name: &str,
    layers: &[LayerRef],
    graph: Option<&Graph>,
) -> Value {
    let (mut config, registered, build) = match kind {
        Kind::Sequential => chain_config(layers, graph),
        Kind::Functional => graph_config(layers, graph),
    };
    let mut all = Map::new();
    all.insert("name".into(), json!(name));
    all.insert("trainable".into(), json!(is_trainable(layers)));
    all.append(&mut config);
    let mut whole = json!({
        "module": kind.module(),
        "class_name": kind.class(),
        "config": all,
        "registered_name": registered,
    });
    if let Some(build) = build {
        whole["build_config"] = json!({ "input_shape": build });
    }
    whole["compile_config"] = json!({});
    whole
}

/// Config, registered name and build shape.
type Parts = (Map<String, Value>, Value, Option<Value>);

fn chain_config(layers: &[LayerRef], graph: Option<&Graph>) -> Parts {
    let mut config = Map::new();
    let dtype = layers.iter().find_map(LayerRef::dtype).unwrap_or(DType::F32);
    config.insert("dtype".into(), dtype.to_json());
    let input = graph.map(|graph| &graph.inputs[0]);
    let first = input.map(input_json);
    let all: Vec<Value> = first.into_iter().chain(layers.iter().map(LayerRef::to_json)).collect();
    config.insert("layers".into(), json!(all));
    let shape = input.map(|x| json!(x.shape()));
    if let Some(shape) = &shape {
        config.insert("build_input_shape".into(), shape.clone());
    }
    (config, Value::Null, shape)
}

fn graph_config(layers: &[LayerRef], graph: Option<&Graph>) -> Parts {
    let mut config = Map::new();
    if let Some(graph) = graph {
        let calls = graph.calls();
        let names: Vec<String> = layers.iter().map(LayerRef::name).collect();
        let mut told = Told::default();
        let layer = |layer: &LayerRef| {
            let input = graph.inputs.iter().find(|x| x.node().layer.is(layer));
            let mut whole = input.map_or_else(|| layer.to_json(), input_json);
            let own = calls.iter().filter(|call| call.node().layer.is(layer));
            let node = |call| {
                let mut node = node_json(call, &calls);
                if let Some(mask) = told.mask(call, &calls, &names) {
                    node["kwargs"]["mask"] = mask;
                }
                node
            };
            let nodes: Vec<Value> = own.map(node).collect();
            whole["name"] = json!(layer.name());
            whole["inbound_nodes"] = json!(nodes);
            whole
        };
        let mut written: Vec<Value> = layers.iter().map(layer).collect();
        written.append(&mut told.layers);
        config.insert("layers".into(), json!(written));
        config.insert("input_layers".into(), ends(&graph.inputs, &calls));
        config.insert("output_layers".into(), ends(&graph.outputs, &calls));
    }
    (config, json!("Functional"), Some(Value::Null))
}

/// An input, with the dtype that it has in the model if it was given none.
fn input_json(input: &Symbol) -> Value {
    let mut whole = input.node().layer.to_json();
    whole["config"]["dtype"] = json!(input.dtype().name());
    whole
}

/// `[layer, call, output]`, or a list of these if there are several.
fn ends(symbols: &[Symbol], calls: &[Symbol]) -> Value {
    let end = |x: &Symbol| {
        let layer = &x.node().layer;
        // Keras counts a call that a functional model is born with, here and only here.
        let born = usize::from(layer.class() == Kind::Functional.class());
        json!([layer.name(), call_index(calls, x) + born, x.output()])
    };
    match symbols {
        [one] => end(one),
        several => several.iter().map(end).collect(),
    }
}

/// One call of a layer.
fn node_json(call: &Symbol, calls: &[Symbol]) -> Value {
    let node = call.node();
    let mut tensors: Vec<Value> = node.inputs.iter().map(|x| tensor_json(x, calls)).collect();
    if let Some(call) = node.layer.call_json(&tensors) {
        return call;
    }
    let class = node.layer.class();
    let mut kwargs = Map::new();
    if class == "ReversibleEmbedding" && node.inputs[0].dtype().is_float() {
        kwargs.insert("reverse".into(), json!(true));
    }
    if RECURRENT.contains(&class) && tensors.len() > 1 {
        kwargs.insert("initial_state".into(), tensors.split_off(1).into());
        return json!({ "args": tensors, "kwargs": kwargs });
    }
    if POSITIONAL.contains(&class)
        && let Some(mask) = tensors.pop_if(|x| x["config"]["dtype"] == "bool")
    {
        kwargs.insert("attention_mask".into(), mask);
    }
    let args = match tensors.len() {
        1 => json!(tensors),
        _ if POSITIONAL.contains(&class) => json!(tensors),
        _ => json!([tensors]),
    };
    if TRAINING.contains(&class) {
        kwargs.insert("training".into(), json!(false));
    }
    if MASK.contains(&class) {
        kwargs.insert("mask".into(), Value::Null);
    }
    kwargs.extend(node.layer.call_arguments());
    json!({ "args": args, "kwargs": kwargs })
}

pub(super) fn tensor_json(x: &Symbol, calls: &[Symbol]) -> Value {
    json!({
        "class_name": "__keras_tensor__",
        "config": {
            "shape": x.shape(),
            "dtype": x.dtype().name(),
            "keras_history": [x.node().layer.name(), call_index(calls, x), x.output()],
        },
    })
}

/// Layers that in Keras take initial states by name.
pub(super) const RECURRENT: &[&str] =
    &["Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "GRU", "LSTM", "RNN", "SimpleRNN"];

/// Layers whose `call` in Keras takes its tensors one by one; others take a list.
const POSITIONAL: &[&str] = &["MultiHeadAttention", "GroupQueryAttention"];

/// Layers whose `call` in Keras has the argument `training` at false, and so writes it.
const TRAINING: &[&str] = &[
    "AlphaDropout",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "Dropout",
    "GRU",
    "GaussianDropout",
    "GaussianNoise",
    "LSTM",
    "RNN",
    "SimpleRNN",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
];

/// Layers whose `call` in Keras has the argument `mask` for one input, and so writes it.
const MASK: &[&str] = &[
    "BatchNormalization",
    "Bidirectional",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "Functional",
    "GRU",
    "GlobalAveragePooling1D",
    "LSTM",
    "RNN",
    "Sequential",
    "SimpleRNN",
    "Softmax",
    "TimeDistributed",
];
