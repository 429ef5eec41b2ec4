//! Losses of probabilities that are not cross-entropies.

use cornu_autodiff::{Result, Tensor};

use super::declare::loss;
use super::pair::{Place, aligned};
use super::regression::EPSILON;

loss! {
    /// `Σ y · ln(y / p)`, with both moved into `[10⁻⁷, 1]` (Kullback and Leibler 1951).
    pub struct KLDivergence["KLDivergence", "kl_divergence"] {}
    values |self, y_true, y_pred| {
        let (y_true, y_pred) = aligned(Place("loss", &self.name), y_true, y_pred)?;
        let (y_true, y_pred) = (y_true.clip(EPSILON, 1.0), y_pred.clip(EPSILON, 1.0));
        Ok((&y_true * (&y_true / y_pred).log()).sum(-1, false))
    }
}

loss! {
    /// `mean(p - y · ln(p + 10⁻⁷))`, for counts `y` with expectation `p`.
    pub struct Poisson["Poisson", "poisson"] {}
    elements |self, y_true, y_pred| { Ok(y_pred - y_true * (y_pred + EPSILON).log()) }
}
