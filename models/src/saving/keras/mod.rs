//! Keras's own files: `.keras`, `.weights.h5` and `.h5`.

mod archive;
mod assets;
mod fill;
mod hdf5;
mod legacy;
mod load;
mod look;
mod metadata;
mod npy;
mod older;
mod optimizer;
mod paths;
mod save;
mod zip;

pub(super) use load::{load_model, load_weights, model_from_bytes};
pub(super) use look::look;
pub use npy::{read_npy, read_npz, write_npy, write_npz};
pub(super) use save::{save_model, save_weights};
