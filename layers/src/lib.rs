//! Layers and what they are made of, under Keras's names.
//!
//! A layer is plain options; a [`LayerRef`] is a layer with a name and, once the shapes of its
//! inputs are known, weights. Symbols ([`input`](fn@input), [`Apply`]) describe a graph of
//! layers for `cornu-models` to train and run.

mod activation;
mod builder;
mod catalogue;
mod constraint;
mod context;
mod envelope;
mod error;
mod handle;
mod initializer;
mod input;
mod layer;
mod merging;
mod optional;
mod parameter;
mod registry;
mod regularizer;
mod setting;
mod symbol;

pub use activation::{Activation, ActivationFunction};
pub use builder::{WeightBuilder, WeightOptions};
pub use constraint::{Constraint, ConstraintFunction};
pub use context::Context;
pub use error::{Error, Result};
pub use handle::{IntoLayer, LayerRef, snake_case};
pub use initializer::{
    Distribution, Fans, Initializer, InitializerFunction, Mode, VarianceScaling,
};
pub use input::{Input, IntoInputShape, input, input_symbol};
pub use layer::{
    AnyLayer, Built, Inputs, Layer, LayerOptions, Masks, Tensors, expect_rank, known_axis,
};
pub use merging::{Add, Average, Maximum, Minimum, Multiply, Subtract};
pub use optional::Optional;
pub use parameter::Parameter;
pub use registry::{
    Reviver, layer_classes, layer_from_json, register_class, register_layer, revive,
};
pub use regularizer::{OrthogonalMode, PenaltyFunction, Regularizer};
pub use setting::{Common, Config, Configured, NON_FINITE, NON_FINITE_MARK, Setting};
#[doc(hidden)]
pub use setting::{check_setting, setting_of};
pub use symbol::{Apply, IntoSymbols, Node, Symbol, SymbolicShape, call, shape_text, unprobed};
