//! Borders taken from sequences, images and volumes, or put around them.

use cornu_autodiff::{Spec, Tensor, apply, ops};

use crate::builder::WeightBuilder;
use crate::check::one;
use crate::choice::DataFormat;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Layer, expect_rank};
use crate::setting::Setting;
use crate::symbol::{shape_text, unprobed};

/// Elements before and after along each spatial axis.
type Borders<const N: usize> = [[usize; 2]; N];

/// `inner` before and after the spatial axes, nothing at the others.
fn widths(borders: &[[usize; 2]], format: &DataFormat) -> Vec<(usize, usize)> {
    let inner = borders.iter().map(|&[before, after]| (before, after));
    let ahead = if *format == DataFormat::ChannelsFirst { 2 } else { 1 };
    let behind = 2 - ahead;
    let none = |n: usize| std::iter::repeat_n((0, 0), n);
    none(ahead).chain(inner).chain(none(behind)).collect()
}

/// Refuses borders that leave nothing of an axis.
fn check_crop(x: &Spec, borders: &[[usize; 2]], format: &DataFormat) -> Result<()> {
    let taken = widths(borders, format);
    let left = |(n, (before, after)): (&usize, &(usize, usize))| {
        before.checked_add(*after).is_some_and(|all| all < *n)
    };
    if x.dims().iter().zip(&taken).all(|(n, w)| *w == (0, 0) || left((n, w))) {
        return Ok(());
    }
    let rule = format!("it must leave something of the input, {}", shape_text(&unprobed(&x.shape)));
    Err(Error::setting("`cropping`", rule, borders.to_vec().to_json()))
}

fn crop(x: &Tensor, borders: &[[usize; 2]], format: &DataFormat) -> Result<Tensor> {
    check_crop(x.spec(), borders, format)?;
    let taken = widths(borders, format);
    let kept =
        x.dims().iter().zip(taken).map(|(&n, (before, after))| ops::Slice::from(before..n - after));
    Ok(apply(ops::StridedSlice { slices: kept.collect() }, &[x])?)
}

/// Refuses borders with which sizes would overflow.
fn check_pad(borders: &[[usize; 2]]) -> Result<()> {
    const LARGEST: usize = 1 << 30;
    if borders.iter().flatten().all(|&n| n <= LARGEST) {
        return Ok(());
    }
    let rule = format!("all must be at most {LARGEST}");
    Err(Error::setting("`padding`", rule, borders.to_vec().to_json()))
}

fn pad(x: &Tensor, borders: &[[usize; 2]], format: &DataFormat) -> Result<Tensor> {
    let widths = widths(borders, format).into_iter().collect();
    Ok(apply(ops::Pad { widths, value: 0.0 }, &[x])?)
}

config! {
    /// A sequence without its first and last steps.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, steps, channels)` | `(batch, steps - first - last, channels)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, Cropping1D, input};
    /// let y = Cropping1D::new().cropping([2, 1]).apply(&input([10, 4]))?;
    /// assert_eq!(y.shape(), [None, Some(7), Some(4)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When nothing is left.
    pub struct Cropping1D["Cropping1D"] {
        ..
        /// Steps left out at the beginning and at the end; one number for both.
        cropping: [usize; 2] = [1, 1],
    }
}

impl Layer for Cropping1D {
    type Weights = ();

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        expect_rank(inputs, 3)?;
        check_crop(one(inputs, 3)?, &[self.cropping], &DataFormat::ChannelsLast)
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        expect_rank(&[*x.spec()], 3)?;
        crop(x, &[self.cropping], &DataFormat::ChannelsLast)
    }
}

config! {
    /// A sequence with zeros before and behind.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, steps, channels)` | `(batch, before + steps + behind, channels)` |
    ///
    /// With `"channels_first"` the channels come right behind the batch axis.
    ///
    /// ```
    /// use cornu_layers::{Apply, ZeroPadding1D, input};
    /// let y = ZeroPadding1D::new().padding([2, 1]).apply(&input([10, 4]))?;
    /// assert_eq!(y.shape(), [None, Some(13), Some(4)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    pub struct ZeroPadding1D["ZeroPadding1D"] {
        ..
        /// Steps added before and behind; one number for both.
        padding: [usize; 2] = [1, 1],
        /// Where the channels are.
        data_format: DataFormat = DataFormat::ChannelsLast,
    }
}

impl Layer for ZeroPadding1D {
    type Weights = ();

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        expect_rank(inputs, 3)?;
        check_pad(&[self.padding])
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let x = x.only()?;
        expect_rank(&[*x.spec()], 3)?;
        pad(x, &[self.padding], &self.data_format)
    }
}

macro_rules! borders {
    ($(
        $(#[$doc:meta])*
        $Layer:ident[$class:literal], $axes:literal,
        $(#[$option_doc:meta])* $option:ident = $default:expr, $check:expr, $change:expr;
    )*) => {$(
        config! {
            $(#[$doc])*
            ///
            /// With `"channels_first"` the channels come right behind the batch axis.
            pub struct $Layer[$class] {
                ..
                $(#[$option_doc])*
                $option: Borders<$axes> = $default,
                /// Where the channels are.
                data_format: DataFormat = DataFormat::ChannelsLast,
            }
        }

        impl Layer for $Layer {
            type Weights = ();

            fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
                expect_rank(inputs, $axes + 2)?;
                $check(one(inputs, $axes + 2)?, &self.$option, &self.data_format)
            }

            fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
                let x = x.only()?;
                expect_rank(&[*x.spec()], $axes + 2)?;
                $change(x, &self.$option, &self.data_format)
            }
        }
    )*};
}

borders! {
    /// An image without its border.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, rows, columns, channels)` | `(batch, rows - top - bottom, columns - left - right, channels)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, Cropping2D, input};
    /// let y = Cropping2D::new().cropping([[2, 2], [4, 4]]).apply(&input([28, 28, 3]))?;
    /// assert_eq!(y.shape(), [None, Some(24), Some(20), Some(3)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When nothing is left.
    Cropping2D["Cropping2D"], 2,
    /// `[[top, bottom], [left, right]]`; a pair `(rows, columns)` or one number for equal ones.
    cropping = [[0, 0]; 2], check_crop, crop;
    /// A volume without its border.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, x, y, z, channels)` | `(batch, x', y', z', channels)` |
    ///
    /// # Errors
    /// When nothing is left.
    Cropping3D["Cropping3D"], 3,
    /// Elements before and after along each axis; three numbers or one for equal ones.
    cropping = [[1, 1]; 3], check_crop, crop;
    /// An image with a border of zeros.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, rows, columns, channels)` | `(batch, top + rows + bottom, left + columns + right, channels)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, ZeroPadding2D, input};
    /// let y = ZeroPadding2D::new().padding((1, 2)).apply(&input([28, 28, 3]))?;
    /// assert_eq!(y.shape(), [None, Some(30), Some(32), Some(3)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ZeroPadding2D["ZeroPadding2D"], 2,
    /// `[[top, bottom], [left, right]]`; a pair `(rows, columns)` or one number for equal ones.
    padding = [[1, 1]; 2], |_, borders, _| check_pad(borders), pad;
    /// A volume with a border of zeros.
    ///
    /// | input | output |
    /// |---|---|
    /// | `(batch, x, y, z, channels)` | `(batch, x', y', z', channels)` |
    ZeroPadding3D["ZeroPadding3D"], 3,
    /// Elements before and after along each axis; three numbers or one for equal ones.
    padding = [[1, 1]; 3], |_, borders, _| check_pad(borders), pad;
}
