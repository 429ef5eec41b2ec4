use cornu_autodiff::{Elementwise, Float, Result, Tensor, squared_norm, update};

use super::{Step, check, optimizer};

optimizer! {
    /// Adam with steps in proportion to each variable's norm, for large batches (You et al. 2019,
    /// arXiv:1904.00962): with the `m` and `v` of Adam,
    /// `u = m / (1 - β₁ᵗ) / (√(v / (1 - β₂ᵗ)) + ε)`, `x -= rate · ‖x‖ / ‖u‖ · u`; where either norm
    /// is 0, `x -= rate · u`. Weight decay acts before, not in `u` as in the paper.
    ///
    /// ```
    /// use cornu_models::optimizers::Lamb;
    /// let optimizer = Lamb::new(0.01).weight_decay(0.01).exclude_from_weight_decay(["bias"]);
    /// ```
    pub struct Lamb["Lamb", "lamb", 0.001, None] {
        /// How much of the mean gradient stays at each step.
        beta_1: f64 = 0.9;
        /// How much of the mean squared gradient stays at each step.
        beta_2: f64 = 0.999;
        /// Keeps the divisor away from zero.
        epsilon: f64 = 1e-7;
    }

    slots |self| { vec![&["momentum", "velocity"]] }

    check |self| {
        check::below_one("Lamb", &[("beta_1", self.beta_1), ("beta_2", self.beta_2)])?;
        check::not_negative("Lamb", &[("epsilon", self.epsilon)])
    }

    update |self, step, variable, gradient, slots| {
        let t = step.number as f64;
        let kernel = Direction {
            new_1: 1.0 - self.beta_1,
            new_2: 1.0 - self.beta_2,
            correction_1: 1.0 - self.beta_1.powf(t),
            correction_2: 1.0 - self.beta_2.powf(t),
            epsilon: self.epsilon,
        };
        let gradient = step.prepare(variable, gradient)?;
        let mut direction = gradient.clone();
        let [m, v] = slots else { unreachable!("two slots") };
        update(&mut direction, &gradient, [m, v], kernel)?;
        let norms = (squared_norm(variable)?.sqrt(), squared_norm(&direction)?.sqrt());
        let ratio = if norms.0 > 0.0 && norms.1 > 0.0 { norms.0 / norms.1 } else { 1.0 };
        update(variable, &direction, [], Move { rate: step.learning_rate * ratio })
    }
}

/// Puts the direction of the step where the gradient was.
#[derive(Clone, Copy)]
struct Direction {
    /// `1 - β`
    new_1: f64,
    new_2: f64,
    /// `1 - βᵗ`
    correction_1: f64,
    correction_2: f64,
    epsilon: f64,
}

impl Elementwise<2> for Direction {
    #[inline(always)]
    fn update<T: Float>(&self, _: T, g: T, [m, v]: [T; 2]) -> (T, [T; 2]) {
        let m = m + (g - m) * T::of(self.new_1);
        let v = v + (g * g - v) * T::of(self.new_2);
        let divisor = (v / T::of(self.correction_2)).sqrt() + T::of(self.epsilon);
        (m / T::of(self.correction_1) / divisor, [m, v])
    }
}

/// `x -= rate · u`
#[derive(Clone, Copy)]
pub(super) struct Move {
    pub(super) rate: f64,
}

impl Elementwise<0> for Move {
    #[inline(always)]
    fn update<T: Float>(&self, x: T, u: T, []: [T; 0]) -> (T, [T; 0]) {
        (x - u * T::of(self.rate), [])
    }
}
