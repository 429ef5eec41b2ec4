use cornu_autodiff::{Elementwise, Error, Float, Result, Tensor};

use super::{Step, optimizer};

optimizer! {
    /// `v = ρ v + (1 - ρ) g²`, `x -= rate · g / √(v + ε)` (Hinton 2012, "Neural networks for
    /// machine learning", lecture 6). If `centered`, the square of the mean gradient is taken
    /// from `v` (Graves 2013, arXiv:1308.0850).
    ///
    /// ```
    /// use cornu_models::optimizers::RMSprop;
    /// let optimizer = RMSprop::new(0.001).momentum(0.9).centered(true);
    /// ```
    pub struct RMSprop["RMSprop", "rm_sprop", 0.001, None] {
        /// How much of the mean squared gradient stays at each step.
        rho: f64 = 0.9;
        /// How much of the last change goes on; 0 keeps no slot.
        momentum: f64 = 0.0;
        /// Keeps the divisor away from zero. It is added under the root.
        epsilon: f64 = 1e-7;
        /// Whether the variance of the gradient divides, rather than its mean square.
        centered: bool = false;
    }

    slots |self| {
        let mut slots: Vec<&'static [&'static str]> = vec![&["velocity"]];
        if self.momentum > 0.0 {
            slots.push(&["momentum"]);
        }
        if self.centered {
            slots.push(&["average_gradient"]);
        }
        slots
    }

    check |self| {
        for (key, value) in [("rho", self.rho), ("momentum", self.momentum)] {
            if !(0.0..=1.0).contains(&value) {
                let place = format!("optimizer `RMSprop`: `{key}`");
                return Err(Error::value(place, "it must be in 0..=1", value.to_string()));
            }
        }
        if self.epsilon >= 0.0 {
            return Ok(());
        }
        let place = "optimizer `RMSprop`: `epsilon`";
        Err(Error::value(place, "it must not be negative", self.epsilon.to_string()))
    }

    update |self, step, variable, gradient, slots| {
        let (rate, rho) = (step.learning_rate, self.rho);
        let kernel = Squares { rate, rho, epsilon: self.epsilon, momentum: self.momentum };
        match (self.momentum > 0.0, self.centered) {
            (false, false) => step.run(variable, gradient, slots, kernel),
            (true, false) => step.run(variable, gradient, slots, WithMomentum(kernel)),
            (false, true) => step.run(variable, gradient, slots, Centered(kernel)),
            (true, true) => step.run(variable, gradient, slots, CenteredWithMomentum(kernel)),
        }
    }
}

#[derive(Clone, Copy)]
struct Squares {
    rate: f64,
    rho: f64,
    epsilon: f64,
    momentum: f64,
}

impl Squares {
    /// `ρ · mean + (1 - ρ) · new`
    #[inline(always)]
    fn mean<T: Float>(&self, mean: T, new: T) -> T {
        T::of(self.rho) * mean + T::of(1.0 - self.rho) * new
    }

    #[inline(always)]
    fn change<T: Float>(&self, g: T, variance: T) -> T {
        T::of(self.rate) * g / (variance + T::of(self.epsilon)).sqrt()
    }
}

impl Elementwise<1> for Squares {
    #[inline(always)]
    fn update<T: Float>(&self, x: T, g: T, [v]: [T; 1]) -> (T, [T; 1]) {
        let v = self.mean(v, g * g);
        (x - self.change(g, v), [v])
    }
}

#[derive(Clone, Copy)]
struct WithMomentum(Squares);

impl Elementwise<2> for WithMomentum {
    #[inline(always)]
    fn update<T: Float>(&self, x: T, g: T, [v, m]: [T; 2]) -> (T, [T; 2]) {
        let v = self.0.mean(v, g * g);
        let m = T::of(self.0.momentum) * m + self.0.change(g, v);
        (x - m, [v, m])
    }
}

#[derive(Clone, Copy)]
struct Centered(Squares);

impl Elementwise<2> for Centered {
    #[inline(always)]
    fn update<T: Float>(&self, x: T, g: T, [v, a]: [T; 2]) -> (T, [T; 2]) {
        let (v, a) = (self.0.mean(v, g * g), self.0.mean(a, g));
        (x - self.0.change(g, v - a * a), [v, a])
    }
}

#[derive(Clone, Copy)]
struct CenteredWithMomentum(Squares);

impl Elementwise<3> for CenteredWithMomentum {
    #[inline(always)]
    fn update<T: Float>(&self, x: T, g: T, [v, m, a]: [T; 3]) -> (T, [T; 3]) {
        let (v, a) = (self.0.mean(v, g * g), self.0.mean(a, g));
        let m = T::of(self.0.momentum) * m + self.0.change(g, v - a * a);
        (x - m, [v, m, a])
    }
}
