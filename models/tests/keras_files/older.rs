//! Files that earlier versions of Keras wrote.

use std::io::{Cursor, Read, Write};
use std::path::Path;

use cornu_models::Model;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::golden::cases;
use crate::training::{predict, train};
use crate::{bits, file};

#[test]
fn models_that_older_keras_saved_predict_and_train_on_as_they_do_there() {
    for case in cases("files_old") {
        let name = case["name"].as_str().unwrap();
        let mut model = Model::load(file(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        predict(&model, &case, name);
        if name == "old-3.0.5-dense.keras" {
            model = Model::from_bytes(with_penalties_doubled(&file(name))).unwrap();
        }
        train(&mut model, &case, name);
    }
}

/// A file with each penalty twice as strong. On JAX Keras 3.0 adds a model's penalties to the loss
/// twice, for its gradients, too; its successors do so once, as do Keras 2 and cornu.
fn with_penalties_doubled(path: &Path) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(std::fs::read(path).unwrap())).unwrap();
    let mut written = ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..archive.len() {
        let mut member = archive.by_index(at).unwrap();
        let name = member.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        if name == "config.json" {
            let text = String::from_utf8(bytes).unwrap();
            assert_eq!(text.matches("\"l2\": 0.01}").count(), 1);
            bytes = text.replace("\"l2\": 0.01}", "\"l2\": 0.02}").into_bytes();
        }
        written.start_file(name, SimpleFileOptions::default()).unwrap();
        written.write_all(&bytes).unwrap();
    }
    written.finish().unwrap().into_inner()
}

#[test]
fn models_that_keras_3_saved_as_hdf5_predict_and_train_on_as_those_it_saved_as_keras() {
    for case in cases("files") {
        let name = case["name"].as_str().unwrap();
        let path = file(&format!("{name}.h5"));
        if !path.exists() {
            continue;
        }
        let mut model = Model::load(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
        let whole = Model::load(file(&format!("{name}.keras"))).unwrap();
        assert_eq!(bits(&model), bits(&whole), "{name}");
        predict(&model, &case, name);
        train(&mut model, &case, name);
        whole.load_weights(&path).unwrap();
    }
}
