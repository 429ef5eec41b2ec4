//! The one array type.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::dtype::{DType, Element};
use crate::each_dtype;
use crate::error::{Error, Result};
use crate::kernels::{copy, reduce};
use crate::op::must;
use crate::shape::{IntoShape, Shape, Spec, Strides};
use crate::storage::Buffer;

/// An n-dimensional array whose element type and shape are decided at run time.
///
/// Cloning is cheap: clones, slices and transposes share their elements, which never change.
/// A tensor is `Send + Sync`. While a [`Tape`](crate::Tape) is alive on a thread, every op
/// that makes a tensor there is recorded, so that gradients can be taken.
///
/// A *symbolic* tensor has a dtype and a shape but no values: ops on it work out shapes only.
///
/// ```
/// use cornu_autodiff::Tensor;
/// let x = Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]);
/// let y = x.matmul(&x.t()) + 1.0;
/// assert_eq!(y.to_vec::<f32>()?, [6.0, 12.0, 12.0, 26.0]);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
#[derive(Clone)]
pub struct Tensor {
    pub(crate) id: u64,
    pub(crate) spec: Spec,
    /// `None` where elements are in row-major order without gaps.
    pub(crate) layout: Option<Box<Strides>>,
    pub(crate) offset: usize,
    pub(crate) buffer: Option<Buffer>,
}

/// Numbers tensors in the order in which a thread makes them.
#[inline]
pub(crate) fn next_id() -> u64 {
    const BLOCK: u64 = 1 << 20;
    static BLOCKS: AtomicU64 = AtomicU64::new(1);
    thread_local!(static NEXT: Cell<u64> = const { Cell::new(0) });
    NEXT.with(|next| {
        let mut id = next.get();
        if id % BLOCK == 0 {
            id = BLOCKS.fetch_add(1, Ordering::Relaxed) * BLOCK;
        }
        next.set(id + 1);
        id
    })
}

impl Tensor {
    pub(crate) fn from_buffer(spec: Spec, buffer: Buffer) -> Tensor {
        Tensor { id: next_id(), spec, layout: None, offset: 0, buffer: Some(buffer) }
    }

    /// A contiguous tensor whose elements `fill` writes, every one.
    #[inline]
    pub(crate) fn build<T: Element>(shape: Shape, fill: impl FnOnce(&mut [T])) -> Tensor {
        let mut y = Tensor::scratch(Spec::new(T::DTYPE, shape));
        fill(y.scratch_mut());
        y
    }

    /// A contiguous tensor whose elements are whatever was in memory. Apart from
    /// [`build`](Tensor::build), so as to be compiled once.
    fn scratch(spec: Spec) -> Tensor {
        Tensor::from_buffer(spec, Buffer::scratch(spec.dtype, spec.shape.size()))
    }

    #[inline]
    fn scratch_mut<T: Element>(&mut self) -> &mut [T] {
        let size = self.spec.shape.size();
        let values = self.buffer.as_mut().and_then(Buffer::slice_mut);
        &mut values.expect("a new buffer has one owner")[..size]
    }

    /// A tensor without values.
    pub fn symbolic(spec: Spec) -> Tensor {
        Tensor { id: next_id(), spec, layout: None, offset: 0, buffer: None }
    }

    /// A tensor that owns `values`, in row-major order.
    ///
    /// # Errors
    /// When the number of values is not that of the shape.
    pub fn new<T: Element>(values: Vec<T>, shape: impl IntoShape) -> Result<Tensor> {
        let shape = shape.into_shape()?;
        if values.len() != shape.size() {
            let rule = format!("shape {shape} needs {} values", shape.size());
            return Err(Error::value("tensor", rule, values.len().to_string()));
        }
        let buffer =
            if values.is_empty() { Buffer::scratch(T::DTYPE, 0) } else { Buffer::from_vec(values) };
        Ok(Tensor::from_buffer(Spec::new(T::DTYPE, shape), buffer))
    }

    /// A scalar.
    pub fn scalar<T: Element>(value: T) -> Tensor {
        Tensor::build(Shape::SCALAR, |v| v[0] = value)
    }

    /// A scalar of a run-time dtype.
    #[inline]
    pub fn scalar_of(dtype: DType, value: f64) -> Tensor {
        each_dtype!(dtype, T => Tensor::scalar(T::from_f64(value)))
    }

    /// A tensor of equal values.
    ///
    /// # Panics
    /// When the shape has more than [`MAX_RANK`](crate::MAX_RANK) axes.
    #[track_caller]
    pub fn full(shape: impl IntoShape, value: f64, dtype: DType) -> Tensor {
        let shape = must(shape.into_shape());
        each_dtype!(dtype, T => Tensor::build(shape, |v| v.fill(T::from_f64(value))))
    }

    /// A tensor of zeros.
    ///
    /// # Panics
    /// As [`Tensor::full`].
    #[track_caller]
    pub fn zeros(shape: impl IntoShape, dtype: DType) -> Tensor {
        Tensor::full(shape, 0.0, dtype)
    }

    /// A tensor of ones.
    ///
    /// # Panics
    /// As [`Tensor::full`].
    #[track_caller]
    pub fn ones(shape: impl IntoShape, dtype: DType) -> Tensor {
        Tensor::full(shape, 1.0, dtype)
    }

    /// Equal values with the shape and dtype of `self`; symbolic if `self` is.
    pub fn full_like(&self, value: f64) -> Tensor {
        match self.buffer {
            Some(_) => Tensor::full(self.spec.shape, value, self.spec.dtype),
            None => Tensor::symbolic(self.spec),
        }
    }

    /// Zeros with the shape and dtype of `self`; symbolic if `self` is.
    pub fn zeros_like(&self) -> Tensor {
        self.full_like(0.0)
    }

    /// Ones with the shape and dtype of `self`; symbolic if `self` is.
    pub fn ones_like(&self) -> Tensor {
        self.full_like(1.0)
    }

    /// `0, 1, …, n - 1`.
    pub fn arange(n: usize, dtype: DType) -> Tensor {
        each_dtype!(dtype, T => Tensor::build(Shape::of(&[n]), |v| {
            v.iter_mut().enumerate().for_each(|(i, v)| *v = T::from_f64(i as f64));
        }))
    }

    /// `n` evenly spaced values from `start` to `stop`, both included.
    pub fn linspace(start: f64, stop: f64, n: usize, dtype: DType) -> Tensor {
        let step = (stop - start) / (n.max(2) - 1) as f64;
        each_dtype!(dtype, T => Tensor::build(Shape::of(&[n]), |v| {
            v.iter_mut().enumerate().for_each(|(i, v)| *v = T::from_f64(start + step * i as f64));
        }))
    }

    /// The identity matrix of `n` rows.
    pub fn eye(n: usize, dtype: DType) -> Tensor {
        each_dtype!(dtype, T => Tensor::build(Shape::of(&[n, n]), |v| {
            for (i, v) in v.iter_mut().enumerate() {
                *v = T::from_f64(f64::from(u8::from(i % (n + 1) == 0)));
            }
        }))
    }

    /// Element type and shape.
    #[inline]
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Element type.
    #[inline]
    pub fn dtype(&self) -> DType {
        self.spec.dtype
    }

    /// Shape.
    #[inline]
    pub fn shape(&self) -> &Shape {
        &self.spec.shape
    }

    /// Sizes of the axes.
    #[inline]
    pub fn dims(&self) -> &[usize] {
        self.spec.shape.dims()
    }

    /// Number of axes.
    #[inline]
    pub fn rank(&self) -> usize {
        self.spec.shape.rank()
    }

    /// Number of elements.
    #[inline]
    pub fn size(&self) -> usize {
        self.spec.shape.size()
    }

    /// Whether this tensor has no values.
    #[inline]
    pub fn is_symbolic(&self) -> bool {
        self.buffer.is_none()
    }

    /// Whether the elements lie in memory in row-major order without gaps.
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        self.layout.is_none()
    }

    /// How far elements lie apart along each axis.
    #[inline]
    pub(crate) fn strides(&self) -> Strides {
        self.layout.as_deref().map_or_else(|| self.spec.shape.strides(), |strides| *strides)
    }

    /// A number by which a tape knows this value; clones share it.
    #[inline]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The elements if they are contiguous and of type `T`.
    #[inline]
    pub(crate) fn contiguous_slice<T: Element>(&self) -> Option<&[T]> {
        if !self.is_contiguous() {
            return None;
        }
        Some(&self.buffer.as_ref()?.slice::<T>()[self.offset..self.offset + self.size()])
    }

    /// The elements for writing, when they are contiguous and nobody else holds them.
    #[inline]
    pub(crate) fn unique_slice<T: Element>(&mut self) -> Option<&mut [T]> {
        if T::DTYPE != self.spec.dtype || !self.is_contiguous() {
            return None;
        }
        let range = self.offset..self.offset + self.size();
        Some(&mut self.buffer.as_mut()?.slice_mut::<T>()?[range])
    }

    /// This tensor with its elements in row-major order: itself, or a copy.
    /// Not recorded on a tape.
    #[inline]
    pub(crate) fn packed(&self) -> Cow<'_, Tensor> {
        if self.is_contiguous() {
            return Cow::Borrowed(self);
        }
        let mut packed = each_dtype!(self.dtype(), T => copy::packed::<T>(self));
        packed.id = self.id;
        Cow::Owned(packed)
    }

    /// A view of the same elements with another layout. Not recorded.
    #[inline]
    pub(crate) fn view(&self, shape: Shape, strides: Strides, offset: usize) -> Tensor {
        let spec = Spec::new(self.spec.dtype, shape);
        let layout = (!strides.are_contiguous(&shape)).then(|| Box::new(strides));
        Tensor { id: next_id(), spec, layout, offset, buffer: self.buffer.clone() }
    }

    /// Runs `f` on the elements in row-major order; copies first if they aren't contiguous.
    ///
    /// # Errors
    /// When the dtype is not `T`, or the tensor is symbolic.
    pub fn with_slice<T: Element, R>(&self, f: impl FnOnce(&[T]) -> R) -> Result<R> {
        self.expect_dtype::<T>()?;
        let packed = self.packed();
        Ok(f(packed.contiguous_slice().expect("`packed` is contiguous")))
    }

    /// The elements in row-major order.
    ///
    /// # Errors
    /// As [`Tensor::with_slice`].
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        self.with_slice(<[T]>::to_vec)
    }

    /// The value of a tensor of one element.
    ///
    /// # Errors
    /// When there are more elements or fewer, the dtype is not `T`, or the tensor is symbolic.
    pub fn item<T: Element>(&self) -> Result<T> {
        self.expect_dtype::<T>()?;
        if self.size() != 1 {
            return Err(Error::shape("item", "there must be exactly one element", &[&self.spec]));
        }
        Ok(self.buffer.as_ref().expect("not symbolic").slice::<T>()[self.offset])
    }

    /// The elements as `f64`, whatever their type, in row-major order.
    ///
    /// # Errors
    /// When the tensor is symbolic.
    pub fn to_f64_vec(&self) -> Result<Vec<f64>> {
        each_dtype!(self.dtype(), T => self.with_slice(|v: &[T]| {
            v.iter().map(|v| v.to_f64()).collect()
        }))
    }

    /// Whether no element is NaN or infinite. Integers always are finite, and so is a symbolic
    /// tensor.
    pub fn is_finite(&self) -> bool {
        if self.buffer.as_ref().is_none_or(Buffer::is_known_finite) {
            return true;
        }
        match self.dtype() {
            DType::F32 => self.with_slice(reduce::all_finite::<f32>).unwrap_or(true),
            DType::F64 => self.with_slice(reduce::all_finite::<f64>).unwrap_or(true),
            _ => true,
        }
    }

    fn expect_dtype<T: Element>(&self) -> Result<()> {
        if self.is_symbolic() {
            return Err(Error::Symbolic(self.spec));
        }
        if self.dtype() != T::DTYPE {
            let rule = format!("the elements are read as {}", T::DTYPE);
            return Err(Error::dtype("tensor", rule, &[&self.spec]));
        }
        Ok(())
    }

    /// Whether nobody else holds this tensor's elements.
    #[inline]
    pub(crate) fn is_unique(&mut self) -> bool {
        self.buffer.as_mut().is_some_and(Buffer::is_unique)
    }
}

impl fmt::Debug for Tensor {
    /// dtype, shape, and the first values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tensor({} {}", self.spec.dtype, self.spec.shape)?;
        if !self.is_symbolic() {
            let values = self.to_f64_vec().map_err(|_| fmt::Error)?;
            let shown: Vec<String> = values.iter().take(8).map(ToString::to_string).collect();
            let more = if values.len() > 8 { ", …" } else { "" };
            write!(f, " [{}{more}]", shown.join(", "))?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for Tensor {
    /// The values as NumPy prints them, nested by axis.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_symbolic() {
            return write!(f, "{self:?}");
        }
        each_dtype!(self.dtype(), T => {
            let array: ndarray::ArrayD<T> = self.try_into().map_err(|_| fmt::Error)?;
            fmt::Display::fmt(&array.map(|v| Plain(*v)), f)
        })
    }
}

/// Prints an element.
struct Plain<T>(T);

impl<T: fmt::Debug> fmt::Display for Plain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
