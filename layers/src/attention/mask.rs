//! Who may attend to what.

use cornu_autodiff::{DType, Error as TensorError, Spec, Tensor, apply, ops};

use crate::error::{Error, Result};
use crate::layer::Inputs;

/// True where query `i` may attend to key `j`: not to later ones if `causal`, and to none that
/// is `window` or more away, if there is a window. `(1, queries, keys)`.
pub(super) fn band(
    query: &Tensor,
    key: &Tensor,
    causal: bool,
    window: Option<usize>,
) -> Result<Option<Tensor>> {
    if !causal && window.is_none() {
        return Ok(None);
    }
    let (rows, columns) = (query.dims()[1], key.dims()[1]);
    if query.is_symbolic() || key.is_symbolic() {
        let shape = cornu_autodiff::Shape::new(&[1, rows, columns])?;
        return Ok(Some(Tensor::symbolic(Spec::new(DType::Bool, shape))));
    }
    let row = Tensor::arange(rows, DType::I64).reshape([1, -1, 1]);
    let column = Tensor::arange(columns, DType::I64).reshape([1, 1, -1]);
    let within = window.map(|window| {
        let window = Tensor::scalar(i64::try_from(window).unwrap_or(i64::MAX));
        let reach = row.less(&(&column + &window));
        reach.logical_and(&column.less(&(&row + &window)))
    });
    let past = causal.then(|| row.greater_equal(&column));
    Ok(match (within, past) {
        (Some(within), Some(past)) => Some(within.logical_and(&past)),
        (one, None) | (None, one) => one,
    })
}

/// Within an implementation of [`Layer`](crate::Layer): its first output is the one that `call`
/// gives, and the only one with a mask, that of the query.
macro_rules! like_query {
    () => {
        crate::layer::first_of_all!();

        fn mask(
            &self,
            _: &Self::Weights,
            inputs: &crate::Inputs<'_>,
        ) -> crate::Result<Option<cornu_autodiff::Tensor>> {
            crate::attention::mask::of_input(inputs, 0)
        }

        fn masked_outputs(&self) -> usize {
            1
        }
    };
}
pub(super) use like_query;

/// Both, where there are both; they broadcast.
pub(super) fn both(a: Option<Tensor>, b: Option<Tensor>) -> Result<Option<Tensor>> {
    Ok(match (a, b) {
        (Some(a), Some(b)) => Some(apply(ops::LogicalAnd, &[&a, &b])?),
        (one, None) | (None, one) => one,
    })
}

/// The mask of input `index`, which must be of its batch and steps.
pub(super) fn of_input(inputs: &Inputs<'_>, index: usize) -> Result<Option<Tensor>> {
    let (Some(mask), Some(x)) = (inputs.mask(index), inputs.tensors.get(index)) else {
        return Ok(None);
    };
    expect_bool(mask)?;
    let axes = x.rank() - 1;
    if mask.dims() != &x.dims()[..axes] {
        let text = |dims: &[usize]| crate::symbol::shape_text(&crate::symbol::unprobed(dims));
        let rule = format!(
            "it must have the shape of the input without its last axis, {}",
            text(&x.dims()[..axes])
        );
        return Err(Error::setting("mask", rule, text(mask.dims())));
    }
    Ok(Some(mask.clone()))
}

/// Refuses masks of numbers.
pub(super) fn expect_bool(mask: &Tensor) -> Result<()> {
    if mask.dtype() == DType::Bool {
        return Ok(());
    }
    let rule = "it must be true where attention is allowed";
    Err(TensorError::dtype("mask", rule, &[mask.spec()]).into())
}

/// Scores where `mask` is true; elsewhere a number at which the exponential is 0.
pub(super) fn masked(scores: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
    match mask {
        Some(mask) => Ok(apply(ops::Select, &[mask, scores, &scores.full_like(-1e9)])?),
        None => Ok(scores.clone()),
    }
}
