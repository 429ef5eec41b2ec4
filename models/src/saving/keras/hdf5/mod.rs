//! HDF5 files: what Keras keeps in them, read from strangers' files and written.

mod lookup3;
mod number;
mod read;
mod write;

pub(super) use read::Tree;
pub(super) use write::Draft;
