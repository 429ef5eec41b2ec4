use cornu_autodiff::Result;

use super::learning_rate::LearningRateSchedule;
use super::{positive_steps, schedule};

schedule! {
    /// `initial · rate^(step / decay_steps)`; with `staircase` the exponent is rounded down.
    pub struct ExponentialDecay["ExponentialDecay"] {
        /// The learning rate of step 0.
        initial_learning_rate: f64;
        /// Steps in which the learning rate falls by one factor of `decay_rate`.
        decay_steps: u64;
        /// The factor.
        decay_rate: f64;
        ..
        /// Whether it falls in steps.
        staircase: bool = false;
        /// A name.
        name: String = "ExponentialDecay".into();
    }
    at |self, step| {
        let p = step as f64 / self.decay_steps as f64;
        let p = if self.staircase { p.floor() } else { p };
        self.initial_learning_rate * self.decay_rate.powf(p)
    }
    check |self| positive_steps("ExponentialDecay", "decay_steps", self.decay_steps)
}
