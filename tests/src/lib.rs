//! Only tests: `cargo test -p cornu-tests`.
