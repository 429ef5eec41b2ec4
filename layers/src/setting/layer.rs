//! The macro that declares a layer's options once, and what every layer has besides them.

use cornu_autodiff::DType;
use serde_json::Value;

use crate::error::Result;
use crate::regularizer::Regularizer;
use crate::setting::Config;

/// What every layer has besides its own options.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Common {
    /// The name, if it was given; otherwise the model numbers layers by class.
    pub name: Option<String>,
    /// Set by `trainable(false)`.
    pub frozen: bool,
    /// The dtype, if it isn't float32.
    pub dtype: Option<DType>,
    /// The shape of one sample, if the layer may begin a `Sequential`.
    pub input_shape: Option<Vec<Option<usize>>>,
    /// The penalty on the output, if the class has no option of its own for it.
    pub activity_regularizer: Option<Regularizer>,
}

/// Declares a layer's struct: its options with their defaults, a constructor that takes the
/// required ones, a setter for each of the others, and its config in Keras's JSON. An option is
/// named once, here.
///
/// Fields above `..` are required, those below have defaults. Constructor and setters take
/// anything that is an [`Arg`](crate::Arg) of the field's type. A required field with a default
/// is one that JSON may leave out.
///
/// ```
/// use cornu_layers::{Activation, config};
/// config! {
///     /// Multiplies by a number.
///     pub struct Gain["Gain"] {
///         /// The number.
///         factor: f64,
///         ..
///         /// Applied to the product.
///         activation: Activation = Activation::Linear,
///     }
/// }
/// let gain = Gain::new(2.0).activation("relu");
/// assert_eq!(gain.factor, 2.0);
/// ```
#[macro_export]
macro_rules! config {
    (
        $(#[$meta:meta])*
        $vis:vis struct $Layer:ident[$class:literal] {
            $(
                $(#[$required_meta:meta])*
                $required:ident: $Required:ty $(= $required_default:expr)?,
            )*
            ..
            $($(#[$option_meta:meta])* $option:ident: $Option:ty = $default:expr,)*
        }
    ) => {
        $crate::settings! {
            $(#[$meta])*
            $vis struct $Layer[$class] {
                $($(#[$required_meta])* $required: $Required $(= $required_default)?;)*
                ..
                $($(#[$option_meta])* $option: $Option = $default;)*
            }
            besides {
                /// Name, trainable flag, dtype and input shape.
                pub common: $crate::Common
            }
        }

        impl $crate::Configured for $Layer {
            const CLASS: &'static str = $class;
            fn common(&self) -> &$crate::Common {
                &self.common
            }
            fn common_mut(&mut self) -> &mut $crate::Common {
                &mut self.common
            }
            fn settings(&self) -> $crate::Config {
                $crate::Settings::settings(self)
            }
            fn from_settings(config: &$crate::Config) -> $crate::Result<$Layer> {
                $crate::Settings::from_settings(config)
            }
            fn check_settings(&self) -> $crate::Result<()> {
                $crate::Settings::check_settings(self)
            }
        }
    };
}

/// What [`config!`] implements for a layer.
pub trait Configured: Sized {
    /// The class's name in Keras.
    const CLASS: &'static str;
    /// Name, trainable flag, dtype and input shape.
    fn common(&self) -> &Common;
    /// As [`common`](Configured::common), to be set.
    fn common_mut(&mut self) -> &mut Common;
    /// The layer's own options as Keras writes them.
    fn settings(&self) -> Config;
    /// A layer from its own options as Keras writes them.
    ///
    /// # Errors
    /// When a required one is missing or one is of the wrong kind.
    fn from_settings(config: &Config) -> Result<Self>;
    /// Refuses options that mean nothing.
    ///
    /// # Errors
    /// Naming the option.
    fn check_settings(&self) -> Result<()>;
}

/// Writes a null where Keras has one for the penalty on the output: behind the key `behind`. If
/// there is a penalty, it is written with what every layer has.
pub(crate) fn write_penalty(common: &Common, config: &mut Config, behind: &str) {
    if common.activity_regularizer.is_none() {
        let at = config.keys().position(|key| key == behind).map_or(config.len(), |i| i + 1);
        config.shift_insert(at, "activity_regularizer".into(), Value::Null);
    }
}

/// Moves a key to the place at which Keras writes it.
pub(crate) fn move_key(config: &mut Config, key: &str, to: usize) {
    if let Some(value) = config.shift_remove(key) {
        config.shift_insert(to, key.into(), value);
    }
}
