//! Sequences, images and volumes several times as large.

use cornu_autodiff::{Spec, Tensor};

use crate::builder::WeightBuilder;
use crate::check::{all_positive, one, one_float, positive};
use crate::choice::DataFormat;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Layer, expect_rank};
use crate::resample::{Interpolation, pick, resize, resized};

config! {
    /// Each step of a sequence `size` times.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, steps, channels)` | `(batch, steps · size, channels)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, UpSampling1D, input};
    /// let y = UpSampling1D::new().size(3).apply(&input([10, 4]))?;
    /// assert_eq!(y.shape(), [None, Some(30), Some(4)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When `size` is 0.
    pub struct UpSampling1D["UpSampling1D"] {
        ..
        /// How often each step is repeated.
        size: usize = 2,
    }
}

impl Layer for UpSampling1D {
    type Weights = ();

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        positive("size", self.size)?;
        expect_rank(inputs, 3)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        expect_rank(&[*x.spec()], 3)?;
        repeat(x, &[self.size], &DataFormat::ChannelsLast)
    }
}

config! {
    /// An image `size` times as large.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, rows, columns, channels)` | `(batch, rows · size₁, columns · size₂, channels)` |
    ///
    /// With `"channels_first"` the channels come right behind the batch axis.
    ///
    /// ```
    /// use cornu_layers::{Apply, UpSampling2D, input};
    /// let y = UpSampling2D::new().size((2, 3)).interpolation("bilinear").apply(&input([4, 4, 3]))?;
    /// assert_eq!(y.shape(), [None, Some(8), Some(12), Some(3)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a size is 0, or an input that isn't of floating-point numbers is to be interpolated.
    pub struct UpSampling2D["UpSampling2D"] {
        ..
        /// Factors for rows and columns; one number for both.
        size: [usize; 2] = [2, 2],
        /// Where the channels are.
        data_format: DataFormat = DataFormat::ChannelsLast,
        /// What comes between the pixels; `"nearest"` repeats them.
        interpolation: Interpolation = Interpolation::Nearest,
    }
}

impl Layer for UpSampling2D {
    type Weights = ();

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        all_positive("size", &self.size)?;
        expect_rank(inputs, 4)?;
        match self.interpolation {
            Interpolation::Nearest => one(inputs, 4).map(drop),
            _ => one_float(inputs, 4).map(drop),
        }
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        expect_rank(&[*x.spec()], 4)?;
        if self.interpolation == Interpolation::Nearest {
            return repeat(x, &self.size, &self.data_format);
        }
        let mut y = x.clone();
        for (axis, size) in sizes(x, &self.size, &self.data_format)? {
            y = resize(&y, axis, size, &self.interpolation, false)?;
        }
        Ok(y)
    }
}

config! {
    /// Each element of a volume repeated along all axes.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, x, y, z, channels)` | `(batch, x · size₁, y · size₂, z · size₃, channels)` |
    ///
    /// With `"channels_first"` the channels come right behind the batch axis.
    ///
    /// # Errors
    /// When a size is 0.
    pub struct UpSampling3D["UpSampling3D"] {
        ..
        /// Factors for each axis; one number for all.
        size: [usize; 3] = [2, 2, 2],
        /// Where the channels are.
        data_format: DataFormat = DataFormat::ChannelsLast,
    }
}

impl Layer for UpSampling3D {
    type Weights = ();

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        all_positive("size", &self.size)?;
        expect_rank(inputs, 5)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        expect_rank(&[*x.spec()], 5)?;
        repeat(x, &self.size, &self.data_format)
    }
}

/// The spatial axes and their new sizes.
fn sizes(x: &Tensor, factors: &[usize], format: &DataFormat) -> Result<Vec<(usize, usize)>> {
    let first = if *format == DataFormat::ChannelsFirst { 2 } else { 1 };
    let size = |(i, &factor): (usize, &usize)| {
        let axis = first + i;
        Some((axis, x.dims()[axis].checked_mul(factor)?))
    };
    factors.iter().enumerate().map(size).collect::<Option<Vec<_>>>().ok_or_else(|| {
        let rule = format!("the input, {}, must not become too large", x.shape());
        Error::setting("`size`", rule, format!("{factors:?}"))
    })
}

fn repeat(x: &Tensor, factors: &[usize], format: &DataFormat) -> Result<Tensor> {
    let sizes = sizes(x, factors, format)?;
    resized(x, &sizes)?;
    let mut y = x.clone();
    for ((axis, size), factor) in sizes.into_iter().zip(factors) {
        y = pick(&y, axis, size, |_| (0..size).map(|i| (i / factor) as i64).collect())?;
    }
    Ok(y)
}
