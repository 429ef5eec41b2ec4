//! What a layer is.

use std::fmt::Debug;

use cornu_autodiff::{DType, Spec, Tensor};
use serde_json::{Value, json};
use smallvec::{SmallVec, smallvec};

use crate::arg::Arg;
use crate::builder::WeightBuilder;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::handle::LayerRef;
use crate::parameter::Parameter;
use crate::registry::Reviver;
use crate::regularizer::Regularizer;
use crate::setting::{Config, Configured};

/// A few tensors: mostly one.
pub type Tensors = SmallVec<[Tensor; 1]>;

/// A layer: plain options, how weights are made from them and the inputs' shapes, and how
/// outputs are computed from inputs and weights.
///
/// Options are declared with [`config!`](crate::config); weights are a type of their own that
/// exists only once the layer is built. A layer writes no shape rule: `call` runs on tensors
/// without values to work shapes out.
///
/// ```
/// use cornu_layers::{config, Context, Inputs, Layer, Parameter, Result, WeightBuilder};
/// use cornu_layers::Initializer;
/// use cornu_autodiff::{Spec, Tensor};
///
/// config! {
///     /// `y = x · gain`, element by element, with a gain that is learned.
///     pub struct Gain["Gain"] {
///         ..
///         /// First value of the gain.
///         initializer: Initializer = Initializer::Ones,
///     }
/// }
///
/// impl Layer for Gain {
///     type Weights = Parameter;
///     fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<Parameter> {
///         let axis = inputs[0].dims()[inputs[0].dims().len() - 1];
///         weights.add("gain", &[axis], &self.initializer)
///     }
///     fn call(&self, gain: &Parameter, x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
///         Ok(x.only()? * gain.value())
///     }
/// }
/// ```
pub trait Layer: Configured + Clone + Debug + Send + Sync + 'static {
    /// The layer's weights.
    type Weights: Debug + Send + Sync + 'static;

    /// Makes the weights for inputs of these dtypes and shapes. Axes of unknown size hold a
    /// [probe](cornu_autodiff::is_probe); [`known_axis`] refuses them.
    ///
    /// # Errors
    /// When an option is out of its range or doesn't fit the inputs.
    fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<Self::Weights>;

    /// The output.
    ///
    /// # Errors
    /// When the inputs are not what the layer can work with.
    fn call(
        &self,
        weights: &Self::Weights,
        inputs: &Inputs<'_>,
        context: &mut Context<'_>,
    ) -> Result<Tensor>;

    /// The outputs of a layer that has several.
    ///
    /// # Errors
    /// As [`call`](Layer::call).
    fn call_all(
        &self,
        weights: &Self::Weights,
        inputs: &Inputs<'_>,
        context: &mut Context<'_>,
    ) -> Result<Tensors> {
        self.call(weights, inputs, context).map(one)
    }

    /// What becomes of the inputs' mask: `None` where every step counts. By default a mask
    /// passes through a layer whose [`MASK`](Layer::MASK) says so, and is refused elsewhere:
    /// a mask that is silently dropped makes padding count.
    ///
    /// # Errors
    /// When there is a mask that the layer can't obey.
    fn mask(&self, _weights: &Self::Weights, inputs: &Inputs<'_>) -> Result<Option<Tensor>> {
        Self::MASK.rule(inputs)
    }

    /// The outputs and what [`mask`](Layer::mask) gives, for a layer that works both out at once.
    ///
    /// # Errors
    /// As [`call`](Layer::call) and [`mask`](Layer::mask).
    #[inline]
    fn call_with_mask(
        &self,
        weights: &Self::Weights,
        inputs: &Inputs<'_>,
        context: &mut Context<'_>,
    ) -> Result<(Tensors, Option<Tensor>)> {
        let mask = self.mask(weights, inputs)?;
        Ok((self.call_all(weights, inputs, context)?, mask))
    }

    /// What the layer does with a mask on its input.
    const MASK: Masks = Masks::Refuses;

    /// How many of the outputs, from the first on, have the mask that [`mask`](Layer::mask)
    /// gives: the final state of a recurrent layer has none.
    fn masked_outputs(&self) -> usize {
        usize::MAX
    }

    /// Keys of the config that Keras writes behind the layer's own and that have one meaning
    /// here, with that as JSON: they are written so, and read they may be nothing else.
    const FIXED: &'static [(&'static str, &'static str)] = &[];

    /// Keys among `name`, `trainable` and `dtype` that Keras's constructor of this class doesn't
    /// take, so that they mustn't be written.
    const WITHOUT: &'static [&'static str] = &[];

    /// Keys that files may have and that change how Keras computes, but not what: they are read
    /// and forgotten.
    const IGNORED: &'static [&'static str] = &[];

    /// Options that Keras takes at each call: they are written and read with the calls of a
    /// graph, not with the config.
    const CALL_ARGUMENTS: &'static [&'static str] = &[];

    /// Whether a bool input behind the others is a mask, which Keras builds nothing for.
    const MASK_INPUT: bool = false;

    /// Whether `call` adds the penalty on the output itself.
    const PENALIZES_ITSELF: bool = false;

    /// Corrects the config that `config!` writes, where Keras writes a value worked out.
    fn write_settings(&self, _config: &mut Config) {}

    /// What Keras writes of the shapes that a layer was built for.
    fn build_config(shapes: &[Value]) -> Value {
        input_shapes(shapes)
    }

    /// Layers that are options of this one: what a wrapper wraps. Their weights are among its
    /// own.
    fn parts(&self) -> Vec<LayerRef> {
        Vec::new()
    }

    /// Whether, in training too, each sample's output depends on that sample alone. Batch
    /// normalization's doesn't.
    const PER_SAMPLE: bool = true;

    /// Sizes of the states, if the layer is the cell of a recurrent one. A cell is called on one
    /// step and its states, and gives its output and the new states.
    fn state_sizes(&self) -> Vec<usize> {
        Vec::new()
    }

    /// What the layer remembers from one call to the next.
    fn states(&self, _weights: &Self::Weights) -> Vec<Parameter> {
        Vec::new()
    }

    /// The Python module that Keras names in this layer's JSON.
    const MODULE: &'static str = "keras.layers";

    /// Whether Keras takes the layer for built from its beginning, as it has nothing to build.
    /// Its JSON then does not say for which shape it was built.
    const BUILT_AT_ONCE: bool = false;

    /// `Some(revive::<Self>)` for a recurrent layer: [`Bidirectional`](crate::Bidirectional) makes
    /// it once more, backwards. It asks for names that a program has
    /// [registered](crate::register_layer) otherwise; were it to ask for every layer's name, a
    /// program with one bidirectional layer would hold all layers that there are.
    const REVIVER: Option<Reviver> = None;
}

/// Within an implementation of [`Layer`] that gives `call_all`: `call` as the first of its outputs.
macro_rules! first_of_all {
    () => {
        fn call(
            &self,
            weights: &Self::Weights,
            inputs: &$crate::Inputs<'_>,
            context: &mut $crate::Context<'_>,
        ) -> $crate::Result<cornu_autodiff::Tensor> {
            Ok(self.call_all(weights, inputs, context)?.swap_remove(0))
        }
    };
}
pub(crate) use first_of_all;

/// What a layer does with a mask on its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Masks {
    /// It is an error.
    Refuses,
    /// The output has the same mask.
    Passes,
    /// The layer obeys it and the output has none.
    Absorbs,
}

impl Masks {
    /// The mask of an output, by this rule.
    pub(crate) fn rule(self, inputs: &Inputs<'_>) -> Result<Option<Tensor>> {
        match (self, inputs.masks.iter().flatten().next()) {
            (_, None) | (Masks::Absorbs, _) => Ok(None),
            (Masks::Passes, Some(mask)) => Ok(Some(mask.clone())),
            (Masks::Refuses, Some(_)) => Err(Error::setting(
                "mask",
                "this layer can't obey a mask; put it before the layer that makes the mask, or \
                 reduce the masked axis first",
                "a masked input",
            )),
        }
    }
}

/// The outputs of a layer that has one.
fn one(output: Tensor) -> Tensors {
    smallvec![output]
}

/// What a layer is called on.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The tensors.
    pub tensors: &'a [Tensor],
    /// A mask for each tensor that has one: bool, true where a step counts. May be shorter.
    pub masks: &'a [Option<Tensor>],
}

impl<'a> Inputs<'a> {
    /// Inputs without masks.
    pub fn new(tensors: &'a [Tensor]) -> Inputs<'a> {
        Inputs { tensors, masks: &[] }
    }

    /// The input of a layer that has one.
    ///
    /// # Errors
    /// When there are more, or none.
    #[inline]
    pub fn only(&self) -> Result<&'a Tensor> {
        match self.tensors {
            [x] => Ok(x),
            several => {
                let shapes: Vec<_> = several.iter().map(Tensor::shape).collect();
                Err(Error::input("the layer takes one input", &shapes))
            }
        }
    }

    /// The mask of input `index`, if it has one.
    pub fn mask(&self, index: usize) -> Option<&'a Tensor> {
        self.masks.get(index)?.as_ref()
    }
}

/// The size of an axis that must be known, counted from the last if negative.
///
/// # Errors
/// When it is unknown or doesn't exist.
pub fn known_axis(x: &Spec, axis: isize) -> Result<usize> {
    let at = cornu_autodiff::axis_of("axis", axis, x.shape.rank())?;
    let size = x.dims()[at];
    if cornu_autodiff::is_probe(size) {
        let rule = format!("the size of axis {axis} must be known to build the layer");
        return Err(Error::input(rule, &[&x.shape]));
    }
    Ok(size)
}

/// Refuses inputs whose number of axes isn't `rank`.
///
/// # Errors
/// With the rank that was expected.
pub fn expect_rank(inputs: &[Spec], rank: usize) -> Result<()> {
    match inputs {
        [x] if x.shape.rank() == rank => Ok(()),
        _ => {
            let shapes: Vec<_> = inputs.iter().map(|x| &x.shape).collect();
            Err(Error::input(format!("the layer takes one input of rank {rank}"), &shapes))
        }
    }
}

/// Setters that every layer has.
pub trait LayerOptions: Configured {
    /// Names the layer. Without a name, a model numbers its layers by class: `dense`,
    /// `dense_1`, …
    #[must_use]
    fn name(mut self, name: impl Into<String>) -> Self {
        self.common_mut().name = Some(name.into());
        self
    }

    /// Whether training changes the layer's weights; true unless set.
    #[must_use]
    fn trainable(mut self, trainable: bool) -> Self {
        self.common_mut().frozen = !trainable;
        self
    }

    /// The dtype of weights and output; float32 unless set.
    #[must_use]
    fn dtype(mut self, dtype: DType) -> Self {
        self.common_mut().dtype = Some(dtype);
        self
    }

    /// The shape of one sample, without the batch axis, for the first layer of a `Sequential`.
    #[must_use]
    fn input_shape(mut self, shape: impl AsRef<[usize]>) -> Self {
        self.common_mut().input_shape = Some(shape.as_ref().iter().map(|&d| Some(d)).collect());
        self
    }

    /// A penalty on the output, added to the loss; divided by the batch size, as in Keras.
    #[must_use]
    fn activity_regularizer(mut self, regularizer: impl Arg<Option<Regularizer>>) -> Self {
        self.common_mut().activity_regularizer = regularizer.arg();
        self
    }

    /// The size of a sample that is a vector: `input_shape([size])`.
    #[must_use]
    fn input_dim(self, size: usize) -> Self {
        self.input_shape([size])
    }
}

impl<L: Configured> LayerOptions for L {}

/// What Keras writes, for most layers, of the shapes that one was built for.
pub(crate) fn input_shapes(shapes: &[Value]) -> Value {
    match shapes {
        [one] => json!({ "input_shape": one }),
        several => json!({ "input_shape": several }),
    }
}
