//! Where Keras keeps a model's variables in its files of weights.
//!
//! Every object has a group; its own variables are arrays `vars/0`, `vars/1`, … in it, learned
//! ones first. Layers within a model lie in `layers` and layers within a layer under the name of
//! the attribute that holds them. In a list they are named after their classes, the second of a
//! class with `_1` behind it.

use std::collections::HashMap;

use cornu_layers::{LayerRef, Parameter, snake_case};

use crate::model::Model;

/// The groups and variables of a model.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Each `…/vars`, also where it stays empty.
    pub(super) groups: Vec<String>,
    /// Each weight once.
    pub(super) variables: Vec<Place>,
    visited: Vec<LayerRef>,
}

/// A weight and where it lies.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) weight: Parameter,
}

impl Places {
    /// Those of a model.
    pub(super) fn of(model: &Model) -> Places {
        let mut places = Places::default();
        places.groups.push("vars".into());
        places.list("layers", &model.layers, "");
        places
    }

    /// Layers in a list.
    fn list(&mut self, container: &str, layers: &[LayerRef], named: &str) {
        let layers: Vec<&LayerRef> = layers.iter().filter(|layer| !layer.is_operation()).collect();
        let classes = layers.iter().map(|layer| snake_case(layer.class()));
        for (layer, key) in layers.iter().zip(numbered(classes)) {
            self.layer(layer, &format!("{container}/{key}"), named);
        }
    }

    /// A layer at `path`. Names of its weights begin with `named` if it is a part of another.
    fn layer(&mut self, layer: &LayerRef, path: &str, named: &str) {
        if self.visited.iter().any(|seen| seen.is(layer)) {
            return;
        }
        self.visited.push(layer.clone());
        self.groups.push(format!("{path}/vars"));
        if !layer.sublayers().is_empty() {
            self.list(&format!("{path}/layers"), layer.sublayers(), "");
            return;
        }
        let parts = layer.parts();
        let of_part = |w: &Parameter| parts.iter().any(|p| p.weights().iter().any(|own| own.is(w)));
        let mut counts: HashMap<String, usize> = HashMap::new();
        for weight in layer.weights().iter().filter(|w| !of_part(w)) {
            let local = weight.local_path();
            let local = local.strip_prefix(named).unwrap_or(local);
            let within = local.rsplit_once('/').map_or("", |(within, _)| within);
            let group = match attribute(layer.class(), within) {
                "" => format!("{path}/vars"),
                attribute => format!("{path}/{attribute}/vars"),
            };
            if !self.groups.contains(&group) {
                self.groups.push(group.clone());
            }
            let count = counts.entry(group.clone()).or_default();
            let path = format!("{group}/{count}");
            self.variables.push(Place { path, weight: weight.clone() });
            *count += 1;
        }
        let named = |part: &LayerRef| format!("{named}{}/", part.name());
        let one = |attribute: &str| format!("{path}/{attribute}");
        match (layer.class(), parts.as_slice()) {
            ("Bidirectional", [forward, backward]) => {
                self.layer(forward, &one("forward_layer"), &named(forward));
                self.layer(backward, &one("backward_layer"), &named(backward));
            }
            ("RNN", [cell]) => self.layer(cell, &one("cell"), &named(cell)),
            ("StackedRNNCells", cells) => {
                let classes = cells.iter().map(|cell| snake_case(cell.class()));
                for (cell, key) in cells.iter().zip(numbered(classes)) {
                    self.layer(cell, &format!("{path}/cells/{key}"), &named(cell));
                }
            }
            (_, [only]) => self.layer(only, &one("layer"), &named(only)),
            (_, several) => {
                let classes = several.iter().map(|part| snake_case(part.class()));
                for (part, key) in several.iter().zip(numbered(classes)) {
                    self.layer(part, &format!("{path}/layers/{key}"), &named(part));
                }
            }
        }
    }
}

/// The attribute of a Keras layer that holds the weights which are named `within/…` here.
fn attribute<'a>(class: &str, within: &'a str) -> &'a str {
    match (class, within) {
        ("SimpleRNN" | "LSTM" | "GRU" | "ConvLSTM1D" | "ConvLSTM2D" | "ConvLSTM3D", _) => "cell",
        ("MultiHeadAttention", "query") => "query_dense",
        ("MultiHeadAttention", "key") => "key_dense",
        ("MultiHeadAttention", "value") => "value_dense",
        ("MultiHeadAttention", "gate") => "_gate_dense",
        ("MultiHeadAttention", "attention_output") => "output_dense",
        ("GroupQueryAttention", "query") => "_query_dense",
        ("GroupQueryAttention", "key") => "_key_dense",
        ("GroupQueryAttention", "value") => "_value_dense",
        ("GroupQueryAttention", "gate") => "_gate_dense",
        ("GroupQueryAttention", "attention_output") => "_output_dense",
        _ => within,
    }
}

/// Names in which a name's second, third, … place is told by a number.
pub(super) fn numbered(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    names
        .map(|name| {
            let count = counts.entry(name.clone()).or_default();
            *count += 1;
            if *count == 1 { name } else { format!("{name}_{}", *count - 1) }
        })
        .collect()
}

/// Whether a file's array is none of a model's weights or its optimizer's state, but what Keras
/// also keeps: seeds of random layers, and running means of metrics.
pub(super) fn is_passing(path: &str) -> bool {
    let mut names = path.split('/');
    let first = names.clone().next().unwrap_or_default();
    names.any(|name| name.ends_with("seed_generator") || name == "random_generator")
        || matches!(first, "metrics" | "_metrics" | "compile_metrics" | "_compile_metrics")
}
