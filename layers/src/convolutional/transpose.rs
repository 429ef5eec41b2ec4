//! Transposed convolutions along one, two and three axes.

use cornu_autodiff::{Shape, Spec, Tensor, is_probe, ops};

use crate::activation::Activation;
use crate::builder::WeightBuilder;
use crate::check::positive;
use crate::choice::{DataFormat, Padding};
use crate::config;
use crate::constraint::Constraint;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::layer::{Inputs, Layer, expect_rank};
use crate::part::{KernelWeights, part};
use crate::regularizer::Regularizer;
use crate::setting::{Config, Configured, write_penalty};
use crate::window::{Window, channels_from_last, channels_of, channels_to_last, spatial, window};

macro_rules! transpose {
    ($($(#[$doc:meta])* $Layer:ident[$class:literal], $axes:literal;)*) => {$(
        config! {
            $(#[$doc])*
            ///
            /// With `"channels_first"` the channels of input and output come right behind the
            /// batch axis; the kernel stays what it is.
            ///
            /// # Errors
            /// When an option is 0, `output_padding` isn't below the strides, strides and dilation
            /// are both above 1, an axis is empty, or the number of channels is unknown.
            ///
            /// # Difference from Keras
            /// Inputs have one batch axis; Keras accepts several.
            pub struct $Layer[$class] {
                /// Number of output channels.
                filters: usize,
                /// Size of the window along each axis; one number for all.
                kernel_size: [usize; $axes],
                ..
                /// Distance at which the windows of neighbouring elements lie.
                strides: [usize; $axes] = [1; $axes],
                /// `"valid"` keeps all that windows cover, `"same"` cuts the output to the input's
                /// size times the strides.
                padding: Padding = Padding::Valid,
                /// How much longer the output is than the least that its size could be, along each
                /// axis; worked out unless set.
                output_padding: Option<[usize; $axes]> = None,
                /// Where the channels are.
                data_format: DataFormat = DataFormat::ChannelsLast,
                /// Distance between neighbouring elements of the window along each axis.
                dilation_rate: [usize; $axes] = [1; $axes],
                /// Applied to the sum.
                activation: Activation = Activation::Linear,
                /// Whether a bias is added.
                use_bias: bool = true,
                /// First value of `kernel`.
                kernel_initializer: Initializer = Initializer::glorot_uniform(),
                /// First value of `bias`.
                bias_initializer: Initializer = Initializer::Zeros,
                /// Penalty on `kernel`.
                kernel_regularizer: Option<Regularizer> = None,
                /// Penalty on `bias`.
                bias_regularizer: Option<Regularizer> = None,
                /// What `kernel` is brought back to after each step.
                kernel_constraint: Option<Constraint> = None,
                /// What `bias` is brought back to after each step.
                bias_constraint: Option<Constraint> = None,
            }
        }

        impl Layer for $Layer {
            type Weights = KernelWeights;

            fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<KernelWeights> {
                let (x, channels) = channels_of(inputs, $axes, &self.data_format)?;
                positive("filters", self.filters)?;
                check(&window!(self), self.output_padding.as_ref().map(|p| p.as_slice()), x)?;
                let kernel = part!(self, true, kernel);
                let bias = part!(self, self.use_bias, bias);
                let ends = [self.filters, channels];
                let shape = [self.kernel_size.as_slice(), &ends].concat();
                KernelWeights::make_sized(&kernel, &bias, &shape, self.filters, weights)
            }

            fn call(
                &self,
                w: &KernelWeights,
                x: &Inputs<'_>,
                _: &mut Context<'_>,
            ) -> Result<Tensor> {
                let x = x.only()?;
                expect_rank(&[*x.spec()], $axes + 2)?;
                let output_padding = self.output_padding.as_ref().map(|p| p.as_slice());
                let y = transpose(x, w, &window!(self), output_padding)?;
                self.activation.apply(&y)
            }

            fn write_settings(&self, config: &mut Config) {
                write_penalty(self.common(), config, "bias_regularizer");
            }
        }
    )*};
}

fn check(window: &Window<'_>, output_padding: Option<&[usize]>, x: &Spec) -> Result<()> {
    window.check_options(false)?;
    window.check_steps()?;
    let above = |padding: &[usize]| padding.iter().zip(window.strides).any(|(p, s)| p >= s);
    if let Some(padding) = output_padding.filter(|padding| above(padding)) {
        let rule = format!("it must be below the strides, {:?}", window.strides);
        return Err(Error::setting("`output_padding`", rule, format!("{padding:?}")));
    }
    expect_positions(&x.shape, window.data_format)
}

fn expect_positions(x: &Shape, format: &DataFormat) -> Result<()> {
    let spatial = spatial(x, format);
    // More than that, and the output's size would overflow.
    let fits = |&n: &usize| is_probe(n) || (1..=1 << 30).contains(&n);
    if spatial.iter().all(fits) {
        return Ok(());
    }
    Err(Error::input("there must be at least one position along each axis", &[x]))
}

/// One axis of a transposed convolution, read as the convolution whose gradient it is.
struct Reverse {
    /// Size of the output.
    output: usize,
    /// What that convolution would add before and after.
    padding: (usize, usize),
}

impl Reverse {
    /// Of axis `i`, of `n` elements. Keras spreads the input by the strides and surrounds it by
    /// `left` and `right` zeros.
    fn of(window: &Window<'_>, i: usize, n: usize, output_padding: Option<usize>) -> Reverse {
        let (span, stride) = (window.span(i), window.strides[i]);
        let (left, right) = if *window.padding == Padding::Same {
            let total = match output_padding {
                None => stride + span - 2,
                Some(padding) => span + span % 2 + padding - 2,
            };
            let left = total.div_ceil(2).min(span - 1);
            (left, total - left)
        } else {
            let padding = output_padding.unwrap_or(span.max(stride) - span);
            (span - 1, span - 1 + padding)
        };
        let before = span - 1 - left;
        let after = (span - 1).saturating_sub(right);
        Reverse { output: (n - 1) * stride + 1 + right - before, padding: (before, after) }
    }
}

fn transpose(
    x: &Tensor,
    w: &KernelWeights,
    window: &Window<'_>,
    output_padding: Option<&[usize]>,
) -> Result<Tensor> {
    expect_positions(x.shape(), window.data_format)?;
    let axes = spatial(x.shape(), window.data_format).iter().enumerate();
    let axes: Vec<Reverse> =
        axes.map(|(i, &n)| Reverse::of(window, i, n, output_padding.map(|p| p[i]))).collect();
    let options = ops::ConvOptions {
        strides: window.strides.to_vec(),
        dilation: window.dilation.to_vec(),
        padding: axes.iter().map(|axis| axis.padding).collect(),
        groups: 1,
    };
    let outputs: Vec<usize> = axes.iter().map(|axis| axis.output).collect();
    let x = channels_to_last(x, window.data_format);
    let mut y = ops::conv_transpose(&x, &w.kernel.value(), &outputs, &options)?;
    if let Some(bias) = &w.bias {
        y = y + bias.value();
    }
    Ok(channels_from_last(y, window.data_format))
}

transpose! {
    /// A learned window laid down for each step of a sequence, where windows overlap added up: the
    /// gradient of [`Conv1D`](crate::Conv1D) by its input, which goes from its output's shape
    /// back to its input's (Zeiler et al. 2010; Dumoulin and Visin 2016, arXiv:1603.07285):
    /// `y[t · stride + i · dilation, f] += x[t, c] · kernel[i, f, c]`, then `activation(y + bias)`.
    ///
    /// | input | `kernel` | `bias` | output |
    /// |---|---|---|---|
    /// | `(batch, steps, channels)` | `(size, filters, channels)` | `(filters)` | `(batch, positions, filters)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, Conv1DTranspose, input};
    /// let y = Conv1DTranspose::new(3, 4).strides(2).padding("same").apply(&input([5, 2]))?;
    /// assert_eq!(y.shape(), [None, Some(10), Some(3)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    Conv1DTranspose["Conv1DTranspose"], 1;
    /// A learned window laid down for each pixel of an image, where windows overlap added up; as
    /// [`Conv1DTranspose`] with one axis more.
    ///
    /// | input | `kernel` | `bias` | output |
    /// |---|---|---|---|
    /// | `(batch, rows, columns, channels)` | `(height, width, filters, channels)` | `(filters)` | `(batch, rows', columns', filters)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, Conv2DTranspose, input};
    /// let y = Conv2DTranspose::new(3, 3).strides(2).apply(&input([4, 4, 8]))?;
    /// assert_eq!(y.shape(), [None, Some(9), Some(9), Some(3)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    Conv2DTranspose["Conv2DTranspose"], 2;
    /// A learned window laid down for each element of a volume, where windows overlap added up; as
    /// [`Conv2DTranspose`] with one axis more.
    ///
    /// | input | `kernel` | `bias` | output |
    /// |---|---|---|---|
    /// | `(batch, x, y, z, channels)` | `(sizes…, filters, channels)` | `(filters)` | `(batch, x', y', z', filters)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, Conv3DTranspose, input};
    /// let y = Conv3DTranspose::new(2, 2).apply(&input([3, 3, 3, 1]))?;
    /// assert_eq!(y.shape(), [None, Some(4), Some(4), Some(4), Some(2)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    Conv3DTranspose["Conv3DTranspose"], 3;
}
