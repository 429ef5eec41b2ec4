//! Models in files: Keras's own, their structure as Keras's JSON, their weights, and checkpoints
//! from which a stopped run goes on.

mod atomic;
mod checkpoint;
mod checksum;
mod codec;
pub(crate) mod config;
mod elements;
mod files;
mod inspect;
mod json;
#[cfg(feature = "keras-files")]
mod keras;
mod masks;
#[cfg(not(feature = "keras-files"))]
mod no_keras;
mod parse;
mod read;
mod resume;
mod safetensors;
mod told;
mod weights;

pub(crate) use atomic::create_folder;
pub use atomic::write_file;
pub use checkpoint::Checkpoint;
pub use inspect::{Array, Inspection, inspect};
#[cfg(feature = "keras-files")]
pub use keras::{read_npy, read_npz, write_npy, write_npz};
pub use safetensors::{read_safetensors, write_safetensors};
pub(crate) use weights::check_weights_path;
