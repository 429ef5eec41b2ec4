//! Models in files: their structure as Keras's JSON, their weights, and checkpoints from which
//! a stopped run goes on.

mod atomic;
mod checkpoint;
mod checksum;
mod codec;
pub(crate) mod config;
mod json;
mod parse;
mod read;
mod resume;
mod weights;

pub(crate) use atomic::create_folder;
pub use atomic::write_file;
pub use checkpoint::Checkpoint;
pub(crate) use weights::check_weights_path;
