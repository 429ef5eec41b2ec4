//! What the command does.

pub(crate) mod convert;
pub(crate) mod evaluate;
pub(crate) mod fit;
pub(crate) mod inspect;
pub(crate) mod predict;
pub(crate) mod summary;
