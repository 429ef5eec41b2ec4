//! The tape: a list of the ops a thread has run, walked backwards once for gradients.
//!
//! Each thread keeps one list. A [`Tape`] is a window on it, from where it was made to where
//! its gradient is asked for; a tape made inside another sees the later part. While the inner
//! one walks its window backwards, what it computes is itself appended to the list for the
//! outer one to differentiate: that is all there is to higher orders. Outputs on the list have
//! ascending numbers, so who made an input is found by binary search, and the list order is
//! already the order of dependence: no recursion, no sorting, no graph.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::op::{Call, Gradients, Op};
use crate::ops::{add_in_place, sum_to};
use crate::shape::Spec;
use crate::tensor::Tensor;

/// The list of one thread. Entry `i` is a recorded call: its op, its inputs and its output.
/// Tensors that the op doesn't save are kept without their values.
#[derive(Default)]
struct Log {
    /// `None` only while the op's backward pass runs.
    ops: Vec<Option<Box<dyn Op>>>,
    /// Number of each entry's output, ascending.
    ids: Vec<u64>,
    /// Where each entry's tensors end.
    ends: Vec<usize>,
    /// For each entry its inputs, then its output.
    tensors: Vec<Tensor>,
    /// Which entry made each of `tensors`, or `OUTSIDE`.
    producers: Vec<usize>,
    /// Where each living tape begins, with its key.
    windows: Vec<(u64, usize)>,
    next_key: u64,
}

/// The producer of a tensor that no entry made.
const OUTSIDE: usize = usize::MAX;

impl Log {
    fn len(&self) -> usize {
        self.ops.len()
    }

    /// Where an entry's tensors lie: inputs, then the output.
    #[inline]
    fn range(&self, at: usize) -> Range<usize> {
        at.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[at]
    }

    /// Forgets the entries from `at` on.
    fn truncate(&mut self, at: usize) {
        let tensors = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.ops.truncate(at);
        self.ids.truncate(at);
        self.ends.truncate(at);
        self.producers.truncate(tensors);
        self.tensors.truncate(tensors);
    }

    fn push(&mut self, op: Box<dyn Op>, inputs: &[&Tensor], output: &Tensor) {
        let saves = op.saves();
        for (i, x) in inputs.iter().enumerate() {
            self.producers.push(self.ids.binary_search(&x.id).unwrap_or(OUTSIDE));
            self.tensors.push(kept(x, saves.input(i)));
        }
        self.producers.push(self.ops.len());
        self.tensors.push(kept(output, saves.output()));
        self.ids.push(output.id);
        self.ends.push(self.tensors.len());
        self.ops.push(Some(op));
    }
}

thread_local! {
    static LOG: RefCell<Log> = RefCell::new(Log::default());
    /// Number of living tapes, unless paused: read by every op.
    static RECORDING: Cell<bool> = const { Cell::new(false) };
}

/// Whether ops of this thread are being recorded.
#[inline]
pub fn is_recording() -> bool {
    RECORDING.get()
}

/// Stops recording on this thread until dropped.
#[derive(Debug)]
pub struct Pause {
    before: bool,
    thread: PhantomData<*const ()>,
}

impl Pause {
    /// Stops recording.
    #[inline]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Pause {
        Pause { before: RECORDING.replace(false), thread: PhantomData }
    }
}

impl Drop for Pause {
    #[inline]
    fn drop(&mut self) {
        RECORDING.set(self.before);
    }
}

pub(crate) fn record(op: Box<dyn Op>, inputs: &[&Tensor], output: &Tensor) {
    LOG.with_borrow_mut(|log| log.push(op, inputs, output));
}

/// A tensor as an entry holds it: with its values only if the op saves them.
#[inline]
fn kept(x: &Tensor, saved: bool) -> Tensor {
    if saved {
        return x.clone();
    }
    Tensor { id: x.id, spec: x.spec, layout: None, offset: 0, buffer: None }
}

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
        let (key, start) = LOG.with_borrow_mut(|log| {
            let key = log.next_key;
            log.next_key += 1;
            let start = log.len();
            log.windows.push((key, start));
            (key, start)
        });
        RECORDING.set(true);
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
        if target.spec != cotangent.spec {
            let rule = "the cotangent must have the target's dtype and shape";
            return Err(Error::shape("vjp", rule, &[&target.spec, &cotangent.spec]));
        }
        let produced = LOG
            .with_borrow(|log| log.ids.binary_search(&target.id).ok().filter(|&i| i >= self.start));
        let Some(last) = produced else {
            if sources.iter().any(|s| s.id == target.id) {
                let own = |s: &&Tensor| (s.id == target.id).then(|| cotangent.clone());
                return Ok(sources.iter().map(own).collect());
            }
            let rule = "the target must have been computed while the tape was recording";
            return Err(Error::Gradient { rule: rule.into(), got: format!("{:?}", target.spec) });
        };
        // Who asked for the window is done with recording; a tape around it is not.
        drop_window(self.key);
        let mut walk = Walk::new(self.start, last, sources);
        walk.sums.pending[last - self.start] = Some(cotangent.clone());
        match is_recording() {
            true => walk.recorded(),
            false => walk.alone(),
        }
        Ok(walk.into_found())
    }

    /// Number of ops recorded so far.
    pub fn len(&self) -> usize {
        LOG.with_borrow(|log| log.len() - self.start)
    }

    /// Whether nothing has been recorded yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The recorded ops as a graph in the dot language of Graphviz.
    pub fn to_dot(&self) -> String {
        let mut dot = String::from("digraph tape {\n  rankdir = TB;\n  node [shape = box];\n");
        self.each(|i, op, inputs, output, names| {
            let label = format!("{} {}", op.name(), op.attributes());
            let label = label.trim_end().replace('\\', "\\\\").replace('"', "\\\"");
            dot += &format!("  t{i} [label = \"{label}\\n{:?}\"];\n", output.spec);
            for (x, name) in inputs.iter().zip(names) {
                if name.starts_with('x') {
                    dot +=
                        &format!("  {name} [label = \"{name}\\n{:?}\", shape = oval];\n", x.spec);
                }
                dot += &format!("  {name} -> t{i};\n");
            }
        });
        dot + "}\n"
    }

    /// Calls `f` with each entry's position, op, inputs, output, and the inputs' names: `t3` for
    /// the fourth recorded result, `x0`, `x1`, … for values from outside.
    fn each(&self, mut f: impl FnMut(usize, &dyn Op, &[Tensor], &Tensor, &[String])) {
        LOG.with_borrow(|log| {
            let mut outside: Vec<u64> = Vec::new();
            for at in self.start..log.len() {
                let (Some(op), range) = (&log.ops[at], log.range(at)) else { continue };
                let Some((output, inputs)) = log.tensors[range.clone()].split_last() else {
                    continue;
                };
                let name = |(x, &producer): (&Tensor, &usize)| {
                    if producer != OUTSIDE && producer >= self.start {
                        return format!("t{}", producer - self.start);
                    }
                    let known = outside.iter().position(|&id| id == x.id);
                    let number = known.unwrap_or_else(|| {
                        outside.push(x.id);
                        outside.len() - 1
                    });
                    format!("x{number}")
                };
                let names: Vec<String> =
                    inputs.iter().zip(&log.producers[range]).map(name).collect();
                f(at - self.start, &**op, inputs, output, &names);
            }
        });
    }
}

/// One line an op: `t2 = matmul(x0, t1)  float32 (2, 3)`.
impl fmt::Display for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = String::new();
        self.each(|i, op, _, output, names| {
            let (name, attributes) = (op.name(), op.attributes());
            let names = names.join(", ");
            lines += format!("t{i} = {name}({names}) {attributes}").trim_end();
            lines += &format!("  {:?}\n", output.spec);
        });
        f.write_str(&lines)
    }
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tape of {} ops", self.len())
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        drop_window(self.key);
        finish();
    }
}

/// Ends a tape; ops go on being recorded only if there is another.
fn drop_window(key: u64) {
    // Err: the thread is ending, and with it the list.
    let _ = LOG.try_with(|log| {
        let mut log = log.borrow_mut();
        log.windows.retain(|w| w.0 != key);
        RECORDING.set(!log.windows.is_empty());
    });
}

/// Forgets what no living tape can see. What entries hold is freed after the list is let go,
/// one by one: nothing here recurses.
fn finish() {
    // Err: the thread is ending, and with it the list.
    let rest = LOG.try_with(|log| {
        let mut log = log.borrow_mut();
        (log.windows.is_empty() && log.len() > 0).then(|| log.take())
    });
    if let Ok(Some(rest)) = rest {
        rest.give_back();
    }
}

impl Log {
    /// The entries, so that they can be read while others are recorded.
    fn take(&mut self) -> Log {
        Log {
            ops: std::mem::take(&mut self.ops),
            ids: std::mem::take(&mut self.ids),
            ends: std::mem::take(&mut self.ends),
            tensors: std::mem::take(&mut self.tensors),
            producers: std::mem::take(&mut self.producers),
            windows: Vec::new(),
            next_key: 0,
        }
    }

    /// Frees the entries; the list's own memory serves the next step.
    fn give_back(mut self) {
        self.truncate(0);
        let _ = LOG.try_with(|log| {
            let mut log = log.borrow_mut();
            if log.len() == 0 {
                let Log { ops, ids, ends, tensors, producers, .. } = self;
                (log.ops, log.ids, log.ends) = (ops, ids, ends);
                (log.tensors, log.producers) = (tensors, producers);
            }
        });
    }
}

/// A walk from the target back to the sources.
struct Walk<'a> {
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
    fn new(start: usize, last: usize, sources: &'a [&'a Tensor]) -> Walk<'a> {
        let mut by_id: SmallVec<[u32; 16]> = (0..sources.len() as u32).collect();
        by_id.sort_unstable_by_key(|&i| sources[i as usize].id);
        let len = last - start + 1;
        let (pending, found) = (vec![None; len], vec![None; sources.len()]);
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

    /// Without a tape around, the list is ours: entries are freed as soon as they are consumed.
    fn alone(&mut self) {
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
    }

    /// While a tape around records this walk, the list grows and entries stay.
    fn recorded(&mut self) {
        for at in (self.start..=self.last).rev() {
            let visit = LOG.with_borrow_mut(|log| {
                let (g, wanted) = self.visit(log, at)?;
                let range = log.range(at);
                let mut only =
                    Log { tensors: log.tensors[range.clone()].to_vec(), ..Log::default() };
                only.producers = log.producers[range].to_vec();
                only.ends = vec![only.tensors.len()];
                Some((g, wanted, only, log.ops[at].take()?))
            });
            let Some((g, wanted, only, op)) = visit else { continue };
            self.sums.backward(&*op, &only.tensors, &only, 0, &g, &wanted);
            LOG.with_borrow_mut(|log| log.ops[at] = Some(op));
        }
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
