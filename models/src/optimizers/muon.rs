use cornu_autodiff::{
    Elementwise, Error, Float, Pause, Result, Spec, Tensor, squared_norm, update,
};

use super::adam::Moments;
use super::lamb::Move;
use super::{Step, check, optimizer};

optimizer! {
    /// For matrices, momentum whose singular values are all brought near to 1 (Jordan et al.
    /// 2024, "Muon: an optimizer for hidden layers in neural networks"; Liu et al. 2025,
    /// arXiv:2502.16982): `m = momentum · m + g`, `u = g + momentum · m` with Nesterov, else `m`,
    /// `u = u / ‖u‖`, then `ns_steps` times `u = a u + (b A + c A²) u` where `A = u uᵀ`, and
    /// `x -= rate · rms_rate · √max(rows, columns) · u`. All other variables follow AdamW.
    ///
    /// Name the output layer in `exclude_layers`; embeddings are excluded by themselves. Keras
    /// reads regular expressions there; here they are parts of the path, and signs that only mean
    /// something in an expression are refused.
    ///
    /// ```
    /// use cornu_models::optimizers::Muon;
    /// let optimizer = Muon::new(0.02).exclude_layers(["output".to_owned()]);
    /// ```
    pub struct Muon["Muon", "muon", 0.001, Some(0.004)] {
        /// How much of the mean gradient stays at each step of Adam.
        adam_beta_1: f64 = 0.9;
        /// How much of the mean squared gradient stays at each step of Adam.
        adam_beta_2: f64 = 0.999;
        /// Keeps Adam's divisor away from zero.
        epsilon: f64 = 1e-7;
        /// Variables whose path contains one of these follow AdamW.
        exclude_layers: Vec<String> = Vec::new();
        /// `a` of the polynomial.
        muon_a: f64 = 3.4445;
        /// `b` of the polynomial.
        muon_b: f64 = -4.7750;
        /// `c` of the polynomial.
        muon_c: f64 = 2.0315;
        /// Adam's learning rate is so many times that of the matrices.
        adam_lr_ratio: f64 = 1.0;
        /// How much of the sum of gradients stays at each step.
        momentum: f64 = 0.95;
        /// How many times the polynomial is applied.
        ns_steps: usize = 5;
        /// Whether the gradient is used as if the momentum had already acted.
        nesterov: bool = true;
        /// Whether variables with `embedding` in their path follow AdamW.
        exclude_embeddings: bool = true;
        /// The weight decay of variables that follow AdamW.
        adam_weight_decay: Option<f64> = Some(0.004);
        /// The root mean square of a step before the learning rate; with None, steps are not
        /// scaled by the matrix's size either.
        rms_rate: Option<f64> = Some(0.2);
    }

    slots |self| { vec![&["momentum", "velocity"]] }

    start |self, slot, path, spec| {
        let kept = slot == "momentum" || self.is_adams(path, spec);
        kept.then(|| Tensor::zeros(spec.shape, spec.dtype))
    }

    decay |self, path, spec| {
        if self.is_adams(path, spec) { self.adam_weight_decay } else { self.base.weight_decay }
    }

    check |self| {
        let betas = [("adam_beta_1", self.adam_beta_1), ("adam_beta_2", self.adam_beta_2)];
        check::below_one("Muon", &betas)?;
        check::at_most_one("Muon", &[("momentum", self.momentum)])?;
        check::not_negative("Muon", &[
            ("epsilon", self.epsilon),
            ("adam_lr_ratio", self.adam_lr_ratio),
            ("adam_weight_decay", self.adam_weight_decay.unwrap_or(0.0)),
        ])?;
        let polynomial =
            [("muon_a", self.muon_a), ("muon_b", self.muon_b), ("muon_c", self.muon_c)];
        check::finite("Muon", &polynomial)?;
        check::finite("Muon", &[("rms_rate", self.rms_rate.unwrap_or(0.0))])?;
        let is_pattern = |name: &&String| name.is_empty() || name.contains(&SIGNS[..]);
        match self.exclude_layers.iter().find(is_pattern) {
            None => Ok(()),
            Some(name) => {
                let rule = "it must be a part of a path, not a regular expression";
                let place = "optimizer `Muon`: `exclude_layers`";
                Err(Error::value(place, rule, format!("`{name}`")))
            }
        }
    }

    update |self, step, variable, gradient, slots| {
        let [momentum] = slots else {
            let mut step = *step;
            step.learning_rate *= self.adam_lr_ratio;
            let kernel = Moments::new(&step, self.adam_beta_1, self.adam_beta_2, self.epsilon);
            return step.run(variable, gradient, slots, kernel);
        };
        let mut direction = step.prepare(variable, gradient)?;
        let kernel = Momentum { momentum: self.momentum, nesterov: self.nesterov };
        let gradient = direction.clone();
        update(&mut direction, &gradient, [momentum], kernel)?;
        let direction = self.orthogonal(&direction)?;
        let longest = direction.dims().iter().max().copied().unwrap_or(1) as f64;
        let scale = self.rms_rate.map_or(1.0, |rms| rms * longest.sqrt());
        update(variable, &direction, [], Move { rate: step.learning_rate * scale })
    }
}

/// Signs that are not themselves in a regular expression.
const SIGNS: [char; 13] = ['\\', '^', '$', '.', '|', '?', '*', '+', '(', ')', '[', ']', '{'];

impl Muon {
    /// Whether a variable follows AdamW.
    fn is_adams(&self, path: &str, spec: &Spec) -> bool {
        spec.shape.dims().len() != 2
            || (self.exclude_embeddings && path.to_lowercase().contains("embedding"))
            || self.exclude_layers.iter().any(|name| path.contains(name))
    }

    /// A matrix with the same singular vectors and singular values near to 1.
    fn orthogonal(&self, x: &Tensor) -> Result<Tensor> {
        let _pause = Pause::new();
        let tall = x.dims()[0] > x.dims()[1];
        let mut u = if tall { x.t() } else { x.clone() } / (squared_norm(x)?.sqrt() + 1e-7);
        for _ in 0..self.ns_steps {
            let square = u.matmul(&u.t());
            let polynomial = &square * self.muon_b + (&square * self.muon_c).matmul(&square);
            u = &u * self.muon_a + polynomial.matmul(&u);
        }
        Ok(if tall { u.t() } else { u })
    }
}

/// Puts the direction of the step where the gradient was.
#[derive(Clone, Copy)]
struct Momentum {
    momentum: f64,
    nesterov: bool,
}

impl Elementwise<1> for Momentum {
    #[inline(always)]
    fn update<T: Float>(&self, _: T, g: T, [m]: [T; 1]) -> (T, [T; 1]) {
        let momentum = T::of(self.momentum);
        let m = momentum * m + g;
        (if self.nesterov { g + momentum * m } else { m }, [m])
    }
}
