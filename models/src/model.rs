//! A network of layers with everything that can be done to it.

use std::fmt;
use std::sync::Arc;

use cornu_autodiff::{DType, Generator, Tensor};
use cornu_layers::{Context, IntoSymbols, LayerRef, Parameter, Symbol};

use crate::compiling::Compiled;
use crate::error::{Error, Result};
use crate::fit::Progress;
use crate::graph::Graph;

/// Whether a model was made layer by layer or from symbols; summaries and JSON differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A chain of layers.
    Sequential,
    /// A graph of layer calls.
    Functional,
}

impl Kind {
    /// The class's name in Keras.
    pub fn class(self) -> &'static str {
        match self {
            Kind::Sequential => "Sequential",
            Kind::Functional => "Functional",
        }
    }

    /// The Python module that Keras names in the JSON.
    pub(crate) fn module(self) -> &'static str {
        match self {
            Kind::Sequential => "keras",
            Kind::Functional => "keras.src.models.functional",
        }
    }

    pub(crate) fn default_name(self) -> &'static str {
        match self {
            Kind::Sequential => "sequential",
            Kind::Functional => "functional",
        }
    }
}

/// A network of layers: Keras's `Model`, made with the functional API. A
/// [`Sequential`](crate::Sequential) is one too and has all these methods.
///
/// ```
/// use cornu_layers::{Apply, Concatenate, Dense, input};
/// use cornu_models::Model;
/// let (a, b) = (input([4]), input([2]));
/// let hidden = Dense::new(8).activation("relu").apply(&a)?;
/// let y = Dense::new(1).apply(&Concatenate::new().apply([&hidden, &b])?)?;
/// let model = Model::new([&a, &b], &y)?;
/// assert_eq!(model.count_params(), 4 * 8 + 8 + 10 + 1);
/// # Ok::<(), cornu_models::Error>(())
/// ```
pub struct Model {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// In Keras's order; a `Sequential`'s without its input.
    pub(crate) layers: Vec<LayerRef>,
    /// Once the shapes of the inputs are known.
    pub(crate) graph: Option<Arc<Graph>>,
    /// Every weight once, in the layers' order.
    pub(crate) weights: Vec<Parameter>,
    /// Weights whose first values this model drew.
    pub(crate) drawn: Vec<Parameter>,
    /// Set while values of weights are still to come from a file, so that none are drawn.
    pub(crate) undrawn: bool,
    pub(crate) generator: Generator,
    pub(crate) compiled: Option<Compiled>,
    /// How far `fit` has come; checkpoints keep it.
    pub(crate) progress: Progress,
    /// Of a chain: the input's symbol and that of the last layer's output, once shapes are
    /// known.
    pub(crate) ends: Option<(Symbol, Symbol)>,
    /// Of a chain: the dtype of the input, if it was set.
    pub(crate) dtype: Option<DType>,
}

impl Model {
    /// A model that computes `outputs` from `inputs`.
    ///
    /// First values of weights are drawn from a random seed; [`seed`](Model::seed) sets it.
    ///
    /// # Errors
    /// When an output depends on an input that isn't given, two layers have one name, or an
    /// initializer can't make a weight's shape.
    pub fn new(inputs: impl IntoSymbols, outputs: impl IntoSymbols) -> Result<Model> {
        let empty = Model::empty(Kind::Functional);
        empty.with_graph(inputs.into_symbols(), outputs.into_symbols())
    }

    /// This model, empty so far, with the calls that lead from `inputs` to `outputs`.
    pub(crate) fn with_graph(self, inputs: Vec<Symbol>, outputs: Vec<Symbol>) -> Result<Model> {
        let graph = Graph::new(inputs, outputs)?;
        let mut model = self;
        model.layers = graph.layers.clone();
        name_layers(&model.layers)?;
        model.graph = Some(Arc::new(graph));
        model.gather_weights()?;
        Ok(model)
    }

    pub(crate) fn empty(kind: Kind) -> Model {
        Model {
            name: kind.default_name().into(),
            kind,
            layers: Vec::new(),
            graph: None,
            weights: Vec::new(),
            drawn: Vec::new(),
            undrawn: false,
            generator: Generator::new(random_seed()),
            compiled: None,
            progress: Progress::default(),
            ends: None,
            dtype: None,
        }
    }

    /// Names the model.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Model {
        self.name = name.into();
        self
    }

    /// Sets the one seed from which everything random is drawn: first values of weights (drawn
    /// again now), shuffling, dropout, validation splits. Two runs with one seed are equal bit
    /// for bit, on any number of threads.
    ///
    /// # Errors
    /// Never for a model whose weights have been drawn before.
    pub fn seed(mut self, seed: u64) -> Result<Model> {
        self.set_seed(seed)?;
        Ok(self)
    }

    /// As [`seed`](Model::seed), on a model in place.
    ///
    /// # Errors
    /// As [`seed`](Model::seed).
    pub fn set_seed(&mut self, seed: u64) -> Result<()> {
        self.generator = Generator::new(seed);
        let initial = self.generator.split("initial values");
        for (i, weight) in self.drawn.iter().enumerate() {
            weight.initialize(&initial.split_index(i as u64))?;
        }
        Ok(())
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The layers, in Keras's order.
    pub fn layers(&self) -> &[LayerRef] {
        &self.layers
    }

    /// The layer of this name.
    ///
    /// # Errors
    /// When there is none; lists those that there are, nearest first.
    pub fn layer(&self, name: &str) -> Result<&LayerRef> {
        self.layers.iter().find(|l| l.name() == name).ok_or_else(|| {
            let names: Vec<String> = self.layers.iter().map(LayerRef::name).collect();
            cornu_autodiff::Error::unknown("layer", name, &names).into()
        })
    }

    /// Every weight once, in Keras's order: layer by layer, learned ones before statistics.
    pub fn weights(&self) -> &[Parameter] {
        &self.weights
    }

    /// The weights that training changes now.
    pub fn trainable_weights(&self) -> Vec<Parameter> {
        self.weights.iter().filter(|w| w.is_trainable()).cloned().collect()
    }

    /// The values of all weights, in the order of [`weights`](Model::weights).
    pub fn get_weights(&self) -> Vec<Tensor> {
        self.weights.iter().map(Parameter::value).collect()
    }

    /// Sets the values of all weights.
    ///
    /// # Errors
    /// When their number or a shape differs; then nothing is changed.
    pub fn set_weights(&self, values: &[Tensor]) -> Result<()> {
        if values.len() != self.weights.len() {
            let rule = format!("the model has {} weights", self.weights.len());
            return Err(Error::value("set_weights", rule, values.len()));
        }
        for (weight, value) in self.weights.iter().zip(values) {
            if weight.shape() != value.shape() {
                let rule = format!("weight `{}` has shape {}", weight.path(), weight.shape());
                return Err(Error::value("set_weights", rule, value.shape()));
            }
        }
        for (weight, value) in self.weights.iter().zip(values) {
            weight.set(value.cast(weight.spec().dtype))?;
        }
        Ok(())
    }

    /// Number of elements of all weights; `usize::MAX` if there are more.
    pub fn count_params(&self) -> usize {
        self.weights.iter().map(Parameter::size).fold(0, usize::saturating_add)
    }

    /// Freezes the whole model or lets it be trained again.
    pub fn set_trainable(&self, trainable: bool) {
        self.layers.iter().for_each(|layer| layer.set_trainable(trainable));
    }

    /// The symbols of the inputs.
    ///
    /// # Errors
    /// When the shape of the input is not known yet.
    pub fn inputs(&self) -> Result<&[Symbol]> {
        Ok(&self.graph("inputs")?.inputs)
    }

    /// The symbols of the outputs.
    ///
    /// # Errors
    /// When the shape of the input is not known yet.
    pub fn outputs(&self) -> Result<&[Symbol]> {
        Ok(&self.graph("outputs")?.outputs)
    }

    /// A model that ends at a layer of this one and shares its weights: to look inside, or to
    /// cut off a head.
    ///
    /// # Errors
    /// When there is no such layer, or the shape of the input is not known yet.
    pub fn submodel(&self, layer: &str) -> Result<Model> {
        let graph = self.graph("submodel")?;
        let layer = self.layer(layer)?;
        let mut pending: Vec<Symbol> = graph.outputs.clone();
        let mut found: Vec<Symbol> = Vec::new();
        let mut seen: Vec<u64> = Vec::new();
        while let Some(symbol) = pending.pop() {
            if symbol.node().layer.is(layer) && !found.iter().any(|f| f.is(&symbol)) {
                found.push(symbol.clone());
            }
            if !seen.contains(&symbol.node().id) {
                seen.push(symbol.node().id);
                pending.extend(symbol.node().inputs.iter().cloned());
            }
        }
        found.sort_by_key(|s| (s.node().id, s.output()));
        let needed = |input: &&Symbol| depends(&found, input);
        let inputs: Vec<Symbol> = graph.inputs.iter().filter(needed).cloned().collect();
        Model::new(inputs, found)
    }

    pub(crate) fn graph(&self, place: &str) -> Result<&Arc<Graph>> {
        self.graph.as_ref().ok_or_else(|| {
            let hint = "give the first layer an `input_shape`, add an `Input`, or call `build`";
            Error::order(place, "the shape of the input must be known first", hint)
        })
    }

    /// Collects the weights of all layers, draws those that have no value, names them all.
    pub(crate) fn gather_weights(&mut self) -> Result<()> {
        let initial = self.generator.split("initial values");
        self.weights.clear();
        if !self.undrawn {
            check_memory(&self.layers)?;
        }
        for layer in &self.layers {
            let prefix = match self.kind {
                Kind::Sequential => format!("{}/{}", self.name, layer.name()),
                Kind::Functional => layer.name(),
            };
            for weight in layer.weights() {
                if self.weights.iter().any(|w| w.is(weight)) {
                    continue;
                }
                weight.set_path(format!("{prefix}/{}", weight.local_path()));
                if !weight.is_initialized() && !self.undrawn {
                    weight
                        .initialize(&initial.split_index(self.drawn.len() as u64))
                        .map_err(|e| Error::from(e.in_layer(&layer.name(), layer.class())))?;
                    self.drawn.push(weight.clone());
                }
                self.weights.push(weight.clone());
            }
        }
        Ok(())
    }

    /// Computes outputs from tensors, without batches or copies; safe from many threads.
    ///
    /// # Errors
    /// When the inputs don't fit.
    pub fn call(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
        let graph = self.graph("call")?;
        let inputs = graph.accept("call", inputs)?;
        let mut context = Context::inference();
        let outputs = graph.run(&inputs, &mut context)?;
        context.apply_updates()?;
        Ok(outputs.tensors.into_vec())
    }

    /// Makes recurrent layers that are `stateful` forget their states: Keras's `reset_state` of
    /// each layer.
    pub fn reset_state(&self) {
        self.layers.iter().for_each(LayerRef::reset_state);
    }
}

/// Refuses weights that no memory can hold, such as those of a damaged file, before they are
/// drawn: an allocation that fails would end the program.
fn check_memory(layers: &[LayerRef]) -> Result<()> {
    let new = layers.iter().flat_map(LayerRef::weights).filter(|w| !w.is_initialized());
    let bytes = new.map(|w| w.size().checked_mul(w.spec().dtype.size()));
    let total = bytes.into_iter().try_fold(0usize, |sum, bytes| sum.checked_add(bytes?));
    if total.is_some_and(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).is_ok()) {
        return Ok(());
    }
    let got = total.map_or("more bytes than can be counted".into(), |n| format!("{n} bytes"));
    Err(Error::value("model", "the weights must fit into memory", got))
}

/// Whether any of these symbols depends on `input`.
fn depends(symbols: &[Symbol], input: &Symbol) -> bool {
    let mut pending: Vec<Symbol> = symbols.to_vec();
    let mut seen: Vec<u64> = Vec::new();
    while let Some(symbol) = pending.pop() {
        if symbol.is(input) {
            return true;
        }
        if !seen.contains(&symbol.node().id) {
            seen.push(symbol.node().id);
            pending.extend(symbol.node().inputs.iter().cloned());
        }
    }
    false
}

/// Numbers the layers that have no name, by class, in the order in which they were first
/// called; a name that two have is an error.
pub(crate) fn name_layers(layers: &[LayerRef]) -> Result<()> {
    let mut taken: Vec<String> = Vec::new();
    for layer in layers {
        let Some(name) = layer.given_name() else { continue };
        if taken.iter().any(|t| t == name) {
            let rule = "every layer must have a name of its own";
            return Err(Error::value("model", rule, format!("two layers named `{name}`")));
        }
        taken.push(name.to_owned());
    }
    for layer in layers {
        if layer.given_name().is_none() {
            let name = free_name(&layer.name(), &taken);
            taken.push(name.clone());
            layer.set_name(name);
        }
    }
    Ok(())
}

/// `base`, or `base_1`, `base_2`, … if that is taken.
pub(crate) fn free_name(base: &str, taken: &[String]) -> String {
    let free = |name: &String| !taken.contains(name);
    let numbered = (1..).map(|i| format!("{base}_{i}"));
    std::iter::once(base.to_owned()).chain(numbered).find(free).expect("numbers don't end")
}

/// A seed that differs from run to run, from the randomness that the standard library takes
/// for its hash maps.
fn random_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} `{}` of {} layers", self.kind, self.name, self.layers.len())
    }
}
