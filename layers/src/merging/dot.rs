//! Dot products of samples.

use cornu_autodiff::{Shape, Spec, Tensor, axis_of, ops};
use serde_json::{Value, json};

use crate::arg::Arg;
use crate::builder::WeightBuilder;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Layer};
use crate::setting::{Setting, wrong};

/// The axes that [`Dot`] sums over: one for both inputs, or one each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DotAxes {
    /// The same of both inputs; negative ones count from the last of each.
    Same(isize),
    /// One of the first input, one of the second.
    Pair(isize, isize),
}

impl Arg<DotAxes> for isize {
    fn arg(self) -> DotAxes {
        DotAxes::Same(self)
    }
}

impl Arg<DotAxes> for (isize, isize) {
    fn arg(self) -> DotAxes {
        DotAxes::Pair(self.0, self.1)
    }
}

impl Arg<DotAxes> for [isize; 2] {
    fn arg(self) -> DotAxes {
        DotAxes::Pair(self[0], self[1])
    }
}

impl Setting for DotAxes {
    fn to_json(&self) -> Value {
        match self {
            DotAxes::Same(axis) => json!(axis),
            DotAxes::Pair(a, b) => json!([a, b]),
        }
    }
    fn from_json(value: &Value) -> Result<DotAxes> {
        match Vec::<isize>::from_json(value)?.as_slice() {
            [axis] => Ok(DotAxes::Same(*axis)),
            [a, b] => Ok(DotAxes::Pair(*a, *b)),
            _ => Err(wrong("an axis or a pair of axes", value)),
        }
    }
}

config! {
    /// Dot products of two tensors along an axis of each, sample by sample.
    ///
    /// | inputs | output |
    /// |---|---|
    /// | `(batch, a…, n, b…)` and `(batch, c…, n, d…)` | `(batch, a…, b…, c…, d…)` |
    /// | `(batch, n)` and `(batch, n)` | `(batch, 1)` |
    ///
    /// ```
    /// use cornu_layers::{Apply, Dot, input};
    /// let y = Dot::new((2, 1)).apply([&input([3, 4]), &input([4, 5])])?;
    /// assert_eq!(y.shape(), [None, Some(3), Some(5)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// A mask on an input is dropped, as in Keras.
    ///
    /// # Errors
    /// When there aren't two inputs of one batch size, an axis is the batch's, or the sizes of
    /// the axes differ.
    pub struct Dot["Dot"] {
        /// The axes to sum over.
        axes: DotAxes,
        ..
        /// Whether vectors are divided by their lengths first: the output then is the cosine
        /// of their angle.
        normalize: bool = false,
    }
}

impl Layer for Dot {
    type Weights = ();

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        self.axes_of(&inputs.iter().map(|x| &x.shape).collect::<Vec<_>>())?;
        if self.normalize && inputs.iter().any(|x| !x.dtype.is_float()) {
            let rule = "vectors to be normalized are of floating-point numbers";
            let inputs: Vec<&Spec> = inputs.iter().collect();
            return Err(cornu_autodiff::Error::dtype("input", rule, &inputs).into());
        }
        Ok(())
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let axes = self.axes_of(&x.tensors.iter().map(Tensor::shape).collect::<Vec<_>>())?;
        let side = |i: usize| match self.normalize {
            true => unit(&x.tensors[i], axes[i] as isize),
            false => x.tensors[i].clone(),
        };
        let (a, b) = (side(0), side(1));
        // The batch is `a`, the axis that is summed over `b`, the others have letters of their own.
        let mut free = 'c'..='z';
        let mut term = |rank: usize, axis: usize| -> String {
            let letter = |i: usize| match i {
                0 => 'a',
                i if i == axis => 'b',
                _ => free.next().expect("a tensor has few axes"),
            };
            (0..rank).map(letter).collect()
        };
        let terms = [term(a.rank(), axes[0]), term(b.rank(), axes[1])];
        let result: String = terms.concat().chars().filter(|&c| c > 'b').collect();
        let y = ops::try_einsum(&format!("{},{}->a{result}", terms[0], terms[1]), &[a, b])?;
        Ok(if y.rank() == 1 { y.expand_dims(-1) } else { y })
    }

    fn mask(&self, _: &(), _: &Inputs<'_>) -> Result<Option<Tensor>> {
        Ok(None)
    }
}

/// `x` divided by its lengths along an axis; zeros stay.
fn unit(x: &Tensor, axis: isize) -> Tensor {
    let length = x.square().sum(axis, true).sqrt();
    let safe = ops::select(&length.equal_scalar(0.0), &length.ones_like(), &length);
    x / safe
}

impl Dot {
    /// The axis of each input, from the front.
    fn axes_of(&self, shapes: &[&Shape]) -> Result<[usize; 2]> {
        let &[a, b] = shapes else {
            return Err(Error::input("the layer takes 2 inputs", shapes));
        };
        let (first, second) = match self.axes {
            DotAxes::Same(axis) => (axis, axis),
            DotAxes::Pair(first, second) => (first, second),
        };
        let axes = [axis_of("`axes`", first, a.rank())?, axis_of("`axes`", second, b.rank())?];
        if axes.contains(&0) {
            let rule = "the batch axis can't be summed over";
            return Err(Error::setting("`axes`", rule, format!("{axes:?}")));
        }
        if a[0] != b[0] {
            return Err(Error::input("all inputs must have the same batch size", shapes));
        }
        if a[axes[0]] != b[axes[1]] {
            let rule =
                format!("axis {first} of the first must be as large as {second} of the second");
            return Err(Error::input(rule, shapes));
        }
        Ok(axes)
    }
}
