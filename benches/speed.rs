//! What cornu promises to be fast at: `cargo bench -p cornu-benches`.
//!
//! One XOR training step, one prediction of a small network, and a training step of a
//! 784-512-512-10 network as a share of what this machine's matrix product reaches alone; and
//! loading a model of 100 MB beside reading its file and copying its numbers.

use std::time::{Duration, Instant};

use cornu::models::Batch;
use cornu::prelude::*;
use cornu_benches::{small, xor};
use divan::Bencher;

fn main() {
    divan::main();
    if std::env::args().any(|arg| arg == "--bench") {
        rates();
        files();
    }
}

/// Forward, loss, backward, update: batch 4, goal under 5 µs.
#[divan::bench]
fn xor_step(bencher: Bencher) {
    let (mut model, batch) = xor();
    bencher.bench_local(|| model.train_on(&batch));
}

/// One sample through 6-64-8-4, goal under 3 µs.
#[divan::bench]
fn predict_one(bencher: Bencher) {
    let (model, x) = small();
    bencher.bench_local(|| model.predict_on_batch(&x));
}

const BATCH: usize = 128;
const WIDTHS: [usize; 4] = [784, 512, 512, 10];

fn mlp() -> (Sequential, Batch) {
    let mut model = Sequential::new().seed(1);
    model.add(Input::new([WIDTHS[0]])).expect("an input comes first");
    for (i, &units) in WIDTHS[1..].iter().enumerate() {
        let activation = if i == 2 { "softmax" } else { "relu" };
        model.add(Dense::new(units).activation(activation)).expect("the chain fits");
    }
    let rule = Compile::new().loss("sparse_categorical_crossentropy").optimizer("adam");
    model.compile(rule).expect("the names are known");
    let generator = cornu::autodiff::Generator::new(1);
    let x = generator.normal([BATCH, WIDTHS[0]], 0.0, 1.0, DType::F32).expect("a normal");
    let labels: Vec<i64> = (0..BATCH as i64).map(|i| i * 7 % 10).collect();
    (model, Batch::new(&x, Tensor::from(labels)))
}

/// One Adam step at batch 128.
#[divan::bench]
fn mlp_step(bencher: Bencher) {
    let (mut model, batch) = mlp();
    bencher.bench_local(|| model.train_on(&batch));
}

/// Median duration of `f` over enough runs to be trusted on a noisy machine.
fn median(mut f: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = Vec::new();
    let begun = Instant::now();
    while times.len() < 15 || begun.elapsed() < Duration::from_millis(700) {
        let start = Instant::now();
        f();
        times.push(start.elapsed());
    }
    times.sort();
    times[times.len() / 2]
}

/// How often product and step are timed, and steps in a round: as long as a product takes.
const ROUNDS: usize = 200;
const STEPS: usize = 4;

/// Seconds that a call of `f` takes, in the mean of so many.
fn seconds(calls: usize, mut f: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..calls).for_each(|_| f());
    start.elapsed().as_secs_f64() / calls as f64
}

/// Rate of the training step's products against the best that the same products reach alone.
fn rates() {
    let multiply_adds: usize = WIDTHS.windows(2).map(|w| w[0] * w[1] * BATCH).sum();
    // Forward, by kernel, and by input, which the first layer doesn't need.
    let flops = 2 * (3 * multiply_adds - WIDTHS[0] * WIDTHS[1] * BATCH);
    let (a, b) = (Tensor::ones([1024, 1024], DType::F32), Tensor::ones([1024, 1024], DType::F32));
    let (mut model, batch) = mlp();
    // What others do on a machine changes its speed from one moment to the next: each round has
    // both, and is short.
    let mut rounds: Vec<[f64; 2]> = (0..ROUNDS)
        .map(|_| {
            let product = seconds(1, || drop(a.matmul(&b)));
            let step = seconds(STEPS, || drop(model.train_on(&batch)));
            [2.0 * 1024f64.powi(3) / product / 1e9, flops as f64 / step / 1e9]
        })
        .collect();
    rounds.sort_by(|a, b| (a[1] / a[0]).total_cmp(&(b[1] / b[0])));
    let share = |[product, step]: [f64; 2]| 100.0 * step / product;
    let [low, middle, high] = [1, 2, 3].map(|quarter| share(rounds[quarter * ROUNDS / 4]));
    let [product, step] = [0, 1].map(|which| {
        let mut rates: Vec<f64> = rounds.iter().map(|round| round[which]).collect();
        rates.sort_by(f64::total_cmp);
        rates[ROUNDS / 2]
    });
    println!("threads                         {:>8}", cornu::threads());
    println!("f32 matrix product, 1024 cubed  {product:>8.1} GFLOP/s");
    println!("784-512-512-10 Adam step        {step:>8.1} GFLOP/s");
    println!("share                           {middle:>8.1} %, quartiles {low:.1} and {high:.1}");
}

/// Time to load a `.keras` file of 100 MB against that of reading it and copying its floats.
fn files() {
    let path = std::env::temp_dir().join(format!("cornu-bench-{}.keras", std::process::id()));
    let mut model = Sequential::new().seed(1);
    model.add(Dense::new(5000).input_dim(5000)).expect("the chain fits");
    model.save(&path).expect("room on the disk");
    let read = median(|| {
        let bytes = std::fs::read(&path).expect("the file is there");
        let (numbers, _) = bytes.as_chunks::<4>();
        let floats: Vec<f32> = numbers.iter().map(|n| f32::from_le_bytes(*n)).collect();
        drop(std::hint::black_box(floats));
    });
    let load = median(|| drop(Model::load(&path).expect("what was saved can be loaded")));
    let _ = std::fs::remove_file(&path);
    let milliseconds = |time: Duration| 1e3 * time.as_secs_f64();
    println!("read 100 MB and copy its floats {:>8.1} ms", milliseconds(read));
    println!("load a model of 100 MB          {:>8.1} ms", milliseconds(load));
}
