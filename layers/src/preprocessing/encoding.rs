//! Numbers of categories as vectors.

use cornu_autodiff::{DType, Error as TensorError, Tensor, apply, ops};

use crate::choice::choice;
use crate::error::{Error, Result};

choice! {
    /// How a layer writes the numbers of categories.
    pub enum OutputMode("output_mode") {
        /// As they are.
        Int = "int",
        /// Each number as a vector that is 1 at its place. An axis of size 1 at the end becomes
        /// that vector.
        OneHot = "one_hot",
        /// Each sample as a vector that is 1 where a number occurs in it.
        MultiHot = "multi_hot",
        /// Each sample as a vector of how often each number occurs in it.
        Count = "count",
        /// As counts, times how rare each number is.
        TfIdf = "tf_idf",
    }
}

impl OutputMode {
    /// The dtype of the output, unless another is asked for.
    pub(super) fn dtype(&self) -> DType {
        if *self == OutputMode::Int { DType::I64 } else { DType::F32 }
    }

    /// Refuses modes that the layer hasn't.
    pub(super) fn check_among(&self, valid: &[OutputMode]) -> Result<()> {
        if valid.contains(self) {
            return Ok(());
        }
        use crate::setting::Setting;
        let names: Vec<String> = valid
            .iter()
            .map(|mode| format!("`{}`", mode.to_json().as_str().unwrap_or("")))
            .collect();
        let rule = format!("it must be one of {}", names.join(", "));
        Err(Error::setting("`output_mode`", rule, self.to_json()))
    }
}

/// The one input's shape must be one that [`encode`] takes.
pub(super) fn check_rank(mode: &OutputMode, rank: usize) -> Result<()> {
    if *mode != OutputMode::Int && *mode != OutputMode::OneHot && rank > 2 {
        let rule = "samples must be lists: the input may have rank 2 at most, but for `int` and \
                    `one_hot`";
        return Err(Error::setting("`output_mode`", rule, format!("an input of rank {rank}")));
    }
    Ok(())
}

/// Refuses sparse outputs.
pub(super) fn check_dense(sparse: bool) -> Result<()> {
    if !sparse {
        return Ok(());
    }
    Err(Error::setting("`sparse`", "it must be false: there are no sparse tensors", true))
}

/// Numbers in `0..depth`, `(…, n)`, as `mode` says. With `weights`, of the same shape, each
/// counts as much as its weight.
pub(super) fn encode(
    numbers: &Tensor,
    mode: &OutputMode,
    depth: usize,
    weights: Option<&Tensor>,
    dtype: DType,
) -> Result<Tensor> {
    if *mode == OutputMode::Int {
        return Ok(numbers.cast(dtype));
    }
    check_rank(mode, numbers.rank())?;
    check_range(numbers, depth)?;
    let single =
        *mode == OutputMode::OneHot && numbers.rank() > 1 && numbers.dims().ends_with(&[1]);
    let numbers = if single { numbers.squeeze([-1]) } else { numbers.clone() };
    let numbers = if numbers.dtype().is_float() { numbers.cast(DType::I64) } else { numbers };
    let scalar = numbers.rank() == 0;
    let numbers = if scalar { numbers.expand_dims(0) } else { numbers };
    let hot = apply(ops::OneHot { classes: depth, dtype }, &[&numbers])?; // (…, n, depth)
    let folded = vec![numbers.rank() as isize - 1];
    match mode {
        OutputMode::OneHot if scalar => Ok(hot.squeeze([0])),
        OutputMode::OneHot => Ok(hot),
        OutputMode::MultiHot => {
            let count = hot.sum(folded, false);
            Ok(ops::minimum(&count, &count.ones_like()))
        }
        _ => match weights {
            None => Ok(hot.sum(folded, false)),
            Some(weights) if weights.shape() == numbers.shape() => {
                Ok((hot * weights.cast(dtype).expand_dims(-1)).sum(folded, false))
            }
            Some(weights) => {
                let rule = "there must be a weight for each number";
                Err(Error::input(rule, &[numbers.shape(), weights.shape()]))
            }
        },
    }
}

fn check_range(numbers: &Tensor, depth: usize) -> Result<()> {
    if numbers.dtype() == DType::Bool {
        let rule = "categories are whole numbers";
        return Err(TensorError::dtype("input", rule, &[numbers.spec()]).into());
    }
    if numbers.is_symbolic() {
        return Ok(());
    }
    let fits = |v: &f64| *v >= 0.0 && *v < depth as f64 && v.fract() == 0.0;
    match numbers.to_f64_vec()?.into_iter().find(|v| !fits(v)) {
        None => Ok(()),
        Some(v) => Err(Error::setting("input", format!("numbers must be whole, in 0..{depth}"), v)),
    }
}
