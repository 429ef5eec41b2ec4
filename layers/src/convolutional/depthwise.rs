//! Convolutions of each channel by itself.

use cornu_autodiff::{Spec, Tensor};

use super::conv::convolve;
use crate::activation::Activation;
use crate::builder::WeightBuilder;
use crate::check::positive;
use crate::choice::{DataFormat, Padding};
use crate::config;
use crate::constraint::Constraint;
use crate::context::Context;
use crate::error::Result;
use crate::initializer::Initializer;
use crate::layer::{Inputs, Layer, expect_rank};
use crate::parameter::Parameter;
use crate::part::{KernelWeights, part};
use crate::regularizer::Regularizer;
use crate::setting::{Config, Configured, move_key, write_penalty};
use crate::window::{Window, channels_of, window};

macro_rules! depthwise {
    ($($(#[$doc:meta])* $Layer:ident[$class:literal], $axes:literal;)*) => {$(
        config! {
            $(#[$doc])*
            ///
            /// With `"channels_first"` the channels of input and output come right behind the
            /// batch axis; the kernel stays what it is. Padding is of zeros.
            ///
            /// # Errors
            /// When an option is 0, the kernel is larger than the input, or the number of channels
            /// is unknown.
            ///
            /// # Difference from Keras
            /// Inputs have one batch axis; Keras accepts several.
            pub struct $Layer[$class] {
                /// Size of the window along each axis; one number for all.
                kernel_size: [usize; $axes],
                ..
                /// Number of output channels for each input channel.
                depth_multiplier: usize = 1,
                /// Steps of the window along each axis.
                strides: [usize; $axes] = [1; $axes],
                /// What the window sees beyond the edges.
                padding: Padding = Padding::Valid,
                /// Where the channels are.
                data_format: DataFormat = DataFormat::ChannelsLast,
                /// Distance between neighbouring elements of the window along each axis.
                dilation_rate: [usize; $axes] = [1; $axes],
                /// Applied to the sum.
                activation: Activation = Activation::Linear,
                /// Whether a bias is added.
                use_bias: bool = true,
                /// First value of `kernel`.
                depthwise_initializer: Initializer = Initializer::glorot_uniform(),
                /// First value of `bias`.
                bias_initializer: Initializer = Initializer::Zeros,
                /// Penalty on `kernel`.
                depthwise_regularizer: Option<Regularizer> = None,
                /// Penalty on `bias`.
                bias_regularizer: Option<Regularizer> = None,
                /// What `kernel` is brought back to after each step.
                depthwise_constraint: Option<Constraint> = None,
                /// What `bias` is brought back to after each step.
                bias_constraint: Option<Constraint> = None,
            }
        }

        impl Layer for $Layer {
            type Weights = KernelWeights;

            fn build(&self, inputs: &[Spec], weights: &mut WeightBuilder) -> Result<KernelWeights> {
                let (x, channels) = channels_of(inputs, $axes, &self.data_format)?;
                positive("depth_multiplier", self.depth_multiplier)?;
                window!(self).check(x, false)?;
                let kernel = part!(self, true, depthwise);
                let bias = part!(self, self.use_bias, bias);
                let ends = [channels, self.depth_multiplier];
                let shape = [self.kernel_size.as_slice(), &ends].concat();
                let outputs = channels.saturating_mul(self.depth_multiplier);
                KernelWeights::make_sized(&kernel, &bias, &shape, outputs, weights)
            }

            fn call(
                &self,
                w: &KernelWeights,
                x: &Inputs<'_>,
                _: &mut Context<'_>,
            ) -> Result<Tensor> {
                let x = x.only()?;
                expect_rank(&[*x.spec()], $axes + 2)?;
                let bias = w.bias.as_ref().map(Parameter::value);
                each_channel(x, &w.kernel.value(), bias, &window!(self), &self.activation)
            }

            fn write_settings(&self, config: &mut Config) {
                move_key(config, "kernel_size", 1);
                write_penalty(self.common(), config, "bias_regularizer");
            }
        }
    )*};
}

/// The activation of the convolution of each channel with its own part of the kernel
/// `(sizes…, channels, depth_multiplier)`.
pub(super) fn each_channel(
    x: &Tensor,
    kernel: &Tensor,
    bias: Option<Tensor>,
    window: &Window<'_>,
    activation: &Activation,
) -> Result<Tensor> {
    let (size, ends) = kernel.dims().split_at(kernel.rank() - 2);
    let (channels, outputs) = (ends[0], ends[0] * ends[1]);
    let sizes: Vec<isize> = [size, &[1, outputs]].concat().iter().map(|&n| n as isize).collect();
    let kernel = kernel.try_reshape(&sizes)?;
    convolve(x, &kernel, bias, window, channels, activation)
}

depthwise! {
    /// A learned window for each channel of a sequence, slid along it:
    /// `y[t, c · m + j] = activation(Σ x[t · stride + i · dilation, c] · kernel[i, c, j] + bias)`.
    ///
    /// | input | `kernel` | `bias` | output |
    /// |---|---|---|---|
    /// | `(batch, steps, channels)` | `(size, channels, m)` | `(channels · m)` | `(batch, positions, channels · m)` |
    ///
    /// `m` is `depth_multiplier`.
    ///
    /// ```
    /// use cornu_layers::{Apply, DepthwiseConv1D, input};
    /// let y = DepthwiseConv1D::new(3).depth_multiplier(2).apply(&input([10, 4]))?;
    /// assert_eq!(y.shape(), [None, Some(8), Some(8)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    DepthwiseConv1D["DepthwiseConv1D"], 1;
    /// A learned window for each channel of an image, slid over it; as [`DepthwiseConv1D`] with
    /// one axis more (Howard et al. 2017, arXiv:1704.04861).
    ///
    /// | input | `kernel` | `bias` | output |
    /// |---|---|---|---|
    /// | `(batch, rows, columns, channels)` | `(height, width, channels, m)` | `(channels · m)` | `(batch, rows', columns', channels · m)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, DepthwiseConv2D, input};
    /// let y = DepthwiseConv2D::new(3).padding("same").strides(2).apply(&input([8, 8, 4]))?;
    /// assert_eq!(y.shape(), [None, Some(4), Some(4), Some(4)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    DepthwiseConv2D["DepthwiseConv2D"], 2;
}
