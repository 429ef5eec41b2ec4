use cornu_autodiff::Result;

use super::learning_rate::LearningRateSchedule;
use super::{positive_steps, schedule};

schedule! {
    /// `(initial - end) · (1 - step / decay_steps)^power + end`, and `end` from then on. With
    /// `cycle` it starts again instead, each time over a period longer by `decay_steps`.
    pub struct PolynomialDecay["PolynomialDecay"] {
        /// The learning rate of step 0.
        initial_learning_rate: f64;
        /// Steps until it has fallen to the end.
        decay_steps: u64;
        ..
        /// The learning rate at the end.
        end_learning_rate: f64 = 0.0001;
        /// The exponent; 1 is a straight line.
        power: f64 = 1.0;
        /// Whether it starts again after `decay_steps`.
        cycle: bool = false;
        /// A name.
        name: String = "PolynomialDecay".into();
    }
    at |self, step| {
        let (step, mut length) = (step as f64, self.decay_steps as f64);
        if self.cycle {
            length *= (step / length).ceil().max(1.0);
        }
        let left = 1.0 - step.min(length) / length;
        let (first, last) = (self.initial_learning_rate, self.end_learning_rate);
        (first - last) * left.powf(self.power) + last
    }
    check |self| positive_steps("PolynomialDecay", "decay_steps", self.decay_steps)
}
