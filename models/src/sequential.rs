//! A chain of layers.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use cornu_autodiff::DType;
use cornu_layers::{Input, IntoInputShape, IntoLayer, LayerRef, Symbol, call, input_symbol};

use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::model::{Kind, Model, free_name};

/// A chain of layers, each fed with the output of the one before: Keras's `Sequential`. It
/// dereferences to [`Model`], which has `compile`, `fit` and everything else.
///
/// ```
/// use cornu_layers::{Activation, Dense, LayerOptions};
/// use cornu_models::Sequential;
/// let mut model = Sequential::new();
/// model.add(Dense::new(10).input_dim(2).activation("tanh"))?;
/// model.add(Dense::new(1).activation("sigmoid"))?;
/// assert_eq!(model.count_params(), 41);
/// # Ok::<(), cornu_models::Error>(())
/// ```
#[derive(Debug)]
pub struct Sequential {
    model: Model,
}

impl Sequential {
    /// A chain without layers.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Sequential {
        let model = Model::empty(Kind::Sequential);
        Sequential { model }
    }

    /// The chain in a file, as [`Model::load`] reads it.
    ///
    /// # Errors
    /// As [`Model::load`], and when the file holds a graph.
    pub fn load(path: impl AsRef<std::path::Path>) -> Result<Sequential> {
        Sequential::try_from(Model::load(path)?)
    }

    /// Names the model.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Sequential {
        self.model.name = name.into();
        self
    }

    /// Sets the one seed from which everything random is drawn; see [`Model::set_seed`].
    ///
    /// # Panics
    /// Never: weights that exist have been drawn once.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Sequential {
        self.model.set_seed(seed).expect("what was drawn once can be drawn again");
        self
    }

    /// The dtype of the input, and so of all layers that aren't given another; float32 unless
    /// set. Set it before the first layer is added.
    #[must_use]
    pub fn dtype(mut self, dtype: DType) -> Sequential {
        self.model.dtype = Some(dtype);
        self
    }

    /// Appends a layer and hands the chain on: `Sequential::new().with(a)?.with(b)?`.
    ///
    /// # Errors
    /// As [`add`](Sequential::add).
    pub fn with(mut self, layer: impl IntoLayer) -> Result<Sequential> {
        self.add(layer)?;
        Ok(self)
    }

    /// Appends a layer. If the shape of the input is known, from an [`Input`] or from the first
    /// layer's `input_shape`, the layer is built at once.
    ///
    /// # Errors
    /// When the layer doesn't fit the output before it, has several outputs, or has the name of
    /// another.
    #[allow(clippy::should_implement_trait)]
    pub fn add(&mut self, layer: impl IntoLayer) -> Result<()> {
        self.model.add_layer(layer.into_layer())
    }

    /// Takes the last layer off.
    ///
    /// # Errors
    /// When there is none.
    pub fn pop(&mut self) -> Result<LayerRef> {
        self.model.pop_layer()
    }

    /// Builds a chain whose input shape was not known, from the shape of one sample. Training
    /// does it from its data; what takes `&self`, such as `predict`, can't.
    ///
    /// # Errors
    /// When a layer doesn't fit.
    pub fn build(&mut self, input_shape: impl IntoInputShape) -> Result<()> {
        self.model.build_chain(input_shape)
    }
}

/// What makes a model a chain.
impl Model {
    pub(crate) fn add_layer(&mut self, layer: LayerRef) -> Result<()> {
        if let Some(symbol) = input_symbol(&layer, self.dtype) {
            if self.ends.is_some() || !self.layers.is_empty() {
                let rule = "an `Input` must come first, and only once";
                return Err(Error::value("add", rule, layer.name()));
            }
            return self.begin(symbol);
        }
        if self.layers.iter().any(|l| l.is(&layer)) {
            let rule = "a layer must not be added twice; the functional API shares layers";
            return Err(Error::value("add", rule, format!("`{}` again", layer.name())));
        }
        self.name_in_chain(&layer)?;
        self.layers.push(layer.clone());
        let added = self.extend(&layer);
        if added.is_err() {
            self.layers.pop();
        }
        added
    }

    fn pop_layer(&mut self) -> Result<LayerRef> {
        let Some(layer) = self.layers.pop() else {
            return Err(Error::value("pop", "there must be a layer to take off", "none"));
        };
        if let Some((first, last)) = self.ends.take() {
            let before = last.node().inputs[0].clone();
            self.drawn.retain(|w| !layer.weights().iter().any(|own| own.is(w)));
            self.ends = Some((first, before));
            self.finish()?;
        }
        Ok(layer)
    }

    pub(crate) fn build_chain(&mut self, input_shape: impl IntoInputShape) -> Result<()> {
        if self.ends.is_some() {
            return Ok(());
        }
        let dtype = self.dtype.unwrap_or_default();
        let name = "input_layer";
        self.build_from(Input::new(input_shape).name(name).dtype(dtype).symbol())
    }

    /// Puts a layer behind the others without building it.
    pub(crate) fn append_unbuilt(&mut self, layer: LayerRef) -> Result<()> {
        if layer.class() == "InputLayer" {
            let rule = "an `Input` must come first, and only once";
            return Err(Error::value("add", rule, layer.name()));
        }
        self.name_in_chain(&layer)?;
        self.layers.push(layer);
        Ok(())
    }

    /// Builds all layers for an input.
    pub(crate) fn build_from(&mut self, input: Symbol) -> Result<()> {
        self.begin(input)?;
        for layer in self.layers.clone() {
            self.append(&layer)?;
        }
        self.finish()
    }

    /// A layer's name must be its own; one without is numbered by its class.
    fn name_in_chain(&self, layer: &LayerRef) -> Result<()> {
        let taken: Vec<String> = self.layers.iter().map(LayerRef::name).collect();
        match layer.given_name() {
            Some(name) if taken.iter().any(|t| t == name) => {
                let rule = "every layer must have a name of its own";
                Err(Error::value("add", rule, format!("`{name}` again")))
            }
            Some(_) => Ok(()),
            None => {
                layer.set_name(free_name(&layer.name(), &taken));
                Ok(())
            }
        }
    }

    fn begin(&mut self, input: Symbol) -> Result<()> {
        if input.node().layer.given_name().is_none() {
            input.node().layer.set_name("input_layer".into());
        }
        self.ends = Some((input.clone(), input));
        Ok(())
    }

    /// Builds a layer that was just added, if shapes are known.
    fn extend(&mut self, layer: &LayerRef) -> Result<()> {
        if self.ends.is_none() {
            if self.layers.len() > 1 {
                return Ok(());
            }
            let Some(shape) = layer.input_shape() else { return Ok(()) };
            let dtype = self.dtype.or(layer.dtype()).unwrap_or_default();
            self.begin(Input::new(shape.to_vec()).name("input_layer").dtype(dtype).symbol())?;
        }
        self.append(layer)?;
        self.finish()
    }

    fn append(&mut self, layer: &LayerRef) -> Result<()> {
        let Some((_, last)) = &mut self.ends else { return Ok(()) };
        let outputs = call(layer, std::slice::from_ref(last))?;
        let [output] = <[Symbol; 1]>::try_from(outputs).map_err(|outputs| {
            let rule = "a layer in a chain must have one output";
            Error::value(format!("add: layer `{}`", layer.name()), rule, outputs.len())
        })?;
        *last = output;
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        if let Some((first, last)) = &self.ends {
            let graph = Graph::new(vec![first.clone()], vec![last.clone()])?;
            self.graph = Some(Arc::new(graph));
            self.gather_weights()?;
        }
        Ok(())
    }

    /// Builds a chain of unknown input shape from data that it is about to see.
    pub(crate) fn build_for(&mut self, x: &[cornu_autodiff::Tensor]) -> Result<()> {
        match (&self.ends, x) {
            (None, [x]) if x.rank() > 0 && self.kind == Kind::Sequential => {
                self.build_chain(x.dims()[1..].to_vec())
            }
            _ => Ok(()),
        }
    }
}

impl TryFrom<Model> for Sequential {
    type Error = Error;

    /// A chain that came as a model, from a file or from JSON.
    ///
    /// # Errors
    /// When it is a graph.
    fn try_from(model: Model) -> Result<Sequential> {
        match model.kind {
            Kind::Sequential => Ok(Sequential { model }),
            Kind::Functional => {
                let rule = "the model must be a chain";
                Err(Error::value("sequential", rule, format!("the graph `{}`", model.name)))
            }
        }
    }
}

impl Deref for Sequential {
    type Target = Model;
    fn deref(&self) -> &Model {
        &self.model
    }
}

impl DerefMut for Sequential {
    fn deref_mut(&mut self) -> &mut Model {
        &mut self.model
    }
}
