use cornu_autodiff::{Elementwise, Error, Float, Result, Tensor};

use super::schedules::LearningRate;
use super::{Step, check, optimizer};

optimizer! {
    /// Follow the regularized leader (McMahan et al. 2013, "Ad click prediction: a view from the
    /// trenches"). With `p = -learning_rate_power`, `λ₁`, `λ₂` the regularization strengths and
    /// `λₛ` that of shrinkage: `a' = a + g²`,
    /// `z += g + 2 λₛ x - (a'ᵖ - aᵖ) / rate · x`,
    /// `x = (clip(z, -λ₁, λ₁) - z) / (a'ᵖ / rate + 2 λ₂ + β / rate)`, `a = a'`.
    ///
    /// A variable is computed anew from `z`, so its first value is forgotten at the first step.
    /// At a rate of 0, where Keras gives NaN, nothing changes.
    ///
    /// ```
    /// use cornu_models::optimizers::Ftrl;
    /// let optimizer = Ftrl::new(0.1).l1_regularization_strength(0.01);
    /// ```
    pub struct Ftrl["Ftrl", "ftrl", 0.001, None] {
        /// The power of the sum of squares that divides the learning rate; not above 0, and 0
        /// keeps the learning rate as it is.
        learning_rate_power: f64 = -0.5;
        /// What the sum of squares begins with.
        initial_accumulator_value: f64 = 0.1;
        /// Drives small variables to exactly 0.
        l1_regularization_strength: f64 = 0.0;
        /// Pulls variables towards 0.
        l2_regularization_strength: f64 = 0.0;
        /// As the former, but by the gradient, and so less for what rarely changes.
        l2_shrinkage_regularization_strength: f64 = 0.0;
        /// The `β` of the paper, which slows the first steps down.
        beta: f64 = 0.0;
    }

    slots |self| { vec![&["accumulator", "linear"]] }

    start |self, slot, _path, spec| {
        let value = if slot == "accumulator" { self.initial_accumulator_value } else { 0.0 };
        Some(Tensor::full(spec.shape, value, spec.dtype))
    }

    check |self| {
        check::not_negative("Ftrl", &[
            ("initial_accumulator_value", self.initial_accumulator_value),
            ("l1_regularization_strength", self.l1_regularization_strength),
            ("l2_regularization_strength", self.l2_regularization_strength),
            ("l2_shrinkage_regularization_strength", self.l2_shrinkage_regularization_strength),
            ("beta", self.beta),
        ])?;
        if matches!(self.base.learning_rate, LearningRate::Constant(0.0)) {
            let place = "optimizer `Ftrl`: `learning_rate`";
            return Err(Error::value(place, "it must be above 0", "0"));
        }
        if self.learning_rate_power <= 0.0 {
            return Ok(());
        }
        let place = "optimizer `Ftrl`: `learning_rate_power`";
        Err(Error::value(place, "it must not be above 0", self.learning_rate_power.to_string()))
    }

    update |self, step, variable, gradient, slots| {
        let rate = step.learning_rate;
        if rate == 0.0 {
            return Ok(());
        }
        let kernel = Leader {
            rate,
            power: -self.learning_rate_power,
            l1: self.l1_regularization_strength,
            l2: 2.0 * self.l2_regularization_strength + self.beta / rate,
            shrinkage: 2.0 * self.l2_shrinkage_regularization_strength,
        };
        step.run(variable, gradient, slots, kernel)
    }
}

#[derive(Clone, Copy)]
struct Leader {
    rate: f64,
    power: f64,
    l1: f64,
    /// What is added to the divisor.
    l2: f64,
    shrinkage: f64,
}

impl Leader {
    /// `aᵖ / rate`
    #[inline(always)]
    fn slowness<T: Float>(&self, a: T) -> T {
        let power = if self.power == 0.5 { a.sqrt() } else { a.powf(T::of(self.power)) };
        power / T::of(self.rate)
    }
}

impl Elementwise<2> for Leader {
    #[inline(always)]
    fn update<T: Float>(&self, x: T, g: T, [a, z]: [T; 2]) -> (T, [T; 2]) {
        let sum = a + g * g;
        let slowness = self.slowness(sum);
        let z = z + (g + T::of(self.shrinkage) * x - (slowness - self.slowness(a)) * x);
        let l1 = T::of(self.l1);
        let clipped = z.maximum(-l1).minimum(l1);
        ((clipped - z) / (slowness + T::of(self.l2)), [sum, z])
    }
}
