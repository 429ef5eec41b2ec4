//! How windows move over spatial axes: the options of convolution and pooling, and what they make
//! of shapes.

use crate::dtype::Element;
use crate::error::{Error, Result};
use crate::kernels::conv::Sizes;
use crate::kernels::pool::Pooling;
use crate::kernels::window::{Axes, Axis};
use crate::shape::Spec;
use crate::tensor::Tensor;

/// How a kernel moves over the spatial axes. An empty list stands for its default along every
/// axis; any other has one entry for each.
///
/// Keras's `padding="valid"` is no padding, `"same"` is `(total / 2, total - total / 2)` with
/// `total = max((ceil(n / stride) - 1) · stride + (size - 1) · dilation + 1 - n, 0)`, and
/// `"causal"` is `((size - 1) · dilation, 0)`.
///
/// ```
/// use cornu_autodiff::ops::ConvOptions;
/// let options = ConvOptions { strides: vec![2, 2], ..ConvOptions::default() };
/// assert_eq!(options.groups, 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvOptions {
    /// Distance between neighbouring positions; 1 by default.
    pub strides: Vec<usize>,
    /// Distance between neighbouring taps of the kernel; 1 by default.
    pub dilation: Vec<usize>,
    /// Zeros before and after the input; none by default.
    pub padding: Vec<(usize, usize)>,
    /// Parts into which the channels are cut, each with its own part of the filters; 1 by default.
    pub groups: usize,
}

impl Default for ConvOptions {
    fn default() -> ConvOptions {
        ConvOptions { strides: vec![], dilation: vec![], padding: vec![], groups: 1 }
    }
}

/// The entry of a list for one axis; an empty list has the default for all.
fn entry<T: Copy>(list: &[T], axis: usize, default: T) -> T {
    list.get(axis).copied().unwrap_or(default)
}

/// A list must be empty or have one entry for each spatial axis.
fn one_each<T: std::fmt::Debug>(place: &str, name: &str, list: &[T], spatial: usize) -> Result<()> {
    if list.is_empty() || list.len() == spatial {
        return Ok(());
    }
    let rule = format!("`{name}` must have an entry for each of the {spatial} spatial axes");
    Err(Error::value(place, rule, format!("{list:?}")))
}

fn at_least_one(place: &str, name: &str, list: &[usize]) -> Result<()> {
    if !list.contains(&0) {
        return Ok(());
    }
    let rule = format!("`{name}` must be at least 1");
    Err(Error::value(place, rule, format!("{list:?}")))
}

/// Number of positions of a window of `size` taps in a padded axis of length `n`, if it fits.
fn positions(
    n: usize,
    size: usize,
    stride: usize,
    dilation: usize,
    (before, after): (usize, usize),
) -> Option<usize> {
    let padded = n.checked_add(before)?.checked_add(after)?;
    let span = size.checked_sub(1)?.checked_mul(dilation)?.checked_add(1)?;
    // Everything that kernels compute with must fit a signed number.
    isize::try_from(padded.checked_add(span)?.checked_add(stride)?).ok()?;
    Some(padded.checked_sub(span)? / stride + 1)
}

impl ConvOptions {
    fn check(&self, place: &str, spatial: usize) -> Result<()> {
        one_each(place, "strides", &self.strides, spatial)?;
        one_each(place, "dilation", &self.dilation, spatial)?;
        one_each(place, "padding", &self.padding, spatial)?;
        at_least_one(place, "strides", &self.strides)?;
        at_least_one(place, "dilation", &self.dilation)?;
        if self.groups == 0 {
            return Err(Error::value(place, "`groups` must be at least 1", "0"));
        }
        Ok(())
    }

    /// All sizes of the convolution of an input with a kernel. `got` is what the error shows.
    pub(crate) fn sizes(
        &self,
        place: &str,
        x: &[usize],
        kernel: &[usize],
        got: &[&Spec],
    ) -> Result<Sizes> {
        if x.len() < 2 || x.len() != kernel.len() {
            let rule = "ranks must be equal, (batch, spatial…, channels) for the input and \
                        (spatial…, channels / groups, filters) for the kernel";
            return Err(Error::shape(place, rule, got));
        }
        let spatial = x.len() - 2;
        self.check(place, spatial)?;
        let (inputs, filters, groups) = (x[spatial + 1], kernel[spatial + 1], self.groups);
        if kernel[spatial] * groups != inputs || filters % groups != 0 {
            let rule = format!(
                "groups ({groups}) must divide channels and filters, and the kernel must have \
                 channels / groups"
            );
            return Err(Error::shape(place, rule, got));
        }
        let mut axes = Axes::new();
        for axis in 0..spatial {
            let (input, size) = (x[axis + 1], kernel[axis]);
            let stride = entry(&self.strides, axis, 1);
            let dilation = entry(&self.dilation, axis, 1);
            let padding = entry(&self.padding, axis, (0, 0));
            let Some(output) = positions(input, size, stride, dilation, padding) else {
                let (before, after) = padding;
                let rule = format!(
                    "the kernel ({size} with dilation {dilation}) must fit the input ({input} \
                     with padding {before} + {after}) along spatial axis {axis}"
                );
                return Err(Error::shape(place, rule, got));
            };
            axes.push(Axis { input, output, size, stride, dilation, before: padding.0 });
        }
        Ok(Sizes { batch: x[0], axes, inputs, filters, groups })
    }
}

/// How a pooling window moves over the spatial axes. An empty list of strides or padding stands
/// for the default along every axis; any other has one entry for each.
///
/// Keras's `padding="same"` is that of [`ConvOptions`] with a dilation of 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolOptions {
    /// Length of the window along each axis.
    pub size: Vec<usize>,
    /// Distance between neighbouring windows; the window's size by default.
    pub strides: Vec<usize>,
    /// Padding before and after the input, less than the window's size, so that each window
    /// has an element; none by default.
    pub padding: Vec<(usize, usize)>,
}

impl PoolOptions {
    /// All sizes of the pooling of an input with these axes. `got` is what the error shows.
    pub(crate) fn sizes(&self, place: &str, x: &[usize], got: &[&Spec]) -> Result<Pooling> {
        let spatial = self.size.len();
        if x.len() != spatial + 2 {
            let rule = format!(
                "the input must be (batch, spatial…, channels), of rank {} for a window of \
                 {spatial} axes",
                spatial + 2
            );
            return Err(Error::shape(place, rule, got));
        }
        one_each(place, "strides", &self.strides, spatial)?;
        one_each(place, "padding", &self.padding, spatial)?;
        at_least_one(place, "size", &self.size)?;
        at_least_one(place, "strides", &self.strides)?;
        let mut axes = Axes::new();
        for (axis, &size) in self.size.iter().enumerate() {
            let (before, after) = entry(&self.padding, axis, (0, 0));
            if before >= size || after >= size {
                let rule = format!("`padding` must be less than the window, {:?}", self.size);
                return Err(Error::value(place, rule, format!("{:?}", self.padding)));
            }
            let (input, stride) = (x[axis + 1], entry(&self.strides, axis, size));
            let output = positions(input, size, stride, 1, (before, after));
            let Some(output) = output.filter(|_| input > 0) else {
                let rule = format!(
                    "the window ({size}) must fit the input ({input} with padding {before} + \
                     {after}) along spatial axis {axis}"
                );
                return Err(Error::shape(place, rule, got));
            };
            axes.push(Axis { input, output, size, stride, dilation: 1, before });
        }
        Ok(Pooling { axes, channels: x[spatial + 1] })
    }
}

/// Both inputs must have one floating-point type.
pub(crate) fn floats(place: &str, x: &[&Spec]) -> Result<()> {
    if x.iter().all(|y| y.dtype == x[0].dtype) && x[0].dtype.is_float() {
        return Ok(());
    }
    Err(Error::dtype(place, "inputs must all be float32 or all be float64", x))
}

/// The elements of a packed tensor.
pub(crate) fn values<T: Element>(x: &Tensor) -> &[T] {
    x.contiguous_slice().expect("`packed` is contiguous")
}
