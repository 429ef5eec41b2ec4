//! Options that may be left out.

use std::ops::Deref;

use serde_json::Value;

use crate::constraint::Constraint;
use crate::error::Result;
use crate::initializer::Initializer;
use crate::regularizer::Regularizer;
use crate::setting::Setting;

/// A regularizer, constraint or initializer that may be none, from a value, a name, or an
/// `Option`.
///
/// ```
/// use cornu_layers::{Optional, Regularizer};
/// let named: Optional<Regularizer> = "l2".into();
/// assert_eq!(*named, Some(Regularizer::l2(0.01)));
/// assert_eq!(*Optional::<Regularizer>::from(None), None);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Optional<T>(Option<T>);

impl<T> Optional<T> {
    /// Nothing.
    pub const NONE: Optional<T> = Optional(None);
}

impl<T> Deref for Optional<T> {
    type Target = Option<T>;
    fn deref(&self) -> &Option<T> {
        &self.0
    }
}

impl<T> From<T> for Optional<T> {
    fn from(value: T) -> Optional<T> {
        Optional(Some(value))
    }
}

impl<T> From<Option<T>> for Optional<T> {
    fn from(value: Option<T>) -> Optional<T> {
        Optional(value)
    }
}

macro_rules! by_name {
    ($($T:ident),*) => {$(
        impl From<&str> for Optional<$T> {
            fn from(name: &str) -> Optional<$T> {
                Optional(Some(name.into()))
            }
        }
        impl From<String> for Optional<$T> {
            fn from(name: String) -> Optional<$T> {
                Optional(Some(name.into()))
            }
        }
    )*};
}
by_name!(Regularizer, Constraint, Initializer);

impl<T: Setting> Setting for Optional<T> {
    fn to_json(&self) -> Value {
        self.0.to_json()
    }
    fn from_json(value: &Value) -> Result<Optional<T>> {
        Option::from_json(value).map(Optional)
    }
    fn check(&self) -> Result<()> {
        self.0.check()
    }
}
