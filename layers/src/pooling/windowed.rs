//! The largest or the mean element of each window, along one, two and three axes.

use cornu_autodiff::ops::{PoolOptions, average_pool, max_pool};
use cornu_autodiff::{Result as TensorResult, Spec, Tensor};

use crate::builder::WeightBuilder;
use crate::check::one_float;
use crate::choice::{DataFormat, Padding};
use crate::config;
use crate::context::Context;
use crate::error::Result;
use crate::layer::{Inputs, Layer, expect_rank};
use crate::setting::{Config, Setting};
use crate::window::{Window, channels_from_last, channels_to_last};

macro_rules! pooling {
    ($(
        $(#[$doc:meta])*
        $Layer:ident[$class:literal], $axes:literal, $pool:ident $(, $pool_size:literal)?;
    )*) => {$(
        config! {
            $(#[$doc])*
            ///
            /// With `"channels_first"` the channels come right behind the batch axis. Padding
            /// never counts.
            ///
            /// # Errors
            /// When a size is 0 or the window is larger than the input.
            pub struct $Layer[$class] {
                /// Size of the window along each axis; one number for all.
                pool_size: [usize; $axes] $(= [$pool_size; $axes])?,
                ..
                /// What the window sees beyond the edges.
                padding: Padding = Padding::Valid,
                /// Steps of the window along each axis; its size unless set.
                strides: Option<[usize; $axes]> = None,
                /// Where the channels are.
                data_format: DataFormat = DataFormat::ChannelsLast,
            }
        }

        $(
            /// With windows of Keras's default size.
            impl Default for $Layer {
                fn default() -> $Layer {
                    $Layer::new([$pool_size; $axes])
                }
            }
        )?

        impl $Layer {
            fn window<'a>(&'a self, strides: &'a [usize; $axes]) -> Window<'a> {
                Window {
                    option: "pool_size",
                    size: &self.pool_size,
                    strides,
                    dilation: &[1; $axes],
                    padding: &self.padding,
                    data_format: &self.data_format,
                }
            }
        }

        impl Layer for $Layer {
            type Weights = ();
            const BUILT_AT_ONCE: bool = true;

            fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
                expect_rank(inputs, $axes + 2)?;
                let strides = self.strides.unwrap_or(self.pool_size);
                self.window(&strides).check(one_float(inputs, $axes + 2)?, false)
            }

            fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
                let x = x.only()?;
                expect_rank(&[*x.spec()], $axes + 2)?;
                pool(x, &self.window(&self.strides.unwrap_or(self.pool_size)), $pool)
            }

            fn write_settings(&self, config: &mut Config) {
                let strides = self.strides.unwrap_or(self.pool_size);
                config.insert("strides".into(), strides.to_json());
            }
        }
    )*};
}

fn pool(
    x: &Tensor,
    window: &Window<'_>,
    pool: fn(&Tensor, &PoolOptions) -> TensorResult<Tensor>,
) -> Result<Tensor> {
    let options = PoolOptions {
        size: window.size.to_vec(),
        strides: window.strides.to_vec(),
        padding: window.paddings(x.shape()),
    };
    let y = pool(&channels_to_last(x, window.data_format), &options)?;
    Ok(channels_from_last(y, window.data_format))
}

pooling! {
    /// The largest element of each window of a sequence, channel by channel.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, steps, channels)` | `(batch, positions, channels)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, MaxPooling1D, input};
    /// let y = MaxPooling1D::new(2).apply(&input([10, 4]))?;
    /// assert_eq!(y.shape(), [None, Some(5), Some(4)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    MaxPooling1D["MaxPooling1D"], 1, max_pool, 2;
    /// The largest element of each window of an image, channel by channel.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, rows, columns, channels)` | `(batch, rows', columns', channels)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, MaxPooling2D, input};
    /// let y = MaxPooling2D::new((2, 2)).apply(&input([26, 26, 32]))?;
    /// assert_eq!(y.shape(), [None, Some(13), Some(13), Some(32)]);
    /// assert_eq!(MaxPooling2D::default().pool_size, [2, 2]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    MaxPooling2D["MaxPooling2D"], 2, max_pool, 2;
    /// The largest element of each window of a volume, channel by channel.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, x, y, z, channels)` | `(batch, x', y', z', channels)` |
    MaxPooling3D["MaxPooling3D"], 3, max_pool, 2;
    /// The mean element of each window of a sequence, channel by channel.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, steps, channels)` | `(batch, positions, channels)` |
    AveragePooling1D["AveragePooling1D"], 1, average_pool;
    /// The mean element of each window of an image, channel by channel.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, rows, columns, channels)` | `(batch, rows', columns', channels)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, AveragePooling2D, input};
    /// let y = AveragePooling2D::new(3).strides(1).apply(&input([8, 8, 2]))?;
    /// assert_eq!(y.shape(), [None, Some(6), Some(6), Some(2)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    AveragePooling2D["AveragePooling2D"], 2, average_pool;
    /// The mean element of each window of a volume, channel by channel.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, x, y, z, channels)` | `(batch, x', y', z', channels)` |
    AveragePooling3D["AveragePooling3D"], 3, average_pool;
}
