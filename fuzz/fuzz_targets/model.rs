//! Whole models: `.keras` and `.h5`.
#![no_main]

use cornu_models::Model;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = Model::from_bytes(bytes);
});
