//! Arrays: `.safetensors`, `.npz`, `.npy`, cornu's own weights and checkpoints.
#![no_main]

use std::sync::LazyLock;

use cornu_models::saving::{Checkpoint, inspect, read_npy, read_npz, read_safetensors};
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a folder"));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let path = FOLDER.path().join("x");
    std::fs::write(&path, bytes).expect("room on the disk");
    let _ = (read_safetensors(&path), read_npz(&path), read_npy(&path), inspect(&path));
    let _ = Checkpoint::from_bytes(bytes);
});
