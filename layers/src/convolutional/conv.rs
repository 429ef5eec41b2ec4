//! Convolutions along one, two and three axes.

use cornu_autodiff::{Spec, Tensor, ops};

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
use crate::parameter::Parameter;
use crate::part::{KernelWeights, part};
use crate::regularizer::Regularizer;
use crate::setting::{Config, Configured, write_penalty};
use crate::window::{Window, channels_from_last, channels_of, channels_to_last, window};

macro_rules! conv {
    ($($(#[$doc:meta])* $Layer:ident[$class:literal], $axes:literal;)*) => {$(
        config! {
            $(#[$doc])*
            ///
            /// With `"channels_first"` the channels of input and output come right behind the
            /// batch axis; the kernel stays what it is. Padding is of zeros.
            ///
            /// # Errors
            /// When an option is 0, `groups` doesn't divide filters and channels, strides and
            /// dilation are both above 1, the kernel is larger than the input, or the number of
            /// channels is unknown.
            ///
            /// # Difference from Keras
            /// Inputs have one batch axis; Keras accepts several. There is no LoRA.
            pub struct $Layer[$class] {
                /// Number of output channels.
                filters: usize,
                /// Size of the window along each axis; one number for all.
                kernel_size: [usize; $axes],
                ..
                /// Steps of the window along each axis.
                strides: [usize; $axes] = [1; $axes],
                /// What the window sees beyond the edges.
                padding: Padding = Padding::Valid,
                /// Where the channels are.
                data_format: DataFormat = DataFormat::ChannelsLast,
                /// Distance between neighbouring elements of the window along each axis.
                dilation_rate: [usize; $axes] = [1; $axes],
                /// Groups of channels, each with filters of its own.
                groups: usize = 1,
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
                check_groups(self.filters, channels, self.groups)?;
                window!(self).check(x, $axes == 1)?;
                window!(self).check_steps()?;
                let kernel = part!(self, true, kernel);
                let bias = part!(self, self.use_bias, bias);
                let ends = [channels / self.groups, self.filters];
                let shape = [self.kernel_size.as_slice(), &ends].concat();
                KernelWeights::make(&kernel, &bias, &shape, weights)
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
                let kernel = w.kernel.value();
                convolve(x, &kernel, bias, &window!(self), self.groups, &self.activation)
            }

            fn write_settings(&self, config: &mut Config) {
                write_penalty(self.common(), config, "bias_regularizer");
            }
        }
    )*};
}

conv! {
    /// A learned window slid along a sequence:
    /// `y[t, f] = activation(Σ x[t · stride + i · dilation, c] · kernel[i, c, f] + bias[f])`.
    ///
    /// | input | `kernel` | `bias` | output |
    /// |---|---|---|---|
    /// | `(batch, steps, channels)` | `(size, channels / groups, filters)` | `(filters)` | `(batch, positions, filters)` |
    ///
    /// `padding` may be `"causal"`: no output then sees later steps (van den Oord et al. 2016,
    /// arXiv:1609.03499).
    ///
    /// ```
    /// use cornu_layers::{Apply, Conv1D, input};
    /// let y = Conv1D::new(32, 3).padding("causal").apply(&input([128, 10]))?;
    /// assert_eq!(y.shape(), [None, Some(128), Some(32)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    Conv1D["Conv1D"], 1;
    /// A learned window slid over an image:
    /// `y[r, c, f] = activation(Σ x[r + i, c + j, k] · kernel[i, j, k, f] + bias[f])`, with
    /// strides and dilation as in [`Conv1D`] (LeCun et al. 1989).
    ///
    /// | input | `kernel` | `bias` | output |
    /// |---|---|---|---|
    /// | `(batch, rows, columns, channels)` | `(height, width, channels / groups, filters)` | `(filters)` | `(batch, rows', columns', filters)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, Conv2D, input};
    /// let y = Conv2D::new(32, (3, 3)).activation("relu").apply(&input([28, 28, 1]))?;
    /// assert_eq!(y.shape(), [None, Some(26), Some(26), Some(32)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    Conv2D["Conv2D"], 2;
    /// A learned window slid through a volume, as [`Conv2D`] with one axis more.
    ///
    /// | input | `kernel` | `bias` | output |
    /// |---|---|---|---|
    /// | `(batch, x, y, z, channels)` | `(sizes…, channels / groups, filters)` | `(filters)` | `(batch, x', y', z', filters)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, Conv3D, input};
    /// let y = Conv3D::new(2, 3).strides(2).apply(&input([9, 9, 9, 1]))?;
    /// assert_eq!(y.shape(), [None, Some(4), Some(4), Some(4), Some(2)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    Conv3D["Conv3D"], 3;
}

fn check_groups(filters: usize, channels: usize, groups: usize) -> Result<()> {
    positive("filters", filters)?;
    positive("groups", groups)?;
    if filters.is_multiple_of(groups) && channels.is_multiple_of(groups) {
        return Ok(());
    }
    let rule = format!("it must divide the {filters} filters and the input's {channels} channels");
    Err(Error::setting("`groups`", rule, groups))
}

/// The activation of the convolution of an input with its channels where `window` says.
pub(crate) fn convolve(
    x: &Tensor,
    kernel: &Tensor,
    bias: Option<Tensor>,
    window: &Window<'_>,
    groups: usize,
    activation: &Activation,
) -> Result<Tensor> {
    let options = ops::ConvOptions {
        strides: window.strides.to_vec(),
        dilation: window.dilation.to_vec(),
        padding: window.paddings(x.shape()),
        groups,
    };
    let x = channels_to_last(x, window.data_format);
    let fused = activation.fused();
    let at_once = fused.unwrap_or_default();
    let y = ops::conv_activated(&x, kernel, bias.as_ref(), &options, at_once)?;
    let y = channels_from_last(y, window.data_format);
    if fused.is_some() { Ok(y) } else { activation.apply(&y) }
}
