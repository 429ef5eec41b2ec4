//! Every layer that files may name: a line each.

use crate::registry::{Reviver, revive, revive_input};

macro_rules! layers {
    ($($Layer:ident),* $(,)?) => {
        /// Keras's class name and how to make the layer.
        pub(crate) const LAYERS: &[(&str, Reviver)] = &[
            ("InputLayer", revive_input),
            $((<crate::$Layer as crate::Configured>::CLASS, revive::<crate::$Layer>),)*
        ];
    };
}

layers! { Add, Average, Maximum, Minimum, Multiply, Subtract }
