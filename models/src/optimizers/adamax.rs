use cornu_autodiff::{Elementwise, Float, Result, Tensor};

use super::{Step, check, optimizer};

optimizer! {
    /// `m = β₁ m + (1 - β₁) g`, `u = max(β₂ u, |g|)`,
    /// `x -= rate / (1 - β₁ᵗ) · m / (u + ε)`: Adam with the largest gradient in place of the mean
    /// square (Kingma and Ba 2014, arXiv:1412.6980, section 7.1).
    ///
    /// ```
    /// use cornu_models::optimizers::Adamax;
    /// let optimizer = Adamax::new(0.002).beta_2(0.99);
    /// ```
    pub struct Adamax["Adamax", "adamax", 0.001, None] {
        /// How much of the mean gradient stays at each step.
        beta_1: f64 = 0.9;
        /// How much of the largest gradient stays at each step.
        beta_2: f64 = 0.999;
        /// Keeps the divisor away from zero.
        epsilon: f64 = 1e-7;
    }

    slots |self| { vec![&["momentum", "norm"]] }

    check |self| {
        check::below_one("Adamax", &[("beta_1", self.beta_1), ("beta_2", self.beta_2)])?;
        check::not_negative("Adamax", &[("epsilon", self.epsilon)])
    }

    update |self, step, variable, gradient, slots| {
        let alpha = step.learning_rate / (1.0 - self.beta_1.powf(step.number as f64));
        let (new_1, beta_2) = (1.0 - self.beta_1, self.beta_2);
        step.run(variable, gradient, slots, Largest { alpha, new_1, beta_2, epsilon: self.epsilon })
    }
}

#[derive(Clone, Copy)]
struct Largest {
    /// The learning rate with the correction for the zeros at the start.
    alpha: f64,
    /// `1 - β₁`
    new_1: f64,
    beta_2: f64,
    epsilon: f64,
}

impl Elementwise<2> for Largest {
    #[inline(always)]
    fn update<T: Float>(&self, x: T, g: T, [m, u]: [T; 2]) -> (T, [T; 2]) {
        let m = m + (g - m) * T::of(self.new_1);
        let u = (T::of(self.beta_2) * u).maximum(g.abs());
        (x - T::of(self.alpha) * m / (u + T::of(self.epsilon)), [m, u])
    }
}
