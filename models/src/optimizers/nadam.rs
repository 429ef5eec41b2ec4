use cornu_autodiff::{Elementwise, Float, Result, Tensor};

use super::{Step, check, optimizer};

optimizer! {
    /// Adam that looks ahead as Nesterov's momentum does (Dozat 2016, "Incorporating Nesterov
    /// momentum into Adam"). With `μₜ = β₁ (1 - 0.96ᵗ / 2)`, `Πₜ = μ₁ ⋯ μₜ` and the `m` and `v` of
    /// Adam, `x -= rate · m̂ / (√(v / (1 - β₂ᵗ)) + ε)` where
    /// `m̂ = μₜ₊₁ m / (1 - Πₜ₊₁) + (1 - μₜ) g / (1 - Πₜ)`.
    ///
    /// Keras keeps `Πₜ` as one more variable; here it follows from the number of the step.
    ///
    /// ```
    /// use cornu_models::optimizers::Nadam;
    /// let optimizer = Nadam::new(0.001).beta_1(0.95);
    /// ```
    pub struct Nadam["Nadam", "nadam", 0.001, None] {
        /// How much of the mean gradient stays at each step.
        beta_1: f64 = 0.9;
        /// How much of the mean squared gradient stays at each step.
        beta_2: f64 = 0.999;
        /// Keeps the divisor away from zero.
        epsilon: f64 = 1e-7;
    }

    slots |self| { vec![&["momentum", "velocity"]] }

    check |self| {
        check::below_one("Nadam", &[("beta_1", self.beta_1), ("beta_2", self.beta_2)])?;
        check::not_negative("Nadam", &[("epsilon", self.epsilon)])
    }

    update |self, step, variable, gradient, slots| {
        let (mu, product) = schedule(self.beta_1, step.number);
        let (next, next_product) = schedule(self.beta_1, step.number + 1);
        let kernel = Ahead {
            from_mean: step.learning_rate * next / (1.0 - next_product),
            from_gradient: step.learning_rate * (1.0 - mu) / (1.0 - product),
            new_1: 1.0 - self.beta_1,
            new_2: 1.0 - self.beta_2,
            correction: 1.0 - self.beta_2.powf(step.number as f64),
            epsilon: self.epsilon,
        };
        step.run(variable, gradient, slots, kernel)
    }
}

/// `Πₜ`
#[cfg(feature = "keras-files")]
pub(crate) fn product(beta_1: f64, t: u64) -> f64 {
    schedule(beta_1, t).1
}

/// `μₜ` and the product of all up to it.
fn schedule(beta_1: f64, t: u64) -> (f64, f64) {
    // From here on `0.96ᵗ` is nothing beside 1.
    const SETTLED: u64 = 1000;
    let mut power = 1.0;
    let mut product = beta_1.powf(t as f64);
    for _ in 0..t.min(SETTLED) {
        power *= 0.96;
        product *= 1.0 - 0.5 * power;
    }
    (beta_1 * (1.0 - 0.5 * 0.96f64.powf(t as f64)), product)
}

#[derive(Clone, Copy)]
struct Ahead {
    /// What the mean gradient is multiplied by, learning rate included.
    from_mean: f64,
    /// What the gradient is multiplied by, learning rate included.
    from_gradient: f64,
    /// `1 - β`
    new_1: f64,
    new_2: f64,
    /// `1 - β₂ᵗ`
    correction: f64,
    epsilon: f64,
}

impl Elementwise<2> for Ahead {
    #[inline(always)]
    fn update<T: Float>(&self, x: T, g: T, [m, v]: [T; 2]) -> (T, [T; 2]) {
        let m = m + (g - m) * T::of(self.new_1);
        let v = v + (g * g - v) * T::of(self.new_2);
        let change = T::of(self.from_mean) * m + T::of(self.from_gradient) * g;
        (x - change / ((v / T::of(self.correction)).sqrt() + T::of(self.epsilon)), [m, v])
    }
}
