//! The middle of images.

use cornu_autodiff::{Spec, Tensor};

use super::floating;
use super::image::{check, crop, crop_to, rows};
use crate::builder::WeightBuilder;
use crate::check::all_positive;
use crate::choice::DataFormat;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Layer};
use crate::resample::{Interpolation, resize, resized};
use crate::setting::{Config, Configured, move_key};

config! {
    /// The `height` rows and `width` columns in the middle of each image. An image that hasn't as
    /// many is cut to the new proportions and enlarged.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, rows, columns, channels)` | `(batch, height, width, channels)` |
    /// | `(rows, columns, channels)` | `(height, width, channels)` |
    ///
    /// With `"channels_first"` the channels come before the rows.
    ///
    /// ```
    /// use cornu_layers::{Apply, CenterCrop, input};
    /// let y = CenterCrop::new(24, 20).apply(&input([28, 28, 3]))?;
    /// assert_eq!(y.shape(), [None, Some(24), Some(20), Some(3)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a size is 0 or an image is empty.
    pub struct CenterCrop["CenterCrop"] {
        /// Number of rows.
        height: usize,
        /// Number of columns.
        width: usize,
        ..
        /// Where the channels are.
        data_format: DataFormat = DataFormat::ChannelsLast,
    }
}

impl Layer for CenterCrop {
    type Weights = ();

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        all_positive("height` and `width", &[self.height, self.width])?;
        check(inputs).map(drop)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = floating(x.only()?, self.common());
        check(&[*x.spec()])?;
        let (rows, size) = (rows(x.shape(), &self.data_format), [self.height, self.width]);
        let axes = [(rows, size[0]), (rows + 1, size[1])];
        if x.is_symbolic() {
            return Ok(Tensor::symbolic(resized(&x, &axes)?));
        }
        let [height, width] = [x.dims()[rows], x.dims()[rows + 1]];
        if height == 0 || width == 0 {
            return Err(Error::input("an image must not be empty", &[x.shape()]));
        }
        if height >= size[0] && width >= size[1] {
            return crop(&x, rows, [(height - size[0]) / 2, (width - size[1]) / 2], size);
        }
        let mut y = crop_to(&x, rows, size)?;
        for (axis, size) in axes {
            y = resize(&y, axis, size, &Interpolation::Bilinear, false)?;
        }
        Ok(y)
    }

    fn write_settings(&self, config: &mut Config) {
        move_key(config, "data_format", 0);
    }
}
