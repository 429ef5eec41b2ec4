//! Random tensors from seeded streams that can be split, read and restored.

use std::sync::atomic::{AtomicU64, Ordering};

use rand::RngExt;
use rand_distr::StandardNormal;

use crate::dtype::{DType, Element};
use crate::error::{Error, Result};
use crate::kernels::random::{Stream, fill, fill_words};
use crate::shape::{IntoShape, Shape, Spec};
use crate::tensor::Tensor;
use crate::{each_dtype, each_float, each_number};

/// Where a [`Generator`] stands: all that a checkpoint must keep of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GeneratorState {
    /// The seed.
    pub seed: u64,
    /// Number of draws so far.
    pub counter: u64,
}

/// A seeded source of random tensors.
///
/// Draw `n` of a seed is stream `n` of ChaCha8 under that seed, whatever was drawn before: a
/// draw's values depend neither on how many numbers earlier draws took nor on the number of
/// threads. A generator is shared by reference between threads; each draw takes the next
/// number. (Keras's `SeedGenerator` likewise keeps a seed and a counter; the numbers differ.)
///
/// ```
/// use cornu_autodiff::{DType, Generator};
/// let generator = Generator::new(42);
/// let before = generator.state();
/// let first = generator.normal([2, 3], 0.0, 1.0, DType::F32)?;
/// generator.restore(before);
/// let again = generator.normal([2, 3], 0.0, 1.0, DType::F32)?;
/// assert_eq!(first.to_vec::<f32>()?, again.to_vec::<f32>()?);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
#[derive(Debug)]
pub struct Generator {
    seed: AtomicU64,
    counter: AtomicU64,
}

impl Generator {
    /// A generator at the start of a seed.
    pub fn new(seed: u64) -> Generator {
        Generator::from_state(GeneratorState { seed, counter: 0 })
    }

    /// A generator that goes on from a state.
    pub fn from_state(state: GeneratorState) -> Generator {
        Generator { seed: AtomicU64::new(state.seed), counter: AtomicU64::new(state.counter) }
    }

    /// Where this generator stands. Read it between draws, not while other threads draw.
    pub fn state(&self) -> GeneratorState {
        let (seed, counter) = (&self.seed, &self.counter);
        GeneratorState {
            seed: seed.load(Ordering::Relaxed),
            counter: counter.load(Ordering::Relaxed),
        }
    }

    /// Goes on from a state.
    pub fn restore(&self, state: GeneratorState) {
        self.seed.store(state.seed, Ordering::Relaxed);
        self.counter.store(state.counter, Ordering::Relaxed);
    }

    /// A generator of its own for a part of the work, by name. Takes no draw: the same name
    /// always gives the same generator.
    pub fn split(&self, name: &str) -> Generator {
        // FNV-1a (Fowler, Noll and Vo 1991).
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        self.split_index(hash)
    }

    /// As [`split`](Generator::split), by number.
    pub fn split_index(&self, index: u64) -> Generator {
        Generator::new(mix(mix(self.seed.load(Ordering::Relaxed)) ^ index))
    }

    /// A whole number for use as a seed elsewhere.
    pub fn draw_seed(&self) -> u64 {
        self.next_stream().begin().random()
    }

    fn next_stream(&self) -> Stream {
        let counter = self.counter.fetch_add(1, Ordering::Relaxed);
        Stream { seed: self.seed.load(Ordering::Relaxed), number: counter }
    }

    /// Evenly distributed in `[low, high)`.
    ///
    /// # Errors
    /// When the dtype is not a float's, a bound is not finite, or `low > high`.
    pub fn uniform(
        &self,
        shape: impl IntoShape,
        low: f64,
        high: f64,
        dtype: DType,
    ) -> Result<Tensor> {
        let shape = float_shape("uniform", shape, dtype)?;
        if !(low.is_finite() && high.is_finite() && low <= high) {
            let rule = "bounds must be finite, the lower not above the upper";
            return Err(Error::value("uniform", rule, format!("{low} and {high}")));
        }
        let stream = self.next_stream();
        Ok(match dtype {
            DType::F32 => Tensor::build(shape, |out| {
                let (start, width, end) = (low as f32, (high - low) as f32, high as f32);
                fill_words(stream, out, |word| {
                    let y = start + width * ((word >> 8) as f32 * f32::EPSILON * 0.5);
                    if y < end { y } else { start } // rounding may reach the bound
                });
            }),
            _ => Tensor::build(shape, |out| {
                fill(stream, out, |rng| {
                    let y = low + (high - low) * rng.random::<f64>();
                    if y < high { y } else { low }
                });
            }),
        })
    }

    /// Normally distributed.
    ///
    /// # Errors
    /// When the dtype is not a float's, `mean` is not finite, or `stddev` is negative or not
    /// finite.
    pub fn normal(
        &self,
        shape: impl IntoShape,
        mean: f64,
        stddev: f64,
        dtype: DType,
    ) -> Result<Tensor> {
        let shape = float_shape("normal", shape, dtype)?;
        check_normal("normal", mean, stddev)?;
        let stream = self.next_stream();
        Ok(each_float!(dtype, T => Tensor::build(shape, |out: &mut [T]| {
            fill(stream, out, |rng| T::from_f64(mean + stddev * rng.sample::<f64, _>(StandardNormal)));
        })))
    }

    /// Normally distributed, values more than two standard deviations from the mean drawn
    /// again, as in Keras: the standard deviation of what comes out is 0.8796 `stddev`.
    ///
    /// # Errors
    /// As [`normal`](Generator::normal).
    pub fn truncated_normal(
        &self,
        shape: impl IntoShape,
        mean: f64,
        stddev: f64,
        dtype: DType,
    ) -> Result<Tensor> {
        let shape = float_shape("truncated_normal", shape, dtype)?;
        check_normal("truncated_normal", mean, stddev)?;
        let stream = self.next_stream();
        Ok(each_float!(dtype, T => Tensor::build(shape, |out: &mut [T]| {
            fill(stream, out, |rng| loop {
                let z = rng.sample::<f64, _>(StandardNormal);
                if z.abs() <= 2.0 {
                    break T::from_f64(mean + stddev * z);
                }
            });
        })))
    }

    /// 1 (or true) with probability `p`, else 0, in any dtype.
    ///
    /// # Errors
    /// When `p` is not in `[0, 1]`.
    pub fn bernoulli(&self, shape: impl IntoShape, p: f64, dtype: DType) -> Result<Tensor> {
        let shape = shape.into_shape()?;
        check_probability("bernoulli", p)?;
        Ok(each_dtype!(dtype, T => self.choose::<T>(shape, p, T::from_f64(1.0))))
    }

    /// What dropout multiplies by: 0 with probability `rate`, else `1 / (1 - rate)`, so that the
    /// expected value is 1 (Srivastava et al. 2014). At rate 1 all is 0.
    ///
    /// # Errors
    /// When the dtype is not a float's or `rate` is not in `[0, 1]`.
    pub fn dropout_mask(&self, shape: impl IntoShape, rate: f64, dtype: DType) -> Result<Tensor> {
        let shape = float_shape("dropout_mask", shape, dtype)?;
        check_probability("dropout_mask", rate)?;
        let keep = 1.0 - rate;
        let kept = if keep > 0.0 { 1.0 / keep } else { 0.0 };
        Ok(each_float!(dtype, T => self.choose::<T>(shape, keep, T::from_f64(kept))))
    }

    /// `yes` with probability `p`, else zero.
    fn choose<T: Element>(&self, shape: Shape, p: f64, yes: T) -> Tensor {
        let stream = self.next_stream();
        // Words below the threshold: exact to 2^-32, and no word is below 0 or not below 2^32.
        let threshold = (p * 2f64.powi(32)).round() as u64;
        // A choice by a table: a branch would be mispredicted every other time.
        let choices = [T::default(), yes];
        Tensor::build(shape, |out| {
            fill_words(stream, out, |w| choices[usize::from(u64::from(w) < threshold)]);
        })
    }

    /// Whole numbers, evenly distributed in `low..high`.
    ///
    /// # Errors
    /// When the range is empty, the dtype can't hold it, or is bool.
    pub fn integers(
        &self,
        shape: impl IntoShape,
        low: i64,
        high: i64,
        dtype: DType,
    ) -> Result<Tensor> {
        let shape = shape.into_shape()?;
        if dtype == DType::Bool {
            let spec = Spec::new(dtype, shape);
            return Err(Error::dtype("integers", "the dtype must be one of numbers", &[&spec]));
        }
        let holds = |v: i64| each_number!(dtype, T => T::from_f64(v as f64).to_f64() == v as f64);
        if low >= high || !holds(low) || !holds(high - 1) {
            let rule = format!("`low..high` must hold a number, and {dtype} must hold them all");
            return Err(Error::value("integers", rule, format!("{low}..{high}")));
        }
        let stream = self.next_stream();
        if dtype == DType::I64 {
            return Ok(Tensor::build(shape, |out: &mut [i64]| {
                fill(stream, out, |rng| rng.random_range(low..high));
            }));
        }
        Ok(each_number!(dtype, T => Tensor::build(shape, |out: &mut [T]| {
            fill(stream, out, |rng| T::from_f64(rng.random_range(low..high) as f64));
        })))
    }

    /// `0..n` in random order (Fisher and Yates 1938).
    pub fn permutation(&self, n: usize) -> Vec<usize> {
        let mut rng = self.next_stream().begin();
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, rng.random_range(0..=i as u64) as usize);
        }
        order
    }

    /// [`normal`](Generator::normal) with the shape and dtype of `x`; symbolic, and no draw, if
    /// `x` is symbolic.
    ///
    /// # Errors
    /// As [`normal`](Generator::normal).
    pub fn normal_like(&self, x: &Tensor, mean: f64, stddev: f64) -> Result<Tensor> {
        self.like(x, |from, shape, dtype| from.normal(shape, mean, stddev, dtype))
    }

    /// [`dropout_mask`](Generator::dropout_mask) with the shape and dtype of `x`; symbolic, and
    /// no draw, if `x` is symbolic.
    ///
    /// # Errors
    /// As [`dropout_mask`](Generator::dropout_mask).
    pub fn dropout_mask_like(&self, x: &Tensor, rate: f64) -> Result<Tensor> {
        self.like(x, |from, shape, dtype| from.dropout_mask(shape, rate, dtype))
    }

    fn like(
        &self,
        x: &Tensor,
        draw: impl Fn(&Generator, Shape, DType) -> Result<Tensor>,
    ) -> Result<Tensor> {
        if !x.is_symbolic() {
            return draw(self, *x.shape(), x.dtype());
        }
        // What is wrong with the arguments is wrong without values too.
        draw(&Generator::new(0), Shape::of(&[0]), x.dtype())?;
        Ok(Tensor::symbolic(*x.spec()))
    }
}

/// Steele, Lea and Flood 2014 (SplitMix64): a bijection under which near numbers end far apart.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn float_shape(place: &'static str, shape: impl IntoShape, dtype: DType) -> Result<Shape> {
    let shape = shape.into_shape()?;
    if dtype.is_float() {
        return Ok(shape);
    }
    let spec = Spec::new(dtype, shape);
    Err(Error::dtype(place, "the dtype must be float32 or float64", &[&spec]))
}

fn check_normal(place: &'static str, mean: f64, stddev: f64) -> Result<()> {
    if mean.is_finite() && stddev.is_finite() && stddev >= 0.0 {
        return Ok(());
    }
    let rule = "mean and standard deviation must be finite, the latter not negative";
    Err(Error::value(place, rule, format!("{mean} and {stddev}")))
}

fn check_probability(place: &'static str, p: f64) -> Result<()> {
    if (0.0..=1.0).contains(&p) {
        return Ok(());
    }
    Err(Error::value(place, "a probability must be in [0, 1]", p.to_string()))
}
