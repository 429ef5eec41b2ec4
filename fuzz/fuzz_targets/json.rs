//! The JSON of a model.
#![no_main]

use cornu_models::Model;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = Model::from_json(text);
});
