//! Files that real Keras wrote, and files for it.

#[path = "../golden/mod.rs"]
mod golden;

mod older;
mod opened;
mod places;
mod training;
mod wrong;

use std::io::{Cursor, Read, Write};
use std::path::PathBuf;

use cornu_autodiff::Tensor;
use cornu_models::Model;
use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use golden::tensor;

/// A file that Keras wrote.
fn file(name: &str) -> PathBuf {
    PathBuf::from(format!("{}/../tests/keras/files/{name}", env!("CARGO_MANIFEST_DIR")))
}

/// A path for a file of one test's own.
fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("cornu-files-{}-{name}", std::process::id()))
}

/// The bytes of a file of Keras's whose config is changed.
fn changed(name: &str, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(std::fs::read(file(name)).unwrap())).unwrap();
    let mut written = ZipWriter::new(Cursor::new(Vec::new()));
    let mut change = Some(change);
    for at in 0..archive.len() {
        let mut member = archive.by_index(at).unwrap();
        let name = member.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        if let Some(change) = change.take_if(|_| name == "config.json") {
            let mut config: Value = serde_json::from_slice(&bytes).unwrap();
            change(&mut config);
            bytes = config.to_string().into_bytes();
        }
        written.start_file(name, SimpleFileOptions::default()).unwrap();
        written.write_all(&bytes).unwrap();
    }
    assert!(change.is_none());
    written.finish().unwrap().into_inner()
}

/// Arrays of a case, in order.
fn tensors(list: &Value) -> Vec<Tensor> {
    list.as_array().expect("a list of arrays").iter().map(tensor).collect()
}

/// The bits of all weights.
fn bits(model: &Model) -> Vec<Vec<u64>> {
    let bits = |w: &Tensor| w.to_f64_vec().unwrap().iter().map(|v| v.to_bits()).collect();
    model.get_weights().iter().map(bits).collect()
}
