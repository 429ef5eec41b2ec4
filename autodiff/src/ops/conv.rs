//! Convolution along any number of spatial axes, its transpose, and the gradient by its kernel:
//! three products of two factors each, every one the derivative of the other two.

use crate::each_float;
use crate::error::{Error, Result};
use crate::kernels::conv::{Sizes, forward, input_gradient};
use crate::kernels::conv_kernel::kernel_gradient;
use crate::kernels::simd::Level;
use crate::op::{Call, Gradients, Op, Saves, apply, must};
use crate::ops::fused::{Activated, Fused};
use crate::ops::window::{ConvOptions, floats, values};
use crate::shape::{MAX_RANK, Shape, Spec};
use crate::tape::is_recording;
use crate::tensor::Tensor;

/// Convolution of an input `(batch, spatial…, channels)` with a kernel
/// `(spatial…, channels / groups, filters)`, and a bias `(filters)` if there is a third input.
#[derive(Clone, Debug)]
pub struct Conv {
    /// How the kernel moves.
    pub options: ConvOptions,
    /// What is applied to the sum.
    pub activation: Fused,
}

impl Conv {
    fn sizes(&self, x: &[&Spec]) -> Result<Sizes> {
        floats(self.name(), x)?;
        self.options.sizes(self.name(), x[0].dims(), x[1].dims(), x)
    }
}

impl Op for Conv {
    fn name(&self) -> &'static str {
        "conv"
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        2..=3
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        let sizes = self.sizes(x)?;
        if x.len() > 2 && x[2].dims() != [sizes.filters] {
            let rule =
                format!("the bias must have one entry for each filter, ({},)", sizes.filters);
            return Err(Error::shape(self.name(), rule, x));
        }
        Ok(Spec::new(x[0].dtype, output_shape(&sizes)?))
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let sizes = self.sizes(&[x[0].spec(), x[1].spec()])?;
        let packed: Vec<_> = x.iter().map(|x| x.packed()).collect();
        Ok(each_float!(out.dtype, T => {
            let (x, kernel) = (values::<T>(&packed[0]), values::<T>(&packed[1]));
            let bias = packed.get(2).map(|bias| values::<T>(bias));
            let finish = T::finish(self.activation);
            Tensor::build(out.shape, |y: &mut [T]| {
                forward(Level::best(), &sizes, [x, kernel], bias, y, finish);
            })
        }))
    }
    fn saves(&self) -> Saves {
        self.activation.saves()
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        self.vjp_owned(call, g.clone(), into);
    }
    fn vjp_owned(&self, call: &Call<'_>, g: Tensor, into: &mut Gradients<'_>) {
        let (x, kernel) = (call.input(0), call.input(1));
        let with_bias = call.len() > 2 && into.wants(2);
        let (g, bias) = if is_recording() {
            let g = self.activation.before(call, &g);
            let axes: Vec<isize> = (0..g.rank() as isize - 1).collect();
            let bias = with_bias.then(|| g.sum(axes, false));
            (g, bias)
        } else {
            self.activation.before_at_once(call, g, with_bias)
        };
        into.add(0, || must(conv_transpose(&g, kernel, spatial(x), &self.options)));
        into.add(1, || must(conv_kernel_gradient(x, &g, leading(kernel), &self.options)));
        if let Some(bias) = bias {
            into.add(2, || bias);
        }
    }
}

/// The gradient of [`Conv`] by its input, from `g` `(batch, spatial…, filters)` and the kernel;
/// also known as transposed convolution.
#[derive(Clone, Debug)]
pub struct ConvInputGradient {
    /// How the kernel moves over the input.
    pub options: ConvOptions,
    /// The spatial axes of the input.
    pub input: Vec<usize>,
}

impl ConvInputGradient {
    fn sizes(&self, x: &[&Spec]) -> Result<Sizes> {
        floats(self.name(), x)?;
        let (g, kernel) = (x[0].dims(), x[1].dims());
        let mut dims = [0; MAX_RANK];
        let rank = self.input.len() + 2;
        if g.len() != rank || kernel.len() != rank {
            let rule = format!("ranks must be {rank} for {} spatial axes", self.input.len());
            return Err(Error::shape(self.name(), rule, x));
        }
        dims[0] = g[0];
        dims[1..rank - 1].copy_from_slice(&self.input);
        dims[rank - 1] = kernel[rank - 2].saturating_mul(self.options.groups);
        let sizes = self.options.sizes(self.name(), &dims[..rank], kernel, x)?;
        expect_output(self.name(), &sizes, x[0], x)?;
        Ok(sizes)
    }
}

impl Op for ConvInputGradient {
    fn name(&self) -> &'static str {
        "conv_transpose"
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        2..=2
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        let sizes = self.sizes(x)?;
        let inputs = sizes.axes.iter().map(|a| a.input);
        Ok(Spec::new(x[0].dtype, channels_last(sizes.batch, inputs, sizes.inputs)?))
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let sizes = self.sizes(&[x[0].spec(), x[1].spec()])?;
        let (g, kernel) = (x[0].packed(), x[1].packed());
        Ok(each_float!(out.dtype, T => Tensor::build(out.shape, |out: &mut [T]| {
            input_gradient(Level::best(), &sizes, values::<T>(&g), values::<T>(&kernel), out);
        })))
    }
    fn saves(&self) -> Saves {
        Saves::Inputs
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        // `g` has the shape of the convolution's input, the first factor that of its output.
        let (y, kernel) = (call.input(0), call.input(1));
        into.add(0, || must(conv(g, kernel, None, &self.options)));
        into.add(1, || must(conv_kernel_gradient(g, y, leading(kernel), &self.options)));
    }
}

/// The gradient of [`Conv`] by its kernel, from the input and `g` `(batch, spatial…, filters)`.
#[derive(Clone, Debug)]
pub struct ConvKernelGradient {
    /// How the kernel moves.
    pub options: ConvOptions,
    /// The spatial axes of the kernel.
    pub size: Vec<usize>,
}

impl ConvKernelGradient {
    fn sizes(&self, x: &[&Spec]) -> Result<Sizes> {
        floats(self.name(), x)?;
        let (input, g) = (x[0].dims(), x[1].dims());
        let rank = self.size.len() + 2;
        if input.len() != rank || g.len() != rank {
            let rule = format!("ranks must be {rank} for {} spatial axes", self.size.len());
            return Err(Error::shape(self.name(), rule, x));
        }
        let mut dims = [0; MAX_RANK];
        dims[..rank - 2].copy_from_slice(&self.size);
        dims[rank - 2] = input[rank - 1] / self.options.groups.max(1);
        dims[rank - 1] = g[rank - 1];
        let sizes = self.options.sizes(self.name(), input, &dims[..rank], x)?;
        expect_output(self.name(), &sizes, x[1], x)?;
        Ok(sizes)
    }
}

impl Op for ConvKernelGradient {
    fn name(&self) -> &'static str {
        "conv_kernel_gradient"
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        2..=2
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        let sizes = self.sizes(x)?;
        let mut dims = self.size.clone();
        dims.extend([sizes.inputs / sizes.groups, sizes.filters]);
        x[0].with(&dims)
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let sizes = self.sizes(&[x[0].spec(), x[1].spec()])?;
        let (x, g) = (x[0].packed(), x[1].packed());
        Ok(each_float!(out.dtype, T => Tensor::build(out.shape, |out: &mut [T]| {
            kernel_gradient(Level::best(), &sizes, values::<T>(&x), values::<T>(&g), out);
        })))
    }
    fn saves(&self) -> Saves {
        Saves::Inputs
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        // `g` has the shape of the kernel.
        let (x, y) = (call.input(0), call.input(1));
        into.add(0, || must(conv_transpose(y, g, spatial(x), &self.options)));
        into.add(1, || must(conv(x, g, None, &self.options)));
    }
}

/// The spatial axes of a channels-last tensor.
fn spatial(x: &Tensor) -> &[usize] {
    &x.dims()[1..x.rank() - 1]
}

/// The spatial axes of a kernel.
fn leading(kernel: &Tensor) -> &[usize] {
    &kernel.dims()[..kernel.rank() - 2]
}

fn channels_last(
    batch: usize,
    spatial: impl Iterator<Item = usize>,
    channels: usize,
) -> Result<Shape> {
    let mut dims = vec![batch];
    dims.extend(spatial);
    dims.push(channels);
    Shape::new(&dims)
}

fn output_shape(sizes: &Sizes) -> Result<Shape> {
    channels_last(sizes.batch, sizes.axes.iter().map(|a| a.output), sizes.filters)
}

fn expect_output(place: &str, sizes: &Sizes, y: &Spec, got: &[&Spec]) -> Result<()> {
    let expected = output_shape(sizes)?;
    if y.shape == expected {
        return Ok(());
    }
    let rule = format!("the convolution's output must have shape {expected}");
    Err(Error::shape(place, rule, got))
}

/// Convolution, as neural networks call it (the kernel is not flipped):
/// `y[b, o, f] = bias[f] + Σ_t Σ_c x[b, o · stride + t · dilation - before, c] · kernel[t, c, f]`,
/// along as many spatial axes as there are.
///
/// | input | kernel | bias | output |
/// |---|---|---|---|
/// | `(batch, spatial…, channels)` | `(size…, channels / groups, filters)` | `(filters)` | `(batch, positions…, filters)` |
///
/// With `groups`, each part of the filters sees its own part of the channels.
///
/// Float32 kernels of 3×3 that move by one, without groups or dilation, over channels and filters
/// that are multiples of 16, take 4/9 of the multiplications (F(2×2, 3×3) of Lavin and Gray 2015,
/// arXiv 1509.09308) if an output is nine tiles of 2×2 or more. Results differ from the sums above by rounding, which is less; and an infinite
/// element gives NaN, not an infinity.
///
/// # Errors
/// When ranks or dtypes differ, groups don't divide channels and filters, the kernel doesn't fit
/// the padded input, or an option doesn't suit the spatial axes.
///
/// ```
/// use cornu_autodiff::{DType, Tensor, ops};
/// let image = Tensor::arange(16, DType::F32).reshape([1, 4, 4, 1]);
/// let kernel = Tensor::ones([2, 2, 1, 1], DType::F32);
/// let options = ops::ConvOptions { strides: vec![2, 2], ..Default::default() };
/// let y = ops::conv(&image, &kernel, None, &options)?;
/// assert_eq!(y.to_vec::<f32>()?, [10.0, 18.0, 42.0, 50.0]);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub fn conv(
    x: &Tensor,
    kernel: &Tensor,
    bias: Option<&Tensor>,
    options: &ConvOptions,
) -> Result<Tensor> {
    conv_activated(x, kernel, bias, options, Fused::Linear)
}

/// `activation(conv(x, kernel, bias))` in one op.
///
/// # Errors
/// As [`conv`].
pub fn conv_activated(
    x: &Tensor,
    kernel: &Tensor,
    bias: Option<&Tensor>,
    options: &ConvOptions,
    activation: Fused,
) -> Result<Tensor> {
    let op = Conv { options: options.clone(), activation };
    match bias {
        Some(bias) => apply(op, &[x, kernel, bias]),
        None => apply(op, &[x, kernel]),
    }
}

/// Transposed convolution: the gradient of [`conv`] by its input, so that
/// `Σ conv(x, kernel) · y = Σ x · conv_transpose(y, kernel)`.
///
/// `input` are the spatial axes of the result, for with a stride several lengths have the same
/// number of positions. The kernel is that of the convolution,
/// `(size…, channels of the result / groups, channels of y)`, which is also the layout of Keras's
/// `Conv2DTranspose`.
///
/// # Errors
/// When the convolution of such an input would not have the shape of `y`; else as [`conv`].
///
/// ```
/// use cornu_autodiff::{DType, Tensor, ops};
/// let y = Tensor::from([[[1.0f32], [2.0]]]); // (1, 2, 1)
/// let kernel = Tensor::ones([2, 1, 1], DType::F32);
/// let options = ops::ConvOptions { strides: vec![2], ..Default::default() };
/// let x = ops::conv_transpose(&y, &kernel, &[4], &options)?;
/// assert_eq!(x.to_vec::<f32>()?, [1.0, 1.0, 2.0, 2.0]);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub fn conv_transpose(
    y: &Tensor,
    kernel: &Tensor,
    input: &[usize],
    options: &ConvOptions,
) -> Result<Tensor> {
    apply(ConvInputGradient { options: options.clone(), input: input.to_vec() }, &[y, kernel])
}

/// The gradient of [`conv`] by its kernel, whose spatial axes are `size`, from the input and the
/// gradient `g` by the output.
///
/// # Errors
/// When the convolution would not have the shape of `g`; else as [`conv`].
pub fn conv_kernel_gradient(
    x: &Tensor,
    g: &Tensor,
    size: &[usize],
    options: &ConvOptions,
) -> Result<Tensor> {
    apply(ConvKernelGradient { options: options.clone(), size: size.to_vec() }, &[x, g])
}
