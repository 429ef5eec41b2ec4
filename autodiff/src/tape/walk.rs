//! The walk from a target back to the sources of its gradients.

use smallvec::SmallVec;

use super::log::{LOG, Log, OUTSIDE};
use crate::op::{Call, Gradients, Op};
use crate::ops::{add_in_place, sum_to};
use crate::shape::Spec;
use crate::tensor::Tensor;

/// A walk from the target back to the sources.
pub(super) struct Walk<'a> {
    start: usize,
    last: usize,
    /// Whether an entry's output depends on a source.
    needed: Vec<bool>,
    sums: Sums<'a>,
}

/// Gradients as far as they are known.
struct Sums<'a> {
    start: usize,
    sources: &'a [&'a Tensor],
    /// Positions in `sources`, sorted by tensor number.
    by_id: SmallVec<[u32; 16]>,
    /// By the outputs of entries.
    pending: Vec<Option<Tensor>>,
    /// By the sources.
    found: Vec<Option<Tensor>>,
}

/// Which inputs of a call need gradients.
type Wanted = SmallVec<[bool; 8]>;

impl<'a> Walk<'a> {
    pub(super) fn new(
        start: usize,
        last: usize,
        cotangent: &Tensor,
        sources: &'a [&'a Tensor],
    ) -> Walk<'a> {
        let mut by_id: SmallVec<[u32; 16]> = (0..sources.len() as u32).collect();
        by_id.sort_unstable_by_key(|&i| sources[i as usize].id);
        let len = last - start + 1;
        let (mut pending, found) = (vec![None; len], vec![None; sources.len()]);
        pending[last - start] = Some(cotangent.clone());
        let sums = Sums { start, sources, by_id, pending, found };
        let mut walk = Walk { start, last, needed: vec![false; len], sums };
        LOG.with_borrow(|log| {
            for at in start..=last {
                walk.needed[at - start] =
                    walk.sums.source(log.ids[at]).is_some() || walk.wanted(log, at).contains(&true);
            }
        });
        walk
    }

    /// Without another tape, the list is ours: entries are freed as soon as they are consumed.
    pub(super) fn alone(mut self) -> Vec<Option<Tensor>> {
        let mut log = LOG.with_borrow_mut(Log::take);
        log.truncate(self.last + 1);
        for at in (self.start..=self.last).rev() {
            if let Some((g, wanted)) = self.visit(&log, at)
                && let Some(op) = &log.ops[at]
            {
                self.sums.backward(&**op, &log.tensors[log.range(at)], &log, at, &g, &wanted);
            }
            log.truncate(at);
        }
        log.give_back();
        self.into_found()
    }

    /// While another tape lives, entries stay, and the list may grow by what is computed here.
    pub(super) fn among_others(mut self) -> Vec<Option<Tensor>> {
        for at in (self.start..=self.last).rev() {
            let visit = LOG.with_borrow_mut(|log| {
                let (g, wanted) = self.visit(log, at)?;
                let only = log.only(at);
                Some((g, wanted, only, log.ops[at].take()?))
            });
            let Some((g, wanted, only, op)) = visit else { continue };
            self.sums.backward(&*op, &only.tensors, &only, 0, &g, &wanted);
            LOG.with_borrow_mut(|log| log.ops[at] = Some(op));
        }
        self.into_found()
    }

    /// The gradient by an entry's output, if there is one, and the inputs that need theirs.
    fn visit(&mut self, log: &Log, at: usize) -> Option<(Tensor, Wanted)> {
        let g = self.sums.pending[at - self.start].take()?;
        if !self.needed[at - self.start] {
            return None;
        }
        if let Some(source) = self.sums.source(log.ids[at]) {
            self.sums.found[source] = Some(g.clone());
        }
        let wanted = self.wanted(log, at);
        wanted.contains(&true).then_some((g, wanted))
    }

    fn wanted(&self, log: &Log, at: usize) -> Wanted {
        let range = log.range(at);
        let inputs = range.start..range.end - 1;
        let Some(op) = &log.ops[at] else { return Wanted::new() };
        let one = |(i, slot): (usize, usize)| {
            let (x, producer) = (&log.tensors[slot], log.producers[slot]);
            x.dtype().is_float()
                && match producer != OUTSIDE && producer >= self.start {
                    true => self.needed[producer - self.start],
                    false => self.sums.source(x.id).is_some(),
                }
                && op.is_differentiable(i)
        };
        inputs.enumerate().map(one).collect()
    }

    fn into_found(self) -> Vec<Option<Tensor>> {
        let mut sums = self.sums;
        // A tensor that was asked for twice is given twice.
        for i in 0..sums.sources.len() {
            let first = sums.source(sums.sources[i].id).unwrap_or(i);
            if first != i {
                sums.found[i] = sums.found[first].clone();
            }
        }
        sums.found
    }
}

impl Sums<'_> {
    /// The first source with this number.
    #[inline]
    fn source(&self, id: u64) -> Option<usize> {
        let at = self.by_id.partition_point(|&i| self.sources[i as usize].id < id);
        let at = *self.by_id.get(at)? as usize;
        (self.sources[at].id == id).then_some(at)
    }

    /// Passes the gradient of one entry's output on to its inputs.
    fn backward(
        &mut self,
        op: &dyn Op,
        tensors: &[Tensor],
        log: &Log,
        at: usize,
        g: &Tensor,
        wanted: &[bool],
    ) {
        let Some((output, inputs)) = tensors.split_last() else { return };
        let producers = &log.producers[log.range(at)];
        let mut accept = |input: usize, gradient: Tensor| {
            let gradient = fit(op, gradient, &inputs[input].spec);
            let producer = producers[input];
            let slot = match producer != OUTSIDE && producer >= self.start {
                true => &mut self.pending[producer - self.start],
                false => match self.source(inputs[input].id) {
                    Some(source) => &mut self.found[source],
                    None => return,
                },
            };
            match slot {
                None => *slot = Some(gradient),
                Some(_) => {
                    let sum = slot.take().map(|sum| add_in_place(sum, gradient));
                    *slot = sum;
                }
            }
        };
        let call = Call { op, inputs, output };
        op.vjp(&call, g, &mut Gradients { wanted, accept: &mut accept });
    }
}

/// Undoes broadcasting: a gradient is summed to its input's shape.
fn fit(op: &dyn Op, gradient: Tensor, spec: &Spec) -> Tensor {
    let name = op.name();
    assert_eq!(gradient.dtype(), spec.dtype, "`{name}`: a gradient must have its input's dtype");
    if gradient.shape() == &spec.shape { gradient } else { sum_to(&gradient, &spec.shape) }
}
