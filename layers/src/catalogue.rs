//! Every layer that files may name: a line each.

use crate::registry::{Reviver, revive, revive_input};

macro_rules! layers {
    ($($Layer:ident),* $(,)?) => {
        /// Keras's class name and how to make the layer.
        pub(crate) const LAYERS: &[(&str, Reviver)] = &[
            ("InputLayer", revive_input),
            $((<crate::$Layer as crate::Configured>::CLASS, revive::<crate::$Layer>),)*
        ];

        /// The layers by name.
        pub(crate) mod layers {
            pub use crate::{$($Layer),*};
        }
    };
}

#[rustfmt::skip]
layers! {
    // Activations
    ActivationLayer, ELU, LeakyReLU, PReLU, ReLU, Softmax,
    // Attention
    AdditiveAttention, Attention, GroupQueryAttention, MultiHeadAttention,
    // Convolutional
    Conv1D, Conv2D, Conv3D, Conv1DTranspose, Conv2DTranspose, Conv3DTranspose,
    DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D,
    // Core
    Dense, EinsumDense, Embedding, Identity, Lambda, Masking, ReversibleEmbedding,
    // Merging
    Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract,
    // Normalization
    BatchNormalization, GroupNormalization, LayerNormalization, RMSNormalization,
    SpectralNormalization, UnitNormalization,
    // Pooling
    AdaptiveAveragePooling1D, AdaptiveAveragePooling2D, AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D, AdaptiveMaxPooling2D, AdaptiveMaxPooling3D,
    AveragePooling1D, AveragePooling2D, AveragePooling3D,
    GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D,
    GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D,
    MaxPooling1D, MaxPooling2D, MaxPooling3D,
    // Preprocessing
    CategoryEncoding, CenterCrop, Discretization, MelSpectrogram, Normalization, Pipeline, Rescaling,
    Resizing,
    STFTSpectrogram, Hashing, HashedCrossing, IntegerLookup, StringLookup, TextVectorization,
    // Regularization
    ActivityRegularization, AlphaDropout, Dropout, GaussianDropout, GaussianNoise,
    SpatialDropout1D, SpatialDropout2D, SpatialDropout3D,
    // Reshaping
    Cropping1D, Cropping2D, Cropping3D, Flatten, Permute, RepeatVector, Reshape,
    UpSampling1D, UpSampling2D, UpSampling3D, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D,
    // Recurrent
    Bidirectional, ConvLSTM1D, ConvLSTM2D, ConvLSTM3D, GRU, GRUCell, LSTM, LSTMCell, RNN, SimpleRNN, SimpleRNNCell, StackedRNNCells,
    TimeDistributed,
}
