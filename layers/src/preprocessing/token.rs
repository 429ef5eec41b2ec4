//! What lookups and hashes work on: words or whole numbers.

use std::fmt::{Debug, Display};
use std::hash::Hash;

use serde_json::{Value, json};

use crate::arg::Arg;
use crate::error::Result;
use crate::setting::{Setting, wrong};

/// A word or a whole number.
pub(super) trait Token: Clone + Debug + Display + Eq + Hash + Ord {
    /// Whether numbers are told apart by their remainder, unless hashing is asked for.
    const WHOLE: bool;
    /// The number, if it is one.
    fn number(&self) -> i64;
}

impl Token for String {
    const WHOLE: bool = false;
    fn number(&self) -> i64 {
        0
    }
}

impl Token for i64 {
    const WHOLE: bool = true;
    fn number(&self) -> i64 {
        *self
    }
}

/// A value of data: a whole number or a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
}

impl Arg<Option<Key>> for i64 {
    fn arg(self) -> Option<Key> {
        Some(Key::Int(self))
    }
}
impl Arg<Option<Key>> for &str {
    fn arg(self) -> Option<Key> {
        Some(Key::Text(self.to_owned()))
    }
}

impl Setting for Key {
    fn to_json(&self) -> Value {
        match self {
            Key::Int(n) => json!(n),
            Key::Text(text) => json!(text),
        }
    }
    fn from_json(value: &Value) -> Result<Key> {
        match (value.as_i64(), value.as_str()) {
            (Some(n), _) => Ok(Key::Int(n)),
            (_, Some(text)) => Ok(Key::Text(text.to_owned())),
            _ => Err(wrong("a whole number or a text", value)),
        }
    }
}

/// The key of a keyed hash: two numbers, or one for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Salt(pub [u64; 2]);

impl Arg<Option<Salt>> for u64 {
    fn arg(self) -> Option<Salt> {
        Some(Salt([self; 2]))
    }
}
impl Arg<Option<Salt>> for [u64; 2] {
    fn arg(self) -> Option<Salt> {
        Some(Salt(self))
    }
}

impl Setting for Salt {
    fn to_json(&self) -> Value {
        json!(self.0)
    }
    fn from_json(value: &Value) -> Result<Salt> {
        <[u64; 2]>::from_json(value).map(Salt)
    }
}
