//! Files that earlier versions of Keras wrote.

use cornu_models::Model;

use crate::golden::cases;
use crate::training::{predict, train};
use crate::{bits, file};

#[test]
fn models_that_older_keras_saved_predict_and_train_on_as_they_do_there() {
    for case in cases("files_old") {
        let name = case["name"].as_str().unwrap();
        let mut model = Model::load(file(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        predict(&model, &case, name);
        train(&mut model, &case, name);
    }
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
