//! The value of one option, in Keras's JSON and back.

use std::fmt::Debug;

use cornu_autodiff::DType;
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};

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
#[doc(hidden)]
pub fn wrong(expected: &str, value: &Value) -> Error {
    Error::setting("value", format!("it must be {expected}"), value)
}

/// A whole number, also if it is written as `2.0`.
fn whole(value: &Value) -> Option<i64> {
    let rounded = || value.as_f64().filter(|v| v.fract() == 0.0).map(|v| v as i64);
    value.as_i64().or_else(rounded)
}

macro_rules! whole_numbers {
    ($($type:ty, $kind:literal;)*) => {$(
        impl Setting for $type {
            fn to_json(&self) -> Value {
                json!(self)
            }
            fn from_json(value: &Value) -> Result<$type> {
                // Seeds may be larger than any i64.
                let large = || value.as_u64().and_then(|v| v.try_into().ok());
                let number = whole(value).and_then(|v| v.try_into().ok()).or_else(large);
                number.ok_or_else(|| wrong($kind, value))
            }
        }
    )*};
}
whole_numbers! {
    usize, "a whole number, not negative";
    u64, "a whole number, not negative";
    isize, "a whole number";
    i64, "a whole number";
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
