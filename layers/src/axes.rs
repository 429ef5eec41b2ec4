//! One axis or several.

use serde_json::{Value, json};

use crate::arg::Arg;
use crate::error::Result;
use crate::setting::Setting;

/// One axis or several, as Keras's `axis` may be; negative ones count from the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AxisOrAxes {
    /// One.
    One(isize),
    /// A list.
    Several(Vec<isize>),
}

impl AxisOrAxes {
    /// All of them.
    pub fn as_slice(&self) -> &[isize] {
        match self {
            AxisOrAxes::One(axis) => std::slice::from_ref(axis),
            AxisOrAxes::Several(axes) => axes,
        }
    }
}

impl Arg<AxisOrAxes> for isize {
    fn arg(self) -> AxisOrAxes {
        AxisOrAxes::One(self)
    }
}

impl<const N: usize> Arg<AxisOrAxes> for [isize; N] {
    fn arg(self) -> AxisOrAxes {
        AxisOrAxes::Several(self.into())
    }
}

impl Setting for AxisOrAxes {
    fn to_json(&self) -> Value {
        match self {
            AxisOrAxes::One(axis) => json!(axis),
            AxisOrAxes::Several(axes) => json!(axes),
        }
    }
    fn from_json(value: &Value) -> Result<AxisOrAxes> {
        match value {
            Value::Array(_) => Vec::from_json(value).map(AxisOrAxes::Several),
            one => isize::from_json(one).map(AxisOrAxes::One),
        }
    }
}
