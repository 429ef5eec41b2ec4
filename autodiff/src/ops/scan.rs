//! Running sums and products along an axis, and products of whole axes.

use super::reduce::{Axes, folded, unfold};
use super::slice::Slice;
use crate::dtype::{DType, Element};
use crate::error::{Error, Result};
use crate::kernels::reduce::reduce;
use crate::kernels::scan::{accumulate, recurrence};
use crate::op::{Call, Gradients, Op, Saves, apply, must};
use crate::ops::binary::Pairs;
use crate::shape::{Spec, axis_of};
use crate::tensor::Tensor;
use crate::{each_float, each_number};

/// Sums of all elements up to each, along an axis.
#[derive(Clone, Copy, Debug)]
pub struct CumSum {
    /// The axis; negative ones count from the last.
    pub axis: isize,
    /// Whether to begin at the last element.
    pub reverse: bool,
    /// Whether each sum leaves out its own element.
    pub exclusive: bool,
}

impl Op for CumSum {
    fn name(&self) -> &'static str {
        "cumsum"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        if x[0].dtype == DType::Bool {
            return Err(Error::dtype("cumsum", "the input must be numbers", x));
        }
        axis_of("cumsum", self.axis, x[0].shape.rank()).map(|_| *x[0])
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let axis = axis_of("cumsum", self.axis, out.shape.rank())?;
        let [_, n, inner] = out.shape.around(axis);
        let (x, how) = (x[0].packed(), [self.reverse, self.exclusive]);
        Ok(each_number!(out.dtype, T => Tensor::build(out.shape, |y: &mut [T]| {
            let x = x.contiguous_slice().expect("packed");
            accumulate(x, y, [n, inner], how, T::default(), T::add);
        })))
    }
    fn saves(&self) -> Saves {
        Saves::Nothing
    }
    fn vjp(&self, _: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        into.add(0, || must(apply(CumSum { reverse: !self.reverse, ..*self }, &[g])));
    }
}

/// The linear recurrence `y_t = a_t · y_{t-1} + b_t` with `y_{-1} = 0`, from `a` and `b`.
#[derive(Clone, Copy, Debug)]
pub struct LinearRecurrence {
    /// The axis of the steps; negative ones count from the last.
    pub axis: isize,
    /// Whether to begin at the last step: `y_t = a_t · y_{t+1} + b_t`.
    pub reverse: bool,
}

impl LinearRecurrence {
    /// `x` moved one step on, so that what was at `t - 1` is at `t`; a zero comes first.
    fn delayed(&self, x: &Tensor, reverse: bool) -> Tensor {
        let axis = must(axis_of(self.name(), self.axis, x.rank()));
        let n = x.dims()[axis];
        if n == 0 {
            return x.clone();
        }
        let mut widths = vec![(0, 0); x.rank()];
        widths[axis] = if reverse { (0, 1) } else { (1, 0) };
        let kept = if reverse { Slice::from(1..) } else { Slice::from(..n - 1) };
        x.slice(axis as isize, kept).pad(widths, 0.0)
    }
}

impl Op for LinearRecurrence {
    fn name(&self) -> &'static str {
        "linear_recurrence"
    }
    fn arity(&self) -> std::ops::RangeInclusive<usize> {
        2..=2
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        if x[0].dtype != x[1].dtype || !x[0].dtype.is_float() {
            let rule = "inputs must both be float32 or both float64";
            return Err(Error::dtype(self.name(), rule, x));
        }
        if x[0].shape != x[1].shape {
            return Err(Error::shape(self.name(), "shapes must be equal", x));
        }
        axis_of(self.name(), self.axis, x[0].shape.rank()).map(|_| *x[0])
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let axis = axis_of(self.name(), self.axis, out.shape.rank())?;
        let [_, n, inner] = out.shape.around(axis);
        let (a, b) = (x[0].packed(), x[1].packed());
        Ok(each_float!(out.dtype, T => Tensor::build(out.shape, |y: &mut [T]| {
            let x = [&a, &b].map(|x| x.contiguous_slice().expect("packed"));
            recurrence(x, y, [n, inner], self.reverse, |a, y, b| a * y + b);
        })))
    }
    fn saves(&self) -> Saves {
        Saves::All
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        // s_t = g_t + a_{t+1} · s_{t+1} is the gradient by b_t; that by a_t is s_t · y_{t-1}.
        let back = LinearRecurrence { reverse: !self.reverse, ..*self };
        let a = self.delayed(call.input(0), back.reverse);
        let s = must(apply(back, &[&a, g]));
        into.add(0, || &s * self.delayed(call.output(), self.reverse));
        into.add(1, || s.clone());
    }
}

/// Product of the elements along axes. Its gradient is right where elements are zero, too.
#[derive(Clone, Debug)]
pub struct Prod {
    /// The axes to fold.
    pub axes: Axes,
    /// Whether folded axes stay, with size 1.
    pub keepdims: bool,
}

impl Op for Prod {
    fn name(&self) -> &'static str {
        "prod"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        if x[0].dtype == DType::Bool {
            return Err(Error::dtype("prod", "the input must be numbers", x));
        }
        let mask = self.axes.mask("prod", x[0].shape.rank())?;
        Ok(Spec::new(x[0].dtype, folded(&x[0].shape, &mask, self.keepdims)))
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let mask = self.axes.mask("prod", x[0].rank())?;
        Ok(each_number!(out.dtype, T => {
            reduce(x[0], &mask[..x[0].rank()], &out.shape, T::from_f64(1.0), T::multiply)
        }))
    }
    fn saves(&self) -> Saves {
        Saves::Inputs
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        into.add(0, || {
            let x = call.input(0);
            let mask = must(self.axes.mask("prod", x.rank()));
            unfold(g, x.spec(), &mask) * others(x, &mask[..x.rank()])
        });
    }
}

/// For each element the product of all others that are folded with it: of those before, times
/// those after. No division, so a zero is nothing special.
fn others(x: &Tensor, mask: &[bool]) -> Tensor {
    let axes = |folded: bool| (0..mask.len()).filter(move |&a| mask[a] == folded);
    let order: Vec<usize> = axes(false).chain(axes(true)).collect();
    let moved = x.permute(order.iter().map(|&a| a as isize).collect::<Vec<_>>());
    let count: usize = axes(true).map(|a| x.dims()[a]).product();
    let rest: usize = axes(false).map(|a| x.dims()[a]).product();
    let rows = moved.reshape([rest as isize, count as isize]);
    let product = rows.cumprod(1, false, true) * rows.cumprod(1, true, true);
    let back: Vec<isize> = moved.dims().iter().map(|&d| d as isize).collect();
    let mut inverse = vec![0; order.len()];
    order.iter().enumerate().for_each(|(to, &from)| inverse[from] = to as isize);
    product.reshape(back).permute(inverse)
}

/// `y_t = a_t · y_{t-1} + b_t` with `y_{-1} = 0`, for every step along an axis; from the last one
/// if `reverse`.
///
/// # Panics
/// When shapes or dtypes differ, the elements are not floating-point numbers, or the axis is out
/// of range.
///
/// ```
/// use cornu_autodiff::{Tensor, ops::linear_recurrence};
/// let (a, b) = (Tensor::from([9.0, 0.5, 0.5]), Tensor::from([4.0, 0.0, 1.0]));
/// assert_eq!(linear_recurrence(&a, &b, 0, false).to_vec::<f64>()?, [4.0, 2.0, 2.0]);
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
#[track_caller]
pub fn linear_recurrence(a: &Tensor, b: &Tensor, axis: isize, reverse: bool) -> Tensor {
    must(apply(LinearRecurrence { axis, reverse }, &[a, b]))
}

impl Tensor {
    /// Sums of all elements up to each, along an axis: `[a, a + b, a + b + c]`. `reverse` begins
    /// at the last element; `exclusive` leaves out the element itself: `[0, a, a + b]`.
    ///
    /// # Panics
    /// When the axis is out of range or the elements are truth values.
    #[track_caller]
    pub fn cumsum(&self, axis: isize, reverse: bool, exclusive: bool) -> Tensor {
        must(apply(CumSum { axis, reverse, exclusive }, &[self]))
    }

    /// Products of all elements up to each, along an axis: `[a, a·b, a·b·c]`. `reverse` begins at
    /// the last element; `exclusive` leaves out the element itself: `[1, a, a·b]`.
    ///
    /// # Panics
    /// When the axis is out of range or the elements are not floating-point numbers.
    #[track_caller]
    pub fn cumprod(&self, axis: isize, reverse: bool, exclusive: bool) -> Tensor {
        let at = must(axis_of("cumprod", axis, self.rank()));
        let n = self.dims()[at];
        if n == 0 {
            return self.clone();
        }
        let mut widths = vec![(0, 0); self.rank()];
        // The first factor begins the recurrence; for an exclusive product it is 1.
        let (first, last) = if reverse { (n - 1..n, 1..n) } else { (0..1, 0..n - 1) };
        let factors = if exclusive {
            widths[at] = if reverse { (0, 1) } else { (1, 0) };
            self.slice(axis, last).pad(&widths, 1.0)
        } else {
            self.clone()
        };
        widths[at] = if reverse { (n - 1, 0) } else { (0, n - 1) };
        let start = factors.slice(axis, first).pad(widths, 0.0);
        linear_recurrence(&factors, &start, axis, reverse)
    }

    /// Product of the elements along axes; 1 of no element.
    ///
    /// # Panics
    /// When an axis is out of range or the elements are truth values.
    #[track_caller]
    pub fn prod(&self, axes: impl Into<Axes>, keepdims: bool) -> Tensor {
        must(apply(Prod { axes: axes.into(), keepdims }, &[self]))
    }
}
