//! Losses of a margin.

use cornu_autodiff::{Pause, Result, Tensor};

use super::declare::loss;
use super::pair::{Place, aligned};

loss! {
    /// `mean(max(1 - y · p, 0))` for labels -1 and 1. Labels that all are 0 or 1 are taken for
    /// -1 and 1.
    pub struct Hinge["Hinge", "hinge"] {}
    elements |self, y_true, y_pred| { Ok((1.0 - signs(y_true)? * y_pred).relu()) }
}

loss! {
    /// `mean(max(1 - y · p, 0)²)` for labels -1 and 1. Labels that all are 0 or 1 are taken for
    /// -1 and 1.
    pub struct SquaredHinge["SquaredHinge", "squared_hinge"] {}
    elements |self, y_true, y_pred| { Ok((1.0 - signs(y_true)? * y_pred).relu().square()) }
}

loss! {
    /// `max(neg - pos + 1, 0)` with `pos = Σ y · p` and `neg = max((1 - y) · p)`, for one-hot
    /// labels.
    pub struct CategoricalHinge["CategoricalHinge", "categorical_hinge"] {}
    values |self, y_true, y_pred| {
        let (y_true, y_pred) = aligned(Place("loss", &self.name), y_true, y_pred)?;
        let right = (&y_true * &y_pred).sum(-1, false);
        let wrong = ((1.0 - y_true) * y_pred).max(-1, false);
        Ok((wrong - right + 1.0).relu())
    }
}

/// Labels 0 and 1 as -1 and 1; any others as they are.
fn signs(y_true: &Tensor) -> Result<Tensor> {
    let binary = {
        let _pause = Pause::new();
        let binary = y_true.equal_scalar(0.0).logical_or(&y_true.equal_scalar(1.0)).all(.., false);
        !binary.is_symbolic() && binary.item::<bool>()?
    };
    Ok(if binary { y_true * 2.0 - 1.0 } else { y_true.clone() })
}
