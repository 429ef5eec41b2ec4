//! Keras's JSON of a model, read into plain data: everything that is wrong in it is found here,
//! all at once, before anything is built.

use std::collections::HashSet;

use cornu_layers::{Error as LayerError, LayerRef, Operation, layer_from_json};
use serde_json::{Map, Value};

use super::masks::{history, mask_calls};
use crate::error::{Error, Result};
use crate::model::Kind;

static NULL: Value = Value::Null;

/// The most models that may lie within each other.
pub(super) const DEPTH: usize = 16;

/// A model as the JSON describes it.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) kind: Kind,
    pub(super) name: Option<String>,
    pub(super) frozen: bool,
    pub(super) layers: Vec<LayerPlan>,
    pub(super) inputs: Vec<End>,
    pub(super) outputs: Vec<End>,
    /// Of a chain: the input's shape with the batch axis.
    pub(super) shape: Option<Vec<Option<usize>>>,
}

#[derive(Debug)]
pub(super) struct LayerPlan {
    pub(super) name: String,
    pub(super) body: Body,
    /// What each call of the layer reads.
    pub(super) calls: Vec<Reads>,
}

/// What one call of a layer reads.
#[derive(Debug, Default)]
pub(super) struct Reads {
    pub(super) ends: Vec<End>,
    /// Whether Keras gives it a mask, too.
    pub(super) masked: bool,
    /// Whether Keras gives it none, though its input may have one: it is given states, and then
    /// Keras must be told of the mask.
    pub(super) unmasked: bool,
}

#[derive(Debug)]
pub(super) enum Body {
    Layer(LayerRef),
    Model(Box<Plan>),
}

/// One output of one call of a layer.
#[derive(Debug)]
pub(super) struct End {
    pub(super) layer: String,
    pub(super) call: usize,
    pub(super) output: usize,
    /// Whether calls are counted as Keras 2 did: from a model's birth, which is its first.
    pub(super) from_birth: bool,
    /// As Keras computed it, if it is said.
    pub(super) shape: Option<Vec<Option<usize>>>,
}

/// Reads a model and collects what is wrong with it.
pub(super) fn plan(value: &Value) -> Result<Plan> {
    let mut reader = Reader::default();
    let plan = reader.model(value, "model", 0);
    match (plan, reader.errors.len()) {
        (Some(plan), 0) => Ok(plan),
        (_, 1) => Err(reader.errors.remove(0)),
        _ => Err(Error::Several { place: "from_json".into(), errors: reader.errors }),
    }
}

#[derive(Default)]
struct Reader<'v> {
    errors: Vec<Error>,
    /// Calls that only compute masks, in the graph that is being read.
    masks: HashSet<&'v str>,
    /// Whether Keras 2 wrote the graph that is being read.
    old: bool,
}

impl<'v> Reader<'v> {
    fn wrong<T>(&mut self, place: &str, rule: &str, got: impl ToString) -> Option<T> {
        self.errors.push(LayerError::config(place, rule, shortened(got)).into());
        None
    }

    fn model(&mut self, value: &'v Value, place: &str, depth: usize) -> Option<Plan> {
        if depth == DEPTH {
            let rule = format!("at most {DEPTH} models may lie within each other");
            return self.wrong(place, &rule, "more");
        }
        let kind = match value["class_name"].as_str() {
            Some("Sequential") => Kind::Sequential,
            Some("Functional" | "Model") => Kind::Functional,
            Some(class) => {
                let known = ["Sequential", "Functional", "Model"];
                let error = cornu_autodiff::Error::unknown("model class", class, &known);
                self.errors.push(error.into());
                return None;
            }
            None => {
                let rule = "the key `class_name` must be a string";
                return self.wrong(place, rule, value);
            }
        };
        let empty = Map::new();
        let (config, layers) = match &value["config"] {
            Value::Object(config) => (config, config.get("layers").unwrap_or(&NULL)),
            // As Keras wrote chains before 2.2.3.
            list @ Value::Array(_) if kind == Kind::Sequential => (&empty, list),
            other => return self.wrong(place, "the key `config` must be an object", other),
        };
        let name = self.optional(config, place, "name", "a string", |v| v.as_str());
        let frozen = self.optional(config, place, "trainable", "true or false", Value::as_bool);
        let place = name.map_or(place.to_owned(), |name| format!("model `{name}`"));
        let Some(layers) = layers.as_array() else {
            return self.wrong(&place, "the key `layers` must be a list", layers);
        };
        let before = self.errors.len();
        let outer = (std::mem::replace(&mut self.masks, mask_calls(layers)), self.old);
        self.old = layers.iter().any(|layer| layer["inbound_nodes"][0].is_array());
        let layers: Vec<LayerPlan> =
            layers.iter().filter_map(|layer| self.layer(layer, &place, kind, depth)).collect();
        let mut ends = |key: &str| match kind {
            Kind::Sequential => Vec::new(),
            Kind::Functional => self.ends(config.get(key), &format!("{place}: `{key}`")),
        };
        let (inputs, outputs) = (ends("input_layers"), ends("output_layers"));
        (self.masks, self.old) = outer;
        let shape = match kind {
            Kind::Sequential => self.build_shape(value, config, &place),
            Kind::Functional => None,
        };
        let name = name.map(str::to_owned);
        let frozen = frozen == Some(false);
        let plan = Plan { kind, name, frozen, layers, inputs, outputs, shape };
        (self.errors.len() == before).then_some(plan)
    }

    /// The value of a key that may be absent or null.
    fn optional<'c, T>(
        &mut self,
        config: &'c Map<String, Value>,
        place: &str,
        key: &str,
        kind: &str,
        get: impl Fn(&'c Value) -> Option<T>,
    ) -> Option<T> {
        let value = config.get(key).filter(|v| !v.is_null())?;
        let found = get(value);
        match found {
            Some(found) => Some(found),
            None => self.wrong(place, &format!("the key `{key}` must be {kind}"), value),
        }
    }

    fn build_shape(
        &mut self,
        value: &Value,
        config: &Map<String, Value>,
        place: &str,
    ) -> Option<Vec<Option<usize>>> {
        let own = config.get("build_input_shape");
        let shape = own.or_else(|| value.get("build_config")?.get("input_shape"))?;
        if shape.is_null() {
            return None;
        }
        match axes(shape).filter(|axes| !axes.is_empty()) {
            Some(axes) => Some(axes),
            None => self.wrong(place, "the key `build_input_shape` must be a shape", shape),
        }
    }

    fn layer(
        &mut self,
        value: &'v Value,
        place: &str,
        kind: Kind,
        depth: usize,
    ) -> Option<LayerPlan> {
        if value["name"].as_str().is_some_and(|name| self.masks.contains(name)) {
            return None;
        }
        let inner = value["config"]["name"].as_str();
        let name = value["name"].as_str().or(inner).unwrap_or_default().to_owned();
        let class = value["class_name"].as_str().unwrap_or_default().to_owned();
        let place = match name.is_empty() {
            true => format!("{place}: a layer without a name ({class})"),
            false => format!("layer `{name}` ({class})"),
        };
        if inner.is_some_and(|inner| inner != name) {
            let rule = "the names beside and within `config` must be equal";
            return self.wrong(&place, rule, inner.unwrap_or_default());
        }
        if kind == Kind::Functional && name.is_empty() {
            return self.wrong(&place, "the key `name` must be a string", &value["name"]);
        }
        let calls = match kind {
            Kind::Sequential => Vec::new(),
            Kind::Functional if is_operation(value) => {
                self.operands(&value["inbound_nodes"], &place)
            }
            Kind::Functional => self.calls(&value["inbound_nodes"], &place),
        };
        let read = if is_operation(value) { Operation::from_json } else { layer_from_json };
        let body = match class.as_str() {
            "Sequential" | "Functional" | "Model" => {
                Body::Model(Box::new(self.model(value, &place, depth + 1)?))
            }
            _ => match read(value) {
                Ok(layer) => Body::Layer(layer),
                Err(error) => {
                    let name = if name.is_empty() { "?" } else { &name };
                    self.errors.push(error.in_layer(name, &class).into());
                    return None;
                }
            },
        };
        Some(LayerPlan { name, body, calls })
    }

    fn calls(&mut self, nodes: &Value, place: &str) -> Vec<Reads> {
        let Some(nodes) = nodes.as_array() else {
            self.wrong::<()>(place, "the key `inbound_nodes` must be a list", nodes);
            return Vec::new();
        };
        let mut calls = Vec::new();
        for node in nodes {
            let mut reads = Reads::default();
            match node {
                // As Keras wrote them before version 3: [layer, call, output, arguments].
                Value::Array(list) => {
                    for end in list {
                        reads.ends.extend(self.end(end, place));
                        self.arguments(&end[3], place, &mut reads);
                    }
                }
                Value::Object(_) => {
                    self.tensors(&node["args"], place, &mut reads.ends);
                    self.arguments(&node["kwargs"], place, &mut reads);
                    let states = node["kwargs"].get("initial_state").is_some_and(|v| !v.is_null());
                    reads.unmasked = states && !reads.masked;
                }
                other => {
                    let rule = "an inbound node must be an object with `args` and `kwargs`";
                    self.wrong::<()>(place, rule, other);
                }
            }
            calls.push(reads);
        }
        calls
    }

    /// The tensors among the arguments of a call, however deep in lists.
    fn tensors(&mut self, value: &Value, place: &str, ends: &mut Vec<End>) {
        match value {
            Value::Null => {}
            Value::Array(list) => list.iter().for_each(|v| self.tensors(v, place, ends)),
            Value::Object(map)
                if map.get("class_name").is_some_and(|c| c == "__keras_tensor__") =>
            {
                let config = &value["config"];
                if let Some(end) = self.end(&config["keras_history"], place) {
                    ends.push(End { shape: axes(&config["shape"]), ..end });
                }
            }
            other => {
                let rule = "a layer must be called on tensors, by position";
                self.wrong::<()>(place, rule, other);
            }
        }
    }

    /// Arguments by name: tensors that Keras also takes by position, and what asks for nothing.
    fn arguments(&mut self, value: &Value, place: &str, reads: &mut Reads) {
        let ends = &mut reads.ends;
        let empty = Map::new();
        for (key, value) in value.as_object().unwrap_or(&empty) {
            match (key.as_str(), value) {
                (_, Value::Null | Value::Bool(false)) => {}
                (key, mask) if key.ends_with("mask") && self.computes_mask(mask) => {
                    reads.masked = true;
                }
                // The layer tells by its input's dtype.
                ("reverse", Value::Bool(true)) if place.ends_with("(ReversibleEmbedding)") => {}
                ("value" | "key", Value::Object(_)) => self.tensors(value, place, ends),
                ("initial_state", Value::Object(_) | Value::Array(_)) => {
                    self.tensors(value, place, ends);
                }
                ("attention_mask", Value::Object(_)) if value["config"]["dtype"] == "bool" => {
                    self.tensors(value, place, ends);
                }
                ("attention_mask", Value::Object(_)) => {
                    let rule = "`attention_mask` must be bool";
                    self.wrong::<()>(place, rule, &value["config"]["dtype"]);
                }
                // Options of the layer, which reads them itself.
                ("use_causal_mask" | "return_attention_scores", Value::Bool(true)) => {}
                _ => {
                    let rule = format!("cornu does not know the call's argument `{key}`");
                    self.wrong::<()>(place, &rule, value);
                }
            }
        }
    }

    /// What the calls of an operation read, however deep in lists; what else they are given is the
    /// operation's own.
    fn operands(&mut self, nodes: &Value, place: &str) -> Vec<Reads> {
        let mut calls = Vec::new();
        for node in nodes.as_array().into_iter().flatten() {
            let mut reads = Reads::default();
            let mut pending: Vec<&Value> = vec![&node["args"]];
            while let Some(value) = pending.pop() {
                match value {
                    Value::Array(list) => pending.extend(list.iter().rev()),
                    tensor if tensor["class_name"] == "__keras_tensor__" => {
                        self.tensors(tensor, place, &mut reads.ends);
                    }
                    _ => {}
                }
            }
            calls.push(reads);
        }
        calls
    }

    /// Whether a mask is one that layers make.
    fn computes_mask(&self, mask: &Value) -> bool {
        let by = history(mask).and_then(|call| call[0].as_str());
        by.is_some_and(|by| self.masks.contains(by))
    }

    /// `[layer, call, output]`, one or a list or an object of them.
    fn ends(&mut self, value: Option<&Value>, place: &str) -> Vec<End> {
        let value = value.unwrap_or(&Value::Null);
        let is_end = value[0].is_string() && value[1].is_number();
        match value {
            Value::Array(_) if is_end => self.end(value, place).into_iter().collect(),
            Value::Array(list) => list.iter().filter_map(|end| self.end(end, place)).collect(),
            Value::Object(map) => map.values().filter_map(|end| self.end(end, place)).collect(),
            other => {
                self.wrong::<()>(place, "it must be a list", other);
                Vec::new()
            }
        }
    }

    fn end(&mut self, value: &Value, place: &str) -> Option<End> {
        let number = |v: &Value| v.as_u64().and_then(|n| usize::try_from(n).ok());
        let found = value[0].as_str().zip(number(&value[1])).zip(number(&value[2]));
        match found {
            Some(((layer, call), output)) => {
                let from_birth = self.old;
                Some(End { layer: layer.to_owned(), call, output, from_birth, shape: None })
            }
            None => self.wrong(place, "a tensor must be named by [layer, call, output]", value),
        }
    }
}

fn is_operation(value: &Value) -> bool {
    value["module"].as_str().is_some_and(|module| module.starts_with("keras.src.ops"))
}

/// The axes of a shape, each a number or null.
fn axes(value: &Value) -> Option<Vec<Option<usize>>> {
    let axis = |v: &Value| match v {
        Value::Null => Some(None),
        v => v.as_u64().and_then(|d| usize::try_from(d).ok()).map(Some),
    };
    value.as_array()?.iter().map(axis).collect()
}

/// What was found, in a length that can be read.
fn shortened(got: impl ToString) -> String {
    let text = got.to_string();
    match text.char_indices().nth(200) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
