//! Options, declared once: what they are made of, the macro that declares them, and what every
//! layer has besides its own.

mod declare;
mod layer;
mod value;

pub use declare::{
    Field, Fields, Settings, check_fields, check_setting, read_fields, setting_of, write_fields,
};
pub use layer::{Common, Configured};
pub(crate) use layer::{move_key, write_penalty};
pub use value::{Config, NON_FINITE, NON_FINITE_MARK, Setting, wrong};
