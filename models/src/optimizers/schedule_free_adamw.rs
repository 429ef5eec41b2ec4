use cornu_autodiff::{Elementwise, Error, Float, Result, Tensor};

use super::{Step, check, optimizer};

optimizer! {
    /// Adam that averages instead of lowering its learning rate, and so needs no schedule and no
    /// last step (Defazio et al. 2024, arXiv:2405.15682). The model trains at `y`, between the
    /// steps `z` (the slot `momentum`) and their mean `x`:
    /// `v = β₂ v + (1 - β₂) g²`, `z -= rate · g / (√(v / (1 - β₂ᵗ)) + ε)`,
    /// `x += (z - x) / t`, `y = (1 - β₁) z + β₁ x`.
    ///
    /// As in Keras, and other than in the paper, the model keeps `y` when it is evaluated, `x`
    /// is computed back from `y` and `z` at each step, and its weights don't depend on the rate.
    ///
    /// ```
    /// use cornu_models::optimizers::ScheduleFreeAdamW;
    /// let optimizer = ScheduleFreeAdamW::new(0.0025).warmup_steps(100usize);
    /// ```
    pub struct ScheduleFreeAdamW["ScheduleFreeAdamW", "schedule_free_adam_w", 0.0025, None] {
        /// How much of the mean there is in the model's variables; above 0.
        beta_1: f64 = 0.9;
        /// How much of the mean squared gradient stays at each step.
        beta_2: f64 = 0.999;
        /// Keeps the divisor away from zero.
        epsilon: f64 = 1e-8;
        /// For how many steps the learning rate grows.
        warmup_steps: usize = 0;
    }

    slots |self| { vec![&["momentum", "velocity"]] }

    check |self| {
        let class = "ScheduleFreeAdamW";
        if !(self.beta_1 > 0.0 && self.beta_1 <= 1.0) {
            let rule = "it must be above 0 and at most 1, as the mean is found by dividing by it";
            let place = format!("optimizer `{class}`: `beta_1`");
            return Err(Error::value(place, rule, self.beta_1.to_string()));
        }
        check::below_one(class, &[("beta_2", self.beta_2)])?;
        check::not_negative(class, &[("epsilon", self.epsilon)])
    }

    update |self, step, variable, gradient, slots| {
        if step.first {
            // Both sequences begin where the variable is.
            slots[0] = variable.clone();
        }
        let t = step.number as f64;
        let warm = if self.warmup_steps == 0 { 1.0 } else { t / self.warmup_steps as f64 };
        let kernel = Averaging {
            rate: step.learning_rate * warm.min(1.0),
            beta_1: self.beta_1,
            new_2: 1.0 - self.beta_2,
            correction: 1.0 - self.beta_2.powf(t),
            epsilon: self.epsilon,
            weight: 1.0 / t,
        };
        step.run(variable, gradient, slots, kernel)
    }
}

#[derive(Clone, Copy)]
struct Averaging {
    rate: f64,
    beta_1: f64,
    /// `1 - β₂`
    new_2: f64,
    /// `1 - β₂ᵗ`
    correction: f64,
    epsilon: f64,
    /// `1 / t`
    weight: f64,
}

impl Elementwise<2> for Averaging {
    #[inline(always)]
    fn update<T: Float>(&self, y: T, g: T, [z, v]: [T; 2]) -> (T, [T; 2]) {
        let (beta, rest) = (T::of(self.beta_1), T::of(1.0 - self.beta_1));
        let v = v + (g * g - v) * T::of(self.new_2);
        let divisor = (v / T::of(self.correction)).sqrt() + T::of(self.epsilon);
        let x = (y - rest * z) / beta;
        let z = z - T::of(self.rate) * g / divisor;
        let x = T::of(1.0 - self.weight) * x + T::of(self.weight) * z;
        (rest * z + beta * x, [z, v])
    }
}
