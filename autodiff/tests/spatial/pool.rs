//! Pooling beside its definition, and at its edges.

use cornu_autodiff::ops::{self, PoolOptions};
use cornu_autodiff::testing::assert_close;
use cornu_autodiff::{DType, Generator, Tape, Tensor, set_threads};

fn one_axis(size: usize, stride: usize, padding: (usize, usize)) -> PoolOptions {
    PoolOptions { size: vec![size], strides: vec![stride], padding: vec![padding] }
}

/// Elements of an axis of length `n` under each window.
fn windows(n: usize, o: &PoolOptions) -> Vec<Vec<usize>> {
    let (size, stride, (before, after)) = (o.size[0], o.strides[0], o.padding[0]);
    let count = (n + before + after - size) / stride + 1;
    let under = |at: usize| {
        (at * stride..at * stride + size).filter_map(|i| i.checked_sub(before)).filter(|&i| i < n)
    };
    (0..count).map(|at| under(at).collect()).collect()
}

/// The values, and the gradient of their sum with coefficients that differ.
fn run(pool: Pool, x: &Tensor, options: &PoolOptions, coefficients: &[f32]) -> [Tensor; 2] {
    let tape = Tape::new();
    let y = pool(x, options).unwrap();
    let g = Tensor::new(coefficients.to_vec(), *y.shape()).unwrap();
    let slope = tape.vjp_options(&y, &g, &[x]).unwrap().remove(0).unwrap();
    [y, slope]
}

type Pool = fn(&Tensor, &PoolOptions) -> cornu_autodiff::Result<Tensor>;

#[test]
fn pooling_and_its_gradient_equal_their_definition() {
    let cases = [(2, 2, (0, 0)), (3, 1, (1, 1)), (3, 2, (0, 1)), (2, 3, (1, 0)), (5, 2, (4, 3))];
    // The last is cut into windows without a rest.
    let cases = cases.into_iter().zip([1, 7, 32, 33, 70]).chain([((3, 3, (0, 0)), 65)]);
    for ((size, stride, padding), channels) in cases {
        let (n, options) = (9, one_axis(size, stride, padding));
        let x = Generator::new(5).uniform([2, n, channels], -1.0, 1.0, DType::F32).unwrap();
        let xs = x.to_vec::<f32>().unwrap();
        let (mut largest, mut mean, mut gs) = (vec![], vec![], vec![]);
        let mut slopes = [vec![0.0; xs.len()], vec![0.0; xs.len()]];
        for b in 0..2 {
            for under in windows(n, &options) {
                for c in 0..channels {
                    let g = (largest.len() as f32 * 0.7).sin();
                    let all = under.iter().map(|i| (b * n + i) * channels + c);
                    let first = all.clone().reduce(|a, b| if xs[b] > xs[a] { b } else { a });
                    let first = first.unwrap();
                    let count = under.len() as f32;
                    largest.push(xs[first]);
                    mean.push(all.clone().map(|i| xs[i]).sum::<f32>() / count);
                    slopes[0][first] += g;
                    all.for_each(|i| slopes[1][i] += g / count);
                    gs.push(g);
                }
            }
        }
        let pools: [Pool; 2] = [ops::max_pool, ops::average_pool];
        for ((pool, values), slopes) in pools.into_iter().zip([largest, mean]).zip(slopes) {
            let [y, slope] = run(pool, &x, &options, &gs);
            assert_close(&y, &Tensor::new(values, *y.shape()).unwrap(), 1e-6, 1e-7);
            assert_close(&slope, &Tensor::new(slopes, *x.shape()).unwrap(), 1e-5, 1e-6);
        }
    }
}

/// The gradient of the sum of the maxima.
fn slope(x: &Tensor, options: &PoolOptions) -> Vec<f32> {
    let tape = Tape::new();
    let y = ops::max_pool(x, options).unwrap().sum(.., false);
    tape.gradient(&y, &[x]).unwrap()[0].to_vec().unwrap()
}

#[test]
fn the_first_of_equal_maxima_gets_the_gradient() {
    let x = Tensor::from([[[2.0f32], [2.0], [2.0], [1.0], [2.0]]]);
    assert_eq!(slope(&x, &one_axis(2, 1, (0, 0))), [1.0, 1.0, 1.0, 0.0, 1.0]);
    assert_eq!(slope(&x, &one_axis(5, 1, (0, 0))), [1.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn padding_never_wins_and_nan_always_does() {
    let x = Tensor::from([[[-3.0f32], [f32::NEG_INFINITY], [-2.0], [f32::NAN]]]);
    let y = ops::max_pool(&x, &one_axis(2, 2, (1, 1))).unwrap().to_vec::<f32>().unwrap();
    assert_eq!(y[..2], [-3.0, -2.0]);
    assert!(y[2].is_nan());
    assert_eq!(slope(&x, &one_axis(2, 2, (1, 1))), [1.0, 0.0, 1.0, 1.0]);
    let nothing = Tensor::from([[[f32::NEG_INFINITY]]]);
    let y = ops::max_pool(&nothing, &one_axis(2, 1, (1, 0))).unwrap();
    assert_eq!(y.to_vec::<f32>().unwrap(), [f32::NEG_INFINITY]);
}

#[test]
fn bits_do_not_depend_on_threads() {
    let x = Generator::new(7).uniform([8, 20, 21, 40], -1.0, 1.0, DType::F32).unwrap();
    let options =
        PoolOptions { size: vec![3, 3], strides: vec![2, 1], padding: vec![(1, 1), (0, 1)] };
    let run = |threads: usize| -> Vec<u32> {
        set_threads(threads);
        let tape = Tape::new();
        let y = ops::max_pool(&x, &options).unwrap() * ops::average_pool(&x, &options).unwrap();
        let g = tape.vjp_options(&y, &y, &[&x]).unwrap().remove(0).unwrap();
        let all = [y.to_vec::<f32>().unwrap(), g.to_vec::<f32>().unwrap()].concat();
        all.into_iter().map(f32::to_bits).collect()
    };
    let one = run(1);
    assert!(one == run(2) && one == run(8));
}

#[test]
fn an_empty_batch_gives_an_empty_result() {
    let x = Tensor::zeros([0, 5, 3], DType::F32);
    for pool in [ops::max_pool, ops::average_pool] {
        let tape = Tape::new();
        let y = pool(&x, &one_axis(2, 2, (0, 0))).unwrap();
        let g = tape.vjp_options(&y, &y, &[&x]).unwrap().remove(0).unwrap();
        assert_eq!((y.dims(), g.dims()), ([0, 2, 3].as_slice(), x.dims()));
    }
}

#[test]
fn what_does_not_fit_is_an_error_that_says_why() {
    let x = Tensor::zeros([2, 3, 4], DType::F32);
    let error = |x: &Tensor, options| ops::max_pool(x, &options).unwrap_err().to_string();
    let cases = [
        (
            error(&x, one_axis(4, 1, (0, 0))),
            "max_pool: the window (4) must fit the input (3 with padding 0 + 0) along spatial axis \
             0; got (2, 3, 4)",
        ),
        (
            error(&x, PoolOptions { size: vec![2, 2], ..PoolOptions::default() }),
            "max_pool: the input must be (batch, spatial…, channels), of rank 4 for a window of 2 \
             axes; got (2, 3, 4)",
        ),
        (
            error(&x, one_axis(2, 1, (2, 0))),
            "max_pool: `padding` must be less than the window, [2]; got [(2, 0)]",
        ),
        (error(&x, one_axis(2, 0, (0, 0))), "max_pool: `strides` must be at least 1; got [0]"),
        (error(&x, one_axis(0, 1, (0, 0))), "max_pool: `size` must be at least 1; got [0]"),
        (
            error(&x.cast(DType::I32), one_axis(2, 1, (0, 0))),
            "max_pool: inputs must all be float32 or all be float64; got int32; convert with `cast`",
        ),
    ];
    for (got, wanted) in cases {
        assert_eq!(got, wanted);
    }
}
