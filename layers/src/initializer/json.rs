//! Initializers as Keras names and writes them.

use cornu_autodiff::{DType, Error as TensorError, Tensor};
use serde_json::{Value, json};

use crate::envelope::{envelope, function, get, open, plain};
use crate::error::{Error, Result};
use crate::initializer::{Distribution, Fans, Initializer, Mode, Stft, VarianceScaling};
use crate::preprocessing::Numbers;
use crate::setting::{Config, Setting};

const NAMES: &[&str] = &[
    "zeros",
    "ones",
    "constant",
    "identity",
    "random_normal",
    "random_uniform",
    "truncated_normal",
    "variance_scaling",
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "orthogonal",
    "stft",
];

/// An initializer at Keras's defaults, by class, function or alias.
pub(super) fn by_name(name: &str) -> Option<Initializer> {
    Some(match plain(name).as_str() {
        "zeros" | "zero" => Initializer::Zeros,
        "ones" | "one" => Initializer::Ones,
        "constant" => Initializer::Constant(0.0),
        "identity" | "identityinitializer" => Initializer::identity(),
        "randomnormal" | "normal" => Initializer::random_normal(0.0, 0.05),
        "randomuniform" | "uniform" => Initializer::random_uniform(-0.05, 0.05),
        "truncatednormal" => Initializer::truncated_normal(0.0, 0.05),
        "variancescaling" => {
            Initializer::variance_scaling(1.0, Mode::FanIn, Distribution::TruncatedNormal)
        }
        "glorotuniform" => Initializer::glorot_uniform(),
        "glorotnormal" => Initializer::glorot_normal(),
        "heuniform" => Initializer::he_uniform(),
        "henormal" => Initializer::he_normal(),
        "lecununiform" => Initializer::lecun_uniform(),
        "lecunnormal" => Initializer::lecun_normal(),
        "orthogonal" | "orthogonalinitializer" => Initializer::orthogonal(1.0),
        "stft" | "stftinitializer" => Initializer::Stft(Stft::default()),
        _ => return None,
    })
}

impl Setting for Initializer {
    fn to_json(&self) -> Value {
        use Initializer as I;
        let (class, config) = match self {
            I::Zeros => ("Zeros", json!({})),
            I::Ones => ("Ones", json!({})),
            I::Constant(value) => ("Constant", json!({ "value": value.to_json() })),
            I::Identity { gain: 1.0 } => ("Identity", json!({})),
            I::Identity { gain } => ("Identity", json!({ "gain": gain.to_json() })),
            I::RandomNormal { mean, stddev, seed } => (
                "RandomNormal",
                json!({ "seed": seed, "mean": mean.to_json(), "stddev": stddev.to_json() }),
            ),
            I::RandomUniform { minval, maxval, seed } => (
                "RandomUniform",
                json!({ "seed": seed, "minval": minval.to_json(), "maxval": maxval.to_json() }),
            ),
            I::TruncatedNormal { mean, stddev, seed } => (
                "TruncatedNormal",
                json!({ "seed": seed, "mean": mean.to_json(), "stddev": stddev.to_json() }),
            ),
            I::VarianceScaling(scaling) => ("VarianceScaling", scaling.config()),
            I::GlorotUniform(fans) => ("GlorotUniform", fans.config()),
            I::GlorotNormal(fans) => ("GlorotNormal", fans.config()),
            I::HeUniform(fans) => ("HeUniform", fans.config()),
            I::HeNormal(fans) => ("HeNormal", fans.config()),
            I::LecunUniform(fans) => ("LecunUniform", fans.config()),
            I::LecunNormal(fans) => ("LecunNormal", fans.config()),
            I::Orthogonal { gain, seed } => {
                ("Orthogonal", json!({ "seed": seed, "gain": gain.to_json() }))
            }
            I::Stft(stft) => ("STFT", stft.config()),
            I::Values(values) => ("Constant", json!({ "value": array(values) })),
            I::Function(own) => return function(&own.name),
            I::SideBySide(parts) => {
                return parts.iter().map(|(part, _)| part.to_json()).collect();
            }
            I::Unknown(name) => return json!(name),
        };
        envelope("keras.initializers", class, config)
    }

    fn from_json(value: &Value) -> Result<Initializer> {
        let (class, config) = open(value)?;
        let mut initializer = Initializer::from(class.as_str());
        initializer.read(&config)?;
        initializer.check()?;
        Ok(initializer)
    }

    fn check(&self) -> Result<()> {
        let refuse = |rule: &str, got: &dyn ToString| {
            Err(Error::setting("initializer", rule, got.to_string()))
        };
        match self {
            Initializer::Unknown(name) => {
                Err(TensorError::unknown("initializer", name, NAMES).into())
            }
            Initializer::Stft(stft) => stft.check(),
            Initializer::VarianceScaling(VarianceScaling { scale, .. })
                if !(*scale > 0.0 && scale.is_finite()) =>
            {
                refuse("`scale` must be positive and finite", scale)
            }
            Initializer::RandomNormal { stddev, .. }
            | Initializer::TruncatedNormal { stddev, .. }
                if !(*stddev >= 0.0 && stddev.is_finite()) =>
            {
                refuse("`stddev` must be finite and not negative", stddev)
            }
            Initializer::RandomUniform { minval, maxval, .. }
                if minval > maxval || minval.is_nan() =>
            {
                refuse("`minval` must not be above `maxval`", &format!("{minval} and {maxval}"))
            }
            _ => Ok(()),
        }
    }
}

impl Initializer {
    /// Takes over what a config says.
    fn read(&mut self, config: &Config) -> Result<()> {
        if let Some(seed) = self.seed_mut() {
            *seed = read_seed(config.get("seed"))?;
        }
        if let Some(fans) = self.fans_mut() {
            fans.input_axes = get(config, "input_axes", None)?;
            fans.output_axes = get(config, "output_axes", None)?;
        }
        match self {
            Initializer::Constant(value) => match config.get("value") {
                Some(array @ Value::Object(_)) => *self = Initializer::Values(read_array(array)?),
                Some(number) => *value = f64::from_json(number)?,
                None => {}
            },
            Initializer::Identity { gain } | Initializer::Orthogonal { gain, .. } => {
                *gain = get(config, "gain", *gain)?;
            }
            Initializer::RandomNormal { mean, stddev, .. }
            | Initializer::TruncatedNormal { mean, stddev, .. } => {
                *mean = get(config, "mean", *mean)?;
                *stddev = get(config, "stddev", *stddev)?;
            }
            Initializer::RandomUniform { minval, maxval, .. } => {
                *minval = get(config, "minval", *minval)?;
                *maxval = get(config, "maxval", *maxval)?;
            }
            Initializer::VarianceScaling(scaling) => {
                scaling.scale = get(config, "scale", scaling.scale)?;
                scaling.mode = named(config, "mode", &Mode::NAMES)?.unwrap_or(scaling.mode);
                scaling.distribution = named(config, "distribution", &Distribution::NAMES)?
                    .unwrap_or(scaling.distribution);
            }
            Initializer::Stft(stft) => stft.read(config)?,
            _ => {}
        }
        Ok(())
    }
}

/// One of several names in a config, if it is there.
fn named<T: Copy>(config: &Config, key: &str, names: &[(&str, T)]) -> Result<Option<T>> {
    let Some(value) = config.get(key) else { return Ok(None) };
    let name = String::from_json(value)?.to_lowercase();
    match names.iter().find(|(known, _)| *known == name) {
        Some((_, value)) => Ok(Some(*value)),
        None => {
            let known: Vec<&str> = names.iter().map(|(known, _)| *known).collect();
            Err(TensorError::unknown(key, &name, &known).into())
        }
    }
}

/// A seed: a number, null, or Keras's `SeedGenerator`.
fn read_seed(value: Option<&Value>) -> Result<Option<u64>> {
    match value {
        None => Ok(None),
        Some(Value::Object(generator)) => {
            generator.get("config").map_or(Ok(None), |c| Option::from_json(&c["seed"]))
        }
        Some(plain) => Option::from_json(plain),
    }
}

impl Fans {
    fn config(&self) -> Value {
        json!({
            "seed": self.seed,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        })
    }
}

impl VarianceScaling {
    fn config(&self) -> Value {
        let name_of_mode = Mode::NAMES.iter().find(|(_, m)| *m == self.mode);
        let name_of_distribution =
            Distribution::NAMES.iter().find(|(_, d)| *d == self.distribution);
        json!({
            "seed": self.fans.seed,
            "scale": self.scale.to_json(),
            "mode": name_of_mode.map(|(name, _)| name),
            "distribution": name_of_distribution.map(|(name, _)| name),
            "input_axes": self.fans.input_axes,
            "output_axes": self.fans.output_axes,
        })
    }
}

/// An array as Keras writes it into a config: nested lists.
fn array(values: &Tensor) -> Value {
    let numbers = Numbers::of(values).map(|numbers| numbers.to_json()).unwrap_or_default();
    json!({
        "class_name": "__numpy__",
        "config": { "value": numbers, "dtype": values.dtype().name() },
    })
}

/// The reverse of [`array`].
fn read_array(value: &Value) -> Result<Tensor> {
    Numbers::from_json(value)?.tensor(DType::from_json(&value["config"]["dtype"])?)
}
