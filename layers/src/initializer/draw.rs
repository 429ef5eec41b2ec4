//! What each initializer's values are.

use cornu_autodiff::ops::Concat;
use cornu_autodiff::{DType, Generator, Shape, Tensor, apply, broadcast};

use crate::error::{Error, Result};
use crate::initializer::{Initializer, InitializerFunction, VarianceScaling, orthogonal};
use crate::setting::Setting;

impl Initializer {
    /// A value for a weight of this shape and dtype, drawn from `generator` unless the
    /// initializer has a seed of its own.
    ///
    /// # Errors
    /// When the initializer can't make this shape or dtype: `Identity` makes only matrices,
    /// `Orthogonal` needs two axes, given values must broadcast, and drawn numbers are floats.
    pub fn sample(&self, shape: &Shape, dtype: DType, generator: &Generator) -> Result<Tensor> {
        self.check()?;
        let own = self.own_seed().map(Generator::new);
        let from = own.as_ref().unwrap_or(generator);
        if let Some(scaling) = VarianceScaling::of(self) {
            return scaling.sample(shape, dtype, from);
        }
        let drawn = match self {
            Initializer::Zeros => Tensor::zeros(*shape, dtype),
            Initializer::Ones => Tensor::ones(*shape, dtype),
            Initializer::Constant(value) => Tensor::full(*shape, *value, dtype),
            Initializer::Identity { gain } => return identity(shape, *gain, dtype),
            Initializer::RandomNormal { mean, stddev, .. } => {
                from.normal(*shape, *mean, *stddev, dtype)?
            }
            Initializer::RandomUniform { minval, maxval, .. } => {
                from.uniform(*shape, *minval, *maxval, dtype)?
            }
            Initializer::TruncatedNormal { mean, stddev, .. } => {
                from.truncated_normal(*shape, *mean, *stddev, dtype)?
            }
            Initializer::Orthogonal { gain, .. } => {
                return orthogonal::sample(shape, *gain, dtype, from);
            }
            Initializer::Stft(stft) => return stft.sample(shape, dtype),
            Initializer::Values(values) => return spread(values, shape, dtype),
            Initializer::Function(own) => return own.sample(shape, dtype),
            Initializer::SideBySide(parts) => {
                let part = |(part, size): &(Initializer, usize)| {
                    let mut dims = shape.to_vec();
                    if let Some(last) = dims.last_mut() {
                        *last = *size;
                    }
                    part.sample(&Shape::new(&dims)?, dtype, from)
                };
                let parts = parts.iter().map(part).collect::<Result<Vec<_>>>()?;
                apply(Concat { axis: -1 }, &parts.iter().collect::<Vec<_>>())?
            }
            _ => unreachable!("`VarianceScaling::of` and `check` have answered for the others"),
        };
        Ok(drawn)
    }

    fn own_seed(&self) -> Option<u64> {
        self.clone().seed_mut().copied().flatten()
    }
}

fn identity(shape: &Shape, gain: f64, dtype: DType) -> Result<Tensor> {
    let &[rows, columns] = shape.dims() else {
        let rule = "the weight must be a matrix";
        return Err(Error::setting("initializer `Identity`", rule, shape));
    };
    let mut values = vec![0.0; rows * columns];
    values.iter_mut().step_by(columns + 1).take(rows.min(columns)).for_each(|v| *v = gain);
    Ok(Tensor::new(values, *shape)?.cast(dtype))
}

fn spread(values: &Tensor, shape: &Shape, dtype: DType) -> Result<Tensor> {
    if broadcast(values.dims(), shape) != Some(*shape) {
        let rule = format!("the values must broadcast to the weight's shape {shape}");
        return Err(Error::setting("initializer", rule, values.shape()));
    }
    Ok(values.cast(dtype).broadcast_to(*shape))
}

impl InitializerFunction {
    fn sample(&self, shape: &Shape, dtype: DType) -> Result<Tensor> {
        let values = (self.function)(shape, dtype);
        if values.shape() != shape || values.dtype() != dtype {
            let rule = format!("`{}` must make {dtype} of shape {shape}", self.name);
            let got = format!("{} of shape {}", values.dtype(), values.shape());
            return Err(Error::setting("initializer", rule, got));
        }
        Ok(values)
    }
}
