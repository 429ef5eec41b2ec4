use cornu_autodiff::Result;

use super::learning_rate::LearningRateSchedule;
use super::{positive_steps, schedule};

schedule! {
    /// `initial / (1 + rate · step / decay_steps)`; with `staircase` the fraction is rounded
    /// down.
    pub struct InverseTimeDecay["InverseTimeDecay"] {
        /// The learning rate of step 0.
        initial_learning_rate: f64;
        /// Steps in which the divisor grows by one `decay_rate`.
        decay_steps: u64;
        /// How fast the divisor grows.
        decay_rate: f64;
        ..
        /// Whether it falls in steps.
        staircase: bool = false;
        /// A name.
        name: String = "InverseTimeDecay".into();
    }
    at |self, step| {
        let p = step as f64 / self.decay_steps as f64;
        let p = if self.staircase { p.floor() } else { p };
        self.initial_learning_rate / (1.0 + self.decay_rate * p)
    }
    check |self| positive_steps("InverseTimeDecay", "decay_steps", self.decay_steps)
}
