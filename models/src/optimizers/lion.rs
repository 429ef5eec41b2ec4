use cornu_autodiff::{Elementwise, Error, Float, Result, Tensor};

use super::{Step, check, optimizer};

optimizer! {
    /// `x -= rate · sign(β₁ m + (1 - β₁) g)`, then `m = β₂ m + (1 - β₂) g` (Chen et al. 2023,
    /// arXiv:2302.06675). Every element moves by the learning rate, so this should be 3 to 10
    /// times smaller than Adam's, and weight decay as much larger.
    ///
    /// ```
    /// use cornu_models::optimizers::Lion;
    /// let optimizer = Lion::new(1e-4).weight_decay(0.1);
    /// ```
    pub struct Lion["Lion", "lion", 0.001, None] {
        /// How much the mean gradient counts in the direction of a step; above 0.
        beta_1: f64 = 0.9;
        /// How much of the mean gradient stays at each step.
        beta_2: f64 = 0.99;
    }

    slots |self| { vec![&["momentum"]] }

    check |self| {
        if self.beta_1 == 0.0 {
            let rule = "it must be above 0, as otherwise only the gradient's sign counts";
            return Err(Error::value("optimizer `Lion`: `beta_1`", rule, "0"));
        }
        check::at_most_one("Lion", &[("beta_1", self.beta_1), ("beta_2", self.beta_2)])
    }

    update |self, step, variable, gradient, slots| {
        let kernel = Signs { rate: step.learning_rate, beta_1: self.beta_1, beta_2: self.beta_2 };
        step.run(variable, gradient, slots, kernel)
    }
}

#[derive(Clone, Copy)]
struct Signs {
    rate: f64,
    beta_1: f64,
    beta_2: f64,
}

impl Elementwise<1> for Signs {
    #[inline(always)]
    fn update<T: Float>(&self, x: T, g: T, [m]: [T; 1]) -> (T, [T; 1]) {
        let mix = |beta: f64| m * T::of(beta) + g * T::of(1.0 - beta);
        let (direction, zero) = (mix(self.beta_1), T::of(0.0));
        let rate = T::of(self.rate);
        let change = if direction > zero {
            rate
        } else if direction < zero {
            -rate
        } else {
            // 0, or NaN
            direction
        };
        (x - change, [mix(self.beta_2)])
    }
}
