//! Several threads of a program train at once, while the number of threads that kernels use
//! changes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use cornu_autodiff::ops::{
    ConvOptions, Fused, PoolOptions, conv_activated, dot_product_attention, linear, max_pool,
    sparse_softmax_cross_entropy,
};
use cornu_autodiff::{DType, Generator, Tape, set_threads};

/// The bits of a network's loss and gradients, all drawn from a seed.
fn step(seed: u64) -> Vec<u32> {
    let generator = Generator::new(seed);
    let draw =
        |shape: &[usize], size| generator.normal(shape, 0.0, size, DType::F32).expect("a law");
    let (x, kernel) = (draw(&[8, 14, 14, 3], 1.0), draw(&[3, 3, 3, 20], 0.3));
    let (bias, weights) = (draw(&[20], 0.3), draw(&[980, 70], 0.05));
    let labels = generator.integers([8], 0, 70, DType::I32).expect("a range");
    let same = ConvOptions { padding: vec![(1, 1); 2], ..ConvOptions::default() };
    let halves = PoolOptions { size: vec![2, 2], ..PoolOptions::default() };
    let tape = Tape::new();
    let y = conv_activated(&x, &kernel, Some(&bias), &same, Fused::Relu).expect("it fits");
    let y = max_pool(&y, &halves).expect("it fits").reshape([8, 49, 4, 5]);
    let y = dot_product_attention(&y, &y, &y, None, None).expect("it fits").reshape([8, 980]);
    let y = linear(&y, &weights, None, Fused::Tanh).expect("it fits");
    let loss = sparse_softmax_cross_entropy(&y, &labels).expect("it fits").mean(.., false);
    let gradients = tape.gradient(&loss, &[&x, &kernel, &bias, &weights]).expect("a scalar");
    let all = std::iter::once(&loss).chain(&gradients);
    all.flat_map(|x| x.to_vec::<f32>().expect("its dtype")).map(f32::to_bits).collect()
}

#[test]
fn bits_depend_neither_on_others_who_train_nor_on_changes_of_threads() {
    set_threads(1);
    let alone = [0, 1, 2].map(step);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let users = [0, 1, 2].map(|user| {
            let alone = &alone;
            scope.spawn(move || (0..4).all(|_| step(user) == alone[user as usize]))
        });
        scope.spawn(|| {
            for threads in (1..=5).cycle().take_while(|_| !done.load(Ordering::Relaxed)) {
                set_threads(threads);
                thread::sleep(Duration::from_micros(300));
            }
        });
        let same = users.map(|user| user.join().is_ok_and(|same| same));
        done.store(true, Ordering::Relaxed);
        assert_eq!(same, [true; 3]);
    });
    set_threads(2);
}
