use cornu_autodiff::{Error, Result};

use super::learning_rate::LearningRateSchedule;
use super::schedule;

schedule! {
    /// `values[0]` up to and including step `boundaries[0]`, then `values[1]` up to and including
    /// `boundaries[1]`, and so on.
    pub struct PiecewiseConstantDecay["PiecewiseConstantDecay"] {
        /// The last steps of all values but the last.
        boundaries: Vec<u64>;
        /// The learning rates: one more than there are boundaries.
        values: Vec<f64>;
        ..
        /// A name.
        name: String = "PiecewiseConstant".into();
    }
    at |self, step| {
        let piece = self.boundaries.partition_point(|&last| last < step);
        self.values.get(piece).copied().unwrap_or(f64::NAN)
    }
    check |self| {
        if self.values.len() != self.boundaries.len() + 1 {
            let rule = "there must be one value more than boundaries";
            let got = format!("{} values, {} boundaries", self.values.len(), self.boundaries.len());
            return Err(Error::value("schedule `PiecewiseConstantDecay`", rule, got));
        }
        if !self.boundaries.is_sorted_by(|a, b| a < b) {
            let place = "schedule `PiecewiseConstantDecay`: `boundaries`";
            return Err(Error::value(place, "they must ascend", format!("{:?}", self.boundaries)));
        }
        Ok(())
    }
}
