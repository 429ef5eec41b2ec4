//! The macro that declares options once: those of layers, and of all else that Keras writes as a
//! `config`.

use serde_json::Value;

use crate::error::{Error, Result};
use crate::setting::{Config, Setting};

/// What [`settings!`](crate::settings) implements: options in Keras's JSON, both ways.
#[doc(hidden)]
pub trait Settings: Sized {
    /// The options as Keras writes them.
    fn settings(&self) -> Config;
    /// From options as Keras writes them.
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

/// What [`config!`](crate::config) of layers and its like elsewhere have in common: the struct, a
/// constructor that takes the required options, a setter for each of the others, and
/// [`Settings`]. An option marked `quiet` is written only if it isn't at its default, since Keras
/// leaves it out. A field in `besides` is no option.
#[doc(hidden)]
#[macro_export]
macro_rules! settings {
    (@quiet $value:expr, $default:expr) => {
        $value != $default
    };
    (
        $(#[$meta:meta])*
        $vis:vis struct $Name:ident[$class:literal] {
            $($(#[$required_meta:meta])* $required:ident: $Required:ty;)*
            ..
            $($(#[$option_meta:meta])* $option:ident: $Option:ty = $default:expr
                $(, $quiet:ident)?;)*
        }
        besides { $($(#[$besides_meta:meta])* $besides_vis:vis $besides:ident: $Besides:ty)? }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        $vis struct $Name {
            $($(#[$required_meta])* pub $required: $Required,)*
            $($(#[$option_meta])* pub $option: $Option,)*
            $($(#[$besides_meta])* $besides_vis $besides: $Besides,)?
        }

        impl $Name {
            /// With every option at its default, but for those that have none.
            #[allow(clippy::new_without_default)]
            #[must_use]
            $vis fn new($($required: impl $crate::Arg<$Required>),*) -> $Name {
                $Name {
                    $($required: $crate::Arg::arg($required),)*
                    $($option: $default,)*
                    $($besides: <$Besides>::default(),)?
                }
            }

            $(
                $(#[$option_meta])*
                #[must_use]
                $vis fn $option(mut self, value: impl $crate::Arg<$Option>) -> $Name {
                    self.$option = $crate::Arg::arg(value);
                    self
                }
            )*
        }

        impl $crate::Settings for $Name {
            #[allow(unused_mut)]
            fn settings(&self) -> $crate::Config {
                let mut config = $crate::Config::new();
                $(config.insert(
                    stringify!($required).into(),
                    $crate::Setting::to_json(&self.$required),
                );)*
                $(
                    if true $(&& $crate::settings!(@$quiet self.$option, $default))? {
                        let value = $crate::Setting::to_json(&self.$option);
                        config.insert(stringify!($option).into(), value);
                    }
                )*
                config
            }
            #[allow(unused_variables)]
            fn from_settings(config: &$crate::Config) -> $crate::Result<$Name> {
                Ok($Name {
                    $($required: $crate::setting_of($class, config, stringify!($required), None)?,)*
                    $($option: $crate::setting_of(
                        $class, config, stringify!($option), Some($default),
                    )?,)*
                    $($besides: <$Besides>::default(),)?
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
