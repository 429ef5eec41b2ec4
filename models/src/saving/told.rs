//! Masks that Keras must be told of.
//!
//! A recurrent layer that is given states forgets, in Keras, the mask of its input, unless it is
//! given that, too: as the output of operations, which are written here as Keras writes them.

use cornu_layers::{Symbol, snake_case};
use serde_json::{Value, json};

use super::config::{RECURRENT, tensor_json};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::nested::Nested;

/// Layers that make a mask of their input.
const MAKING: &[&str] = &["Embedding", "Masking", "ReversibleEmbedding"];

/// The operations that compute masks in a graph.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// As layers of the graph.
    pub(super) layers: Vec<Value>,
    /// The layers' outputs whose masks they are, and the masks.
    made: Vec<(Symbol, Value)>,
}

impl Told {
    /// The mask that a call must be given by name, if it must; `taken` are names of layers.
    pub(super) fn mask(
        &mut self,
        call: &Symbol,
        calls: &[Symbol],
        taken: &[String],
    ) -> Option<Value> {
        let source = source(masked_beside_states(call)?).ok()?;
        if let Some((_, mask)) = self.made.iter().find(|(other, _)| other.is(source)) {
            return Some(mask.clone());
        }
        let (layer, x) = (&source.node().layer, &source.node().inputs[0]);
        let shape = x.shape();
        let of = tensor_json(x, calls);
        let mask = if layer.class() == "Masking" {
            let value = layer.to_json()["config"]["mask_value"].clone();
            let differs = self.add("NotEqual", json!({}), json!([of, value]), shape, taken);
            let options = json!({ "axis": -1, "keepdims": false });
            self.add("Any", options, json!([differs]), &shape[..shape.len() - 1], taken)
        } else {
            self.add("NotEqual", json!({}), json!([of, 0]), shape, taken)
        };
        self.made.push((source.clone(), mask.clone()));
        Some(mask)
    }

    /// Adds an operation, and gives its output.
    fn add(
        &mut self,
        class: &str,
        mut config: Value,
        args: Value,
        shape: &[Option<usize>],
        taken: &[String],
    ) -> Value {
        let first = snake_case(class);
        let is_free = |name: &String| {
            !taken.contains(name) && self.layers.iter().all(|own| own["name"] != **name)
        };
        let mut numbered = (1..).map(|n| format!("{first}_{n}"));
        let name = std::iter::once(first.clone()).chain(&mut numbered).find(is_free);
        let name = name.unwrap_or_default();
        config["name"] = json!(name);
        self.layers.push(json!({
            "module": "keras.src.ops.numpy",
            "class_name": class,
            "config": config,
            "registered_name": class,
            "name": name,
            "inbound_nodes": [{ "args": args, "kwargs": {} }],
        }));
        json!({
            "class_name": "__keras_tensor__",
            "config": { "shape": shape, "dtype": "bool", "keras_history": [name, 0, 0] },
        })
    }
}

/// Refuses a graph whose masks Keras can't be told of, also one within it.
pub(super) fn check_masks(graph: &Graph) -> Result<()> {
    for call in graph.calls() {
        let layer = &call.node().layer;
        if let Some(masked) = masked_beside_states(&call)
            && let Err(by) = source(masked)
        {
            let rule = "a layer that is given states can be written with a mask of one \
                        `Embedding` or `Masking` layer of the same model, which others pass on";
            let got = format!("layer `{}`, whose mask comes from layer `{by}`", layer.name());
            return Err(Error::value("to_json", rule, got));
        }
        if let Some(inner) = layer.downcast::<Nested>().and_then(|model| model.graph.get()) {
            check_masks(inner)?;
        }
    }
    Ok(())
}

/// The masked input of a call that is given states, too.
fn masked_beside_states(call: &Symbol) -> Option<&Symbol> {
    let node = call.node();
    let recurrent = RECURRENT.contains(&node.layer.class());
    let first = node.inputs.first().filter(|_| recurrent && node.inputs.len() > 1);
    first.filter(|x| x.is_masked())
}

/// The output of the layer that makes a symbol's mask, or the name of one that does what can't be
/// told.
fn source(mut x: &Symbol) -> std::result::Result<&Symbol, String> {
    while let Some(same) = x.masked_as() {
        x = same;
    }
    let layer = &x.node().layer;
    if MAKING.contains(&layer.class()) { Ok(x) } else { Err(layer.name()) }
}
