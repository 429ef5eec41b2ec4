//! What a summary says, before it is laid out.

use cornu_autodiff::Tensor;
use cornu_layers::{LayerRef, Parameter, Symbol, SymbolicShape, inner_class};

use crate::graph::Graph;
use crate::model::Model;
use crate::nested::Nested;
use crate::optimizers::Optimizer;

/// One layer.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// 0 for the model's own layers, 1 for those of a model among them, …
    pub(super) depth: usize,
    pub(super) name: String,
    pub(super) class: String,
    /// Of each output of the last call; nothing while unknown.
    pub(super) shapes: Vec<Option<SymbolicShape>>,
    /// `None` before they exist.
    pub(super) params: Option<u128>,
    /// `name[call][output]` of what the layer is called on.
    pub(super) connections: Vec<String>,
    /// `None` without weights.
    pub(super) trainable: Option<bool>,
}

/// Sums over all weights.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    pub(super) trainable: Amount,
    pub(super) fixed: Amount,
    /// What the optimizer remembers, once it has made a step.
    pub(super) optimizer: Option<Amount>,
}

/// Numbers and the memory they take. A layer that is only drawn may have as many weights as a
/// `usize` counts, and several of them more.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Amount {
    pub(super) params: u128,
    pub(super) bytes: u128,
}

impl Amount {
    fn of<'a>(weights: impl Iterator<Item = &'a Parameter>) -> Amount {
        weights.fold(Amount::default(), |sum, w| Amount {
            params: sum.params + w.size() as u128,
            bytes: sum.bytes + w.size() as u128 * w.spec().dtype.size() as u128,
        })
    }

    /// Keras keeps every number of it in four bytes: iteration and learning rate, too.
    fn of_optimizer(optimizer: &Optimizer) -> Option<Amount> {
        let state = (!optimizer.paths().is_empty()).then(|| optimizer.state())?;
        let bytes = |x: &Tensor| {
            if x.rank() == 0 { 4 } else { x.size() as u128 * x.dtype().size() as u128 }
        };
        Some(Amount {
            params: state.iter().map(|(_, x)| x.size() as u128).sum(),
            bytes: state.iter().map(|(_, x)| bytes(x)).sum(),
        })
    }

    pub(super) fn plus(self, other: Amount) -> Amount {
        Amount { params: self.params + other.params, bytes: self.bytes + other.bytes }
    }
}

impl Totals {
    pub(super) fn of(model: &Model) -> Totals {
        let weights = model.weights();
        Totals {
            trainable: Amount::of(weights.iter().filter(|w| w.is_trainable())),
            fixed: Amount::of(weights.iter().filter(|w| !w.is_trainable())),
            optimizer: model.optimizer().ok().and_then(Amount::of_optimizer),
        }
    }
}

/// The rows of all layers, those of nested models behind them, and whether the layers form
/// something else than a chain.
pub(super) fn rows(layers: &[LayerRef], graph: Option<&Graph>) -> (Vec<Row>, bool) {
    let mut rows = Vec::new();
    add_rows(layers, graph, 0, &mut rows);
    (rows, graph.is_some_and(|graph| !is_chain(&graph.calls(), graph)))
}

fn add_rows(layers: &[LayerRef], graph: Option<&Graph>, depth: usize, rows: &mut Vec<Row>) {
    let calls = graph.map(Graph::calls).unwrap_or_default();
    let symbols = graph.map(|graph| symbols(&calls, graph)).unwrap_or_default();
    for layer in layers {
        rows.push(Row {
            depth,
            name: layer.name(),
            class: inner_class(layer.class()).to_owned(),
            shapes: shapes(layer, &symbols),
            params: params(layer),
            connections: connections(layer, &calls),
            trainable: (!layer.weights().is_empty()).then(|| layer.is_trainable()),
        });
        if let Some(nested) = layer.downcast::<Nested>() {
            add_rows(&nested.layers, nested.graph.get().map(|g| &**g), depth + 1, rows);
        }
    }
}

/// Every symbol that a call reads or that is an output.
fn symbols(calls: &[Symbol], graph: &Graph) -> Vec<Symbol> {
    let read = calls.iter().flat_map(|call| call.node().inputs.iter().cloned());
    read.chain(graph.outputs.iter().cloned()).chain(graph.inputs.iter().cloned()).collect()
}

/// Shapes of the outputs of the layer's last call.
fn shapes(layer: &LayerRef, symbols: &[Symbol]) -> Vec<Option<SymbolicShape>> {
    let own = symbols.iter().filter(|s| s.node().layer.is(layer));
    let Some(last) = own.clone().max_by_key(|s| s.node().id) else { return Vec::new() };
    let of_output = |output: usize| {
        let found = own.clone().find(|s| s.node().id == last.node().id && s.output() == output);
        found.map(|s| s.shape().to_vec())
    };
    (0..last.node().outputs).map(of_output).collect()
}

fn params(layer: &LayerRef) -> Option<u128> {
    let weights = layer.weights();
    let first = |(i, w): &(usize, &Parameter)| !weights[..*i].iter().any(|before| before.is(w));
    let sizes = weights.iter().enumerate().filter(first).map(|(_, w)| w.size() as u128);
    (layer.is_built() || layer.is_built_at_once()).then(|| sizes.sum())
}

fn connections(layer: &LayerRef, calls: &[Symbol]) -> Vec<String> {
    let own = calls.iter().filter(|call| call.node().layer.is(layer));
    let inputs = own.flat_map(|call| call.node().inputs.iter());
    let text =
        |x: &Symbol| format!("{}[{}][{}]", x.node().layer.name(), call_index(calls, x), x.output());
    inputs.map(text).collect()
}

/// Which of its layer's calls in this graph computes a symbol.
pub(crate) fn call_index(calls: &[Symbol], symbol: &Symbol) -> usize {
    let node = symbol.node();
    let earlier = |call: &&Symbol| call.node().layer.is(&node.layer) && call.node().id < node.id;
    calls.iter().filter(earlier).count()
}

/// Whether each call reads what the one before it computed, and no layer is called twice.
fn is_chain(calls: &[Symbol], graph: &Graph) -> bool {
    let readers = |x: &Symbol| {
        let reads = calls.iter().flat_map(|c| &c.node().inputs);
        reads.filter(|r| r.node().id == x.node().id).count()
    };
    let twice = |(i, call): (usize, &Symbol)| {
        calls[..i].iter().any(|before| before.node().layer.is(&call.node().layer))
    };
    graph.inputs.len() == 1
        && calls.iter().all(|call| call.node().inputs.len() == 1)
        && calls.iter().chain(&graph.inputs).all(|x| readers(x) <= 1)
        && !calls.iter().enumerate().any(twice)
}
