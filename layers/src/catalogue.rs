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
    // Core
    ActivationLayer, Dense, Embedding, Identity,
    // Merging
    Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract,
    // Normalization
    BatchNormalization, GroupNormalization, LayerNormalization, RMSNormalization, UnitNormalization,
    // Regularization
    Dropout,
    // Reshaping
    Flatten, Permute, RepeatVector, Reshape,
}
