//! Images brought to one size.

use cornu_autodiff::{DType, Spec, Tensor, apply, ops};

use super::image::{check, crop_to, pad_to, rows};
use crate::builder::WeightBuilder;
use crate::check::all_positive;
use crate::choice::DataFormat;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Layer};
use crate::resample::{Interpolation, resize, resized};
use crate::setting::{Config, move_key};

config! {
    /// Images of `height` rows and `width` columns.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, rows, columns, channels)` | `(batch, height, width, channels)` |
    /// | `(rows, columns, channels)` | `(height, width, channels)` |
    ///
    /// Proportions change, unless the middle is cut out first (`crop_to_aspect_ratio`) or a
    /// border is added (`pad_to_aspect_ratio`). Integers are rounded and stay integers. With
    /// `"channels_first"` the channels come before the rows.
    ///
    /// ```
    /// use cornu_layers::{Apply, Input, Resizing};
    /// let any = Input::new([None, None, Some(3)]).symbol();
    /// let y = Resizing::new(64, 48).apply(&any)?;
    /// assert_eq!(y.shape(), [None, Some(64), Some(48), Some(3)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a size is 0, an image is empty, or both ways to keep proportions are asked for.
    pub struct Resizing["Resizing"] {
        /// Number of rows.
        height: usize,
        /// Number of columns.
        width: usize,
        ..
        /// How pixels between those of the image are worked out.
        interpolation: Interpolation = Interpolation::Bilinear,
        /// Whether the middle is cut out, with the new proportions.
        crop_to_aspect_ratio: bool = false,
        /// Whether a border is added, for the new proportions.
        pad_to_aspect_ratio: bool = false,
        /// What a border is of; must be `"constant"`.
        fill_mode: String = "constant".to_owned(),
        /// The border's value.
        fill_value: f64 = 0.0,
        /// Whether images that become smaller are averaged over what each new pixel covers.
        antialias: bool = false,
        /// Where the channels are.
        data_format: DataFormat = DataFormat::ChannelsLast,
    }
}

impl Layer for Resizing {
    type Weights = ();

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        all_positive("height` and `width", &[self.height, self.width])?;
        if self.crop_to_aspect_ratio && self.pad_to_aspect_ratio {
            let rule = "only one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio` may be true";
            return Err(Error::setting("`crop_to_aspect_ratio`", rule, "both"));
        }
        if self.fill_mode != "constant" {
            let rule = "it must be `constant`";
            return Err(Error::setting("`fill_mode`", rule, format!("`{}`", self.fill_mode)));
        }
        check(inputs).map(drop)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        check(&[*x.spec()])?;
        let (rows, size) = (rows(x.shape(), &self.data_format), [self.height, self.width]);
        if x.is_symbolic() {
            return Ok(Tensor::symbolic(resized(x, &[(rows, size[0]), (rows + 1, size[1])])?));
        }
        if x.dims()[rows] == 0 || x.dims()[rows + 1] == 0 {
            return Err(Error::input("an image must not be empty", &[x.shape()]));
        }
        let dtype = x.dtype();
        let nearest = self.interpolation == Interpolation::Nearest;
        let mut y = if dtype.is_float() || nearest { x.clone() } else { x.cast(DType::F32) };
        if self.crop_to_aspect_ratio {
            y = crop_to(&y, rows, size)?;
        } else if self.pad_to_aspect_ratio {
            y = pad_to(&y, rows, size, self.fill_value)?;
        }
        for (axis, size) in [(rows, self.height), (rows + 1, self.width)] {
            y = resize(&y, axis, size, &self.interpolation, self.antialias)?;
        }
        if y.dtype() == dtype { Ok(y) } else { whole(&y, dtype) }
    }

    fn write_settings(&self, config: &mut Config) {
        move_key(config, "data_format", 0);
    }
}

/// Rounded numbers, cut to what the dtype holds.
fn whole(y: &Tensor, dtype: DType) -> Result<Tensor> {
    let (low, high) = match dtype {
        DType::U8 => (0.0, 255.0),
        DType::Bool => (0.0, 1.0),
        DType::I32 => (f64::from(i32::MIN), f64::from(i32::MAX)),
        _ => (i64::MIN as f64, i64::MAX as f64),
    };
    Ok(apply(ops::Cast(dtype), &[&y.round().clip(low, high)])?)
}
