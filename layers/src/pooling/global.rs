//! The largest or the mean element over all positions.

use cornu_autodiff::{Spec, Tensor, ops};

use crate::builder::WeightBuilder;
use crate::check::one_float;
use crate::choice::DataFormat;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Layer, Masks, expect_rank};

macro_rules! global {
    ($(
        $(#[$doc:meta])*
        $Layer:ident[$class:literal], $axes:literal, $mask:ident, |$x:ident, $fold:ident, $keep:ident, $m:ident| $value:expr;
    )*) => {$(
        config! {
            $(#[$doc])*
            ///
            /// With `"channels_first"` the channels come right behind the batch axis; with
            /// `keepdims` the folded axes stay, at size 1.
            ///
            /// # Errors
            /// When the input has another rank, or an axis to be folded is empty.
            pub struct $Layer[$class] {
                ..
                /// Where the channels are.
                data_format: DataFormat = DataFormat::ChannelsLast,
                /// Whether the folded axes stay, at size 1.
                keepdims: bool = false,
            }
        }

        impl Layer for $Layer {
            type Weights = ();
            const BUILT_AT_ONCE: bool = true;
            const MASK: Masks = Masks::$mask;

            fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
                expect_rank(inputs, $axes + 2)?;
                one_float(inputs, $axes + 2).map(drop)
            }

            fn call(&self, _: &(), inputs: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
                let ($x, $keep) = (inputs.only()?, self.keepdims);
                expect_rank(&[*$x.spec()], $axes + 2)?;
                let first = if self.data_format == DataFormat::ChannelsFirst { 2 } else { 1 };
                let folded: [isize; $axes] = std::array::from_fn(|i| i as isize + first);
                if folded.iter().any(|&axis| $x.dims()[axis as usize] == 0) {
                    let rule = "there must be at least one position";
                    return Err(Error::input(rule, &[$x.shape()]));
                }
                let $fold = folded.as_slice();
                let $m = inputs.mask(0);
                Ok($value)
            }
        }
    )*};
}

/// The mean over the steps that count; NaN, as in Keras, where none does.
fn mean_of_steps(x: &Tensor, axes: &[isize], keepdims: bool, mask: &Tensor) -> Result<Tensor> {
    let steps = [x.dims()[0], x.dims()[axes[0] as usize]];
    if mask.dims() != steps {
        let rule = format!("it must be (batch, steps), {steps:?}");
        return Err(Error::setting("mask", rule, mask.shape()));
    }
    // The mask is (batch, steps); channels are where the folded axis isn't.
    let counts = mask.expand_dims(if axes[0] == 1 { 2 } else { 1 });
    let kept = ops::select(&counts, x, &x.zeros_like()).sum(axes, keepdims);
    Ok(kept / counts.cast(x.dtype()).sum(axes, keepdims))
}

global! {
    /// The mean step of a sequence, channel by channel. Masked steps don't count; the output has
    /// no mask.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, steps, channels)` | `(batch, channels)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, GlobalAveragePooling1D, input};
    /// let y = GlobalAveragePooling1D::new().apply(&input([10, 4]))?;
    /// assert_eq!(y.shape(), [None, Some(4)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    GlobalAveragePooling1D["GlobalAveragePooling1D"], 1, Absorbs, |x, axes, keep, mask| match mask {
        Some(mask) => mean_of_steps(x, axes, keep, mask)?,
        None => x.mean(axes, keep),
    };
    /// The mean of an image, channel by channel (Lin et al. 2013, arXiv:1312.4400).
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, rows, columns, channels)` | `(batch, channels)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, GlobalAveragePooling2D, input};
    /// let y = GlobalAveragePooling2D::new().apply(&input([7, 7, 64]))?;
    /// assert_eq!(y.shape(), [None, Some(64)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    GlobalAveragePooling2D["GlobalAveragePooling2D"], 2, Refuses, |x, axes, keep, _mask| {
        x.mean(axes, keep)
    };
    /// The mean of a volume, channel by channel.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, x, y, z, channels)` | `(batch, channels)` |
    GlobalAveragePooling3D["GlobalAveragePooling3D"], 3, Refuses, |x, axes, keep, _mask| {
        x.mean(axes, keep)
    };
    /// The largest element of a sequence, channel by channel.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, steps, channels)` | `(batch, channels)` |
    GlobalMaxPooling1D["GlobalMaxPooling1D"], 1, Refuses, |x, axes, keep, _mask| x.max(axes, keep);
    /// The largest element of an image, channel by channel.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, rows, columns, channels)` | `(batch, channels)` |
    GlobalMaxPooling2D["GlobalMaxPooling2D"], 2, Refuses, |x, axes, keep, _mask| x.max(axes, keep);
    /// The largest element of a volume, channel by channel.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, x, y, z, channels)` | `(batch, channels)` |
    GlobalMaxPooling3D["GlobalMaxPooling3D"], 3, Refuses, |x, axes, keep, _mask| x.max(axes, keep);
}
