use cornu_autodiff::{Elementwise, Error, Float, Result, Tensor};

use super::{Step, optimizer};

optimizer! {
    /// Stochastic gradient descent, `x -= rate · g`; with momentum `m = momentum · m - rate · g`,
    /// `x += m`, or with Nesterov's look ahead `x += momentum · m - rate · g` (Sutskever et al.
    /// 2013, "On the importance of initialization and momentum in deep learning").
    ///
    /// ```
    /// use cornu_models::optimizers::SGD;
    /// let optimizer = SGD::new(0.1).momentum(0.9).nesterov(true).clipnorm(1.0);
    /// ```
    pub struct SGD["SGD", "sgd", 0.01, None] {
        /// How much of the last change goes on; 0 keeps no slot.
        momentum: f64 = 0.0;
        /// Whether the gradient is used as if the momentum had already acted.
        nesterov: bool = false;
    }

    slots |self| {
        if self.momentum == 0.0 { vec![] } else { vec![&["momentum"]] }
    }

    check |self| {
        if (0.0..=1.0).contains(&self.momentum) {
            return Ok(());
        }
        let place = "optimizer `SGD`: `momentum`";
        Err(Error::value(place, "it must be in 0..=1", self.momentum.to_string()))
    }

    update |self, step, variable, gradient, slots| {
        let rate = step.learning_rate;
        if self.momentum == 0.0 {
            return step.run(variable, gradient, slots, Plain { rate });
        }
        let kernel = Momentum { rate, momentum: self.momentum, nesterov: self.nesterov };
        step.run(variable, gradient, slots, kernel)
    }
}

#[derive(Clone, Copy)]
struct Plain {
    rate: f64,
}

impl Elementwise<0> for Plain {
    #[inline(always)]
    fn update<T: Float>(&self, x: T, g: T, []: [T; 0]) -> (T, [T; 0]) {
        (x - g * T::of(self.rate), [])
    }
}

#[derive(Clone, Copy)]
struct Momentum {
    rate: f64,
    momentum: f64,
    nesterov: bool,
}

impl Elementwise<1> for Momentum {
    #[inline(always)]
    fn update<T: Float>(&self, x: T, g: T, [m]: [T; 1]) -> (T, [T; 1]) {
        let (momentum, change) = (T::of(self.momentum), g * T::of(self.rate));
        let m = m * momentum - change;
        (x + if self.nesterov { m * momentum - change } else { m }, [m])
    }
}
