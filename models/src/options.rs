//! Options of losses, metrics, optimizers and schedules: declared once, read from and written as
//! Keras's JSON.

use cornu_autodiff::{DType, Error, Result};
use serde_json::{Map, Value, json};

/// A config in Keras's JSON: the object under the key `config`.
pub type Config = Map<String, Value>;

/// The type of an option.
pub(crate) trait Field: Clone {
    /// What a value must be, for error texts.
    const KIND: &'static str;
    fn to_json(&self) -> Value;
    fn from_json(value: &Value) -> Option<Self>;
}

macro_rules! field {
    ($($type:ty, $kind:literal, |$value:ident| $from:expr;)*) => {$(
        impl Field for $type {
            const KIND: &'static str = $kind;
            fn to_json(&self) -> Value {
                json!(self)
            }
            fn from_json($value: &Value) -> Option<$type> {
                $from
            }
        }
    )*};
}
field! {
    bool, "true or false", |v| v.as_bool();
    f64, "a number", |v| v.as_f64();
    isize, "a whole number", |v| whole(v)?.try_into().ok();
    i64, "a whole number", |v| whole(v);
    usize, "a whole number that is not negative", |v| whole(v)?.try_into().ok();
    u64, "a whole number that is not negative", |v| whole(v)?.try_into().ok();
    String, "a string", |v| Some(v.as_str()?.to_owned());
}

/// A whole number, also if it is written as `2.0`.
fn whole(value: &Value) -> Option<i64> {
    let rounded = || value.as_f64().filter(|v| v.fract() == 0.0).map(|v| v as i64);
    value.as_i64().or_else(rounded)
}

impl Field for DType {
    const KIND: &'static str = "a dtype or a dtype policy";
    fn to_json(&self) -> Value {
        json!(self.name())
    }
    fn from_json(value: &Value) -> Option<DType> {
        value.as_str().or_else(|| value["config"]["name"].as_str())?.parse().ok()
    }
}

impl<T: Field> Field for Option<T> {
    const KIND: &'static str = T::KIND;
    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, Field::to_json)
    }
    fn from_json(value: &Value) -> Option<Option<T>> {
        if value.is_null() { Some(None) } else { T::from_json(value).map(Some) }
    }
}

impl<T: Field> Field for Vec<T> {
    const KIND: &'static str = "a list";
    fn to_json(&self) -> Value {
        self.iter().map(Field::to_json).collect()
    }
    fn from_json(value: &Value) -> Option<Vec<T>> {
        value.as_array()?.iter().map(T::from_json).collect()
    }
}

/// The options of one class as Keras writes them, read one by one; a key that nobody read is
/// an error.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    class: &'a str,
    config: &'a Config,
    read: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(class: &'a str, config: &'a Config) -> Fields<'a> {
        Fields { class, config, read: Vec::new() }
    }

    /// The value under `key`, or `default` where there is none.
    pub(crate) fn take<T: Field>(&mut self, key: &'static str, default: T) -> Result<T> {
        self.read.push(key);
        match self.config.get(key) {
            None => Ok(default),
            Some(value) => self.parse(key, value),
        }
    }

    /// The value under a `key` that must be there.
    pub(crate) fn require<T: Field>(&mut self, key: &'static str) -> Result<T> {
        self.read.push(key);
        match self.config.get(key) {
            None => Err(self.error(key, "it must be given", "no such key")),
            Some(value) => self.parse(key, value),
        }
    }

    /// The JSON under `key`.
    pub(crate) fn json(&mut self, key: &'static str) -> Option<&'a Value> {
        self.read.push(key);
        self.config.get(key)
    }

    fn parse<T: Field>(&self, key: &str, value: &Value) -> Result<T> {
        let kind = || self.error(key, &format!("it must be {}", T::KIND), &value.to_string());
        T::from_json(value).ok_or_else(kind)
    }

    fn error(&self, key: &str, rule: &str, got: &str) -> Error {
        Error::value(format!("config of `{}`: `{key}`", self.class), rule, got)
    }

    /// Refuses keys that nobody has read.
    pub(crate) fn finish(self) -> Result<()> {
        match self.config.keys().find(|key| !self.read.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => {
                Err(Error::unknown(format!("option of `{}`", self.class), key, &self.read))
            }
        }
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
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $Name {
            $($(#[$required_meta])* pub $required: $Required,)*
            $($(#[$field_meta])* pub $field: $Type,)*
            $($state: $State,)?
        }

        impl $Name {
            /// Every option at its default, but for those that have none.
            #[must_use]
            #[allow(clippy::new_without_default)]
            pub fn new($($required: impl Into<$Required>),*) -> $Name {
                $Name {
                    $($required: $required.into(),)*
                    $($field: $default,)*
                    $($state: Default::default(),)?
                }
            }
            $(
                $(#[$field_meta])*
                #[must_use]
                pub fn $field(mut self, value: impl Into<$Type>) -> $Name {
                    self.$field = value.into();
                    self
                }
            )*
        }

        impl $crate::options::Options for $Name {
            const CLASS: &'static str = $class;
            fn write(&self) -> $crate::options::Config {
                use $crate::options::Field;
                let mut config = $crate::options::Config::new();
                $(config.insert(
                    stringify!($required).into(),
                    Field::to_json(&self.$required),
                );)*
                $(
                    if true $(&& $crate::options::$quiet(&self.$field, &$default))? {
                        config.insert(stringify!($field).into(), Field::to_json(&self.$field));
                    }
                )*
                config
            }
            fn read(config: &$crate::options::Config) -> cornu_autodiff::Result<$Name> {
                let mut fields = $crate::options::Fields::new($class, config);
                let read = $Name {
                    $($required: fields.require(stringify!($required))?,)*
                    $($field: fields.take(stringify!($field), $default)?,)*
                    $($state: Default::default(),)?
                };
                fields.finish()?;
                Ok(read)
            }
        }
    };
}
pub(crate) use options;

/// Whether a quiet option has something to say.
pub(crate) fn quiet<T: PartialEq>(value: &T, default: &T) -> bool {
    value != default
}

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
