use cornu_autodiff::{Elementwise, Float, Result, Tensor};

use super::{Step, check, optimizer};

optimizer! {
    /// `a = ρ a + (1 - ρ) g²`, `Δ = -√(d + ε) / √(a + ε) · g`, `d = ρ d + (1 - ρ) Δ²`,
    /// `x += rate · Δ` (Zeiler 2012, arXiv:1212.5701). The paper's rate is 1.
    ///
    /// ```
    /// use cornu_models::optimizers::Adadelta;
    /// let optimizer = Adadelta::new(1.0).rho(0.9);
    /// ```
    pub struct Adadelta["Adadelta", "adadelta", 0.001, None] {
        /// How much of both mean squares stays at each step.
        rho: f64 = 0.95;
        /// Keeps the divisor away from zero, and the first step too.
        epsilon: f64 = 1e-7;
    }

    slots |self| { vec![&["accumulated_grad", "accumulated_delta_var"]] }

    check |self| {
        check::at_most_one("Adadelta", &[("rho", self.rho)])?;
        check::not_negative("Adadelta", &[("epsilon", self.epsilon)])
    }

    update |self, step, variable, gradient, slots| {
        let kernel = Deltas { rate: step.learning_rate, rho: self.rho, epsilon: self.epsilon };
        step.run(variable, gradient, slots, kernel)
    }
}

#[derive(Clone, Copy)]
struct Deltas {
    rate: f64,
    rho: f64,
    epsilon: f64,
}

impl Elementwise<2> for Deltas {
    #[inline(always)]
    fn update<T: Float>(&self, x: T, g: T, [a, d]: [T; 2]) -> (T, [T; 2]) {
        let (rho, new, epsilon) = (T::of(self.rho), T::of(1.0 - self.rho), T::of(self.epsilon));
        let a = rho * a + new * (g * g);
        let delta = -((d + epsilon).sqrt() * g / (a + epsilon).sqrt());
        let d = rho * d + new * (delta * delta);
        (x + T::of(self.rate) * delta, [a, d])
    }
}
