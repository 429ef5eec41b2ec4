//! What a learning-rate schedule is, and a learning rate that may be one.

use std::fmt;
use std::sync::Arc;

use cornu_autodiff::Result;

use crate::options::Config;

/// A learning rate that depends on the step, counted from 0.
pub trait LearningRateSchedule: fmt::Debug + Send + Sync {
    /// The learning rate at a step. Keras's `__call__`.
    fn at(&self, step: u64) -> f64;

    /// The class's name in Keras.
    fn class_name(&self) -> &str;

    /// The options as Keras writes them.
    fn config(&self) -> Config;

    /// Refuses options outside their range.
    ///
    /// # Errors
    /// Naming the option.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// A number, or a schedule of numbers.
#[derive(Clone, Debug)]
pub enum LearningRate {
    /// The same at each step, unless it is set anew.
    Constant(f64),
    /// Decided by the step.
    Schedule(Arc<dyn LearningRateSchedule>),
}

impl LearningRate {
    /// The learning rate at a step.
    #[inline]
    pub fn at(&self, step: u64) -> f64 {
        match self {
            LearningRate::Constant(rate) => *rate,
            LearningRate::Schedule(schedule) => schedule.at(step),
        }
    }
}

impl From<f64> for LearningRate {
    fn from(rate: f64) -> LearningRate {
        LearningRate::Constant(rate)
    }
}

impl From<f32> for LearningRate {
    fn from(rate: f32) -> LearningRate {
        LearningRate::Constant(rate.into())
    }
}

impl<S: LearningRateSchedule + 'static> From<S> for LearningRate {
    fn from(schedule: S) -> LearningRate {
        LearningRate::Schedule(Arc::new(schedule))
    }
}
