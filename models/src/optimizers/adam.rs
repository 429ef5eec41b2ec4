use cornu_autodiff::{Elementwise, Float, Result, Tensor};

use super::{Step, check, optimizer};

/// What [`Adam`] and [`AdamW`] declare: they differ by the default of `weight_decay`.
macro_rules! adam {
    ($(#[$meta:meta])* $Name:ident, $class:literal, $name:literal, $decay:expr) => {
        optimizer! {
            $(#[$meta])*
            pub struct $Name[$class, $name, 0.001, $decay] {
                /// How much of the mean gradient stays at each step.
                beta_1: f64 = 0.9;
                /// How much of the mean squared gradient stays at each step.
                beta_2: f64 = 0.999;
                /// Keeps the divisor away from zero: "epsilon hat" of the paper's section 2.1.
                epsilon: f64 = 1e-7;
                /// Whether the divisor never shrinks (Reddi et al. 2018, arXiv:1904.09237).
                amsgrad: bool = false;
            }

            slots |self| {
                if self.amsgrad {
                    vec![&["momentum", "velocity"], &["velocity_hat"]]
                } else {
                    vec![&["momentum", "velocity"]]
                }
            }

            check |self| {
                check::below_one($class, &[("beta_1", self.beta_1), ("beta_2", self.beta_2)])?;
                check::not_negative($class, &[("epsilon", self.epsilon)])
            }

            update |self, step, variable, gradient, slots| {
                let moments = Moments::new(step, self.beta_1, self.beta_2, self.epsilon);
                if self.amsgrad {
                    return step.run(variable, gradient, slots, Amsgrad(moments));
                }
                step.run(variable, gradient, slots, moments)
            }
        }
    };
}

adam! {
    /// `m = β₁ m + (1 - β₁) g`, `v = β₂ v + (1 - β₂) g²`,
    /// `x -= rate · √(1 - β₂ᵗ) / (1 - β₁ᵗ) · m / (√v + ε)` (Kingma and Ba 2014, arXiv:1412.6980).
    ///
    /// ```
    /// use cornu_models::optimizers::Adam;
    /// let optimizer = Adam::new(0.001).beta_2(0.99).global_clipnorm(1.0);
    /// ```
    Adam, "Adam", "adam", None
}

adam! {
    /// [`Adam`] with weight decay apart from the gradient, 0.004 unless it is set (Loshchilov
    /// and Hutter 2017, arXiv:1711.05101).
    ///
    /// ```
    /// use cornu_models::optimizers::AdamW;
    /// let optimizer = AdamW::new(0.001).weight_decay(0.01).exclude_from_weight_decay(["bias"]);
    /// ```
    AdamW, "AdamW", "adam_w", Some(0.004)
}

#[derive(Clone, Copy)]
pub(super) struct Moments {
    /// The learning rate with both corrections for the zeros at the start.
    alpha: f64,
    /// `1 - β`
    new_1: f64,
    new_2: f64,
    epsilon: f64,
}

impl Moments {
    pub(super) fn new(step: &Step, beta_1: f64, beta_2: f64, epsilon: f64) -> Moments {
        let t = step.number as f64;
        let corrected = (1.0 - beta_2.powf(t)).sqrt() / (1.0 - beta_1.powf(t));
        let alpha = step.learning_rate * corrected;
        Moments { alpha, new_1: 1.0 - beta_1, new_2: 1.0 - beta_2, epsilon }
    }

    #[inline(always)]
    fn moments<T: Float>(&self, g: T, m: T, v: T) -> (T, T) {
        (m + (g - m) * T::of(self.new_1), v + (g * g - v) * T::of(self.new_2))
    }

    #[inline(always)]
    fn moved<T: Float>(&self, x: T, m: T, v: T) -> T {
        x - m * T::of(self.alpha) / (v.sqrt() + T::of(self.epsilon))
    }
}

impl Elementwise<2> for Moments {
    #[inline(always)]
    fn update<T: Float>(&self, x: T, g: T, [m, v]: [T; 2]) -> (T, [T; 2]) {
        let (m, v) = self.moments(g, m, v);
        (self.moved(x, m, v), [m, v])
    }
}

#[derive(Clone, Copy)]
struct Amsgrad(Moments);

impl Elementwise<3> for Amsgrad {
    #[inline(always)]
    fn update<T: Float>(&self, x: T, g: T, [m, v, largest]: [T; 3]) -> (T, [T; 3]) {
        let (m, v) = self.0.moments(g, m, v);
        let largest = largest.maximum(v);
        (self.0.moved(x, m, largest), [m, v, largest])
    }
}
