//! The walk from a target back to the sources of its gradients.

use std::cell::RefCell;
use std::ops::Range;

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
    marks: Marks,
    sums: Sums<'a>,
}

/// So many sources are found faster one by one than by halves.
const FEW: usize = 8;

/// What needs gradients.
#[derive(Default)]
struct Marks {
    /// Whether an entry's output depends on a source.
    needed: Vec<bool>,
    /// Whether an entry passes a gradient on to each of its tensors; false for its output.
    wanted: Vec<bool>,
    /// Where the first entry's tensors begin on the list.
    first: usize,
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

thread_local! {
    /// The memory of the last walk, for the next.
    static SPARE: RefCell<(Marks, Vec<Option<Tensor>>)> = RefCell::default();
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        start: usize,
        last: usize,
        cotangent: &Tensor,
        sources: &'a [&'a Tensor],
    ) -> Walk<'a> {
        let mut by_id: SmallVec<[u32; 16]> = (0..sources.len() as u32).collect();
        by_id.sort_unstable_by_key(|&i| sources[i as usize].id);
        let (mut marks, mut pending) = SPARE.take();
        pending.resize(last - start + 1, None);
        pending[last - start] = Some(cotangent.clone());
        let sums = Sums { start, sources, by_id, pending, found: vec![None; sources.len()] };
        LOG.with_borrow(|log| {
            marks.first = log.range(start).start;
            for at in start..=last {
                let needed = sums.mark(log, at, &mut marks);
                marks.needed.push(needed);
            }
        });
        Walk { start, last, marks, sums }
    }

    /// Without another tape, the list is ours: entries are freed as soon as they are consumed.
    pub(super) fn alone(mut self) -> Vec<Option<Tensor>> {
        let mut log = LOG.with_borrow_mut(Log::take);
        log.truncate(self.last + 1);
        for at in (self.start..=self.last).rev() {
            let range = log.range(at);
            if let Some(g) = self.visit(&log, at)
                && let Some(op) = &log.ops[at]
            {
                let wanted = self.marks.inputs(&range);
                self.sums.backward(&**op, &log.tensors[range], &log, at, g, wanted);
            }
            log.truncate(at);
        }
        log.give_back();
        self.finish()
    }

    /// While another tape lives, entries stay, and the list may grow by what is computed here.
    pub(super) fn among_others(mut self) -> Vec<Option<Tensor>> {
        for at in (self.start..=self.last).rev() {
            let visit = LOG.with_borrow_mut(|log| {
                let g = self.visit(log, at)?;
                Some((g, log.range(at), log.only(at), log.ops[at].take()?))
            });
            let Some((g, range, only, op)) = visit else { continue };
            let wanted = self.marks.inputs(&range);
            self.sums.backward(&*op, &only.tensors, &only, 0, g, wanted);
            LOG.with_borrow_mut(|log| log.ops[at] = Some(op));
        }
        self.finish()
    }

    /// The gradient by an entry's output, if there is one that an input needs.
    fn visit(&mut self, log: &Log, at: usize) -> Option<Tensor> {
        let g = self.sums.pending[at - self.start].take()?;
        if !self.marks.needed[at - self.start] {
            return None;
        }
        if let Some(source) = self.sums.source(log.ids[at]) {
            self.sums.found[source] = Some(g.clone());
        }
        self.marks.inputs(&log.range(at)).contains(&true).then_some(g)
    }

    fn finish(self) -> Vec<Option<Tensor>> {
        let Walk { mut sums, mut marks, .. } = self;
        // A tensor that was asked for twice is given twice.
        for i in 0..sums.sources.len() {
            let first = sums.source(sums.sources[i].id).unwrap_or(i);
            if first != i {
                sums.found[i] = sums.found[first].clone();
            }
        }
        marks.needed.clear();
        marks.wanted.clear();
        sums.pending.clear();
        SPARE.set((marks, sums.pending));
        sums.found
    }
}

impl Marks {
    /// Which inputs of the entry with these tensors need gradients.
    #[inline]
    fn inputs(&self, range: &Range<usize>) -> &[bool] {
        &self.wanted[range.start - self.first..range.end - 1 - self.first]
    }
}

impl Sums<'_> {
    /// Marks which inputs of an entry need gradients; whether its output does.
    fn mark(&self, log: &Log, at: usize, marks: &mut Marks) -> bool {
        let range = log.range(at);
        let mut needed = self.source(log.ids[at]).is_some();
        for (i, slot) in (range.start..range.end - 1).enumerate() {
            let (x, producer) = (&log.tensors[slot], log.producers[slot]);
            let wanted = x.dtype().is_float()
                && match producer != OUTSIDE && producer >= self.start {
                    true => marks.needed[producer - self.start],
                    false => self.source(x.id).is_some(),
                }
                && log.ops[at].as_ref().is_some_and(|op| op.is_differentiable(i));
            marks.wanted.push(wanted);
            needed |= wanted;
        }
        marks.wanted.push(false);
        needed
    }

    /// The first source with this number.
    #[inline]
    fn source(&self, id: u64) -> Option<usize> {
        if self.sources.len() <= FEW {
            return self.sources.iter().position(|source| source.id == id);
        }
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
        g: Tensor,
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
        op.vjp_owned(&call, g, &mut Gradients { wanted, accept: &mut accept });
    }
}

/// Undoes broadcasting: a gradient is summed to its input's shape.
fn fit(op: &dyn Op, gradient: Tensor, spec: &Spec) -> Tensor {
    let name = op.name();
    assert_eq!(gradient.dtype(), spec.dtype, "`{name}`: a gradient must have its input's dtype");
    if gradient.shape() == &spec.shape { gradient } else { sum_to(&gradient, &spec.shape) }
}
