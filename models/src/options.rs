//! Options of losses, metrics, optimizers and schedules: declared once, read from and written as
//! Keras's JSON, by what layers use too.

use cornu_autodiff::{Error, Result};
use cornu_layers::Setting;
use serde_json::{Value, json};

pub use cornu_layers::Config;

/// The value under `key`, or `default` where there is none.
pub(crate) fn take<T: Setting>(class: &str, config: &Config, key: &str, default: T) -> Result<T> {
    cornu_layers::setting_of(class, config, key, Some(default)).map_err(unfit)
}

/// Refuses keys that are no option.
pub(crate) fn only(class: &str, config: &Config, known: &[&str]) -> Result<()> {
    match config.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(Error::unknown(format!("option of `{class}`"), key, known)),
    }
}

/// An error of a config as one of a tensor: what losses, metrics and optimizers have.
pub(crate) fn unfit(error: cornu_layers::Error) -> Error {
    match error {
        cornu_layers::Error::Tensor(error) => error,
        cornu_layers::Error::Config { place, rule, got } => {
            // The class, and perhaps the key: "Huber: `delta`".
            let (class, key) = place.split_at(place.find(": ").unwrap_or(place.len()));
            Error::value(format!("config of `{class}`{key}"), rule, got)
        }
        other => Error::value("config", "it must be what Keras writes", other.to_string()),
    }
}

/// What [`options!`] implements for a class.
pub(crate) trait Options: Sized {
    /// The class's name in Keras.
    const CLASS: &'static str;
    /// The options as Keras writes them.
    fn write(&self) -> Config;
    /// The options from what Keras wrote.
    fn read(config: &Config) -> Result<Self>;
}

/// Declares a class by its options: the struct, `new` with the required ones, a setter for each
/// of the others, and both directions of Keras's JSON. Options above `..` are required, those
/// below have defaults; one marked `quiet` is written only if it isn't at its default, since
/// Keras leaves it out. A `state` is a private field that is no option.
macro_rules! options {
    (
        $(#[$meta:meta])*
        pub struct $Name:ident[$class:literal] {
            $($(#[$required_meta:meta])* $required:ident: $Required:ty;)*
            ..
            $($(#[$field_meta:meta])* $field:ident: $Type:ty = $default:expr $(, $quiet:ident)?;)*
        }
        $(state $state:ident: $State:ty;)?
    ) => {
        cornu_layers::settings! {
            $(#[$meta])*
            #[derive(PartialEq)]
            pub struct $Name[$class] {
                $($(#[$required_meta])* $required: $Required;)*
                ..
                $($(#[$field_meta])* $field: $Type = $default $(, $quiet)?;)*
            }
            besides { $($state: $State)? }
        }

        impl $crate::options::Options for $Name {
            const CLASS: &'static str = $class;
            fn write(&self) -> $crate::options::Config {
                cornu_layers::Settings::settings(self)
            }
            fn read(config: &$crate::options::Config) -> cornu_autodiff::Result<$Name> {
                let known = [$(stringify!($required),)* $(stringify!($field)),*];
                $crate::options::only($class, config, &known)?;
                let read = <$Name as cornu_layers::Settings>::from_settings(config);
                read.map_err($crate::options::unfit)
            }
        }
    };
}
pub(crate) use options;

/// The class name and config of an object as Keras writes it, or of a bare name.
pub(crate) fn parse_object<'a>(
    kind: &str,
    value: &'a Value,
) -> Result<(&'a str, Option<&'a Config>)> {
    if let Some(name) = value.as_str() {
        return Ok((name, None));
    }
    let class = value.get("class_name").and_then(Value::as_str);
    match (class, value.get("config")) {
        (Some(class), None) => Ok((class, None)),
        (Some(class), Some(Value::Object(config))) => Ok((class, Some(config))),
        _ => {
            let rule = "it must be a name or an object with `class_name` and `config`";
            Err(Error::value(format!("config of {kind}"), rule, value.to_string()))
        }
    }
}

/// An object as Keras writes it.
pub(crate) fn write_object(module: &str, class: &str, config: Config) -> Value {
    json!({ "module": module, "class_name": class, "config": config, "registered_name": null })
}
