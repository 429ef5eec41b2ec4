//! Tensors side by side.

use cornu_autodiff::{Shape, Spec, Tensor, apply, axis_of, ops};
use smallvec::SmallVec;

use crate::builder::WeightBuilder;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Layer};

config! {
    /// Several tensors side by side along an axis.
    ///
    /// | inputs | output |
    /// |---|---|
    /// | `(batch, …, n₁, …)`, `(batch, …, n₂, …)`, … | `(batch, …, n₁ + n₂ + …, …)` |
    ///
    /// The output has a mask if any input has one; inputs without count everywhere.
    ///
    /// ```
    /// use cornu_layers::{Apply, Concatenate, input};
    /// let y = Concatenate::new().apply([&input([3]), &input([2])])?;
    /// assert_eq!(y.shape(), [None, Some(5)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    ///
    /// # Errors
    /// When shapes differ elsewhere than along the axis, or dtypes differ.
    pub struct Concatenate["Concatenate"] {
        ..
        /// The axis; negative ones count from the last.
        axis: isize = -1,
    }
}

impl Layer for Concatenate {
    type Weights = ();

    fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        let shapes: SmallVec<[&Shape; 2]> = inputs.iter().map(|x| &x.shape).collect();
        let [first, rest @ ..] = shapes.as_slice() else {
            return Err(Error::input("the layer takes 1 or more inputs", &[]));
        };
        let axis = axis_of("axis", self.axis, first.rank())?;
        let fits = |shape: &&Shape| {
            let equal = |(a, (n, m)): (usize, (&usize, &usize))| a == axis || n == m;
            shape.rank() == first.rank() && shape.iter().zip(first.iter()).enumerate().all(equal)
        };
        if rest.iter().all(fits) {
            return Ok(());
        }
        let rule = format!("shapes must be equal except along axis {}", self.axis);
        Err(Error::input(rule, &shapes))
    }

    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        let tensors: SmallVec<[&Tensor; 4]> = x.tensors.iter().collect();
        Ok(apply(ops::Concat { axis: self.axis }, &tensors)?)
    }

    fn mask(&self, _: &(), x: &Inputs<'_>) -> Result<Option<Tensor>> {
        let Some(rank) = x.masks.iter().flatten().map(Tensor::rank).next() else {
            return Ok(None);
        };
        // As large as the inputs, so that any axis can be the one that grows.
        let whole = |(i, x_i): (usize, &Tensor)| -> Result<Tensor> {
            match x.mask(i) {
                Some(mask) => {
                    let spread =
                        (mask.rank()..x_i.rank()).fold(mask.clone(), |m, _| m.expand_dims(-1));
                    Ok(apply(ops::BroadcastTo(*x_i.shape()), &[&spread])?)
                }
                None => Ok(x_i.zeros_like().equal_scalar(0.0)),
            }
        };
        let masks = x.tensors.iter().enumerate().map(whole).collect::<Result<Vec<_>>>()?;
        let whole = apply(ops::Concat { axis: self.axis }, &masks.iter().collect::<Vec<_>>())?;
        let trailing: Vec<isize> = (rank as isize..whole.rank() as isize).collect();
        Ok(Some(whole.any(trailing, false)))
    }
}
