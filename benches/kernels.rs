//! Kernels beside what the machine can do: `cargo bench -p cornu-benches --bench kernels`.
//!
//! The limit of a kernel is the time in which the machine's best matrix product does as many
//! multiplications and additions, or in which it copies as many bytes as the kernel must read and
//! write once, whichever is longer. What stays in a cache can be faster than the copy, which
//! doesn't fit any.

use std::hint::black_box;
use std::time::Instant;

use cornu::autodiff::ops::{
    self, ConvOptions, Fused, PoolOptions, RecurrentInputs, RecurrentOptions,
};
use cornu::autodiff::{Generator, Pause};
use cornu::optimizers::IntoOptimizer;
use cornu::prelude::*;

/// Rounds in which limits and kernels take turns.
const ROUNDS: usize = 15;
/// What a kernel is called for in a round, in seconds.
const TURN: f64 = 2e-3;

/// What is measured.
struct Kernel {
    name: &'static str,
    /// Multiplications and additions.
    operations: f64,
    /// Elements that must be read and written.
    elements: usize,
    call: Box<dyn Fn()>,
}

fn kernel<T>(
    name: &'static str,
    operations: f64,
    elements: usize,
    f: impl Fn() -> T + 'static,
) -> Kernel {
    Kernel { name, operations, elements, call: Box::new(move || drop(black_box(f()))) }
}

fn normal<const N: usize>(shape: [usize; N]) -> Tensor {
    Generator::new(1).normal(shape, 0.0, 1.0, DType::F32).expect("a normal")
}

/// Seconds that a call takes, in the mean of as many as fill a turn.
fn seconds(f: &dyn Fn()) -> f64 {
    let start = Instant::now();
    let mut calls = 0;
    while calls == 0 || start.elapsed().as_secs_f64() < TURN {
        f();
        calls += 1;
    }
    start.elapsed().as_secs_f64() / f64::from(calls)
}

fn main() {
    let _no_tape = Pause::new();
    let (a, b) = (normal([1024, 1024]), normal([1024, 1024]));
    let product = move || drop(black_box(a.matmul(&b)));
    let from = vec![1.0f32; 16 << 20];
    let copy = {
        let to = std::cell::RefCell::new(vec![0.0f32; from.len()]);
        let half = from.len() / 2;
        // By two threads, if cornu uses more than one.
        move || {
            let mut to = to.borrow_mut();
            let (first, second) = to.split_at_mut(half);
            if cornu::threads() == 1 {
                first.copy_from_slice(&from[..half]);
                return second.copy_from_slice(&from[half..]);
            }
            std::thread::scope(|scope| {
                scope.spawn(|| first.copy_from_slice(&from[..half]));
                second.copy_from_slice(&from[half..]);
            });
        }
    };
    let copied = 2.0 * 4.0 * f64::from(16 << 20);
    println!("{} threads; medians of {ROUNDS} rounds", cornu::threads());
    println!("{:34} {:>10} {:>9} {:>9} {:>7}", "kernel", "us", "GFLOP/s", "GB/s", "share");
    let kernels = [products(), spatial(), rows(), sequences(), passes()];
    let (mut rates, mut bandwidths) = (Vec::new(), Vec::new());
    for Kernel { name, operations, elements, call } in kernels.into_iter().flatten() {
        call();
        let mut turns: Vec<[f64; 2]> = Vec::new();
        let bytes = 4.0 * elements as f64;
        for _ in 0..ROUNDS {
            let (rate, bandwidth) =
                (2.0 * 1024f64.powi(3) / seconds(&product), copied / seconds(&copy));
            let limit = (operations / rate).max(bytes / bandwidth);
            let time = seconds(&call);
            turns.push([time, limit / time]);
            rates.push(rate);
            bandwidths.push(bandwidth);
        }
        let [time, share] = [0, 1].map(|which| median(turns.iter().map(|turn| turn[which])));
        println!(
            "{name:34} {:>10.1} {:>9.1} {:>9.1} {:>5.0} %",
            1e6 * time,
            operations / time / 1e9,
            bytes / time / 1e9,
            100.0 * share
        );
    }
    let (rate, bandwidth) = (median(rates.into_iter()), median(bandwidths.into_iter()));
    println!("{:34} {:>20.1}", "limit: product of 1024 cubed", rate / 1e9);
    println!("{:34} {:>30.1}", "limit: copy of 64 MiB", bandwidth / 1e9);
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Matrix products as layers make them: forward, by input, by kernel.
fn products() -> Vec<Kernel> {
    let sizes = [
        ("product 128x784 784x512", 128, 784, 512),
        ("product 128x512 512x512", 128, 512, 512),
        ("product 128x512 512x10", 128, 512, 10),
        ("product 2560x256 256x5000", 2560, 256, 5000),
        ("product 1x784 784x512", 1, 784, 512),
    ];
    let mut kernels: Vec<_> = sizes
        .into_iter()
        .map(|(name, m, k, n)| {
            let (x, w) = (normal([m, k]), normal([k, n]));
            kernel(name, flops(m * k * n), m * k + k * n + m * n, move || x.matmul(&w))
        })
        .collect();
    let (m, k, n) = (128, 784, 512);
    let (x, g, w) = (normal([m, k]), normal([m, n]), normal([k, n]));
    let by = g.clone();
    kernels.push(kernel("  by input", flops(m * k * n), m * k + k * n + m * n, move || {
        by.matmul(&w.t())
    }));
    kernels.push(kernel("  by kernel", flops(m * k * n), m * k + k * n + m * n, move || {
        x.t().matmul(&g)
    }));
    kernels
}

/// A multiplication and an addition each.
fn flops(multiplications: usize) -> f64 {
    2.0 * multiplications as f64
}

fn spatial() -> Vec<Kernel> {
    let layers = [
        (["conv 128x28x28x1, 32 of 3x3", "  by kernel", ""], [128, 28, 1, 32], 0),
        (["conv 128x13x13x32, 64 of 3x3", "  by kernel", "  by input"], [128, 13, 32, 64], 0),
        (["conv 32x32x32x16, 16 of 3x3 same", "  by kernel", "  by input"], [32, 32, 16, 16], 1),
        (["conv 32x8x8x64, 64 of 3x3 same", "  by kernel", "  by input"], [32, 8, 64, 64], 1),
    ];
    let mut kernels = Vec::new();
    for (names, [batch, size, channels, filters], edge) in layers {
        let options = ConvOptions { padding: vec![(edge, edge); 2], ..Default::default() };
        let (x, w) = (normal([batch, size, size, channels]), normal([3, 3, channels, filters]));
        let bias = normal([filters]);
        let out = size - 2 + 2 * edge;
        let g = normal([batch, out, out, filters]);
        let operations = flops(batch * out * out * 9 * channels * filters);
        let elements = x.size() + w.size() + g.size();
        let (x2, g2, o2) = (x.clone(), g.clone(), options.clone());
        let by_kernel = move || ops::conv_kernel_gradient(&x2, &g2, &[3, 3], &o2);
        let (w2, o2) = (w.clone(), options.clone());
        let forward = move || ops::conv_activated(&x, &w, Some(&bias), &options, Fused::Relu);
        kernels.push(kernel(names[0], operations, elements, forward));
        kernels.push(kernel(names[1], operations, elements, by_kernel));
        if channels > 1 {
            let by_input = move || ops::conv_transpose(&g, &w2, &[size, size], &o2);
            kernels.push(kernel(names[2], operations, elements, by_input));
        }
    }
    let x = normal([128, 26, 26, 32]);
    let options = PoolOptions { size: vec![2, 2], ..Default::default() };
    let op = ops::MaxPoolGradient { options: options.clone() };
    let (g, input) = (normal([128, 13, 13, 32]), x.clone());
    let elements = x.size() + g.size();
    kernels.push(kernel("max pool 128x26x26x32, 2x2", 0.0, elements, move || {
        ops::max_pool(&x, &options)
    }));
    kernels.push(kernel("  gradient", 0.0, elements + input.size(), move || {
        cornu::autodiff::apply(op.clone(), &[&input, &g])
    }));
    kernels
}

/// What is normalized row by row, or column by column.
fn rows() -> Vec<Kernel> {
    let (x, width) = (normal([2560, 256]), 256);
    let (gamma, beta) = (normal([width]), normal([width]));
    let size = x.size();
    let (x2, x3, gamma2, beta2) = (x.clone(), x.clone(), gamma.clone(), beta.clone());
    let logits = normal([2560, 5000]);
    let labels = Generator::new(1).integers([2560], 0, 5000, DType::I32).expect("labels");
    let images = normal([32, 32, 32, 16]);
    let (scale, shift) = (normal([16]), normal([16]));
    let (again, many) = (logits.clone(), logits.size());
    vec![
        kernel("softmax 2560x256", 0.0, 2 * size, move || x.softmax(-1)),
        kernel("cross-entropy 2560x5000", 0.0, many, move || {
            ops::sparse_softmax_cross_entropy(&logits, &labels)
        }),
        kernel("log-softmax 2560x5000", 0.0, 2 * many, move || again.log_softmax(-1)),
        kernel("layer norm 2560x256", 0.0, 2 * size, move || {
            ops::layer_norm(&x2, Some(&gamma), Some(&beta), 1, 1e-3)
        }),
        kernel("  with its gradients", 0.0, 5 * size, move || {
            with_gradients(&[&x3, &gamma2, &beta2], |x| {
                ops::layer_norm(x[0], Some(x[1]), Some(x[2]), 1, 1e-3).expect("it fits")
            })
        }),
        kernel("batch norm 32x32x32x16", 0.0, 3 * images.size(), move || {
            ops::batch_norm(&images, Some(&scale), Some(&shift), 1e-3)
        }),
    ]
}

/// An output, and the gradients of its sum.
fn with_gradients(x: &[&Tensor], f: impl Fn(&[&Tensor]) -> Tensor) -> (Tensor, Vec<Tensor>) {
    let tape = Tape::new();
    let y = f(x);
    let g = y.ones_like();
    let gradients = tape.vjp_options(&y, &g, x).expect("a path to each");
    (y, gradients.into_iter().flatten().collect())
}

fn sequences() -> Vec<Kernel> {
    let (batch, units, inputs) = (32, 64, 128);
    let mut kernels = Vec::new();
    for (name, gradients, steps) in [
        ("lstm 64, 32 rows, 1 step", false, 1),
        ("lstm 64, 32 rows, 200 steps", false, 200),
        ("  with its gradients", true, 200),
    ] {
        let x = normal([batch, steps, inputs]);
        let [w, r, b] =
            [normal([inputs, 4 * units]), normal([units, 4 * units]), normal([4 * units])];
        let products = flops(batch * steps * 4 * units * (inputs + units));
        let run = move |x: &[&Tensor]| {
            let inputs = RecurrentInputs {
                x: x[0],
                kernel: x[1],
                recurrent_kernel: x[2],
                bias: Some(x[3]),
                initial_state: &[],
                mask: None,
            };
            let options = RecurrentOptions { return_sequences: true, ..Default::default() };
            ops::lstm(&inputs, options).expect("it fits").0
        };
        let elements = x.size() + w.size() + r.size() + batch * steps * units;
        kernels.push(if gradients {
            kernel(name, 3.0 * products, 3 * elements, move || {
                with_gradients(&[&x, &w, &r, &b], run).1
            })
        } else {
            kernel(name, products, elements, move || run(&[&x, &w, &r, &b]))
        });
    }
    let (batch, steps, heads, width) = (32, 80, 2, 256);
    let x = normal([batch, steps, heads, width]);
    let causal = Tensor::ones([steps, steps], DType::F32).tril(0).cast(DType::Bool);
    // Of the scores a causal half.
    let products = flops(batch * heads * steps * steps * width);
    let size = x.size();
    let (x2, causal2) = (x.clone(), causal.clone());
    let attend = |x: &[&Tensor], mask: &Tensor| {
        ops::dot_product_attention(x[0], x[1], x[2], Some(mask), None).expect("it fits")
    };
    kernels.push(kernel("attention 32x80, 2 heads of 256", products, 4 * size, move || {
        attend(&[&x, &x, &x], &causal)
    }));
    let [q, k, v] = [0.1, 0.2, 0.3].map(|shift| &x2 + shift);
    kernels.push(kernel("  with its gradients", 3.5 * products, 11 * size, move || {
        with_gradients(&[&q, &k, &v], |x| attend(x, &causal2)).1
    }));
    kernels
}

/// Passes over many numbers.
fn passes() -> Vec<Kernel> {
    let n = 1 << 20;
    let (x, y) = (normal([n]), normal([n]));
    let [a, b, c, d] = [(); 4].map(|()| x.clone());
    let mut kernels = vec![
        kernel("add, 1 Mi", 0.0, 3 * n, move || &a + &y),
        kernel("relu, 1 Mi", 0.0, 2 * n, move || b.relu()),
        kernel("exp, 1 Mi", 0.0, 2 * n, move || c.exp()),
        kernel("tanh, 1 Mi", 0.0, 2 * n, move || d.tanh()),
        kernel("sum, 1 Mi", 0.0, n, {
            let x = x.clone();
            move || x.sum(.., false)
        }),
    ];
    let adam = Adam::new(1e-3).into_optimizer().expect("its options are in range");
    let state = std::cell::RefCell::new((adam, normal([n])));
    let gradients = [x];
    kernels.push(kernel("Adam's update, 1 Mi", 0.0, 7 * n, move || {
        let (optimizer, weights) = &mut *state.borrow_mut();
        optimizer.apply([("weights", weights)], &gradients).expect("shapes are equal");
    }));
    kernels
}
