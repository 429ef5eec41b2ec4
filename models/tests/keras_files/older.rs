//! Files that earlier versions of Keras wrote.

use cornu_models::Model;

use crate::golden::cases;
use crate::training::{predict, train};
use crate::{bits, changed, file};

#[test]
fn models_that_older_keras_saved_predict_and_train_on_as_they_do_there() {
    for case in cases("files_old") {
        let name = case["name"].as_str().unwrap();
        let mut model = Model::load(file(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        predict(&model, &case, name);
        if name == "old-3.0.5-dense.keras" {
            model = Model::from_bytes(with_penalties_doubled(name)).unwrap();
        }
        train(&mut model, &case, name);
    }
}

/// A file with each penalty twice as strong. On JAX Keras 3.0 adds a model's penalties to the loss
/// twice, for its gradients, too; its successors do so once, as do Keras 2 and cornu.
fn with_penalties_doubled(name: &str) -> Vec<u8> {
    changed(name, |config| {
        let text = config.to_string();
        assert_eq!(text.matches("\"l2\":0.01}").count(), 1);
        *config = text.replace("\"l2\":0.01}", "\"l2\":0.02}").parse().unwrap();
    })
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
