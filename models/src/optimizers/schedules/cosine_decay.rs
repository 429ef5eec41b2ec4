use std::f64::consts::PI;

use cornu_autodiff::Result;

use super::learning_rate::LearningRateSchedule;
use super::{positive_steps, schedule};

schedule! {
    /// Half a cosine from `initial` down to `alpha · initial`, which then stays (Loshchilov and
    /// Hutter 2016, arXiv:1608.03983). With a warm-up it first rises in a straight line from
    /// `initial` to `warmup_target`, and falls from there.
    pub struct CosineDecay["CosineDecay"] {
        /// The learning rate of step 0.
        initial_learning_rate: f64;
        /// Steps in which it falls, warm-up not counted.
        decay_steps: u64;
        ..
        /// The part of the learning rate that is left at the end.
        alpha: f64 = 0.0;
        /// A name.
        name: String = "CosineDecay".into();
        /// The learning rate at the end of the warm-up; without it there is none.
        warmup_target: Option<f64> = None;
        /// Steps of the warm-up.
        warmup_steps: u64 = 0u64;
    }
    at |self, step| {
        let (mut step, mut highest) = (step as f64, self.initial_learning_rate);
        if let Some(target) = self.warmup_target {
            let warmup = self.warmup_steps as f64;
            if step < warmup {
                return highest + (target - highest) * (step / warmup);
            }
            (step, highest) = (step - warmup, target);
        }
        let done = (step / self.decay_steps as f64).min(1.0);
        highest * ((1.0 - self.alpha) * 0.5 * (1.0 + (PI * done).cos()) + self.alpha)
    }
    check |self| positive_steps("CosineDecay", "decay_steps", self.decay_steps)
}
