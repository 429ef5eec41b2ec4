//! Elements chosen by their positions, which are values of another tensor.

use crate::dtype::{DType, Element};
use crate::error::{Error, Result};
use crate::kernels::gather;
use crate::op::{Call, Gradients, Op, Saves, apply, must};
use crate::ops::binary::Pairs;
use crate::shape::{Shape, Spec, axis_of, broadcast};
use crate::tensor::Tensor;
use crate::{each_dtype, each_number};

/// The rule of positions: whole numbers.
fn whole(place: &str, indices: &Spec) -> Result<()> {
    if indices.dtype.is_integer() {
        return Ok(());
    }
    Err(Error::dtype(place, "indices must be int32, int64 or uint8", &[indices]))
}

fn numbers(place: &str, x: &Spec) -> Result<()> {
    if x.dtype != DType::Bool {
        return Ok(());
    }
    Err(Error::dtype(place, "what is added must be numbers", &[x]))
}

/// Positions on an axis of `n` elements; negative ones count from the end.
fn positions(place: &str, indices: &Tensor, axis: usize, n: usize) -> Result<Vec<usize>> {
    let outside = |at: String| {
        let rule = format!("axis {axis} has {n} elements, so indices must be in -{n}..{n}");
        Error::value(place, rule, at)
    };
    macro_rules! read {
        ($type:ty) => {
            indices.with_slice(|values: &[$type]| {
                let position = |&v: &$type| {
                    let at = v as i64;
                    let at = if at < 0 { at + n as i64 } else { at };
                    let inside = (0..n as i64).contains(&at);
                    if inside { Ok(at as usize) } else { Err(outside(v.to_string())) }
                };
                values.iter().map(position).collect::<Result<Vec<usize>>>()
            })?
        };
    }
    match indices.dtype() {
        DType::I32 => read!(i32),
        DType::I64 => read!(i64),
        _ => read!(u8),
    }
}

/// `shape` with axis `axis` replaced by `middle`.
fn replaced(shape: &Shape, axis: usize, middle: &[usize]) -> Result<Shape> {
    Shape::new(&[&shape[..axis], middle, &shape[axis + 1..]].concat())
}

/// The slices along an axis that `indices` name, `(…, n, …), (i…) -> (…, i…, …)`. Its gradient
/// is [`ScatterAdd`].
#[derive(Clone, Copy, Debug)]
pub struct Take {
    /// The axis of the positions; negative ones count from the last.
    pub axis: isize,
}

impl Op for Take {
    fn name(&self) -> &'static str {
        "take"
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        2..=2
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        whole("take", x[1])?;
        let axis = axis_of("take", self.axis, x[0].shape.rank())?;
        Ok(Spec::new(x[0].dtype, replaced(&x[0].shape, axis, x[1].dims())?))
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let axis = axis_of("take", self.axis, x[0].rank())?;
        let [_, n, inner] = x[0].shape().around(axis);
        let at = positions("take", x[1], axis, n)?;
        let x = x[0].packed();
        Ok(each_dtype!(out.dtype, T => Tensor::build(out.shape, |y: &mut [T]| {
            gather::take(x.contiguous_slice().expect("packed"), &at, n, inner, y);
        })))
    }
    fn saves(&self) -> Saves {
        Saves::Some(0b10)
    }
    fn is_differentiable(&self, index: usize) -> bool {
        index == 0
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        into.add(0, || {
            let shape = call.spec(0).shape;
            let axis = must(axis_of("take", self.axis, shape.rank()));
            must(apply(ScatterAdd { axis, size: shape[axis] }, &[call.input(1), g]))
        });
    }
}

/// Zeros, with slices added at the positions that indices name along an axis,
/// `(i…), (…, i…, …) -> (…, size, …)`. Its gradient is [`Take`].
#[derive(Clone, Copy, Debug)]
pub struct ScatterAdd {
    /// The axis of the positions.
    pub axis: usize,
    /// Size of that axis in the result.
    pub size: usize,
}

impl Op for ScatterAdd {
    fn name(&self) -> &'static str {
        "scatter_add"
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        2..=2
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        whole("scatter_add", x[0])?;
        numbers("scatter_add", x[1])?;
        let (indices, updates) = (x[0].dims(), x[1].dims());
        let after = self.axis + indices.len();
        if updates.len() < after || &updates[self.axis..after] != indices {
            let rule = format!("updates must have the axes of the indices from {} on", self.axis);
            return Err(Error::shape("scatter_add", rule, x));
        }
        x[1].with(&[&updates[..self.axis], &[self.size], &updates[after..]].concat())
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let at = positions("scatter_add", x[0], self.axis, self.size)?;
        let [_, n, inner] = out.shape.around(self.axis);
        let x = x[1].packed();
        Ok(each_number!(out.dtype, T => Tensor::build(out.shape, |y: &mut [T]| {
            gather::scatter_add(x.contiguous_slice().expect("packed"), &at, n, inner, y, T::add);
        })))
    }
    fn saves(&self) -> Saves {
        Saves::Some(0b01)
    }
    fn is_differentiable(&self, index: usize) -> bool {
        index == 1
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        into.add(1, || g.take(call.input(0), self.axis as isize));
    }
}

/// The rule of positions that are given for every element: as many axes, equal except along one.
fn along(place: &'static str, axis: isize, x: &[&Spec], indices: &Spec) -> Result<usize> {
    whole(place, indices)?;
    let axis = axis_of(place, axis, indices.shape.rank())?;
    let fits = |x: &Spec| {
        let mut pairs = x.dims().iter().zip(indices.dims()).enumerate();
        x.shape.rank() == indices.shape.rank() && pairs.all(|(a, (n, m))| a == axis || n == m)
    };
    match x.iter().find(|x| !fits(x)) {
        None => Ok(axis),
        Some(x) => {
            let rule = format!("shapes must be equal except along axis {axis}");
            Err(Error::shape(place, rule, &[x, indices]))
        }
    }
}

/// The elements that `indices` name along an axis, one each,
/// `(…, n, …), (…, k, …) -> (…, k, …)`. Its gradient is [`ScatterAddAlongAxis`].
#[derive(Clone, Copy, Debug)]
pub struct TakeAlongAxis {
    /// The axis of the positions; negative ones count from the last.
    pub axis: isize,
}

impl Op for TakeAlongAxis {
    fn name(&self) -> &'static str {
        "take_along_axis"
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        2..=2
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        along("take_along_axis", self.axis, &x[..1], x[1])?;
        Ok(x[1].cast(x[0].dtype))
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let axis = axis_of("take_along_axis", self.axis, x[0].rank())?;
        let [_, count, inner] = out.shape.around(axis);
        let n = x[0].dims()[axis];
        let at = positions("take_along_axis", x[1], axis, n)?;
        let x = x[0].packed();
        Ok(each_dtype!(out.dtype, T => Tensor::build(out.shape, |y: &mut [T]| {
            gather::take_along(x.contiguous_slice().expect("packed"), &at, [n, count, inner], y);
        })))
    }
    fn saves(&self) -> Saves {
        Saves::Some(0b10)
    }
    fn is_differentiable(&self, index: usize) -> bool {
        index == 0
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        into.add(0, || {
            let shape = call.spec(0).shape;
            let axis = must(axis_of("take_along_axis", self.axis, shape.rank()));
            must(apply(ScatterAddAlongAxis { axis, size: shape[axis] }, &[call.input(1), g]))
        });
    }
}

/// Zeros, with elements added at the positions that indices name along an axis, one each,
/// `(…, k, …), (…, k, …) -> (…, size, …)`. Its gradient is [`TakeAlongAxis`].
#[derive(Clone, Copy, Debug)]
pub struct ScatterAddAlongAxis {
    /// The axis of the positions.
    pub axis: usize,
    /// Size of that axis in the result.
    pub size: usize,
}

impl Op for ScatterAddAlongAxis {
    fn name(&self) -> &'static str {
        "scatter_add_along_axis"
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        2..=2
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        let place = self.name();
        numbers(place, x[1])?;
        along(place, self.axis as isize, &x[1..], x[0])?;
        if x[0].shape[self.axis] != x[1].shape[self.axis] {
            return Err(Error::shape(place, "indices and updates must have one shape", x));
        }
        Ok(Spec::new(x[1].dtype, replaced(&x[1].shape, self.axis, &[self.size])?))
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let [_, count, inner] = x[1].shape().around(self.axis);
        let at = positions(self.name(), x[0], self.axis, self.size)?;
        let (x, sizes) = (x[1].packed(), [self.size, count, inner]);
        Ok(each_number!(out.dtype, T => Tensor::build(out.shape, |y: &mut [T]| {
            y.fill(T::default());
            gather::scatter_add_along(x.contiguous_slice().expect("packed"), &at, sizes, y, T::add);
        })))
    }
    fn saves(&self) -> Saves {
        Saves::Some(0b01)
    }
    fn is_differentiable(&self, index: usize) -> bool {
        index == 1
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        into.add(1, || {
            must(apply(TakeAlongAxis { axis: self.axis as isize }, &[g, call.input(0)]))
        });
    }
}

/// A row of zeros with a one at the position that each element names, `(…) -> (…, classes)`.
#[derive(Clone, Copy, Debug)]
pub struct OneHot {
    /// Length of a row.
    pub classes: usize,
    /// Element type of the result.
    pub dtype: DType,
}

impl Op for OneHot {
    fn name(&self) -> &'static str {
        "one_hot"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        whole("one_hot", x[0])?;
        Spec { dtype: self.dtype, ..*x[0] }.with(&[x[0].dims(), &[self.classes]].concat())
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let labels = x[0].to_f64_vec()?;
        let n = self.classes;
        if let Some(label) = labels.iter().find(|&&v| v < 0.0 || v >= n as f64) {
            let rule = format!("labels must be in 0..{n}");
            return Err(Error::value("one_hot", rule, label.to_string()));
        }
        Ok(each_dtype!(out.dtype, T => Tensor::build(out.shape, |y: &mut [T]| {
            y.fill(T::default());
            for (i, &label) in labels.iter().enumerate() {
                y[i * n + label as usize] = T::from_f64(1.0);
            }
        })))
    }
    crate::op::without_slope!();
}

impl Tensor {
    /// The slices along `axis` that `indices` name, `(…, n, …), (i…) -> (…, i…, …)`; negative
    /// indices count from the end.
    ///
    /// # Panics
    /// When the axis or an index is out of range, or indices are not whole numbers.
    ///
    /// ```
    /// # use cornu_autodiff::Tensor;
    /// let table = Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]);
    /// let rows = table.take(&Tensor::from([1i64, -2, 1]), 0);
    /// assert_eq!(rows.to_vec::<f32>()?, [3.0, 4.0, 1.0, 2.0, 3.0, 4.0]);
    /// # Ok::<(), cornu_autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn take(&self, indices: &Tensor, axis: isize) -> Tensor {
        must(apply(Take { axis }, &[self, indices]))
    }

    /// The elements that `indices` name along `axis`, one each; the other axes broadcast, as in
    /// NumPy. Negative indices count from the end.
    ///
    /// # Panics
    /// When the axis or an index is out of range, indices are not whole numbers, or shapes don't
    /// fit.
    ///
    /// ```
    /// # use cornu_autodiff::Tensor;
    /// let x = Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]);
    /// let y = x.take_along_axis(&x.argmax(1).expand_dims(1), 1);
    /// assert_eq!(y.to_vec::<f32>()?, [2.0, 4.0]);
    /// # Ok::<(), cornu_autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn take_along_axis(&self, indices: &Tensor, axis: isize) -> Tensor {
        let error = || {
            let rule = "the shapes must broadcast except along the axis";
            Error::shape("take_along_axis", rule, &[self.spec(), indices.spec()])
        };
        if self.rank() != indices.rank() {
            must::<()>(Err(error()));
        }
        let at = must(axis_of("take_along_axis", axis, self.rank()));
        let common = broadcast(&self.shape().removed(at), &indices.shape().removed(at));
        let common = must(common.ok_or_else(error));
        let fit = |x: &Tensor| must(common.inserted(at, x.dims()[at])); // of rank below `x`'s
        let x = super::broadcast_to(self, &fit(self));
        must(apply(TakeAlongAxis { axis }, &[&x, &super::broadcast_to(indices, &fit(indices))]))
    }

    /// `self` with `updates` added to the slices along `axis` that `indices` name: the reverse
    /// of [`take`](Tensor::take). What falls on one place adds up, always in the same order.
    ///
    /// # Panics
    /// When the axis or an index is out of range, indices are not whole numbers, or shapes don't
    /// fit.
    ///
    /// ```
    /// # use cornu_autodiff::{DType, Tensor};
    /// let (at, x) = (Tensor::from([0i32, 2, 0]), Tensor::from([1.0f32, 2.0, 3.0]));
    /// let y = Tensor::zeros(3, DType::F32).scatter_add(&at, &x, 0);
    /// assert_eq!(y.to_vec::<f32>()?, [4.0, 0.0, 2.0]);
    /// # Ok::<(), cornu_autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn scatter_add(&self, indices: &Tensor, updates: &Tensor, axis: isize) -> Tensor {
        let axis = must(axis_of("scatter_add", axis, self.rank()));
        let added = must(apply(ScatterAdd { axis, size: self.dims()[axis] }, &[indices, updates]));
        if added.shape() != self.shape() {
            let rule = "updates must have the shape that `take` would give";
            let got = [self.spec(), indices.spec(), updates.spec()];
            must::<()>(Err(Error::shape("scatter_add", rule, &got)));
        }
        self + added
    }
}

/// A row of zeros with a one at the position that each element of `labels` names,
/// `(…) -> (…, classes)`. Unlike Keras, which makes a row of zeros of it, a label outside
/// `0..classes` is an error.
///
/// # Panics
/// When a label is out of range or not a whole number.
///
/// ```
/// use cornu_autodiff::{DType, Tensor, ops::one_hot};
/// let y = one_hot(&Tensor::from([2i32, 0]), 3, DType::F32);
/// assert_eq!(y.to_vec::<f32>()?, [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
#[track_caller]
pub fn one_hot(labels: &Tensor, classes: usize, dtype: DType) -> Tensor {
    must(apply(OneHot { classes, dtype }, &[labels]))
}
