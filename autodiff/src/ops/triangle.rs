//! Parts of matrices: triangles and diagonals.

use crate::dtype::Element;
use crate::each_dtype;
use crate::error::{Error, Result};
use crate::kernels::copy::{copy_into, place};
use crate::op::{Call, Gradients, Op, Saves, apply, must};
use crate::shape::{MAX_RANK, Shape, Spec, Strides, axis_of};
use crate::tensor::Tensor;

macro_rules! triangle {
    ($($(#[$doc:meta])* $Op:ident $name:ident, |$i:ident, $j:ident, $k:ident| $kept:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $Op {
            /// How far the diagonal lies above (or, negative, below) the main one.
            pub diagonal: isize,
        }

        impl Op for $Op {
            fn name(&self) -> &'static str {
                stringify!($name)
            }
            fn infer(&self, x: &[&Spec]) -> Result<Spec> {
                matrices(self.name(), x[0])
            }
            fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
                let $k = self.diagonal;
                Ok(each_dtype!(out.dtype, T => keep::<T>(x[0], |$i, $j| $kept)))
            }
            fn saves(&self) -> Saves {
                Saves::Nothing
            }
            fn vjp(&self, _: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
                into.add(0, || must(apply(*self, &[g])));
            }
        }

        impl Tensor {
            $(#[$doc])*
            ///
            /// # Panics
            /// When there are fewer than two axes.
            #[track_caller]
            pub fn $name(&self, diagonal: isize) -> Tensor {
                must(apply($Op { diagonal }, &[self]))
            }
        }
    )*};
}

triangle! {
    /// The last two axes as a matrix with what lies above a diagonal set to zero.
    Tril tril, |i, j, k| j <= i + k;
    /// The last two axes as a matrix with what lies below a diagonal set to zero.
    Triu triu, |i, j, k| j >= i + k;
}

fn matrices(place: &str, x: &Spec) -> Result<Spec> {
    if x.shape.rank() >= 2 {
        return Ok(*x);
    }
    Err(Error::shape(place, "there must be at least two axes", &[x]))
}

/// The elements whose row and column `kept` accepts; the others are zero.
fn keep<T: Element>(x: &Tensor, kept: impl Fn(isize, isize) -> bool) -> Tensor {
    let columns = x.dims()[x.rank() - 1];
    let rows = x.dims()[x.rank() - 2];
    Tensor::build(*x.shape(), |y: &mut [T]| {
        copy_into(x, y);
        for (i, row) in y.chunks_exact_mut(columns.max(1)).enumerate() {
            let i = (i % rows.max(1)) as isize;
            for (j, v) in row.iter_mut().enumerate() {
                if !kept(i, j as isize) {
                    *v = T::default();
                }
            }
        }
    })
}

/// The diagonal of two axes, as a view; they go, and the diagonal is the last axis.
#[derive(Clone, Copy, Debug)]
pub struct Diagonal {
    /// The axes that form the matrix.
    pub axes: [usize; 2],
}

/// Zeros with the last axis as a diagonal of two new axes: the reverse of [`Diagonal`], which is
/// its gradient.
#[derive(Clone, Copy, Debug)]
pub struct FromDiagonal {
    /// Shape of the result.
    pub shape: Shape,
    /// The axes that form the matrix.
    pub axes: [usize; 2],
}

/// Shape and steps of the diagonal.
fn diagonal(shape: &Shape, strides: &[isize], axes: [usize; 2]) -> (Shape, Strides) {
    let (mut dims, mut steps, mut rank) = ([0; MAX_RANK], [0; MAX_RANK], 0);
    for axis in (0..shape.rank()).filter(|a| !axes.contains(a)) {
        (dims[rank], steps[rank]) = (shape[axis], strides[axis]);
        rank += 1;
    }
    dims[rank] = shape[axes[0]].min(shape[axes[1]]);
    steps[rank] = strides[axes[0]] + strides[axes[1]];
    (Shape::of(&dims[..=rank]), Strides::of(&steps[..=rank]))
}

/// Two different axes of the shape.
fn check(place: &str, shape: &Shape, axes: [usize; 2]) -> Result<()> {
    if axes[0] != axes[1] && axes.iter().all(|&a| a < shape.rank()) {
        return Ok(());
    }
    let rule = format!("the axes must be two different ones of {shape}");
    Err(Error::value(place, rule, format!("{} and {}", axes[0], axes[1])))
}

impl Op for Diagonal {
    fn name(&self) -> &'static str {
        "diagonal"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        check("diagonal", &x[0].shape, self.axes)?;
        let (shape, _) = diagonal(&x[0].shape, &x[0].shape.strides(), self.axes);
        Ok(Spec::new(x[0].dtype, shape))
    }
    fn forward(&self, x: &[&Tensor], _: &Spec) -> Result<Tensor> {
        let (shape, strides) = diagonal(x[0].shape(), &x[0].strides(), self.axes);
        Ok(x[0].view(shape, strides, x[0].offset))
    }
    fn saves(&self) -> Saves {
        Saves::Nothing
    }
    fn vjp(&self, call: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        into.add(0, || {
            must(apply(FromDiagonal { shape: call.spec(0).shape, axes: self.axes }, &[g]))
        });
    }
}

impl Op for FromDiagonal {
    fn name(&self) -> &'static str {
        "from_diagonal"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        check("from_diagonal", &self.shape, self.axes)?;
        let (shape, _) = diagonal(&self.shape, &self.shape.strides(), self.axes);
        if shape == x[0].shape {
            return Ok(Spec::new(x[0].dtype, self.shape));
        }
        let rule = format!("the diagonal of {} has shape {shape}", self.shape);
        Err(Error::shape("from_diagonal", rule, x))
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        let (_, steps) = diagonal(&out.shape, &out.shape.strides(), self.axes);
        Ok(each_dtype!(out.dtype, T => Tensor::build(out.shape, |y: &mut [T]| {
            y.fill(T::default());
            place(x[0], y, &steps, 0);
        })))
    }
    fn saves(&self) -> Saves {
        Saves::Nothing
    }
    fn vjp(&self, _: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        into.add(0, || must(apply(Diagonal { axes: self.axes }, &[g])));
    }
}

impl Tensor {
    /// The diagonal of the matrices that two axes form, as a view: those axes go, and the
    /// diagonal becomes the last axis. `offset` is how far it lies above the main diagonal.
    ///
    /// # Panics
    /// When an axis is out of range or both are the same.
    ///
    /// ```
    /// # use cornu_autodiff::Tensor;
    /// let x = Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.diagonal(0, 0, 1).to_vec::<f32>()?, [1.0, 4.0]);
    /// assert_eq!(x.diagonal(1, 0, 1).to_vec::<f32>()?, [2.0]);
    /// # Ok::<(), cornu_autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn diagonal(&self, offset: isize, first: isize, second: isize) -> Tensor {
        let axis = |axis| axis_of("diagonal", axis, self.rank());
        let axes = [must(axis(first)), must(axis(second))];
        let moved = match offset {
            0 => self.clone(),
            above if above > 0 => self.slice(second, above..),
            below => self.slice(first, below.saturating_neg()..),
        };
        must(apply(Diagonal { axes }, &[&moved]))
    }

    /// Sum of the diagonal of the matrices that two axes form.
    ///
    /// # Panics
    /// As [`diagonal`](Tensor::diagonal), and when the elements are truth values.
    #[track_caller]
    pub fn trace(&self, offset: isize, first: isize, second: isize) -> Tensor {
        self.diagonal(offset, first, second).sum(-1, false)
    }
}
