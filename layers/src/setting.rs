//! What a layer's config is made of, and the macro that declares a layer's options once.

use std::fmt::Debug;

use cornu_autodiff::DType;
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::regularizer::Regularizer;

/// A config in Keras's JSON: the object under the key `config`.
pub type Config = Map<String, Value>;

/// The value of one option of a layer.
///
/// Numbers, strings, lists and options have it, and so do activations, initializers,
/// regularizers and constraints. A value that a builder took as a name which means nothing is
/// kept, and [`check`](Setting::check) refuses it when the layer is built.
pub trait Setting: Clone + Debug + Send + Sync + 'static {
    /// The value as Keras writes it.
    fn to_json(&self) -> Value;

    /// The value from what Keras wrote.
    ///
    /// # Errors
    /// When it is of another kind, or a name that means nothing. The error need not name the
    /// option: the caller does.
    fn from_json(value: &Value) -> Result<Self>;

    /// Refuses a value that means nothing.
    ///
    /// # Errors
    /// With the valid ones, nearest first.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// The error of a value of the wrong kind.
pub(crate) fn wrong(expected: &str, value: &Value) -> Error {
    Error::setting("value", format!("it must be {expected}"), value)
}

impl Setting for usize {
    fn to_json(&self) -> Value {
        json!(self)
    }
    fn from_json(value: &Value) -> Result<usize> {
        let whole = value
            .as_u64()
            .or_else(|| value.as_f64().filter(|v| v.fract() == 0.0 && *v >= 0.0).map(|v| v as u64));
        whole.map(|v| v as usize).ok_or_else(|| wrong("a whole number, not negative", value))
    }
}

impl Setting for isize {
    fn to_json(&self) -> Value {
        json!(self)
    }
    fn from_json(value: &Value) -> Result<isize> {
        value.as_i64().map(|v| v as isize).ok_or_else(|| wrong("a whole number", value))
    }
}

impl Setting for i64 {
    fn to_json(&self) -> Value {
        json!(self)
    }
    fn from_json(value: &Value) -> Result<i64> {
        value.as_i64().ok_or_else(|| wrong("a whole number", value))
    }
}

impl Setting for u64 {
    fn to_json(&self) -> Value {
        json!(self)
    }
    fn from_json(value: &Value) -> Result<u64> {
        value.as_u64().ok_or_else(|| wrong("a whole number, not negative", value))
    }
}

/// What Python's JSON has beyond the standard.
pub const NON_FINITE: [(&str, f64); 3] =
    [("-Infinity", f64::NEG_INFINITY), ("Infinity", f64::INFINITY), ("NaN", f64::NAN)];

/// Stands, in a [`Value`], before the name of a number that is not finite: a [`Value`] has only
/// strings for it. The character means nothing in Unicode, so no text has it.
pub const NON_FINITE_MARK: &str = "\u{fdd0}";

impl Setting for f64 {
    fn to_json(&self) -> Value {
        let same = |v: f64| v == *self || (v.is_nan() && self.is_nan());
        match NON_FINITE.iter().find(|(_, v)| same(*v)) {
            Some((name, _)) => json!(format!("{NON_FINITE_MARK}{name}")),
            None => json!(self),
        }
    }
    fn from_json(value: &Value) -> Result<f64> {
        let marked = || value.as_str()?.strip_prefix(NON_FINITE_MARK);
        let named = || marked().and_then(|m| NON_FINITE.iter().find(|(name, _)| *name == m));
        let number = value.as_f64().or_else(|| named().map(|(_, v)| *v));
        number.ok_or_else(|| wrong("a number", value))
    }
}

impl Setting for bool {
    fn to_json(&self) -> Value {
        json!(self)
    }
    fn from_json(value: &Value) -> Result<bool> {
        value.as_bool().ok_or_else(|| wrong("true or false", value))
    }
}

impl Setting for String {
    fn to_json(&self) -> Value {
        json!(self)
    }
    fn from_json(value: &Value) -> Result<String> {
        value.as_str().map(str::to_owned).ok_or_else(|| wrong("a string", value))
    }
}

impl Setting for Config {
    fn to_json(&self) -> Value {
        Value::Object(self.clone())
    }
    fn from_json(value: &Value) -> Result<Config> {
        value.as_object().cloned().ok_or_else(|| wrong("an object", value))
    }
}

impl<T: Setting> Setting for Option<T> {
    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, Setting::to_json)
    }
    fn from_json(value: &Value) -> Result<Option<T>> {
        if value.is_null() { Ok(None) } else { T::from_json(value).map(Some) }
    }
    fn check(&self) -> Result<()> {
        self.as_ref().map_or(Ok(()), Setting::check)
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn to_json(&self) -> Value {
        self.iter().map(Setting::to_json).collect()
    }
    /// A list; one value stands for a list of one.
    fn from_json(value: &Value) -> Result<Vec<T>> {
        match value {
            Value::Array(values) => values.iter().map(T::from_json).collect(),
            one => Ok(vec![T::from_json(one)?]),
        }
    }
    fn check(&self) -> Result<()> {
        self.iter().try_for_each(Setting::check)
    }
}

impl<T: Setting, const N: usize> Setting for [T; N] {
    fn to_json(&self) -> Value {
        self.iter().map(Setting::to_json).collect()
    }
    /// A list of `N`; one value stands for `N` equal ones.
    fn from_json(value: &Value) -> Result<[T; N]> {
        let values = match value {
            Value::Array(values) => values.iter().map(T::from_json).collect::<Result<Vec<T>>>()?,
            one => vec![T::from_json(one)?; N],
        };
        let wrong = |_| wrong(&format!("a list of {N}"), value);
        values.try_into().map_err(wrong)
    }
    fn check(&self) -> Result<()> {
        self.iter().try_for_each(Setting::check)
    }
}

impl Setting for DType {
    /// Keras's dtype policy.
    fn to_json(&self) -> Value {
        json!({
            "module": "keras",
            "class_name": "DTypePolicy",
            "config": { "name": self.name() },
            "registered_name": null,
        })
    }
    fn from_json(value: &Value) -> Result<DType> {
        let name = value.as_str().or_else(|| value["config"]["name"].as_str());
        let name = name.ok_or_else(|| wrong("a dtype or a dtype policy", value))?;
        Ok(name.parse()?)
    }
}

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
/// anything that is an [`Arg`](crate::Arg) of the field's type.
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
            $($(#[$required_meta:meta])* $required:ident: $Required:ty,)*
            ..
            $($(#[$option_meta:meta])* $option:ident: $Option:ty = $default:expr,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        $vis struct $Layer {
            $($(#[$required_meta])* pub $required: $Required,)*
            $($(#[$option_meta])* pub $option: $Option,)*
            /// Name, trainable flag, dtype and input shape.
            pub common: $crate::Common,
        }

        impl $Layer {
            /// The layer with every option at its default.
            #[allow(clippy::new_without_default)]
            $vis fn new($($required: impl $crate::Arg<$Required>),*) -> $Layer {
                $Layer {
                    $($required: $crate::Arg::arg($required),)*
                    $($option: $default,)*
                    common: $crate::Common::default(),
                }
            }

            $(
                $(#[$option_meta])*
                #[must_use]
                $vis fn $option(mut self, value: impl $crate::Arg<$Option>) -> $Layer {
                    self.$option = $crate::Arg::arg(value);
                    self
                }
            )*
        }

        impl $crate::Configured for $Layer {
            const CLASS: &'static str = $class;
            fn common(&self) -> &$crate::Common {
                &self.common
            }
            fn common_mut(&mut self) -> &mut $crate::Common {
                &mut self.common
            }
            #[allow(unused_mut)]
            fn settings(&self) -> $crate::Config {
                let mut config = $crate::Config::new();
                $(config.insert(
                    stringify!($required).into(),
                    $crate::Setting::to_json(&self.$required),
                );)*
                $(config.insert(
                    stringify!($option).into(),
                    $crate::Setting::to_json(&self.$option),
                );)*
                config
            }
            #[allow(unused_variables)]
            fn from_settings(config: &$crate::Config) -> $crate::Result<$Layer> {
                Ok($Layer {
                    $($required: $crate::setting_of($class, config, stringify!($required), None)?,)*
                    $($option: $crate::setting_of(
                        $class, config, stringify!($option), Some($default),
                    )?,)*
                    common: $crate::Common::default(),
                })
            }
            fn check_settings(&self) -> $crate::Result<()> {
                $($crate::check_setting(stringify!($required), &self.$required)?;)*
                $($crate::check_setting(stringify!($option), &self.$option)?;)*
                Ok(())
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

#[doc(hidden)]
pub fn setting_of<T: Setting>(
    class: &str,
    config: &Config,
    key: &str,
    default: Option<T>,
) -> Result<T> {
    match (config.get(key), default) {
        (Some(value), _) => T::from_json(value).map_err(|e| unfit(class, key, e, value)),
        (None, Some(default)) => Ok(default),
        (None, None) => Err(missing(class, key)),
    }
}

/// Moves a key to the place at which Keras writes it.
pub(crate) fn move_key(config: &mut Config, key: &str, to: usize) {
    if let Some(value) = config.shift_remove(key) {
        config.shift_insert(to, key.into(), value);
    }
}

fn unfit(class: &str, key: &str, error: Error, value: &Value) -> Error {
    let rule = match error {
        Error::Setting { rule, .. } => rule,
        other => other.to_string(),
    };
    Error::config(format!("{class}: `{key}`"), rule, value)
}

fn missing(class: &str, key: &str) -> Error {
    Error::config(class, format!("the key `{key}` must be there"), "no such key")
}

/// Writes a null where Keras has one for the penalty on the output: behind the key `behind`. If
/// there is a penalty, it is written with what every layer has.
pub(crate) fn write_penalty(common: &Common, config: &mut Config, behind: &str) {
    if common.activity_regularizer.is_none() {
        let at = config.keys().position(|key| key == behind).map_or(config.len(), |i| i + 1);
        config.shift_insert(at, "activity_regularizer".into(), Value::Null);
    }
}

#[doc(hidden)]
pub fn check_setting<T: Setting>(key: &str, value: &T) -> Result<()> {
    value.check().map_err(|e| refused(key, e))
}

fn refused(key: &str, error: Error) -> Error {
    match error {
        Error::Tensor(unknown) => {
            Error::setting(format!("`{key}`"), "it must be a known name", unknown)
        }
        Error::Setting { rule, got, .. } => Error::setting(format!("`{key}`"), rule, got),
        other => other,
    }
}
