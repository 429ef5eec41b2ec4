//! Convolutions of each channel by itself, followed by a mixture of channels.

use cornu_autodiff::{Spec, Tensor};

use super::conv::convolve;
use super::depthwise::each_channel;
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
use crate::part::{Part, part};
use crate::regularizer::Regularizer;
use crate::setting::{Config, Configured, move_key, write_penalty};
use crate::window::{Window, channels_of, window};

macro_rules! separable {
    ($($(#[$doc:meta])* $Layer:ident[$class:literal], $axes:literal;)*) => {$(
        config! {
            $(#[$doc])*
            ///
            /// With `"channels_first"` the channels of input and output come right behind the
            /// batch axis; the kernels stay what they are. Padding is of zeros.
            ///
            /// # Errors
            /// When an option is 0, the kernel is larger than the input, or the number of channels
            /// is unknown.
            ///
            /// # Difference from Keras
            /// Inputs have one batch axis; Keras accepts several.
            pub struct $Layer[$class] {
                /// Number of output channels.
                filters: usize,
                /// Size of the window along each axis; one number for all.
                kernel_size: [usize; $axes],
                ..
                /// Number of channels between the two convolutions for each input channel.
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
                /// First value of `depthwise_kernel`.
                depthwise_initializer: Initializer = Initializer::glorot_uniform(),
                /// First value of `pointwise_kernel`.
                pointwise_initializer: Initializer = Initializer::glorot_uniform(),
                /// First value of `bias`.
                bias_initializer: Initializer = Initializer::Zeros,
                /// Penalty on `depthwise_kernel`.
                depthwise_regularizer: Option<Regularizer> = None,
                /// Penalty on `pointwise_kernel`.
                pointwise_regularizer: Option<Regularizer> = None,
                /// Penalty on `bias`.
                bias_regularizer: Option<Regularizer> = None,
                /// What `depthwise_kernel` is brought back to after each step.
                depthwise_constraint: Option<Constraint> = None,
                /// What `pointwise_kernel` is brought back to after each step.
                pointwise_constraint: Option<Constraint> = None,
                /// What `bias` is brought back to after each step.
                bias_constraint: Option<Constraint> = None,
            }
        }

        impl $Layer {

            fn parts(&self) -> [Part<'_>; 3] {
                let depthwise = part!(self, true, depthwise);
                let pointwise = part!(self, true, pointwise);
                let bias = part!(self, self.use_bias, bias);
                [depthwise, pointwise, bias]
            }
        }

        impl Layer for $Layer {
            type Weights = SeparableConvWeights;

            fn build(
                &self,
                inputs: &[Spec],
                weights: &mut WeightBuilder,
            ) -> Result<SeparableConvWeights> {
                let (x, channels) = channels_of(inputs, $axes, &self.data_format)?;
                positive("filters", self.filters)?;
                positive("depth_multiplier", self.depth_multiplier)?;
                window!(self).check(x, false)?;
                let channels = [channels, self.depth_multiplier, self.filters];
                SeparableConvWeights::make(self.parts(), &self.kernel_size, channels, weights)
            }

            fn call(
                &self,
                w: &SeparableConvWeights,
                x: &Inputs<'_>,
                _: &mut Context<'_>,
            ) -> Result<Tensor> {
                let x = x.only()?;
                expect_rank(&[*x.spec()], $axes + 2)?;
                w.call(x, &window!(self), &self.activation)
            }

            fn write_settings(&self, config: &mut Config) {
                move_key(config, "depth_multiplier", 0);
                write_penalty(self.common(), config, "bias_regularizer");
            }
        }
    )*};
}

/// Weights of [`SeparableConv1D`] and [`SeparableConv2D`].
#[derive(Debug)]
pub struct SeparableConvWeights {
    depthwise: Parameter,
    pointwise: Parameter,
    bias: Option<Parameter>,
}

impl SeparableConvWeights {
    fn make(
        [depthwise, pointwise, bias]: [Part<'_>; 3],
        size: &[usize],
        [channels, multiplier, filters]: [usize; 3],
        weights: &mut WeightBuilder,
    ) -> Result<SeparableConvWeights> {
        let between = channels.saturating_mul(multiplier);
        let ones = vec![1; size.len()];
        let wide = [size, &[channels, multiplier]].concat();
        let depthwise = depthwise.make_always("depthwise_kernel", &wide, weights)?;
        let narrow = [ones.as_slice(), &[between, filters]].concat();
        let pointwise = pointwise.make_always("pointwise_kernel", &narrow, weights)?;
        Ok(SeparableConvWeights {
            depthwise,
            pointwise,
            bias: bias.make("bias", &[filters], weights)?,
        })
    }

    fn call(&self, x: &Tensor, window: &Window<'_>, activation: &Activation) -> Result<Tensor> {
        let depthwise = self.depthwise.value();
        let between = each_channel(x, &depthwise, None, window, &Activation::Linear)?;
        let ones = vec![1; window.size.len()];
        let point = Window { size: &ones, strides: &ones, dilation: &ones, ..*window };
        let bias = self.bias.as_ref().map(Parameter::value);
        convolve(&between, &self.pointwise.value(), bias, &point, 1, activation)
    }
}

separable! {
    /// A learned window for each channel of a sequence, as in
    /// [`DepthwiseConv1D`](crate::DepthwiseConv1D), and then a mixture of channels at each
    /// position: `y = activation(depthwise(x) · pointwise_kernel + bias)`.
    ///
    /// | input | `depthwise_kernel` | `pointwise_kernel` | `bias` | output |
    /// |---|---|---|---|---|
    /// | `(batch, steps, channels)` | `(size, channels, m)` | `(1, channels · m, filters)` | `(filters)` | `(batch, positions, filters)` |
    ///
    /// `m` is `depth_multiplier`.
    ///
    /// ```
    /// use cornu_layers::{Apply, SeparableConv1D, input};
    /// let y = SeparableConv1D::new(6, 3).apply(&input([10, 4]))?;
    /// assert_eq!(y.shape(), [None, Some(8), Some(6)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    SeparableConv1D["SeparableConv1D"], 1;
    /// A learned window for each channel of an image, and then a mixture of channels at each
    /// position; as [`SeparableConv1D`] with one axis more (Chollet 2016, arXiv:1610.02357).
    ///
    /// | input | `depthwise_kernel` | `pointwise_kernel` | `bias` | output |
    /// |---|---|---|---|---|
    /// | `(batch, rows, columns, channels)` | `(height, width, channels, m)` | `(1, 1, channels · m, filters)` | `(filters)` | `(batch, rows', columns', filters)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, SeparableConv2D, input};
    /// let y = SeparableConv2D::new(6, 3).padding("same").apply(&input([8, 8, 4]))?;
    /// assert_eq!(y.shape(), [None, Some(8), Some(8), Some(6)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    SeparableConv2D["SeparableConv2D"], 2;
}
