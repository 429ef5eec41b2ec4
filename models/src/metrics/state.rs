//! Accumulators from saved tensors.

use cornu_autodiff::{Error, Result, Tensor};

use crate::losses::pair::Place;

/// `N` numbers from `N` scalars.
///
/// # Errors
/// When there are more or fewer, or one is not a scalar.
pub(crate) fn scalars<const N: usize>(place: Place<'_>, state: &[Tensor]) -> Result<[f64; N]> {
    let mut numbers = [0.0; N];
    let all = arrays(place, state, N, 1)?;
    for (number, values) in numbers.iter_mut().zip(all) {
        *number = values[0];
    }
    Ok(numbers)
}

/// The elements of `count` tensors of `len` elements each.
///
/// # Errors
/// When there are more or fewer.
pub(crate) fn arrays(
    place: Place<'_>,
    state: &[Tensor],
    count: usize,
    len: usize,
) -> Result<Vec<Vec<f64>>> {
    if state.len() == count && state.iter().all(|x| x.size() == len) {
        return state.iter().map(Tensor::to_f64_vec).collect();
    }
    let rule = format!("its state is {count} arrays of {len} numbers");
    let got: Vec<String> = state.iter().map(|x| x.shape().to_string()).collect();
    Err(Error::value(place.to_string(), rule, format!("shapes {}", got.join(", "))))
}
