//! Draws whose variance depends on how many numbers a weight adds up.

use cornu_autodiff::{DType, Generator, Shape, Tensor, axis_of};

use crate::error::Result;
use crate::initializer::Initializer;

/// Options of [`Initializer::VarianceScaling`].
///
/// With `n` given by the mode, the variance is `scale / n`, whatever the distribution.
#[derive(Clone, Debug, PartialEq)]
pub struct VarianceScaling {
    /// 1 in Keras.
    pub scale: f64,
    /// What `n` is.
    pub mode: Mode,
    /// From what is drawn.
    pub distribution: Distribution,
    /// Axes and seed.
    pub fans: Fans,
}

/// The number by which [`VarianceScaling`] divides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Number of inputs that an output sums.
    #[default]
    FanIn,
    /// Number of outputs that an input goes into.
    FanOut,
    /// The mean of both.
    FanAvg,
}

/// From what [`VarianceScaling`] draws.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Distribution {
    /// Normal, drawn again beyond two standard deviations, and widened so that the variance
    /// holds.
    #[default]
    TruncatedNormal,
    /// Normal.
    UntruncatedNormal,
    /// Uniform around zero.
    Uniform,
}

/// Which axes of a weight are its inputs and outputs, and the seed of its draws.
///
/// By default a vector has its size as both, a matrix is `(inputs, outputs)`, and a kernel
/// `(window…, inputs, outputs)`, each times the size of the window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fans {
    /// Fixes the draws.
    pub seed: Option<u64>,
    /// Axes that count as inputs; both lists or none.
    pub input_axes: Option<Vec<isize>>,
    /// Axes that count as outputs.
    pub output_axes: Option<Vec<isize>>,
}

impl Mode {
    pub(super) const NAMES: [(&'static str, Mode); 3] =
        [("fan_in", Mode::FanIn), ("fan_out", Mode::FanOut), ("fan_avg", Mode::FanAvg)];
}

impl Distribution {
    pub(super) const NAMES: [(&'static str, Distribution); 4] = [
        ("truncated_normal", Distribution::TruncatedNormal),
        ("untruncated_normal", Distribution::UntruncatedNormal),
        ("uniform", Distribution::Uniform),
        ("normal", Distribution::TruncatedNormal),
    ];
}

/// Standard deviation of a normal distribution of deviation 1 that is cut at ±2:
/// `sqrt(1 - 4·φ(2) / (2·Φ(2) - 1))`.
const CUT_AT_TWO: f64 = 0.879_625_661_034_239_8;

impl VarianceScaling {
    /// The family's member that an initializer is.
    pub(super) fn of(initializer: &Initializer) -> Option<VarianceScaling> {
        use Distribution::{TruncatedNormal, Uniform};
        let (scale, mode, distribution, fans) = match initializer {
            Initializer::VarianceScaling(scaling) => return Some(scaling.clone()),
            Initializer::GlorotUniform(fans) => (1.0, Mode::FanAvg, Uniform, fans),
            Initializer::GlorotNormal(fans) => (1.0, Mode::FanAvg, TruncatedNormal, fans),
            Initializer::HeUniform(fans) => (2.0, Mode::FanIn, Uniform, fans),
            Initializer::HeNormal(fans) => (2.0, Mode::FanIn, TruncatedNormal, fans),
            Initializer::LecunUniform(fans) => (1.0, Mode::FanIn, Uniform, fans),
            Initializer::LecunNormal(fans) => (1.0, Mode::FanIn, TruncatedNormal, fans),
            _ => return None,
        };
        Some(VarianceScaling { scale, mode, distribution, fans: fans.clone() })
    }

    pub(super) fn sample(&self, shape: &Shape, dtype: DType, from: &Generator) -> Result<Tensor> {
        let (inputs, outputs) = self.fans.of(shape)?;
        let n = match self.mode {
            Mode::FanIn => inputs,
            Mode::FanOut => outputs,
            Mode::FanAvg => (inputs + outputs) / 2.0,
        };
        let variance = self.scale / n.max(1.0);
        Ok(match self.distribution {
            Distribution::TruncatedNormal => {
                from.truncated_normal(*shape, 0.0, variance.sqrt() / CUT_AT_TWO, dtype)?
            }
            Distribution::UntruncatedNormal => from.normal(*shape, 0.0, variance.sqrt(), dtype)?,
            Distribution::Uniform => {
                let limit = (3.0 * variance).sqrt();
                from.uniform(*shape, -limit, limit, dtype)?
            }
        })
    }
}

impl Fans {
    /// Numbers of inputs and outputs of a weight of this shape.
    fn of(&self, shape: &Shape) -> Result<(f64, f64)> {
        if let (Some(inputs), Some(outputs)) = (&self.input_axes, &self.output_axes) {
            let product = |axes: &[isize]| -> Result<f64> {
                axes.iter().try_fold(1.0, |product, &axis| {
                    Ok(product * shape[axis_of("initializer", axis, shape.rank())?] as f64)
                })
            };
            return Ok((product(inputs)?, product(outputs)?));
        }
        Ok(match shape.dims() {
            [] => (1.0, 1.0),
            [n] => (*n as f64, *n as f64),
            [window @ .., inputs, outputs] => {
                let window: f64 = window.iter().map(|&d| d as f64).product();
                (*inputs as f64 * window, *outputs as f64 * window)
            }
        })
    }
}
