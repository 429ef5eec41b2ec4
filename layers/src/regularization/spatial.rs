//! Dropout of whole channels.

use cornu_autodiff::{Shape, Spec, Tensor};

use super::dropout::{drop_elements, with_own};
use crate::builder::WeightBuilder;
use crate::check::{one_float, probability};
use crate::choice::DataFormat;
use crate::config;
use crate::context::Context;
use crate::error::Result;
use crate::layer::{Inputs, Layer, Masks, expect_rank};

macro_rules! spatial {
    ($(
        $(#[$doc:meta])*
        $Layer:ident[$class:literal], $axes:literal, { $($(#[$field_doc:meta])* $field:ident: $Field:ty = $default:expr)? };
    )*) => {$(
        config! {
            $(#[$doc])*
            ///
            /// While training, all elements of a channel of a sample are dropped together with
            /// probability `rate`, and the others multiplied by `1 / (1 - rate)` (Tompson et
            /// al. 2014, arXiv:1411.4280). Otherwise `y = x`. A mask passes through.
            ///
            /// # Errors
            /// When `rate` is outside `[0, 1]` or the input has another rank.
            pub struct $Layer[$class] {
                /// The probability with which a channel is dropped.
                rate: f64,
                ..
                /// Chooses a stream of draws for this layer.
                seed: Option<u64> = None,
                $($(#[$field_doc])* $field: $Field = $default,)?
            }
        }

        impl $Layer {
            #[allow(unreachable_code)]
            fn channels_first(&self) -> bool {
                $(return self.$field == DataFormat::ChannelsFirst;)?
                false
            }
        }

        impl Layer for $Layer {
            type Weights = ();
            const BUILT_AT_ONCE: bool = true;
            const WITHOUT: &'static [&'static str] = &["trainable"];
            const MASK: Masks = Masks::Passes;

            fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
                probability("rate", self.rate)?;
                expect_rank(inputs, $axes + 2)?;
                one_float(inputs, $axes + 2).map(drop)
            }

            fn call(&self, _: &(), x: &Inputs<'_>, context: &mut Context<'_>) -> Result<Tensor> {
                let x = x.only()?;
                expect_rank(&[*x.spec()], $axes + 2)?;
                match context.generator() {
                    Some(generator) if self.rate > 0.0 => {
                        let channel = if self.channels_first() { 1 } else { $axes + 1 };
                        let mut dims = [1; $axes + 2];
                        dims[0] = x.dims()[0];
                        dims[channel] = x.dims()[channel];
                        let noise = Some(Shape::new(&dims)?);
                        with_own(generator, self.seed, |g| drop_elements(x, self.rate, noise, g))
                    }
                    _ => Ok(x.clone()),
                }
            }
        }
    )*};
}

spatial! {
    /// Dropout of whole channels of sequences.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, steps, channels)` | `(batch, steps, channels)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, SpatialDropout1D, input};
    /// let y = SpatialDropout1D::new(0.5).apply(&input([10, 4]))?;
    /// assert_eq!(y.shape(), [None, Some(10), Some(4)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    SpatialDropout1D["SpatialDropout1D"], 1, {};
    /// Dropout of whole channels of images.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, rows, columns, channels)` | `(batch, rows, columns, channels)` |
    SpatialDropout2D["SpatialDropout2D"], 2, {
        /// Where the channels are.
        data_format: DataFormat = DataFormat::ChannelsLast
    };
    /// Dropout of whole channels of volumes.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, x, y, z, channels)` | `(batch, x, y, z, channels)` |
    SpatialDropout3D["SpatialDropout3D"], 3, {
        /// Where the channels are.
        data_format: DataFormat = DataFormat::ChannelsLast
    };
}
