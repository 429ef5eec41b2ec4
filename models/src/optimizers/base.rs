//! The options that every optimizer has.

use cornu_autodiff::{Error, Result};
use cornu_layers::Setting;
use serde_json::{Value, json};

use super::groups::Group;
use super::schedules::{self, LearningRate};
use crate::options::{Config, take};

/// Options of every optimizer, under Keras's names.
#[derive(Clone, Debug)]
pub struct Base {
    /// The name, which begins the slots' paths.
    pub name: String,
    /// How far a step goes.
    pub learning_rate: LearningRate,
    /// The part of each variable, times the learning rate, that a step takes away
    /// (Loshchilov and Hutter 2017, arXiv:1711.05101).
    pub weight_decay: Option<f64>,
    /// The largest norm of each gradient by itself.
    pub clipnorm: Option<f64>,
    /// The largest norm of all gradients together.
    pub global_clipnorm: Option<f64>,
    /// The largest absolute value of a gradient's element.
    pub clipvalue: Option<f64>,
    /// Whether a moving average of the variables is kept.
    pub use_ema: bool,
    /// How much of the average stays at each step.
    pub ema_momentum: f64,
    /// After how many steps the variables are replaced by their averages, again and again.
    pub ema_overwrite_frequency: Option<u64>,
    /// What the loss was multiplied by; gradients are divided by it.
    pub loss_scale_factor: Option<f64>,
    /// How many gradients are averaged into one update.
    pub gradient_accumulation_steps: Option<u64>,
    /// Variables whose path contains one of these don't decay. Keras matches the last part of
    /// the path only, and does not save this option; here it is written if there are any.
    pub exclude_from_weight_decay: Vec<String>,
    /// Variables with a learning rate of their own. Keras has none; they are written if there
    /// are any.
    pub groups: Vec<Group>,
}

impl Base {
    /// All at their defaults.
    pub fn new(name: &str, learning_rate: impl Into<LearningRate>) -> Base {
        Base {
            name: name.into(),
            learning_rate: learning_rate.into(),
            weight_decay: None,
            clipnorm: None,
            global_clipnorm: None,
            clipvalue: None,
            use_ema: false,
            ema_momentum: 0.99,
            ema_overwrite_frequency: None,
            loss_scale_factor: None,
            gradient_accumulation_steps: None,
            exclude_from_weight_decay: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// As Keras writes them. A learning rate is written as the float32 that Keras holds.
    pub(crate) fn write(&self) -> Config {
        let mut config = Config::new();
        let mut put = |key: &str, value: Value| config.insert(key.into(), value);
        put("name", json!(self.name));
        put(
            "learning_rate",
            match &self.learning_rate {
                LearningRate::Constant(rate) => json!(f64::from(*rate as f32)),
                LearningRate::Schedule(schedule) => schedules::to_json(&**schedule),
            },
        );
        put("weight_decay", self.weight_decay.to_json());
        put("clipnorm", self.clipnorm.to_json());
        put("global_clipnorm", self.global_clipnorm.to_json());
        put("clipvalue", self.clipvalue.to_json());
        put("use_ema", self.use_ema.to_json());
        put("ema_momentum", self.ema_momentum.to_json());
        put("ema_overwrite_frequency", self.ema_overwrite_frequency.to_json());
        put("loss_scale_factor", self.loss_scale_factor.to_json());
        put("gradient_accumulation_steps", self.gradient_accumulation_steps.to_json());
        if !self.exclude_from_weight_decay.is_empty() {
            put("exclude_from_weight_decay", self.exclude_from_weight_decay.to_json());
        }
        if !self.groups.is_empty() {
            put("groups", self.write_groups());
        }
        config
    }

    /// The keys under which Keras writes them.
    pub(crate) const KEYS: &[&str] = &[
        "name",
        "learning_rate",
        "weight_decay",
        "clipnorm",
        "global_clipnorm",
        "clipvalue",
        "use_ema",
        "ema_momentum",
        "ema_overwrite_frequency",
        "loss_scale_factor",
        "gradient_accumulation_steps",
        "exclude_from_weight_decay",
        "groups",
    ];

    /// From what Keras wrote; `self` are the defaults.
    pub(crate) fn read(self, class: &str, config: &Config) -> Result<Base> {
        Ok(Base {
            learning_rate: match config.get("learning_rate") {
                None => self.learning_rate,
                Some(Value::Number(rate)) => {
                    LearningRate::Constant(rate.as_f64().unwrap_or(f64::NAN))
                }
                Some(other) => LearningRate::Schedule(schedules::from_json(other)?.into()),
            },
            name: take(class, config, "name", self.name)?,
            weight_decay: take(class, config, "weight_decay", self.weight_decay)?,
            clipnorm: take(class, config, "clipnorm", self.clipnorm)?,
            global_clipnorm: take(class, config, "global_clipnorm", self.global_clipnorm)?,
            clipvalue: take(class, config, "clipvalue", self.clipvalue)?,
            use_ema: take(class, config, "use_ema", self.use_ema)?,
            ema_momentum: take(class, config, "ema_momentum", self.ema_momentum)?,
            ema_overwrite_frequency: take(
                class,
                config,
                "ema_overwrite_frequency",
                self.ema_overwrite_frequency,
            )?,
            loss_scale_factor: take(class, config, "loss_scale_factor", self.loss_scale_factor)?,
            gradient_accumulation_steps: take(
                class,
                config,
                "gradient_accumulation_steps",
                self.gradient_accumulation_steps,
            )?,
            exclude_from_weight_decay: take(
                class,
                config,
                "exclude_from_weight_decay",
                self.exclude_from_weight_decay,
            )?,
            groups: match config.get("groups") {
                None => self.groups,
                Some(groups) => Base::read_groups(class, groups)?,
            },
        })
    }

    /// Refuses options outside their range.
    ///
    /// # Errors
    /// Naming the option.
    pub(crate) fn check(&self, class: &str) -> Result<()> {
        let error = |key: &str, rule: &str, got: String| {
            Err(Error::value(format!("optimizer `{class}`: `{key}`"), rule, got))
        };
        if let LearningRate::Constant(rate) = self.learning_rate {
            check_rate(class, rate)?;
        }
        let clips = [
            ("clipnorm", self.clipnorm),
            ("clipvalue", self.clipvalue),
            ("global_clipnorm", self.global_clipnorm),
        ];
        let given: Vec<&str> =
            clips.iter().filter(|(_, v)| v.is_some()).map(|(key, _)| *key).collect();
        if given.len() > 1 {
            let rule = "only one way of clipping can be chosen";
            return error("clipnorm", rule, given.join(" and "));
        }
        let positive =
            [clips[0], clips[1], clips[2], ("loss_scale_factor", self.loss_scale_factor)];
        for (key, value) in positive {
            if let Some(value) = value.filter(|v| !(*v > 0.0 && v.is_finite())) {
                return error(key, "it must be above 0 and finite", value.to_string());
            }
        }
        if let Some(decay) = self.weight_decay.filter(|v| !(*v >= 0.0 && v.is_finite())) {
            return error("weight_decay", "it must not be negative", decay.to_string());
        }
        if !(0.0..=1.0).contains(&self.ema_momentum) {
            return error("ema_momentum", "it must be in 0..=1", self.ema_momentum.to_string());
        }
        if self.ema_overwrite_frequency == Some(0) {
            return error("ema_overwrite_frequency", "it must be at least 1", "0".into());
        }
        if let Some(steps) = self.gradient_accumulation_steps.filter(|&steps| steps < 2) {
            let rule = "it must be at least 2";
            return error("gradient_accumulation_steps", rule, steps.to_string());
        }
        self.check_groups(class)
    }
}

/// A learning rate must be a finite number that is not negative.
pub(crate) fn check_rate(class: &str, rate: f64) -> Result<()> {
    if rate >= 0.0 && rate.is_finite() {
        return Ok(());
    }
    let place = format!("optimizer `{class}`: `learning_rate`");
    Err(Error::value(place, "it must be finite and not negative", rate.to_string()))
}
