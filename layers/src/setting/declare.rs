//! The macro that declares options once: those of layers, and of all else that Keras writes as a
//! `config`.

use serde_json::Value;

use crate::error::{Error, Result};
use crate::setting::{Config, Setting};

/// An option's value without its type: what [`settings!`](crate::settings) hands out, so that
/// reading, writing and checking are compiled once and not once a class.
#[doc(hidden)]
pub trait Field {
    /// As [`Setting::to_json`].
    fn write(&self) -> Value;
    /// As [`Setting::from_json`], in place.
    ///
    /// # Errors
    /// When the value is of another kind.
    fn read(&mut self, value: &Value) -> Result<()>;
    /// As [`Setting::check`].
    ///
    /// # Errors
    /// When the value means nothing.
    fn refuse(&self) -> Result<()>;
}

impl<T: Setting> Field for T {
    fn write(&self) -> Value {
        self.to_json()
    }
    fn read(&mut self, value: &Value) -> Result<()> {
        *self = T::from_json(value)?;
        Ok(())
    }
    fn refuse(&self) -> Result<()> {
        self.check()
    }
}

/// The options of one object, one after the other.
#[doc(hidden)]
pub trait Fields {
    /// Shows each option: its name, its value, and whether it is written.
    fn each(&self, show: &mut dyn FnMut(&'static str, &dyn Field, bool));
    /// Shows each option that has a default, to be set.
    fn each_optional(&mut self, show: &mut dyn FnMut(&'static str, &mut dyn Field));
}

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
/// leaves it out. A required one may have a default all the same, for JSON without it. A field in
/// `besides` is no option.
#[doc(hidden)]
#[macro_export]
macro_rules! settings {
    (@quiet $value:expr, $default:expr) => {
        $value != $default
    };
    (@default) => {
        None
    };
    (@default $default:expr) => {
        Some($default)
    };
    (
        $(#[$meta:meta])*
        $vis:vis struct $Name:ident[$class:literal] {
            $(
                $(#[$required_meta:meta])*
                $required:ident: $Required:ty $(= $required_default:expr)?;
            )*
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

        impl $crate::Fields for $Name {
            #[allow(unused_variables)]
            fn each(&self, show: &mut dyn FnMut(&'static str, &dyn $crate::Field, bool)) {
                $(show(stringify!($required), &self.$required, true);)*
                $(
                    let written = true $(&& $crate::settings!(@$quiet self.$option, $default))?;
                    show(stringify!($option), &self.$option, written);
                )*
            }
            #[allow(unused_variables)]
            fn each_optional(&mut self, show: &mut dyn FnMut(&'static str, &mut dyn $crate::Field)) {
                $(show(stringify!($option), &mut self.$option);)*
            }
        }

        impl $crate::Settings for $Name {
            fn settings(&self) -> $crate::Config {
                $crate::write_fields(self)
            }
            fn from_settings(config: &$crate::Config) -> $crate::Result<$Name> {
                let mut read = $Name {
                    $($required: $crate::setting_of(
                        $class,
                        config,
                        stringify!($required),
                        $crate::settings!(@default $($required_default)?),
                    )?,)*
                    $($option: $default,)*
                    $($besides: <$Besides>::default(),)?
                };
                $crate::read_fields(&mut read, $class, config)?;
                Ok(read)
            }
            fn check_settings(&self) -> $crate::Result<()> {
                $crate::check_fields(self)
            }
        }
    };
}

// Never inlined: each class would get one of its own again where all crates are compiled as one.

#[doc(hidden)]
#[inline(never)]
pub fn write_fields(fields: &dyn Fields) -> Config {
    let mut config = Config::new();
    fields.each(&mut |key, field, written| {
        if written {
            config.insert(key.into(), field.write());
        }
    });
    config
}

#[doc(hidden)]
#[inline(never)]
pub fn read_fields(fields: &mut dyn Fields, class: &str, config: &Config) -> Result<()> {
    let mut read = Ok(());
    fields.each_optional(&mut |key, field| {
        if let (Ok(()), Some(value)) = (&read, config.get(key)) {
            read = field.read(value).map_err(|e| unfit(class, key, e, value));
        }
    });
    read
}

#[doc(hidden)]
#[inline(never)]
pub fn check_fields(fields: &dyn Fields) -> Result<()> {
    let mut checked = Ok(());
    fields.each(&mut |key, field, _| {
        if checked.is_ok() {
            checked = check_setting(key, field);
        }
    });
    checked
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
pub fn check_setting(key: &str, value: &dyn Field) -> Result<()> {
    value.refuse().map_err(|e| refused(key, e))
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
