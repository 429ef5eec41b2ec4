use cornu_autodiff::{Elementwise, Float, Pause, Result, Tensor, update};

use super::lamb::Move;
use super::{Step, check, optimizer};

optimizer! {
    /// Scales gradients by a mean square of which only rows `r` and columns `c` are kept (Shazeer
    /// and Stern 2018, arXiv:1804.04235). With `β = 1 - t^beta_2_decay` and `s = g² + ε₁`:
    /// `r = β r + (1 - β) mean(s, -1)`, `c = β c + (1 - β) mean(s, -2)`, `v = r c / mean(r, -1)`;
    /// for vectors and scalars `v = β v + (1 - β) s`. Then `u = g / √v`,
    /// `x -= max(ε₂, rms(x)) · min(rate, 1 / √t) · u / max(1, rms(u) / clip_threshold)`.
    ///
    /// As in Keras the rate is never above `1 / √t`, whatever `relative_step` says, and `v` is kept
    /// too. The slots `r` and `c`, to which Keras gives the variable's own name, have names, and
    /// vectors and scalars don't have them.
    ///
    /// ```
    /// use cornu_models::optimizers::Adafactor;
    /// let optimizer = Adafactor::new(0.01).clip_threshold(2.0);
    /// ```
    pub struct Adafactor["Adafactor", "adafactor", 0.001, None] {
        /// The power of the step that is the share of what is new in the mean squares.
        beta_2_decay: f64 = -0.8;
        /// Keeps the divisor away from zero.
        epsilon_1: f64 = 1e-30;
        /// The least that the root mean square of a variable counts for.
        epsilon_2: f64 = 1e-3;
        /// The largest root mean square of a step before the learning rate.
        clip_threshold: f64 = 1.0;
        /// Kept for Keras's configs; it changes nothing, there or here.
        relative_step: bool = true;
    }

    slots |self| { vec![&["r", "c", "velocity"]] }

    start |self, slot, _path, spec| {
        let dims = spec.shape.dims();
        let shape = match (slot, dims) {
            ("velocity", dims) => dims.to_vec(),
            ("r", [front @ .., _, _]) => [front, &dims[front.len()..=front.len()]].concat(),
            (_, [front @ .., _, columns]) => [front, &[*columns]].concat(),
            _ => return None,
        };
        Some(Tensor::zeros(shape, spec.dtype))
    }

    check |self| {
        check::finite("Adafactor", &[("beta_2_decay", self.beta_2_decay)])?;
        let epsilons = [("epsilon_1", self.epsilon_1), ("epsilon_2", self.epsilon_2)];
        check::not_negative("Adafactor", &epsilons)?;
        check::positive("Adafactor", &[("clip_threshold", self.clip_threshold)])
    }

    update |self, step, variable, gradient, slots| {
        let _pause = Pause::new();
        let gradient = step.prepare(variable, gradient)?;
        let t = step.number as f64;
        let share = t.powf(self.beta_2_decay);
        let square = gradient.square() + self.epsilon_1;
        if let [r, c, v] = &mut *slots {
            update(r, &square.mean(-1, false), [], Mean { share })?;
            update(c, &square.mean(-2, false), [], Mean { share })?;
            let rows = &*r / r.mean(-1, true);
            *v = rows.expand_dims(-1) * c.expand_dims(-2);
        } else {
            update(&mut slots[0], &square, [], Mean { share })?;
        }
        let direction = gradient / slots[slots.len() - 1].sqrt();
        let long = (rms(&direction)? / self.clip_threshold).max(1.0);
        let rate = step.learning_rate.min(1.0 / t.sqrt());
        let rate = rate * rms(variable)?.max(self.epsilon_2) / long;
        update(variable, &direction, [], Move { rate })
    }
}

/// The root of the mean square.
fn rms(x: &Tensor) -> Result<f64> {
    Ok((cornu_autodiff::squared_norm(x)? / x.size().max(1) as f64).sqrt())
}

/// `mean = (1 - share) mean + share · new`
#[derive(Clone, Copy)]
struct Mean {
    share: f64,
}

impl Elementwise<0> for Mean {
    #[inline(always)]
    fn update<T: Float>(&self, mean: T, new: T, []: [T; 0]) -> (T, [T; 0]) {
        (T::of(1.0 - self.share) * mean + T::of(self.share) * new, [])
    }
}
