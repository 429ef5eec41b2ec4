use std::f64::consts::PI;

use cornu_autodiff::{Error, Result};

use super::learning_rate::LearningRateSchedule;
use super::{positive_steps, schedule};

schedule! {
    /// Half a cosine from `initial` down to `alpha · initial`, again and again (Loshchilov and
    /// Hutter 2016, arXiv:1608.03983). Each period is `t_mul` times as long as the one before,
    /// and begins `m_mul` times as high.
    pub struct CosineDecayRestarts["CosineDecayRestarts"] {
        /// The learning rate of step 0.
        initial_learning_rate: f64;
        /// Steps of the first period.
        first_decay_steps: u64;
        ..
        /// How much longer each period is; at least 1.
        t_mul: f64 = 2.0;
        /// How much higher each period begins.
        m_mul: f64 = 1.0;
        /// The part of the learning rate that is left at the end of a period.
        alpha: f64 = 0.0;
        /// A name.
        name: String = "SGDRDecay".into();
    }
    at |self, step| {
        let (mut done, mut length) = (step as f64 / self.first_decay_steps as f64, 1.0);
        let mut height = 1.0;
        if self.t_mul == 1.0 {
            height = self.m_mul.powf(done.floor());
            done -= done.floor();
        }
        while done >= length {
            done -= length;
            length *= self.t_mul;
            height *= self.m_mul;
        }
        let cosine = 0.5 * height * (1.0 + (PI * done / length).cos());
        self.initial_learning_rate * ((1.0 - self.alpha) * cosine + self.alpha)
    }
    check |self| {
        positive_steps("CosineDecayRestarts", "first_decay_steps", self.first_decay_steps)?;
        if self.t_mul >= 1.0 {
            return Ok(());
        }
        let place = "schedule `CosineDecayRestarts`: `t_mul`";
        Err(Error::value(place, "it must be at least 1", self.t_mul.to_string()))
    }
}
