//! Only benchmarks: `cargo bench -p cornu-benches`.
