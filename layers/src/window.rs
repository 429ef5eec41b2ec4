//! Windows that slide over images, volumes and sequences.

use cornu_autodiff::{Shape, Spec, Tensor, is_probe};

use crate::check::{all_positive, one_float};
use crate::choice::{DataFormat, Padding};
use crate::error::{Error, Result};
use crate::layer::{expect_rank, known_axis};
use crate::symbol::{shape_text, unprobed};

/// A window's options, an entry for each spatial axis.
pub(crate) struct Window<'a> {
    /// The option that holds `size`.
    pub(crate) option: &'static str,
    pub(crate) size: &'a [usize],
    pub(crate) strides: &'a [usize],
    pub(crate) dilation: &'a [usize],
    pub(crate) padding: &'a Padding,
    pub(crate) data_format: &'a DataFormat,
}

/// The [`Window`] of a layer with Keras's options of a kernel.
macro_rules! window {
    ($layer:expr) => {
        $crate::window::Window {
            option: "kernel_size",
            size: &$layer.kernel_size,
            strides: &$layer.strides,
            dilation: &$layer.dilation_rate,
            padding: &$layer.padding,
            data_format: &$layer.data_format,
        }
    };
}
pub(crate) use window;

impl Window<'_> {
    /// Refuses zeros, numbers too large, and padding that there isn't in so many dimensions.
    pub(crate) fn check_options(&self, causal: bool) -> Result<()> {
        all_positive(self.option, self.size)?;
        all_positive("strides", self.strides)?;
        all_positive("dilation_rate", self.dilation)?;
        if *self.padding == Padding::Causal && !causal {
            let rule = "it must be `valid` or `same`; `causal` is for `Conv1D`";
            return Err(Error::setting("`padding`", rule, "causal"));
        }
        self.check_magnitudes()
    }

    /// As [`check_options`](Window::check_options), and refuses a window larger than the input.
    pub(crate) fn check(&self, x: &Spec, causal: bool) -> Result<()> {
        self.check_options(causal)?;
        let spatial = spatial(&x.shape, self.data_format);
        let fits = |(i, &n): (usize, &usize)| {
            let (before, after) = self.padding_of(i, n);
            is_probe(n) || (n > 0 && self.span(i) <= n + before + after)
        };
        if spatial.iter().enumerate().all(fits) {
            return Ok(());
        }
        let rule = format!("it must fit the input, {}", shape_text(&unprobed(&x.shape)));
        let dilated = self.dilation.iter().any(|&d| d > 1);
        let with = if dilated { format!(" with dilation {:?}", self.dilation) } else { "".into() };
        Err(Error::setting(format!("`{}`", self.option), rule, format!("{:?}{with}", self.size)))
    }

    /// Refuses strides and dilation that are both above 1, as Keras's convolutions do.
    pub(crate) fn check_steps(&self) -> Result<()> {
        if self.strides.iter().any(|&s| s > 1) && self.dilation.iter().any(|&d| d > 1) {
            let rule = "strides and dilation can't both be above 1";
            let got = format!("{:?} with dilation {:?}", self.strides, self.dilation);
            return Err(Error::setting("`strides`", rule, got));
        }
        Ok(())
    }

    /// Refuses numbers so large that sums and products of them would overflow.
    fn check_magnitudes(&self) -> Result<()> {
        const LARGEST: usize = 1 << 30;
        let refuse = |option: &str, got: &[usize]| {
            let rule = format!("all must be at most {LARGEST}");
            Err(Error::setting(format!("`{option}`"), rule, format!("{got:?}")))
        };
        let options =
            [(self.option, self.size), ("strides", self.strides), ("dilation_rate", self.dilation)];
        for (option, sizes) in options {
            if sizes.iter().any(|&n| n > LARGEST) {
                return refuse(option, sizes);
            }
        }
        Ok(())
    }

    /// Elements from the window's first to its last, both included.
    pub(crate) fn span(&self, i: usize) -> usize {
        (self.size[i] - 1) * self.dilation[i] + 1
    }

    /// What is added before and after an axis of `n`.
    fn padding_of(&self, i: usize, n: usize) -> (usize, usize) {
        match self.padding {
            Padding::Same => {
                let last = n.div_ceil(self.strides[i]).saturating_sub(1) * self.strides[i];
                let total = (last + self.span(i)).saturating_sub(n);
                (total / 2, total - total / 2)
            }
            Padding::Causal => (self.span(i) - 1, 0),
            Padding::Valid | Padding::Unknown(_) => (0, 0),
        }
    }

    /// What is added before and after each spatial axis of an input.
    pub(crate) fn paddings(&self, x: &Shape) -> Vec<(usize, usize)> {
        let spatial = spatial(x, self.data_format);
        spatial.iter().enumerate().map(|(i, &n)| self.padding_of(i, n)).collect()
    }
}

/// The one input of a layer whose window slides along `axes` axes, and its number of channels.
pub(crate) fn channels_of<'a>(
    inputs: &'a [Spec],
    axes: usize,
    format: &DataFormat,
) -> Result<(&'a Spec, usize)> {
    expect_rank(inputs, axes + 2)?;
    let x = one_float(inputs, axes + 2)?;
    Ok((x, known_axis(x, channel_axis(format))?))
}

/// The sizes between batch and channels.
pub(crate) fn spatial<'a>(x: &'a Shape, format: &DataFormat) -> &'a [usize] {
    match format {
        DataFormat::ChannelsFirst => &x[2..],
        _ => &x[1..x.rank() - 1],
    }
}

/// The axis of the channels.
pub(crate) fn channel_axis(format: &DataFormat) -> isize {
    if *format == DataFormat::ChannelsFirst { 1 } else { -1 }
}

/// `(batch, channels, …) -> (batch, …, channels)`, if the channels are first.
pub(crate) fn channels_to_last(x: &Tensor, format: &DataFormat) -> Tensor {
    if *format != DataFormat::ChannelsFirst {
        return x.clone();
    }
    let spatial = 2..x.rank() as isize;
    x.permute([0].into_iter().chain(spatial).chain([1]).collect::<Vec<isize>>())
}

/// The reverse of [`channels_to_last`].
pub(crate) fn channels_from_last(y: Tensor, format: &DataFormat) -> Tensor {
    if *format != DataFormat::ChannelsFirst {
        return y;
    }
    let spatial = 1..y.rank() as isize - 1;
    y.permute([0, -1].into_iter().chain(spatial).collect::<Vec<isize>>())
}
