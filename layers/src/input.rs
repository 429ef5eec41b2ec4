//! Where a model's data comes in.

use std::any::Any;

use cornu_autodiff::{DType, Spec, Tensor};
use serde_json::{Value, json};

use crate::any_layer::{AnyLayer, Built};
use crate::builder::WeightBuilder;
use crate::context::Context;
use crate::envelope::envelope;
use crate::error::{Error, Result};
use crate::handle::{IntoLayer, LayerRef};
use crate::layer::{Inputs, Tensors};
use crate::setting::{Common, Config, Setting};
use crate::symbol::{Symbol, SymbolicShape};

/// A model's input: Keras's `InputLayer`. The shape is that of one sample; the batch axis is
/// added in front.
///
/// ```
/// use cornu_autodiff::DType;
/// use cornu_layers::Input;
/// let tokens = Input::new([None]).dtype(DType::I32).name("tokens").symbol();
/// assert_eq!(tokens.shape(), [None, None]);
/// ```
#[derive(Clone, Debug)]
pub struct Input {
    shape: SymbolicShape,
    batch_size: Option<usize>,
    common: Common,
}

/// The axes of a sample, all known or some `None`.
pub trait IntoInputShape {
    /// The axes.
    fn into_input_shape(self) -> SymbolicShape;
}

impl<const N: usize> IntoInputShape for [usize; N] {
    fn into_input_shape(self) -> SymbolicShape {
        self.into_iter().map(Some).collect()
    }
}
impl<const N: usize> IntoInputShape for [Option<usize>; N] {
    fn into_input_shape(self) -> SymbolicShape {
        self.into()
    }
}
impl IntoInputShape for &[usize] {
    fn into_input_shape(self) -> SymbolicShape {
        self.iter().copied().map(Some).collect()
    }
}
impl IntoInputShape for Vec<usize> {
    fn into_input_shape(self) -> SymbolicShape {
        self.into_iter().map(Some).collect()
    }
}
impl IntoInputShape for SymbolicShape {
    fn into_input_shape(self) -> SymbolicShape {
        self
    }
}

impl Input {
    /// The input of samples of this shape, float32.
    pub fn new(shape: impl IntoInputShape) -> Input {
        Input { shape: shape.into_input_shape(), batch_size: None, common: Common::default() }
    }

    /// Names the input; data given by name finds it so.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Input {
        self.common.name = Some(name.into());
        self
    }

    /// The dtype of the data.
    #[must_use]
    pub fn dtype(mut self, dtype: DType) -> Input {
        self.common.dtype = Some(dtype);
        self
    }

    /// Fixes the size of the batch axis.
    #[must_use]
    pub fn batch_size(mut self, size: usize) -> Input {
        self.batch_size = Some(size);
        self
    }

    /// The symbol of this input, to call layers on.
    pub fn symbol(self) -> Symbol {
        input_symbol(&self.into_layer(), None).expect("the layer is an input")
    }

    /// The batch axis and those of a sample.
    pub fn batch_shape(&self) -> SymbolicShape {
        [self.batch_size].into_iter().chain(self.shape.iter().copied()).collect()
    }

    /// An input from its config in Keras's JSON.
    ///
    /// # Errors
    /// When there is no shape in it.
    pub fn from_config(config: &Config) -> Result<Input> {
        let shape = config.get("batch_shape").or_else(|| config.get("batch_input_shape"));
        let wrong = || Error::config("InputLayer", "the key `batch_shape` must be a list", "none");
        let shape = shape.and_then(|s| s.as_array()).ok_or_else(wrong)?;
        let axes: SymbolicShape = shape.iter().map(Option::from_json).collect::<Result<_>>()?;
        let (batch_size, axes) = axes.split_first().ok_or_else(wrong)?;
        let mut input = Input::new(axes.to_vec());
        input.batch_size = *batch_size;
        input.common.dtype = config.get("dtype").map(Option::from_json).transpose()?.flatten();
        input.common.name = config.get("name").map(Option::from_json).transpose()?.flatten();
        for option in ["sparse", "ragged", "optional"] {
            if let Some(value) = config.get(option).filter(|v| !matches!(v.as_bool(), Some(false)))
            {
                return Err(Error::config(
                    "InputLayer",
                    format!("`{option}` must be false"),
                    value,
                ));
            }
        }
        Ok(input)
    }
}

/// The symbol of samples of this shape, float32.
///
/// ```
/// let image = cornu_layers::input([28, 28, 1]);
/// assert_eq!(image.shape(), [None, Some(28), Some(28), Some(1)]);
/// ```
pub fn input(shape: impl IntoInputShape) -> Symbol {
    Input::new(shape).symbol()
}

/// The symbol of an input layer, of dtype `dtype` if it wasn't given its own; `None` if the
/// layer is another.
pub fn input_symbol(layer: &LayerRef, dtype: Option<DType>) -> Option<Symbol> {
    let input = layer.downcast::<Input>()?;
    let dtype = input.common.dtype.or(dtype).unwrap_or_default();
    Some(Symbol::of_input(layer.clone(), input.batch_shape(), dtype))
}

impl IntoLayer for Input {
    fn into_layer(self) -> LayerRef {
        LayerRef::new(self)
    }
}

impl AnyLayer for Input {
    fn class(&self) -> &str {
        "InputLayer"
    }
    fn module(&self) -> &str {
        "keras.layers"
    }
    fn common(&self) -> &Common {
        &self.common
    }
    fn settings(&self) -> Config {
        Config::new()
    }
    /// Keras writes a plain name of the dtype, and nothing that training could change.
    fn envelope(&self, name: &str) -> Option<Value> {
        let config = json!({
            "batch_shape": self.batch_shape(),
            "dtype": self.common.dtype.unwrap_or_default().name(),
            "sparse": false,
            "ragged": false,
            "name": name,
            "optional": false,
        });
        Some(envelope(self.module(), self.class(), config))
    }
    fn build(&self, _: &[Spec], _: &mut WeightBuilder) -> Result<Box<dyn Built>> {
        Ok(Box::new(PassThrough))
    }
    fn is_built_at_once(&self) -> bool {
        true
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[derive(Debug)]
struct PassThrough;

impl Built for PassThrough {
    fn call(&self, inputs: &Inputs<'_>, _: &mut Context<'_>) -> Result<(Tensors, Option<Tensor>)> {
        Ok((inputs.tensors.iter().cloned().collect(), inputs.mask(0).cloned()))
    }
}
