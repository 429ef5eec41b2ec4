//! The tape: a list of the ops a thread has run, walked backwards once for gradients.
//!
//! Each thread keeps one list. A [`Tape`] is a window on it, from where it was made to where
//! its gradient is asked for; a tape made inside another sees the later part. While the inner
//! one walks its window backwards, what it computes is itself appended to the list for the
//! outer one to differentiate: that is all there is to higher orders. Outputs on the list have
//! ascending numbers, so who made an input is found by binary search, and the list order is
//! already the order of dependence: no recursion, no sorting, no graph.

mod log;
mod print;
mod walk;

use std::marker::PhantomData;

use crate::error::{Error, Result};
use crate::tensor::Tensor;
pub(crate) use log::record;
use log::{LOG, close_window, finish, open_window, tapes};
pub use log::{Pause, is_recording};
use walk::Walk;

/// Records the ops of its thread from when it is made until [`gradient`](Tape::gradient) is
/// called or it is dropped.
///
/// Everything on the thread is recorded; there is nothing to mark or watch. A tape made while
/// another lives records for both, so gradients of gradients need no special call.
///
/// ```
/// use cornu_autodiff::{Tape, Tensor};
/// let x = Tensor::scalar(3.0);
/// let outer = Tape::new();
/// let inner = Tape::new();
/// let y = &x * &x * &x;
/// let slope = inner.gradient(&y, &[&x])?.remove(0); // 3x²
/// let curvature = outer.gradient(&slope, &[&x])?.remove(0); // 6x
/// assert_eq!((slope.item::<f64>()?, curvature.item::<f64>()?), (27.0, 18.0));
/// # Ok::<(), cornu_autodiff::Error>(())
/// ```
pub struct Tape {
    key: u64,
    start: usize,
    thread: PhantomData<*const ()>,
}

impl Tape {
    /// Begins to record on this thread.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Tape {
        let (key, start) = open_window();
        Tape { key, start, thread: PhantomData }
    }

    /// The gradients of a scalar by each of `sources`, which may be any values: leaves or
    /// intermediate results.
    ///
    /// # Errors
    /// When `target` is not a floating-point scalar, was not computed on this tape, or does not
    /// depend on one of the sources.
    pub fn gradient(self, target: &Tensor, sources: &[&Tensor]) -> Result<Vec<Tensor>> {
        let found = self.gradient_options(target, sources)?;
        let missing: Vec<String> = (0..found.len())
            .filter(|&i| found[i].is_none())
            .map(|i| format!("source {i} of shape {}", sources[i].shape()))
            .collect();
        if !missing.is_empty() {
            let rule = "the target must depend on every source by a differentiable path";
            return Err(Error::Gradient { rule: rule.into(), got: missing.join(", ") });
        }
        Ok(found.into_iter().flatten().collect())
    }

    /// As [`gradient`](Tape::gradient), with `None` for a source on which the target does not
    /// depend.
    ///
    /// # Errors
    /// When `target` is not a floating-point scalar or was not computed on this tape.
    pub fn gradient_options(
        self,
        target: &Tensor,
        sources: &[&Tensor],
    ) -> Result<Vec<Option<Tensor>>> {
        if target.rank() != 0 || !target.dtype().is_float() {
            let rule = "the target must be a floating-point scalar; sum it, or use `vjp`";
            return Err(Error::Gradient { rule: rule.into(), got: format!("{:?}", target.spec) });
        }
        self.vjp_options(target, &target.ones_like(), sources)
    }

    /// The vector-Jacobian product: the gradients of `sum(target * cotangent)`, for a target of
    /// any shape.
    ///
    /// # Errors
    /// When the shapes of target and cotangent differ, or `target` was not computed on this tape.
    pub fn vjp_options(
        self,
        target: &Tensor,
        cotangent: &Tensor,
        sources: &[&Tensor],
    ) -> Result<Vec<Option<Tensor>>> {
        let Some(last) = self.position(target, cotangent, sources)? else {
            return Ok(of_itself(target, cotangent, sources));
        };
        // Who asked for the window is done with recording; a tape around it is not.
        close_window(self.key);
        let walk = Walk::new(self.start, last, cotangent, sources);
        Ok(if tapes() == 0 { walk.alone() } else { walk.among_others() })
    }

    /// As [`vjp_options`](Tape::vjp_options), for a tape that will be asked again. Nothing but a
    /// tape around this one records what it computes.
    pub(crate) fn vjp_again(
        &self,
        target: &Tensor,
        cotangent: &Tensor,
        sources: &[&Tensor],
    ) -> Result<Vec<Option<Tensor>>> {
        let Some(last) = self.position(target, cotangent, sources)? else {
            return Ok(of_itself(target, cotangent, sources));
        };
        let _pause = (tapes() == 1).then(Pause::new);
        Ok(Walk::new(self.start, last, cotangent, sources).among_others())
    }

    /// Where on the list the target was made; `None` if it is a source from outside.
    fn position(
        &self,
        target: &Tensor,
        cotangent: &Tensor,
        sources: &[&Tensor],
    ) -> Result<Option<usize>> {
        if target.spec != cotangent.spec {
            let rule = "the cotangent must have the target's dtype and shape";
            return Err(Error::shape("vjp", rule, &[&target.spec, &cotangent.spec]));
        }
        if let Some(at) = self.made_at(target) {
            return Ok(Some(at));
        }
        if sources.iter().any(|s| s.id == target.id) {
            return Ok(None);
        }
        let rule = "the target must have been computed while the tape was recording";
        Err(Error::Gradient { rule: rule.into(), got: format!("{:?}", target.spec) })
    }

    /// Where on the list a tensor was made, if this tape saw it.
    pub(crate) fn made_at(&self, x: &Tensor) -> Option<usize> {
        LOG.with_borrow(|log| log.ids.binary_search(&x.id).ok().filter(|&i| i >= self.start))
    }

    /// Number of ops recorded so far.
    pub fn len(&self) -> usize {
        LOG.with_borrow(|log| log.len() - self.start)
    }

    /// Whether nothing has been recorded yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        close_window(self.key);
        finish();
    }
}

/// The gradients of a target that is a source itself, or doesn't depend on any.
fn of_itself(target: &Tensor, cotangent: &Tensor, sources: &[&Tensor]) -> Vec<Option<Tensor>> {
    sources.iter().map(|s| (s.id == target.id).then(|| cotangent.clone())).collect()
}
