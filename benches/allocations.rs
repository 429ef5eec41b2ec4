//! Heap allocations of what should have few: `cargo bench -p cornu-benches --bench allocations`.
//! Counting them takes time, so times are in `speed.rs`.

use cornu_benches::{small, xor};
use divan::{AllocProfiler, Bencher};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// Forward, loss, backward, update: batch 4.
#[divan::bench]
fn xor_step(bencher: Bencher) {
    let (mut model, batch) = xor();
    bencher.bench_local(|| model.train_on(&batch));
}

/// One sample through 6-64-8-4.
#[divan::bench]
fn predict_one(bencher: Bencher) {
    let (model, x) = small();
    bencher.bench_local(|| model.predict_on_batch(&x));
}
