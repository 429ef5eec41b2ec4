//! A tensor with a border.

use smallvec::SmallVec;

use super::scalar::representable;
use super::slice::Slice;
use crate::dtype::{DType, Element};
use crate::each_dtype;
use crate::error::{Error, Result};
use crate::kernels::copy::place;
use crate::op::{Call, Gradients, Op, Saves, apply, must};
use crate::shape::Spec;
use crate::tensor::Tensor;

/// Elements before and after along each axis.
type Widths = SmallVec<[(usize, usize); 4]>;

/// A tensor with a border of equal elements.
#[derive(Clone, Debug)]
pub struct Pad {
    /// How many elements come before and after, for each axis.
    pub widths: Widths,
    /// The elements of the border.
    pub value: f64,
}

impl Op for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        check(&self.widths, x[0])?;
        if x[0].dtype != DType::Bool || (self.value != 0.0 && self.value != 1.0) {
            representable(self, x, self.value)?;
        }
        let pairs = x[0].dims().iter().zip(&self.widths);
        let dims: Vec<usize> = pairs.map(|(n, (before, after))| before + n + after).collect();
        x[0].with(&dims)
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let steps = out.shape.strides();
        let starts = self.widths.iter().zip(steps.iter());
        let offset = starts.map(|((before, _), &step)| before * step as usize).sum();
        Ok(each_dtype!(out.dtype, T => Tensor::build(out.shape, |y: &mut [T]| {
            y.fill(T::from_f64(self.value));
            place(x[0], y, &steps, offset);
        })))
    }
    fn saves(&self) -> Saves {
        Saves::Nothing
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        into.add(0, || {
            let inside = call.spec(0).dims().iter().zip(&self.widths);
            let slices: Vec<Slice> =
                inside.map(|(n, &(before, _))| Slice::from(before..before + n)).collect();
            g.slices(slices)
        });
    }
}

fn check(widths: &[(usize, usize)], x: &Spec) -> Result<()> {
    if widths.len() == x.shape.rank() {
        return Ok(());
    }
    let rule = format!("there must be one pair of widths for each axis of {}", x.shape);
    Err(Error::value("pad", rule, format!("{} pairs", widths.len())))
}

/// What a border that is not constant is made of, by NumPy's and Keras's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PadMode {
    /// The tensor mirrored at its first and last element, which are not repeated: `c b|a b c|b a`.
    Reflect,
    /// The tensor mirrored at its ends: `b a|a b c|c b`.
    Symmetric,
    /// The first and last element repeated: `a a|a b c|c c`.
    Edge,
}

impl PadMode {
    /// The position on an axis of `n` elements that serves position `at`, which may lie outside.
    fn source(self, at: isize, n: isize) -> isize {
        let period = match self {
            PadMode::Edge => return at.clamp(0, n - 1),
            PadMode::Reflect => (2 * n - 2).max(1),
            PadMode::Symmetric => 2 * n,
        };
        let there = at.rem_euclid(period);
        if there < n { there } else { period - there - isize::from(self == PadMode::Symmetric) }
    }
}

impl Tensor {
    /// The tensor with a border of elements `value`, `(before, after)` elements wide for each axis.
    ///
    /// # Panics
    /// When there is not one pair for each axis, or `value` is not of the tensor's dtype.
    ///
    /// ```
    /// # use cornu_autodiff::Tensor;
    /// let x = Tensor::from([1.0f32, 2.0]);
    /// assert_eq!(x.pad([(1, 2)], 0.0).to_vec::<f32>()?, [0.0, 1.0, 2.0, 0.0, 0.0]);
    /// # Ok::<(), cornu_autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn pad(&self, widths: impl AsRef<[(usize, usize)]>, value: f64) -> Tensor {
        let widths = widths.as_ref().iter().copied().collect();
        must(apply(Pad { widths, value }, &[self]))
    }

    /// The tensor with a border made of its own elements.
    ///
    /// # Panics
    /// When there is not one pair for each axis, or an axis is empty and shall have a border.
    ///
    /// ```
    /// # use cornu_autodiff::{Tensor, ops::PadMode};
    /// let x = Tensor::from([1.0f32, 2.0, 3.0]);
    /// let y = x.pad_with([(2, 1)], PadMode::Reflect);
    /// assert_eq!(y.to_vec::<f32>()?, [3.0, 2.0, 1.0, 2.0, 3.0, 2.0]);
    /// # Ok::<(), cornu_autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn pad_with(&self, widths: impl AsRef<[(usize, usize)]>, mode: PadMode) -> Tensor {
        let widths = widths.as_ref();
        must(check(widths, self.spec()));
        let mut y = self.clone();
        for (axis, &(before, after)) in widths.iter().enumerate().filter(|(_, w)| **w != (0, 0)) {
            let n = self.dims()[axis];
            if n == 0 {
                let rule = format!("axis {axis} must not be empty to be mirrored or repeated");
                must::<()>(Err(Error::shape("pad", rule, &[self.spec()])));
            }
            let len = before + n + after;
            let indices = if self.is_symbolic() {
                Tensor::symbolic(Spec::new(DType::I64, crate::Shape::of(&[len])))
            } else {
                let at = (0..len).map(|i| mode.source(i as isize - before as isize, n as isize));
                Tensor::from(at.map(|i| i as i64).collect::<Vec<_>>())
            };
            y = y.take(&indices, axis as isize);
        }
        y
    }
}
