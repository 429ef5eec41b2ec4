//! Convolution beside its definition, in sizes that reach every path of the kernels.

use cornu_autodiff::ops::{self, ConvOptions};
use cornu_autodiff::testing::assert_close;
use cornu_autodiff::{DType, Generator, Tape, Tensor, set_threads};

/// A convolution along two axes.
struct Sizes {
    input: [usize; 4],
    kernel: [usize; 4],
    options: ConvOptions,
}

fn sizes(
    input: [usize; 4],
    kernel: [usize; 4],
    (strides, dilation, padding, groups): (usize, usize, (usize, usize), usize),
) -> Sizes {
    let options = ConvOptions {
        strides: vec![strides; 2],
        dilation: vec![dilation; 2],
        padding: vec![padding; 2],
        groups,
    };
    Sizes { input, kernel, options }
}

fn all() -> Vec<Sizes> {
    vec![
        sizes([3, 9, 8, 1], [3, 3, 1, 33], (1, 1, (1, 1), 1)),
        sizes([2, 8, 9, 3], [5, 4, 3, 7], (2, 1, (2, 1), 1)),
        sizes([2, 7, 7, 16], [3, 3, 16, 16], (1, 1, (1, 1), 1)),
        sizes([5, 9, 7, 21], [3, 2, 21, 50], (2, 1, (0, 1), 1)),
        sizes([2, 6, 11, 17], [2, 3, 17, 5], (3, 2, (2, 0), 1)),
        sizes([4, 5, 5, 40], [1, 1, 40, 70], (1, 1, (0, 0), 1)),
        sizes([3, 5, 6, 12], [3, 3, 4, 9], (1, 1, (1, 1), 3)),
        sizes([2, 4, 4, 36], [2, 2, 18, 70], (1, 1, (0, 1), 2)),
        sizes([3, 6, 5, 45], [3, 3, 1, 45], (2, 1, (1, 1), 45)),
        sizes([2, 16, 16, 32], [3, 3, 1, 32], (1, 1, (1, 1), 32)),
        sizes([2, 5, 5, 6], [3, 3, 1, 12], (1, 1, (1, 1), 6)),
    ]
}

impl Sizes {
    fn draw(&self, dtype: DType) -> [Tensor; 3] {
        let generator = Generator::new(3);
        let bias = [self.kernel[3]];
        let draw = |shape: &[usize]| generator.uniform(shape, -1.0, 1.0, DType::F64).unwrap();
        [draw(&self.input), draw(&self.kernel), draw(&bias)].map(|x| x.cast(dtype))
    }

    /// Output, and the gradients by input and kernel of `Σ y²/2`.
    fn run(&self, dtype: DType) -> [Tensor; 3] {
        let [x, kernel, bias] = self.draw(dtype);
        let tape = Tape::new();
        let y = ops::conv(&x, &kernel, Some(&bias), &self.options).unwrap();
        let gradients = tape.vjp_options(&y, &y, &[&x, &kernel]).unwrap();
        let [gx, gk] = gradients.try_into().unwrap();
        [y, gx.unwrap(), gk.unwrap()]
    }

    /// Every product of the definition: `f(y's, x's and kernel's position)`.
    fn products(&self, output: &[usize], mut f: impl FnMut(usize, usize, usize)) {
        let ([batch, height, width, channels], [rows, columns, depth, filters]) =
            (self.input, self.kernel);
        let o = &self.options;
        let (stride, dilation, before) = (o.strides[0], o.dilation[0], o.padding[0].0);
        let find = |o: usize, t: usize, n: usize| {
            (o * stride + t * dilation).checked_sub(before).filter(|&i| i < n)
        };
        let mut y = 0;
        for (b, oy, ox, f_out) in (0..batch).flat_map(|b| {
            let (h, w) = (output[1], output[2]);
            (0..h * w * filters).map(move |i| (b, i / (w * filters), i / filters % w, i % filters))
        }) {
            let group = f_out / (filters / o.groups);
            for t in 0..rows * columns {
                let (ty, tx) = (t / columns, t % columns);
                let (Some(iy), Some(ix)) = (find(oy, ty, height), find(ox, tx, width)) else {
                    continue;
                };
                for c in 0..depth {
                    let x = ((b * height + iy) * width + ix) * channels + group * depth + c;
                    f(y, x, (t * depth + c) * filters + f_out);
                }
            }
            y += 1;
        }
    }

    /// The same as [`run`](Sizes::run), from the definition.
    fn exact(&self) -> [Tensor; 3] {
        let [x, kernel, bias] = self.draw(DType::F64);
        let y = ops::conv(&x, &kernel, None, &self.options).unwrap();
        let (xs, ks) = (x.to_vec::<f64>().unwrap(), kernel.to_vec::<f64>().unwrap());
        let mut ys = bias.to_vec::<f64>().unwrap().repeat(y.size() / bias.size());
        self.products(y.dims(), |y, x, k| ys[y] += xs[x] * ks[k]);
        let (mut gx, mut gk) = (vec![0.0; xs.len()], vec![0.0; ks.len()]);
        self.products(y.dims(), |y, x, k| {
            gx[x] += ys[y] * ks[k];
            gk[k] += ys[y] * xs[x];
        });
        let make = |values, like: &Tensor| Tensor::new(values, *like.shape()).unwrap();
        [make(ys, &y), make(gx, &x), make(gk, &kernel)]
    }
}

#[test]
fn convolution_and_its_gradients_equal_their_definition() {
    for sizes in all() {
        let exact = sizes.exact();
        for (got, exact) in sizes.run(DType::F64).iter().zip(&exact) {
            assert_close(got, exact, 1e-11, 1e-11);
        }
        for (got, exact) in sizes.run(DType::F32).iter().zip(&exact) {
            let largest = exact.abs().max(.., false).item::<f64>().unwrap();
            assert_close(&got.cast(DType::F64), exact, 1e-5, 2e-6 * largest);
        }
    }
}

#[test]
fn bits_depend_neither_on_threads_nor_on_the_batch() {
    let sizes = [
        sizes([16, 16, 15, 3], [3, 3, 3, 20], (2, 1, (1, 1), 1)),
        sizes([16, 14, 14, 24], [3, 3, 24, 40], (1, 1, (1, 1), 1)),
        sizes([16, 14, 14, 48], [3, 3, 1, 48], (1, 1, (1, 1), 48)),
    ];
    let bits = |x: &Tensor| -> Vec<u32> {
        x.to_vec::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
    };
    for sizes in sizes {
        set_threads(1);
        let one = sizes.run(DType::F32).map(|x| bits(&x));
        for threads in [2, 8] {
            set_threads(threads);
            assert!(one == sizes.run(DType::F32).map(|x| bits(&x)), "{threads} threads");
        }
        let [x, kernel, bias] = sizes.draw(DType::F32);
        let last: Vec<f32> = x.to_vec().unwrap()[15 * x.size() / 16..].to_vec();
        let last = Tensor::new(last, [1, x.dims()[1], x.dims()[2], x.dims()[3]]).unwrap();
        let y = ops::conv(&last, &kernel, Some(&bias), &sizes.options).unwrap();
        assert_eq!(bits(&y), one[0][15 * one[0].len() / 16..], "alone and in a batch");
    }
}

#[test]
fn nothing_in_gives_nothing_or_zeros_out() {
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32);
    let options = ConvOptions::default();
    let y = ops::conv(&zeros(&[0, 4, 4, 3]), &zeros(&[2, 2, 3, 5]), None, &options).unwrap();
    assert_eq!(y.dims(), [0, 3, 3, 5]);
    let g = ops::conv_kernel_gradient(&zeros(&[0, 4, 4, 3]), &y, &[2, 2], &options).unwrap();
    assert_eq!(g.to_vec::<f32>().unwrap(), vec![0.0; 60]);
    let x = ops::conv_transpose(&y, &zeros(&[2, 2, 3, 5]), &[4, 4], &options).unwrap();
    assert_eq!(x.dims(), [0, 4, 4, 3]);
    let bias = Tensor::from([1.0f32, 2.0]);
    let y = ops::conv(&zeros(&[1, 2, 0]), &zeros(&[1, 0, 2]), Some(&bias), &options).unwrap();
    assert_eq!(y.to_vec::<f32>().unwrap(), [1.0, 2.0, 1.0, 2.0]);
    let two_groups = ConvOptions { groups: 2, ..ConvOptions::default() };
    let y = ops::conv(&zeros(&[1, 4, 0]), &zeros(&[2, 0, 32]), None, &two_groups).unwrap();
    assert_eq!(y.to_vec::<f32>().unwrap(), [0.0; 96]);
    let x = ops::conv_transpose(&zeros(&[1, 2, 0]), &zeros(&[1, 3, 0]), &[2], &options).unwrap();
    assert_eq!(x.to_vec::<f32>().unwrap(), [0.0; 6]);
}

#[test]
fn what_does_not_fit_is_an_error_that_says_why() {
    let conv = |x: &[usize], kernel: &[usize], options: ConvOptions| {
        let (x, kernel) = (Tensor::zeros(x, DType::F32), Tensor::zeros(kernel, DType::F32));
        ops::conv(&x, &kernel, None, &options).unwrap_err().to_string()
    };
    let plain = ConvOptions::default;
    let cases = [
        (
            conv(&[1, 4, 3, 2], &[2, 4, 2, 1], plain()),
            "conv: the kernel (4 with dilation 1) must fit the input (3 with padding 0 + 0) along \
             spatial axis 1; got (1, 4, 3, 2) and (2, 4, 2, 1)",
        ),
        (
            conv(&[1, 4, 4], &[2, 2, 4, 1], plain()),
            "conv: ranks must be equal, (batch, spatial…, channels) for the input and (spatial…, \
             channels / groups, filters) for the kernel; got (1, 4, 4) and (2, 2, 4, 1)",
        ),
        (
            conv(&[1, 4, 4], &[2, 2, 4], ConvOptions { groups: 3, ..plain() }),
            "conv: groups (3) must divide channels and filters, and the kernel must have channels \
             / groups; got (1, 4, 4) and (2, 2, 4)",
        ),
        (
            conv(&[1, 4, 4], &[2, 4, 4], ConvOptions { strides: vec![1, 1], ..plain() }),
            "conv: `strides` must have an entry for each of the 1 spatial axes; got [1, 1]",
        ),
        (
            conv(&[1, 4, 4], &[2, 4, 4], ConvOptions { dilation: vec![0], ..plain() }),
            "conv: `dilation` must be at least 1; got [0]",
        ),
        (
            conv(&[1, 4, 4], &[2, 4, 4], ConvOptions { groups: 0, ..plain() }),
            "conv: `groups` must be at least 1; got 0",
        ),
    ];
    for (got, wanted) in cases {
        assert_eq!(got, wanted);
    }
    let huge = ConvOptions { padding: vec![(usize::MAX, 1)], ..plain() };
    assert!(conv(&[1, 4, 4], &[2, 4, 4], huge).contains("must fit"));
    let far = ConvOptions { dilation: vec![usize::MAX], ..plain() };
    assert!(conv(&[1, 4, 4], &[2, 4, 4], far).contains("must fit"));
}

#[test]
fn gradients_of_outputs_that_cannot_be_are_errors() {
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32);
    let options = ConvOptions::default();
    let error = ops::conv_transpose(&zeros(&[1, 4, 2]), &zeros(&[2, 3, 2]), &[4], &options);
    assert_eq!(
        error.unwrap_err().to_string(),
        "conv_transpose: the convolution's output must have shape (1, 3, 2); got (1, 4, 2) and \
         (2, 3, 2)"
    );
    let error = ops::conv_kernel_gradient(&zeros(&[1, 4, 2]), &zeros(&[1, 4, 2]), &[2], &options);
    assert!(error.unwrap_err().to_string().starts_with("conv_kernel_gradient: the convolution's"));
    let (x, kernel) = (zeros(&[1, 4, 2]), Tensor::zeros([1, 2, 2], DType::F64));
    assert_eq!(
        ops::conv(&x, &kernel, None, &options).unwrap_err().to_string(),
        "conv: inputs must all be float32 or all be float64; got float32 and float64; convert \
         with `cast`"
    );
    let bias = zeros(&[3]);
    let error = ops::conv(&x, &zeros(&[1, 2, 2]), Some(&bias), &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "conv: the bias must have one entry for each filter, (2,); got (1, 4, 2), (1, 2, 2) and \
         (3,)"
    );
}
