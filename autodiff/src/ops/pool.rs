//! Pooling: the largest or the mean element of each window, along any number of spatial axes.

use crate::each_float;
use crate::error::{Error, Result};
use crate::kernels::pool::{self, Pooling};
use crate::op::{Call, Gradients, Op, Saves, apply, must};
use crate::ops::window::{PoolOptions, floats, values};
use crate::shape::{Shape, Spec};
use crate::tensor::Tensor;

/// The largest element of each window.
#[derive(Clone, Debug)]
pub struct MaxPool {
    /// How the window moves.
    pub options: PoolOptions,
}

/// The gradient of [`MaxPool`]: from its input and the gradient `g` by its output, `g` at the
/// first maximum of each window.
#[derive(Clone, Debug)]
pub struct MaxPoolGradient {
    /// How the window moves.
    pub options: PoolOptions,
}

/// The derivative of [`MaxPoolGradient`] by `g`: from the input and `h` of its shape, the
/// element of `h` at the first maximum of each window.
#[derive(Clone, Debug)]
pub struct MaxPoolPick {
    /// How the window moves.
    pub options: PoolOptions,
}

/// The mean element of each window; padding does not count.
#[derive(Clone, Debug)]
pub struct AveragePool {
    /// How the window moves.
    pub options: PoolOptions,
}

/// The gradient of [`AveragePool`], from the gradient `g` by its output.
#[derive(Clone, Debug)]
pub struct AveragePoolGradient {
    /// How the window moves.
    pub options: PoolOptions,
    /// The spatial axes of the input.
    pub input: Vec<usize>,
}

/// The shape of a pooling's output.
fn pooled(sizes: &Pooling, batch: usize) -> Result<Shape> {
    let mut dims = vec![batch];
    dims.extend(sizes.axes.iter().map(|a| a.output));
    dims.push(sizes.channels);
    Shape::new(&dims)
}

/// The sizes of a pooling of the first input, and the shape of its output.
fn sizes(place: &str, options: &PoolOptions, x: &[&Spec]) -> Result<(Pooling, Shape)> {
    floats(place, x)?;
    let sizes = options.sizes(place, x[0].dims(), x)?;
    let shape = pooled(&sizes, x[0].dims()[0])?;
    Ok((sizes, shape))
}

/// The second input must have a certain shape.
fn expect(place: &str, what: &str, shape: &Shape, x: &[&Spec]) -> Result<()> {
    if &x[1].shape == shape {
        return Ok(());
    }
    let rule = format!("the second input must have {what}, {shape}");
    Err(Error::shape(place, rule, x))
}

impl Op for MaxPool {
    fn name(&self) -> &'static str {
        "max_pool"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        Ok(Spec::new(x[0].dtype, sizes(self.name(), &self.options, x)?.1))
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let (sizes, _) = sizes(self.name(), &self.options, &[x[0].spec()])?;
        let x = x[0].packed();
        Ok(each_float!(out.dtype, T => Tensor::build(out.shape, |y: &mut [T]| {
            pool::max(&sizes, values(&x), y);
        })))
    }
    fn saves(&self) -> Saves {
        Saves::Inputs
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        let op = MaxPoolGradient { options: self.options.clone() };
        into.add(0, || must(apply(op, &[call.input(0), g])));
    }
}

impl Op for MaxPoolGradient {
    fn name(&self) -> &'static str {
        "max_pool_gradient"
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        2..=2
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        let (_, shape) = sizes(self.name(), &self.options, x)?;
        expect(self.name(), "the pooling's shape", &shape, x)?;
        Ok(*x[0])
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let (sizes, _) = sizes(self.name(), &self.options, &[x[0].spec()])?;
        let (x, g) = (x[0].packed(), x[1].packed());
        Ok(each_float!(out.dtype, T => Tensor::build(out.shape, |out: &mut [T]| {
            pool::max_gradient(&sizes, values(&x), values(&g), out);
        })))
    }
    fn saves(&self) -> Saves {
        Saves::Some(0b01)
    }
    fn is_differentiable(&self, index: usize) -> bool {
        index == 1 // which element is the largest is a matter of steps, not slopes
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        let op = MaxPoolPick { options: self.options.clone() };
        into.add(1, || must(apply(op, &[call.input(0), g])));
    }
}

impl Op for MaxPoolPick {
    fn name(&self) -> &'static str {
        "max_pool_pick"
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        2..=2
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        let (_, shape) = sizes(self.name(), &self.options, x)?;
        expect(self.name(), "the first one's shape", &x[0].shape, x)?;
        Ok(Spec::new(x[0].dtype, shape))
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let (sizes, _) = sizes(self.name(), &self.options, &[x[0].spec()])?;
        let (x, h) = (x[0].packed(), x[1].packed());
        Ok(each_float!(out.dtype, T => Tensor::build(out.shape, |y: &mut [T]| {
            pool::pick(&sizes, values(&x), values(&h), y);
        })))
    }
    fn saves(&self) -> Saves {
        Saves::Some(0b01)
    }
    fn is_differentiable(&self, index: usize) -> bool {
        index == 1
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        let op = MaxPoolGradient { options: self.options.clone() };
        into.add(1, || must(apply(op, &[call.input(0), g])));
    }
}

impl Op for AveragePool {
    fn name(&self) -> &'static str {
        "average_pool"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        Ok(Spec::new(x[0].dtype, sizes(self.name(), &self.options, x)?.1))
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let (sizes, _) = sizes(self.name(), &self.options, &[x[0].spec()])?;
        let x = x[0].packed();
        Ok(each_float!(out.dtype, T => Tensor::build(out.shape, |y: &mut [T]| {
            pool::mean(&sizes, values(&x), y);
        })))
    }
    fn saves(&self) -> Saves {
        Saves::Nothing
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        let input = call.spec(0).dims()[1..=self.options.size.len()].to_vec();
        let op = AveragePoolGradient { options: self.options.clone(), input };
        into.add(0, || must(apply(op, &[g])));
    }
}

impl AveragePoolGradient {
    /// The sizes of the pooling and the shape of its input.
    fn sizes(&self, g: &Spec) -> Result<(Pooling, Shape)> {
        let (Some(&batch), Some(&channels)) = (g.dims().first(), g.dims().last()) else {
            return Err(Error::shape(self.name(), "the gradient must have axes", &[g]));
        };
        let mut dims = vec![batch];
        dims.extend(&self.input);
        dims.push(channels);
        let sizes = self.options.sizes(self.name(), &dims, &[g])?;
        let shape = pooled(&sizes, batch)?;
        if g.shape != shape {
            let rule = format!("the gradient must have the pooling's shape, {shape}");
            return Err(Error::shape(self.name(), rule, &[g]));
        }
        Ok((sizes, Shape::new(&dims)?))
    }
}

impl Op for AveragePoolGradient {
    fn name(&self) -> &'static str {
        "average_pool_gradient"
    }
    fn infer(&self, g: &[&Spec]) -> Result<Spec> {
        floats(self.name(), g)?;
        Ok(Spec::new(g[0].dtype, self.sizes(g[0])?.1))
    }
    fn forward(&self, g: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let (sizes, _) = self.sizes(g[0].spec())?;
        let g = g[0].packed();
        Ok(each_float!(out.dtype, T => Tensor::build(out.shape, |out: &mut [T]| {
            pool::mean_gradient(&sizes, values(&g), out);
        })))
    }
    fn saves(&self) -> Saves {
        Saves::Nothing
    }
    fn vjp(&self, _: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        into.add(0, || must(average_pool(g, &self.options)));
    }
}

/// The largest element of each window, for each channel by itself:
/// `(batch, spatial…, channels) -> (batch, positions…, channels)`.
///
/// Padding never wins. A window with a NaN gives NaN. The gradient goes to the first of equal
/// maxima, in the order of the window.
///
/// # Errors
/// When the input is not floating-point or has another number of spatial axes than the window,
/// the window doesn't fit the padded input, or an option doesn't suit the axes.
///
/// ```
/// use cornu_autodiff::{Tensor, ops};
/// let x = Tensor::from([[[1.0f32], [3.0], [2.0], [-1.0], [5.0]]]); // (1, 5, 1)
/// let options = ops::PoolOptions { size: vec![2], ..Default::default() };
/// assert_eq!(ops::max_pool(&x, &options)?.to_vec::<f32>()?, [3.0, 2.0]);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub fn max_pool(x: &Tensor, options: &PoolOptions) -> Result<Tensor> {
    apply(MaxPool { options: options.clone() }, &[x])
}

/// The mean element of each window, for each channel by itself:
/// `(batch, spatial…, channels) -> (batch, positions…, channels)`.
///
/// Padding does not count, neither in the sum nor in the number of elements, as in Keras.
///
/// # Errors
/// As [`max_pool`].
///
/// ```
/// use cornu_autodiff::{Tensor, ops};
/// let x = Tensor::from([[[1.0f32], [3.0], [5.0]]]); // (1, 3, 1)
/// let options = ops::PoolOptions { size: vec![2], padding: vec![(0, 1)], ..Default::default() };
/// assert_eq!(ops::average_pool(&x, &options)?.to_vec::<f32>()?, [2.0, 5.0]);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub fn average_pool(x: &Tensor, options: &PoolOptions) -> Result<Tensor> {
    apply(AveragePool { options: options.clone() }, &[x])
}
