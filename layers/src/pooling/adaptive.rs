//! The largest or the mean element of windows that are as large as the output's size needs.

use cornu_autodiff::ops::{PoolOptions, average_pool, max_pool};
use cornu_autodiff::{Result as TensorResult, Spec, Tensor};

use crate::builder::WeightBuilder;
use crate::check::{all_positive, one_float};
use crate::choice::DataFormat;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Layer, expect_rank};
use crate::resample::{mix, pick, resized};
use crate::window::{channels_from_last, channels_to_last};

macro_rules! adaptive {
    ($($(#[$doc:meta])* $Layer:ident[$class:literal], $axes:literal, $family:ident;)*) => {$(
        config! {
            $(#[$doc])*
            ///
            /// Along an axis of `n` elements, window `i` of `size` goes from `⌊i · n / size⌋` to
            /// `⌈(i + 1) · n / size⌉`; windows may overlap. With `"channels_first"` the channels
            /// come right behind the batch axis.
            ///
            /// # Errors
            /// When a size is 0 or an axis is empty.
            pub struct $Layer[$class] {
                /// Number of windows along each axis; one number for all.
                output_size: [usize; $axes],
                ..
                /// Where the channels are.
                data_format: DataFormat = DataFormat::ChannelsLast,
            }
        }

        impl Layer for $Layer {
            type Weights = ();

            fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
                expect_rank(inputs, $axes + 2)?;
                one_float(inputs, $axes + 2)?;
                all_positive("output_size", &self.output_size)
            }

            fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
                let x = x.only()?;
                expect_rank(&[*x.spec()], $axes + 2)?;
                let x = channels_to_last(x, &self.data_format);
                let y = pool(&x, &self.output_size, &$family)?;
                Ok(channels_from_last(y, &self.data_format))
            }
        }
    )*};
}

/// What is made of a window.
struct Family {
    /// Along one axis, of windows that may differ in size.
    along: fn(&Tensor, usize, usize) -> Result<Tensor>,
    /// Along all axes, of equal windows side by side.
    even: fn(&Tensor, &PoolOptions) -> TensorResult<Tensor>,
}

const MEAN: Family = Family { along: mean_along, even: average_pool };
const LARGEST: Family = Family { along: largest_along, even: max_pool };

fn pool(x: &Tensor, sizes: &[usize], family: &Family) -> Result<Tensor> {
    let spatial = &x.dims()[1..x.rank() - 1];
    if spatial.contains(&0) {
        return Err(Error::input(
            "there must be at least one position along each axis",
            &[x.shape()],
        ));
    }
    if x.is_symbolic() {
        let sizes: Vec<(usize, usize)> =
            sizes.iter().enumerate().map(|(i, &size)| (i + 1, size)).collect();
        return Ok(Tensor::symbolic(resized(x, &sizes)?));
    }
    if spatial.iter().zip(sizes).all(|(n, size)| n.is_multiple_of(*size)) {
        let size = spatial.iter().zip(sizes).map(|(n, size)| n / size).collect();
        return Ok((family.even)(x, &PoolOptions { size, ..PoolOptions::default() })?);
    }
    let mut y = x.clone();
    for (i, &size) in sizes.iter().enumerate() {
        y = (family.along)(&y, i + 1, size)?;
    }
    Ok(y)
}

/// First element of window `i`, and the one behind its last.
fn window(i: usize, n: usize, size: usize) -> (usize, usize) {
    let at = |i: usize| i as u128 * n as u128;
    ((at(i) / size as u128) as usize, at(i + 1).div_ceil(size as u128) as usize)
}

fn mean_along(x: &Tensor, axis: usize, size: usize) -> Result<Tensor> {
    mix(x, axis, size, |n| {
        let mut weights = vec![0.0; n * size];
        for j in 0..size {
            let (start, stop) = window(j, n, size);
            (start..stop).for_each(|i| weights[i * size + j] = 1.0 / (stop - start) as f64);
        }
        weights
    })
}

fn largest_along(x: &Tensor, axis: usize, size: usize) -> Result<Tensor> {
    let n = x.dims()[axis];
    let windows: Vec<(usize, usize)> = (0..size).map(|i| window(i, n, size)).collect();
    let longest = windows.iter().map(|(start, stop)| stop - start).max().unwrap_or(1);
    // Element `step` of each window; a shorter window has its last one again.
    let of = |step: usize| {
        let at = move |&(start, stop): &(usize, usize)| (start + step).min(stop - 1) as i64;
        pick(x, axis, size, |_| windows.iter().map(at).collect())
    };
    let mut y = of(0)?;
    for step in 1..longest {
        y = cornu_autodiff::ops::maximum(&y, &of(step)?);
    }
    Ok(y)
}

adaptive! {
    /// The mean of each of `output_size` windows of a sequence, channel by channel.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, steps, channels)` | `(batch, size, channels)` |
    ///
    /// ```
    /// use cornu_layers::{AdaptiveAveragePooling1D, Apply, input};
    /// let y = AdaptiveAveragePooling1D::new(4).apply(&input([10, 3]))?;
    /// assert_eq!(y.shape(), [None, Some(4), Some(3)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    AdaptiveAveragePooling1D["AdaptiveAveragePooling1D"], 1, MEAN;
    /// The mean of each of `output_size` windows of an image, channel by channel.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, rows, columns, channels)` | `(batch, sizes…, channels)` |
    ///
    /// ```
    /// use cornu_layers::{AdaptiveAveragePooling2D, Apply, Input};
    /// let any = Input::new([None, None, Some(3)]).symbol();
    /// let y = AdaptiveAveragePooling2D::new((7, 5)).apply(&any)?;
    /// assert_eq!(y.shape(), [None, Some(7), Some(5), Some(3)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    AdaptiveAveragePooling2D["AdaptiveAveragePooling2D"], 2, MEAN;
    /// The mean of each of `output_size` windows of a volume, channel by channel.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, x, y, z, channels)` | `(batch, sizes…, channels)` |
    AdaptiveAveragePooling3D["AdaptiveAveragePooling3D"], 3, MEAN;
    /// The largest element of each of `output_size` windows of a sequence, channel by channel.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, steps, channels)` | `(batch, size, channels)` |
    AdaptiveMaxPooling1D["AdaptiveMaxPooling1D"], 1, LARGEST;
    /// The largest element of each of `output_size` windows of an image, channel by channel.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, rows, columns, channels)` | `(batch, sizes…, channels)` |
    ///
    /// ```
    /// use cornu_layers::{AdaptiveMaxPooling2D, Apply, input};
    /// let y = AdaptiveMaxPooling2D::new(2).apply(&input([7, 5, 3]))?;
    /// assert_eq!(y.shape(), [None, Some(2), Some(2), Some(3)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    AdaptiveMaxPooling2D["AdaptiveMaxPooling2D"], 2, LARGEST;
    /// The largest element of each of `output_size` windows of a volume, channel by channel.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, x, y, z, channels)` | `(batch, sizes…, channels)` |
    AdaptiveMaxPooling3D["AdaptiveMaxPooling3D"], 3, LARGEST;
}
