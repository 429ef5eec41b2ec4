//! First values of weights.

mod draw;
mod json;
mod orthogonal;
mod scaling;
mod stft;

use std::fmt;
use std::sync::Arc;

use cornu_autodiff::{DType, Shape, Tensor};

pub use scaling::{Distribution, Fans, Mode, VarianceScaling};
pub use stft::{Stft, WaveSide};

/// How the first value of a weight is made: Keras's `keras.initializers`.
///
/// By name, `"glorot_uniform"`, `"he_normal"`, `"zeros"`, …, or typed:
///
/// ```
/// use cornu_autodiff::{DType, Generator, Shape};
/// use cornu_layers::Initializer;
/// let generator = Generator::new(1);
/// let shape = Shape::new(&[3, 4])?;
/// let drawn = Initializer::he_normal().sample(&shape, DType::F32, &generator)?;
/// assert_eq!(drawn.dims(), [3, 4]);
/// // With a seed of its own, an initializer always draws the same.
/// let seeded = Initializer::he_normal().seed(7);
/// let (a, b) = (
///     seeded.sample(&shape, DType::F32, &generator)?,
///     seeded.sample(&shape, DType::F32, &generator)?,
/// );
/// assert_eq!(a.to_vec::<f32>()?, b.to_vec::<f32>()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Difference from Keras
/// Two weights drawn from one initializer *object* without a seed are equal in Keras, which
/// then warns; here every weight has draws of its own.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Initializer {
    /// 0
    Zeros,
    /// 1
    Ones,
    /// One number everywhere.
    Constant(f64),
    /// The identity matrix times `gain`, cut or filled with zeros where it isn't square. Keras
    /// doesn't write the gain into its JSON; here it is written where it isn't 1.
    Identity {
        /// The number on the diagonal; 1 in Keras.
        gain: f64,
    },
    /// Normally distributed.
    RandomNormal {
        /// 0 in Keras.
        mean: f64,
        /// 0.05 in Keras.
        stddev: f64,
        /// Fixes the draws.
        seed: Option<u64>,
    },
    /// Evenly distributed in `[minval, maxval)`.
    RandomUniform {
        /// -0.05 in Keras.
        minval: f64,
        /// 0.05 in Keras.
        maxval: f64,
        /// Fixes the draws.
        seed: Option<u64>,
    },
    /// Normally distributed, drawn again beyond two standard deviations.
    TruncatedNormal {
        /// 0 in Keras.
        mean: f64,
        /// 0.05 in Keras.
        stddev: f64,
        /// Fixes the draws.
        seed: Option<u64>,
    },
    /// Variance `scale / n`, with `n` the number of inputs, of outputs, or their mean.
    VarianceScaling(VarianceScaling),
    /// Uniform in `±sqrt(6 / (inputs + outputs))` (Glorot and Bengio 2010).
    GlorotUniform(Fans),
    /// Truncated normal of variance `2 / (inputs + outputs)` (Glorot and Bengio 2010).
    GlorotNormal(Fans),
    /// Uniform in `±sqrt(6 / inputs)` (He et al. 2015, arXiv:1502.01852).
    HeUniform(Fans),
    /// Truncated normal of variance `2 / inputs` (He et al. 2015, arXiv:1502.01852).
    HeNormal(Fans),
    /// Uniform in `±sqrt(3 / inputs)` (LeCun et al. 1998).
    LecunUniform(Fans),
    /// Truncated normal of variance `1 / inputs` (LeCun et al. 1998).
    LecunNormal(Fans),
    /// An orthogonal matrix times `gain`: all axes but the last are taken together (Saxe et al.
    /// 2013, arXiv:1312.6120).
    Orthogonal {
        /// 1 in Keras.
        gain: f64,
        /// Fixes the draws.
        seed: Option<u64>,
    },
    /// Waves times a window, for the kernel of a spectrogram.
    Stft(Stft),
    /// Given values, broadcast to the weight's shape.
    Values(Tensor),
    /// A function of your own.
    Function(InitializerFunction),
    /// Several side by side along the last axis, each with its size there.
    #[doc(hidden)]
    SideBySide(Vec<(Initializer, usize)>),
    #[doc(hidden)]
    Unknown(String),
}

type Values = dyn Fn(&Shape, DType) -> Tensor + Send + Sync;

/// An initializer of your own, with the name under which it is written.
#[derive(Clone)]
pub struct InitializerFunction {
    name: Arc<str>,
    function: Arc<Values>,
}

impl fmt::Debug for InitializerFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

macro_rules! family {
    ($($(#[$doc:meta])* $name:ident $Variant:ident;)*) => {
        impl Initializer {
            $(
                $(#[$doc])*
                pub fn $name() -> Initializer {
                    Initializer::$Variant(Fans::default())
                }
            )*
        }
    };
}
family! {
    /// Uniform in `±sqrt(6 / (inputs + outputs))`: Keras's default for kernels.
    glorot_uniform GlorotUniform;
    /// Truncated normal of variance `2 / (inputs + outputs)`.
    glorot_normal GlorotNormal;
    /// Uniform in `±sqrt(6 / inputs)`, for rectifiers.
    he_uniform HeUniform;
    /// Truncated normal of variance `2 / inputs`, for rectifiers.
    he_normal HeNormal;
    /// Uniform in `±sqrt(3 / inputs)`.
    lecun_uniform LecunUniform;
    /// Truncated normal of variance `1 / inputs`, for `selu`.
    lecun_normal LecunNormal;
}

impl Initializer {
    /// Normally distributed.
    pub fn random_normal(mean: f64, stddev: f64) -> Initializer {
        Initializer::RandomNormal { mean, stddev, seed: None }
    }

    /// Evenly distributed in `[minval, maxval)`.
    pub fn random_uniform(minval: f64, maxval: f64) -> Initializer {
        Initializer::RandomUniform { minval, maxval, seed: None }
    }

    /// Normally distributed, drawn again beyond two standard deviations.
    pub fn truncated_normal(mean: f64, stddev: f64) -> Initializer {
        Initializer::TruncatedNormal { mean, stddev, seed: None }
    }

    /// Variance `scale / n`, with `n` as `mode` says.
    pub fn variance_scaling(scale: f64, mode: Mode, distribution: Distribution) -> Initializer {
        let fans = Fans::default();
        Initializer::VarianceScaling(VarianceScaling { scale, mode, distribution, fans })
    }

    /// An orthogonal matrix.
    pub fn orthogonal(gain: f64) -> Initializer {
        Initializer::Orthogonal { gain, seed: None }
    }

    /// The identity matrix.
    pub fn identity() -> Initializer {
        Initializer::Identity { gain: 1.0 }
    }

    /// Values made by a function of your own. A config that names it can be written but not
    /// read.
    pub fn function(
        name: impl Into<String>,
        function: impl Fn(&Shape, DType) -> Tensor + Send + Sync + 'static,
    ) -> Initializer {
        let name: String = name.into();
        let function: Arc<Values> = Arc::new(function);
        Initializer::Function(InitializerFunction { name: name.into(), function })
    }

    /// The same initializer with a seed of its own: its draws then neither depend on the
    /// model's generator nor move it on. No effect on one that draws nothing.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Initializer {
        if let Some(own) = self.seed_mut() {
            *own = Some(seed);
        }
        self
    }

    /// The same initializer with other axes counted as inputs and outputs. No effect outside
    /// the family of [`VarianceScaling`](Initializer::VarianceScaling).
    #[must_use]
    pub fn axes(
        mut self,
        inputs: impl IntoIterator<Item = isize>,
        outputs: impl IntoIterator<Item = isize>,
    ) -> Initializer {
        if let Some(fans) = self.fans_mut() {
            fans.input_axes = Some(inputs.into_iter().collect());
            fans.output_axes = Some(outputs.into_iter().collect());
        }
        self
    }

    /// Whether axes that count as inputs and outputs were named, or make no difference.
    pub(crate) fn has_axes(&self) -> bool {
        let mut own = self.clone();
        own.fans_mut().is_none_or(|fans| fans.input_axes.is_some() && fans.output_axes.is_some())
    }

    fn fans_mut(&mut self) -> Option<&mut Fans> {
        match self {
            Initializer::GlorotUniform(fans)
            | Initializer::GlorotNormal(fans)
            | Initializer::HeUniform(fans)
            | Initializer::HeNormal(fans)
            | Initializer::LecunUniform(fans)
            | Initializer::LecunNormal(fans)
            | Initializer::VarianceScaling(VarianceScaling { fans, .. }) => Some(fans),
            _ => None,
        }
    }

    fn seed_mut(&mut self) -> Option<&mut Option<u64>> {
        match self {
            Initializer::RandomNormal { seed, .. }
            | Initializer::RandomUniform { seed, .. }
            | Initializer::TruncatedNormal { seed, .. }
            | Initializer::Orthogonal { seed, .. } => Some(seed),
            other => other.fans_mut().map(|fans| &mut fans.seed),
        }
    }
}

impl From<&str> for Initializer {
    fn from(name: &str) -> Initializer {
        json::by_name(name).unwrap_or_else(|| Initializer::Unknown(name.to_owned()))
    }
}

impl From<String> for Initializer {
    fn from(name: String) -> Initializer {
        name.as_str().into()
    }
}

impl From<Tensor> for Initializer {
    fn from(values: Tensor) -> Initializer {
        Initializer::Values(values)
    }
}
