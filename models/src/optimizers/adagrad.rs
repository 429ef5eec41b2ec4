use cornu_autodiff::{Elementwise, Float, Result, Tensor};

use super::{Step, check, optimizer};

optimizer! {
    /// `a += g²`, `x -= rate · g / √(a + ε)`: what has changed much changes less (Duchi, Hazan and
    /// Singer 2011, "Adaptive subgradient methods for online learning and stochastic
    /// optimization"). The paper's rate is 1, and its `a` begins at 0.
    ///
    /// ```
    /// use cornu_models::optimizers::Adagrad;
    /// let optimizer = Adagrad::new(1.0).initial_accumulator_value(0.0);
    /// ```
    pub struct Adagrad["Adagrad", "adagrad", 0.001, None] {
        /// What the sum of squares begins with.
        initial_accumulator_value: f64 = 0.1;
        /// Keeps the divisor away from zero. It is added under the root.
        epsilon: f64 = 1e-7;
    }

    slots |self| { vec![&["accumulator"]] }

    start |self, _slot, _path, spec| {
        Some(Tensor::full(spec.shape, self.initial_accumulator_value, spec.dtype))
    }

    check |self| {
        let initial = ("initial_accumulator_value", self.initial_accumulator_value);
        check::not_negative("Adagrad", &[initial, ("epsilon", self.epsilon)])
    }

    update |self, step, variable, gradient, slots| {
        let kernel = Squares { rate: step.learning_rate, epsilon: self.epsilon };
        step.run(variable, gradient, slots, kernel)
    }
}

#[derive(Clone, Copy)]
struct Squares {
    rate: f64,
    epsilon: f64,
}

impl Elementwise<1> for Squares {
    #[inline(always)]
    fn update<T: Float>(&self, x: T, g: T, [a]: [T; 1]) -> (T, [T; 1]) {
        let a = a + g * g;
        (x - T::of(self.rate) * g / (a + T::of(self.epsilon)).sqrt(), [a])
    }
}
