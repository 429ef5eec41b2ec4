//! From weighed values to one number.

use cornu_autodiff::{DType, Error, Pause, Result, Shape, Tensor};

use super::loss::Reduction;

/// The values as one number.
///
/// # Errors
/// When a mean is asked of no value.
pub(crate) fn reduce(
    place: &str,
    values: Tensor,
    weights: Option<&Tensor>,
    reduction: Reduction,
) -> Result<Tensor> {
    if reduction == Reduction::None || values.rank() == 0 {
        return Ok(values);
    }
    if reduction != Reduction::Sum {
        expect_samples(place, &values)?;
    }
    match (reduction, weights) {
        (Reduction::Sum, _) => Ok(values.sum(.., false)),
        (Reduction::MeanWithSampleWeight, Some(weights)) => {
            Ok(divide_no_nan(&values.sum(.., false), &weights.sum(.., false)))
        }
        _ => Ok(values.mean(.., false)),
    }
}

/// Refuses to make a mean of nothing.
///
/// # Errors
/// When there is no value.
pub(crate) fn expect_samples(place: &str, values: &Tensor) -> Result<()> {
    if values.size() > 0 {
        return Ok(());
    }
    let rule = "there must be at least one sample";
    Err(Error::shape(format!("loss `{place}`"), rule, &[values.spec()]))
}

/// The mean over one axis.
///
/// # Errors
/// When there is no such axis.
pub(crate) fn mean_of_axis(place: &str, values: &Tensor, axis: isize) -> Result<Tensor> {
    let axis = check_axis(place, axis, values)?;
    Ok(values.mean(axis as isize, false))
}

/// The axis, counted from the first.
///
/// # Errors
/// When there is no such axis.
pub(crate) fn check_axis(place: &str, axis: isize, x: &Tensor) -> Result<usize> {
    let rank = x.rank() as isize;
    if (-rank..rank).contains(&axis) {
        return Ok(axis.rem_euclid(rank) as usize);
    }
    let rule =
        format!("`axis` must be in {}..{rank} for predictions of shape {}", -rank, x.shape());
    Err(Error::value(format!("loss `{place}`"), rule, axis.to_string()))
}

/// `a / b`, 0 where `b` is 0.
fn divide_no_nan(a: &Tensor, b: &Tensor) -> Tensor {
    let zero = b.equal_scalar(0.0);
    let quotient = a / zero.select(&b.ones_like(), b);
    zero.select(&a.zeros_like(), &quotient)
}

/// The values times their weights, and the weights, of one shape.
///
/// # Errors
/// When weights or masks don't fit the values.
pub(crate) fn weigh(
    place: &str,
    values: Tensor,
    sample_weight: Option<&Tensor>,
    masks: [Option<&Tensor>; 2],
    reduction: Reduction,
) -> Result<(Tensor, Tensor)> {
    let mut values = values;
    let mut weights: Option<Tensor> = None;
    if let Some(given) = sample_weight {
        // Keras: values [N] beside weights [N, 1] become [N, 1].
        if values.rank() == 1 && given.rank() == 2 && given.dims() == [values.dims()[0], 1] {
            values = values.expand_dims(-1);
        }
        weights = Some(fit_weights(place, given, &values)?);
    }
    let mut mask: Option<Tensor> = None;
    for given in masks.into_iter().flatten() {
        let given = fit_mask(place, given, &values)?;
        mask = Some(mask.map_or(given.clone(), |mask| mask.logical_and(&given)));
    }
    if let Some(mask) = mask {
        let mask = mask_weights(&mask, values.dtype(), reduction);
        weights = Some(weights.map_or(mask.clone(), |weights| weights * mask));
    }
    let weights = weights.unwrap_or_else(|| values.ones_like());
    Ok((values * &weights, weights))
}

/// Weights with the dtype and shape of the values.
fn fit_weights(place: &str, weights: &Tensor, values: &Tensor) -> Result<Tensor> {
    let (given, wanted) = (weights.dims(), values.dims());
    // One for all, or one for each of the leading axes, with ones after them.
    let leading = given.iter().zip(wanted).take_while(|(a, b)| a == b).count();
    if given.len() > wanted.len() || given[leading..].iter().any(|&d| d != 1) {
        let rule = "sample weights must be one number, or one for each sample or each value";
        let got = format!("weights of shape {} for values of {}", weights.shape(), values.shape());
        return Err(Error::value(format!("loss `{place}`"), rule, got));
    }
    if !weights.is_finite() {
        let rule = "sample weights must be finite";
        return Err(Error::value(format!("loss `{place}`"), rule, "a NaN or an infinity"));
    }
    let weights = if weights.dtype() == values.dtype() {
        weights.clone()
    } else {
        weights.cast(values.dtype())
    };
    if given == wanted {
        return Ok(weights);
    }
    let mut shape: Vec<isize> = given.iter().map(|&d| d as isize).collect();
    shape.resize(wanted.len(), 1);
    let shape = if given.is_empty() { vec![1; wanted.len()] } else { shape };
    Ok(weights.reshape(shape).broadcast_to(Shape::new(wanted)?))
}

/// A mask with the shape of the values.
fn fit_mask(place: &str, mask: &Tensor, values: &Tensor) -> Result<Tensor> {
    if mask.dtype() != DType::Bool {
        let rule = "a mask must be bool";
        return Err(Error::dtype(format!("loss `{place}`"), rule, &[mask.spec()]));
    }
    match (mask.dims(), values.dims()) {
        (given, wanted) if given == wanted => Ok(mask.clone()),
        (&[n], &[m, 1]) if n == m => Ok(mask.expand_dims(-1)),
        (&[n, 1], &[m]) if n == m => Ok(mask.squeeze([-1])),
        _ => {
            let rule = "a mask must have the shape of the loss's values";
            let got = format!("mask of shape {} for values of {}", mask.shape(), values.shape());
            Err(Error::value(format!("loss `{place}`"), rule, got))
        }
    }
}

/// A mask as weights: in a mean each value that counts weighs `all / valid`.
fn mask_weights(mask: &Tensor, dtype: DType, reduction: Reduction) -> Tensor {
    let _pause = Pause::new();
    let weights = mask.cast(dtype);
    if !matches!(reduction, Reduction::Mean | Reduction::SumOverBatchSize) {
        return weights;
    }
    let all = Tensor::scalar_of(dtype, mask.size() as f64);
    &weights * divide_no_nan(&all, &weights.sum(.., false))
}
