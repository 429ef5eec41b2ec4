//! Sums, products and extremes of several tensors, element by element.

use cornu_autodiff::{Shape, Spec, Tensor, apply, broadcast, ops};
use smallvec::SmallVec;

use crate::builder::WeightBuilder;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::layer::{Inputs, Layer};

/// Tensors of one rank: Keras's rule is that axes of size 1 are put in behind the batch axis.
fn one_rank(tensors: &[Tensor]) -> SmallVec<[Tensor; 2]> {
    let rank = tensors.iter().map(Tensor::rank).max().unwrap_or(0);
    tensors.iter().map(|x| lengthened(x, rank)).collect()
}

fn lengthened(x: &Tensor, rank: usize) -> Tensor {
    (x.rank()..rank).fold(x.clone(), |x, _| x.expand_dims(1.min(x.rank() as isize)))
}

/// Refuses fewer tensors than `least`, more than `most`, and batches of different sizes.
fn check(shapes: &[&Shape], least: usize, most: usize) -> Result<()> {
    if shapes.len() < least || shapes.len() > most {
        let count = if least == most { format!("{least}") } else { format!("{least} or more") };
        return Err(Error::input(format!("the layer takes {count} inputs"), shapes));
    }
    let mut batches = shapes.iter().filter_map(|shape| shape.first());
    let first = batches.next();
    if batches.any(|batch| Some(batch) != first) {
        return Err(Error::input("all inputs must have the same batch size", shapes));
    }
    let rank = shapes.iter().map(|shape| shape.rank()).max().unwrap_or(0);
    let samples = shapes.iter().map(|shape| {
        let (batch, sample) = shape.split_at(1.min(shape.rank()));
        [batch, &[1; cornu_autodiff::MAX_RANK][..rank - shape.rank()], sample].concat()
    });
    let fits = samples.map(Some).reduce(|a, b| broadcast(&a?, &b?).map(|shape| shape.to_vec()));
    match fits {
        Some(None) => Err(Error::input("the shapes of the inputs must broadcast", shapes)),
        _ => Ok(()),
    }
}

/// Whether a step of any input counts; `None` unless every input is masked.
fn any_mask(inputs: &Inputs<'_>) -> Result<Option<Tensor>> {
    let masks: Option<SmallVec<[&Tensor; 2]>> =
        (0..inputs.tensors.len()).map(|i| inputs.mask(i)).collect();
    let Some([first, rest @ ..]) = masks.as_deref() else { return Ok(None) };
    let any =
        rest.iter().try_fold((*first).clone(), |any, mask| apply(ops::LogicalOr, &[&any, mask]))?;
    Ok(Some(any))
}

/// A mask with trailing axes of size 1, to be used on `x`.
fn spread(mask: &Tensor, x: &Tensor, rank: usize) -> Tensor {
    let mask = (mask.rank()..x.rank()).fold(mask.clone(), |mask, _| mask.expand_dims(-1));
    lengthened(&mask, rank)
}

/// The extreme of several tensors where a masked step never wins over one that counts.
fn extreme(inputs: &Inputs<'_>, of: fn(&Tensor, &Tensor) -> Result<Tensor>) -> Result<Tensor> {
    let tensors = one_rank(inputs.tensors);
    let masks = (0..tensors.len()).map(|i| {
        let own = inputs.mask(i);
        own.map(|mask| spread(mask, &inputs.tensors[i], tensors[i].rank()))
    });
    let mut pairs = tensors.iter().cloned().zip(masks);
    let Some((mut y, mut y_mask)) = pairs.next() else {
        return Err(Error::input("the layer takes 1 or more inputs", &[]));
    };
    for (mut x, mask) in pairs {
        if let Some(mask) = &mask {
            x = apply(ops::Select, &[mask, &x, &y])?;
        }
        if let Some(mask) = &y_mask {
            y = apply(ops::Select, &[mask, &y, &x])?;
        }
        y_mask = match (y_mask, mask) {
            (Some(a), Some(b)) => Some(apply(ops::LogicalOr, &[&a, &b])?),
            _ => None,
        };
        y = of(&y, &x)?;
    }
    Ok(y)
}

/// The product of several tensors where masked steps count as 1, and as 0 where no input has a
/// step that counts.
fn product(inputs: &Inputs<'_>) -> Result<Tensor> {
    let tensors = one_rank(inputs.tensors);
    let rank = tensors.first().map_or(0, Tensor::rank);
    let mut product: Option<Tensor> = None;
    for (i, x) in tensors.iter().enumerate() {
        let x = match inputs.mask(i) {
            Some(mask) => {
                let mask = spread(mask, &inputs.tensors[i], rank);
                apply(ops::Select, &[&mask, x, &x.ones_like()])?
            }
            None => x.clone(),
        };
        product = Some(match product {
            Some(y) => apply(ops::Multiply, &[&y, &x])?,
            None => x,
        });
    }
    let y = product.ok_or_else(|| Error::input("the layer takes 1 or more inputs", &[]))?;
    match any_mask(inputs)? {
        Some(mask) => Ok(apply(ops::Select, &[&spread(&mask, &y, rank), &y, &y.zeros_like()])?),
        None => Ok(y),
    }
}

/// `op` from the first tensor to the last.
fn fold(inputs: &Inputs<'_>, op: fn(&Tensor, &Tensor) -> Result<Tensor>) -> Result<Tensor> {
    if let [a, b] = inputs.tensors
        && a.rank() == b.rank()
    {
        return op(a, b);
    }
    let tensors = one_rank(inputs.tensors);
    match tensors.as_slice() {
        [first, rest @ ..] => rest.iter().try_fold(first.clone(), |y, x| op(&y, x)),
        [] => Err(Error::input("the layer takes 1 or more inputs", &[])),
    }
}

macro_rules! merge {
    ($(
        $(#[$doc:meta])*
        $Layer:ident[$class:literal], $least:literal..=$most:expr, |$inputs:ident| $value:expr;
    )*) => {$(
        config! {
            $(#[$doc])*
            ///
            /// | inputs | output |
            /// |---|---|
            /// | several `(batch, …)` that broadcast | `(batch, …)` |
            ///
            /// Inputs of lower rank get axes of size 1 behind the batch axis. The output has a
            /// mask if every input has one: a step counts where it counts in any.
            ///
            /// # Errors
            /// Batches of different sizes, shapes that don't broadcast, dtypes that differ.
            pub struct $Layer[$class] {
                ..
            }
        }

        impl Layer for $Layer {
            type Weights = ();
            fn build(&self, inputs: &[Spec], _: &mut WeightBuilder) -> Result<()> {
                let shapes: SmallVec<[&Shape; 2]> = inputs.iter().map(|x| &x.shape).collect();
                check(&shapes, $least, $most)
            }
            fn call(&self, _: &(), $inputs: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
                let shapes: SmallVec<[&Shape; 2]> =
                    $inputs.tensors.iter().map(Tensor::shape).collect();
                check(&shapes, $least, $most)?;
                $value
            }
            fn mask(&self, _: &(), inputs: &Inputs<'_>) -> Result<Option<Tensor>> {
                any_mask(inputs)
            }
        }
    )*};
}

merge! {
    /// `y = x₁ + x₂ + …`
    ///
    /// ```
    /// use cornu_layers::{Add, Apply, input};
    /// let y = Add::new().apply([&input([3]), &input([3])])?;
    /// assert_eq!(y.shape(), [None, Some(3)]);
    /// # Ok::<(), cornu_layers::Error>(())
    /// ```
    Add["Add"], 1..=usize::MAX, |inputs| {
        fold(inputs, |a, b| Ok(apply(ops::Add, &[a, b])?))
    };
    /// `y = x₁ - x₂`, of exactly two inputs.
    Subtract["Subtract"], 2..=2, |inputs| {
        fold(inputs, |a, b| Ok(apply(ops::Subtract, &[a, b])?))
    };
    /// `y = x₁ · x₂ · …`, element by element. Masked steps count as 1, and the output is 0
    /// where no input has a step that counts.
    Multiply["Multiply"], 1..=usize::MAX, |inputs| {
        if inputs.masks.is_empty() {
            fold(inputs, |a, b| Ok(apply(ops::Multiply, &[a, b])?))
        } else {
            product(inputs)
        }
    };
    /// `y = (x₁ + … + xₙ) / n`
    Average["Average"], 1..=usize::MAX, |inputs| {
        let sum = fold(inputs, |a, b| Ok(apply(ops::Add, &[a, b])?))?;
        if !sum.dtype().is_float() {
            let rule = "the inputs must be floating-point numbers";
            return Err(cornu_autodiff::Error::dtype("average", rule, &[sum.spec()]).into());
        }
        Ok(sum * (1.0 / inputs.tensors.len() as f64))
    };
    /// `y = max(x₁, x₂, …)`, element by element; equal ones share the gradient. A masked step
    /// never wins over one that counts.
    Maximum["Maximum"], 1..=usize::MAX, |inputs| {
        extreme(inputs, |a, b| Ok(apply(ops::Maximum, &[a, b])?))
    };
    /// `y = min(x₁, x₂, …)`, element by element; equal ones share the gradient. A masked step
    /// never wins over one that counts.
    Minimum["Minimum"], 1..=usize::MAX, |inputs| {
        extreme(inputs, |a, b| Ok(apply(ops::Minimum, &[a, b])?))
    };
}
