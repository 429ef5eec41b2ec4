//! Layers and what they are made of, under Keras's names.
//!
//! A layer is plain options; a [`LayerRef`] is a layer with a name and, once the shapes of its
//! inputs are known, weights. Symbols ([`input`](fn@input), [`Apply`]) describe a graph of
//! layers for `cornu-models` to train and run.

mod activation;
mod activations;
mod any_layer;
mod arg;
mod attention;
mod axes;
mod builder;
mod catalogue;
mod check;
mod choice;
mod constraint;
mod context;
mod convolutional;
mod core;
mod envelope;
mod error;
mod handle;
mod initializer;
mod inner;
mod input;
mod layer;
mod merging;
mod normalization;
mod operation;
mod parameter;
mod part;
mod pooling;
mod preprocessing;
mod registry;
mod regularization;
mod regularizer;
mod resample;
mod reshaping;
mod rnn;
mod setting;
mod snake_case;
mod symbol;
mod window;

pub use self::core::{
    Dense, EinsumDense, Embedding, Identity, Lambda, LambdaFunction, Masking, ReversibleEmbedding,
    ReversibleEmbeddingWeights,
};
pub use activation::{Activation, ActivationFunction};
pub use activations::{ActivationLayer, ELU, LeakyReLU, PReLU, ReLU, Softmax};
pub use any_layer::{AnyLayer, Built};
pub use arg::Arg;
pub use attention::{
    AdditiveAttention, Attention, AttentionWeights, GroupQueryAttention, HeadsWeights,
    MultiHeadAttention, ScoreMode,
};
pub use axes::AxisOrAxes;
pub use builder::{WeightBuilder, WeightOptions};
pub use choice::{DataFormat, Padding};
pub use constraint::{Constraint, ConstraintFunction};
pub use context::Context;
pub use convolutional::{
    Conv1D, Conv1DTranspose, Conv2D, Conv2DTranspose, Conv3D, Conv3DTranspose, DepthwiseConv1D,
    DepthwiseConv2D, SeparableConv1D, SeparableConv2D, SeparableConvWeights,
};
pub use error::{Error, Result};
pub use handle::{IntoLayer, LayerRef};
pub use initializer::{
    Distribution, Fans, Initializer, InitializerFunction, Mode, Stft, VarianceScaling, WaveSide,
};
pub use input::{Input, IntoInputShape, input, input_symbol};
pub use layer::{Inputs, Layer, LayerOptions, Masks, Tensors, expect_rank, known_axis};
pub use merging::{Add, Average, Concatenate, Dot, DotAxes, Maximum, Minimum, Multiply, Subtract};
pub use normalization::{
    BatchNormalization, BatchNormalizationWeights, GroupNormalization, LayerNormalization,
    RMSNormalization, RenormClipping, ScaleWeights, SpectralNormalization,
    SpectralNormalizationWeights, UnitNormalization,
};
pub use operation::{Operand, Operation};
pub use parameter::Parameter;
pub use part::KernelWeights;
pub use pooling::{
    AdaptiveAveragePooling1D, AdaptiveAveragePooling2D, AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D, AdaptiveMaxPooling2D, AdaptiveMaxPooling3D, AveragePooling1D,
    AveragePooling2D, AveragePooling3D, GlobalAveragePooling1D, GlobalAveragePooling2D,
    GlobalAveragePooling3D, GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D,
    MaxPooling1D, MaxPooling2D, MaxPooling3D,
};
pub use preprocessing::{
    CategoryEncoding, CenterCrop, Discretization, Feature, FrameWindow, HashedCrossing, Hashing,
    IntegerLookup, Key, MelSpectrogram, Ngrams, Normalization, NormalizationWeights, Numbers,
    OovMethod, OutputMode, Pipeline, Rescaling, Resizing, STFTSpectrogram, STFTSpectrogramWeights,
    Salt, SpectrogramMode, Split, Standardize, StringLookup, TextVectorization, WindowScaling,
};
pub use registry::{
    Reviver, layer_classes, layer_from_json, register_class, register_layer, revive,
};
pub use regularization::{
    ActivityRegularization, AlphaDropout, Dropout, GaussianDropout, GaussianNoise,
    SpatialDropout1D, SpatialDropout2D, SpatialDropout3D,
};
pub use regularizer::{OrthogonalMode, PenaltyFunction, Regularizer};
pub use resample::Interpolation;
pub use reshaping::{
    Cropping1D, Cropping2D, Cropping3D, Flatten, Permute, RepeatVector, Reshape, UpSampling1D,
    UpSampling2D, UpSampling3D, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D,
};
pub use rnn::{
    Bidirectional, CellWeights, ConvLSTM1D, ConvLSTM2D, ConvLSTM3D, GRU, GRUCell, LSTM, LSTMCell,
    MergeMode, RNN, Recurrent, SimpleRNN, SimpleRNNCell, StackedRNNCells, TimeDistributed,
};
pub use setting::{Common, Config, Configured, NON_FINITE, NON_FINITE_MARK, Setting};
#[doc(hidden)]
pub use setting::{
    Field, Fields, Settings, check_fields, check_setting, read_fields, setting_of, write_fields,
    wrong,
};
pub use snake_case::{inner_class, snake_case};
pub use symbol::{Apply, IntoSymbols, Node, Symbol, SymbolicShape, call, shape_text, unprobed};

/// All layers, and what one needs to call them.
pub mod prelude {
    pub use crate::catalogue::layers::*;
    pub use crate::{
        Activation, Apply, Constraint, Initializer, Input, IntoLayer, LayerOptions, LayerRef,
        Regularizer, Symbol, input,
    };
}
