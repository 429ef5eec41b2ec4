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

use smallvec::{SmallVec, smallvec};

use crate::error::{Error, Result};
use crate::op::{Call, Gradients, Op};
use crate::ops::{add_in_place, sum_to};
use crate::shape::Spec;
use crate::tensor::Tensor;

/// One recorded call. Tensors that the op doesn't save are kept without their values.
struct Entry {
    op: Box<dyn Op>,
    inputs: SmallVec<[Tensor; 3]>,
    /// Where on the list each input was made.
    producers: SmallVec<[Option<usize>; 3]>,
    output: Tensor,
}

/// The list of one thread.
#[derive(Default)]
struct Log {
    /// `None` only while the entry's backward pass runs.
    entries: Vec<Option<Entry>>,
    /// Number of each entry's output, ascending.
    ids: Vec<u64>,
    /// Where each living tape begins, with its key.
    windows: Vec<(u64, usize)>,
    next_key: u64,
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
    let saves = op.saves();
    LOG.with_borrow_mut(|log| {
        let producers = inputs.iter().map(|x| log.ids.binary_search(&x.id).ok()).collect();
        let inputs = inputs.iter().enumerate().map(|(i, x)| kept(x, saves.input(i))).collect();
        let output = kept(output, saves.output());
        log.ids.push(output.id);
        log.entries.push(Some(Entry { op, inputs, producers, output }));
    });
}

/// A tensor as an entry holds it: with its values only if the op saves them.
#[inline]
fn kept(x: &Tensor, saved: bool) -> Tensor {
    if saved {
        return x.clone();
    }
    Tensor { id: x.id, spec: x.spec, strides: x.strides, offset: 0, buffer: None }
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
            log.windows.push((key, log.entries.len()));
            (key, log.entries.len())
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
        let start = self.start;
        // Who asked for the window is done with recording; a tape around it is not.
        drop_window(self.key);
        let mut walk = Walk::new(start, last, sources);
        walk.pending[last - start] = Some(cotangent.clone());
        for at in (start..=last).rev() {
            walk.step(at);
        }
        Ok(walk.into_found())
    }

    /// Number of ops recorded so far.
    pub fn len(&self) -> usize {
        LOG.with_borrow(|log| log.entries.len() - self.start)
    }

    /// Whether nothing has been recorded yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The recorded ops as a graph in the dot language of Graphviz.
    pub fn to_dot(&self) -> String {
        let mut dot = String::from("digraph tape {\n  rankdir = TB;\n  node [shape = box];\n");
        self.each(|i, entry, names| {
            let label = format!("{} {}", entry.op.name(), entry.op.attributes());
            let label = label.trim_end().replace('\\', "\\\\").replace('"', "\\\"");
            dot += &format!("  t{i} [label = \"{label}\\n{:?}\"];\n", entry.output.spec);
            for (x, name) in entry.inputs.iter().zip(names) {
                if name.starts_with('x') {
                    dot +=
                        &format!("  {name} [label = \"{name}\\n{:?}\", shape = oval];\n", x.spec);
                }
                dot += &format!("  {name} -> t{i};\n");
            }
        });
        dot + "}\n"
    }

    /// Calls `f` with each entry, its position, and its inputs' names: `t3` for the fourth
    /// recorded result, `x0`, `x1`, … for values from outside.
    fn each(&self, mut f: impl FnMut(usize, &Entry, &[String])) {
        LOG.with_borrow(|log| {
            let mut outside: Vec<u64> = Vec::new();
            for (i, entry) in log.entries[self.start..].iter().flatten().enumerate() {
                let name = |(x, producer): (&Tensor, &Option<usize>)| match producer {
                    Some(at) if *at >= self.start => format!("t{}", at - self.start),
                    _ => {
                        let known = outside.iter().position(|&id| id == x.id);
                        let at = known.unwrap_or_else(|| {
                            outside.push(x.id);
                            outside.len() - 1
                        });
                        format!("x{at}")
                    }
                };
                let names: Vec<String> =
                    entry.inputs.iter().zip(&entry.producers).map(name).collect();
                f(i, entry, &names);
            }
        });
    }
}

/// One line an op: `t2 = matmul(x0, t1)  float32 (2, 3)`.
impl fmt::Display for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = String::new();
        self.each(|i, entry, names| {
            let (name, attributes) = (entry.op.name(), entry.op.attributes());
            let names = names.join(", ");
            lines += format!("t{i} = {name}({names}) {attributes}").trim_end();
            lines += &format!("  {:?}\n", entry.output.spec);
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
    let rest = LOG.try_with(|log| {
        let mut log = log.borrow_mut();
        if log.windows.is_empty() {
            log.ids.clear();
            return std::mem::take(&mut log.entries);
        }
        Vec::new()
    });
    let Ok(mut rest) = rest else { return };
    if rest.capacity() > 0 {
        rest.clear();
        // The list's own memory serves the next step.
        let _ = LOG.try_with(|log| {
            let mut log = log.borrow_mut();
            if log.entries.is_empty() {
                log.entries = rest;
            }
        });
    }
}

/// A walk from the target back to the sources.
struct Walk<'a> {
    start: usize,
    sources: &'a [&'a Tensor],
    /// Positions in `sources`, sorted by tensor number.
    by_id: SmallVec<[usize; 16]>,
    /// Whether an entry's output depends on a source.
    needed: Vec<bool>,
    /// Gradients by the outputs of entries, as far as they are known.
    pending: Vec<Option<Tensor>>,
    found: Vec<Option<Tensor>>,
    /// Whether a tape around this one records the walk.
    recorded: bool,
}

impl<'a> Walk<'a> {
    fn new(start: usize, last: usize, sources: &'a [&'a Tensor]) -> Walk<'a> {
        let mut by_id: SmallVec<[usize; 16]> = (0..sources.len()).collect();
        by_id.sort_unstable_by_key(|&i| sources[i].id);
        let len = last - start + 1;
        let mut walk = Walk {
            start,
            sources,
            by_id,
            needed: vec![false; len],
            pending: vec![None; len],
            found: vec![None; sources.len()],
            recorded: is_recording(),
        };
        LOG.with_borrow(|log| {
            for at in start..=last {
                let Some(entry) = &log.entries[at] else { continue };
                walk.needed[at - start] = walk.source(entry.output.id).is_some()
                    || (0..entry.inputs.len()).any(|i| walk.wants(entry, i));
            }
        });
        walk
    }

    /// The gradients by source; one that was asked for twice is given twice.
    fn into_found(mut self) -> Vec<Option<Tensor>> {
        for i in 0..self.sources.len() {
            let first = self.source(self.sources[i].id).expect("a source is among the sources");
            if first != i {
                self.found[i] = self.found[first].clone();
            }
        }
        self.found
    }

    /// The first source with this number.
    fn source(&self, id: u64) -> Option<usize> {
        let at = self.by_id.partition_point(|&i| self.sources[i].id < id);
        self.by_id.get(at).copied().filter(|&i| self.sources[i].id == id)
    }

    /// Where on this walk's window an input was made.
    fn made_at(&self, entry: &Entry, input: usize) -> Option<usize> {
        entry.producers[input].filter(|&at| at >= self.start).map(|at| at - self.start)
    }

    fn wants(&self, entry: &Entry, input: usize) -> bool {
        entry.inputs[input].dtype().is_float()
            && entry.op.is_differentiable(input)
            && match self.made_at(entry, input) {
                Some(at) => self.needed[at],
                None => self.source(entry.inputs[input].id).is_some(),
            }
    }

    /// Passes the gradient of one entry's output on to its inputs.
    fn step(&mut self, at: usize) {
        let gradient = self.pending[at - self.start].take();
        let Some(entry) = LOG.with_borrow_mut(|log| log.entries[at].take()) else { return };
        if let Some(g) = gradient
            && self.needed[at - self.start]
        {
            if let Some(source) = self.source(entry.output.id) {
                self.found[source] = Some(g.clone());
            }
            self.backward(&entry, &g);
        }
        // Without a tape around, an entry is freed as soon as it is consumed.
        if self.recorded {
            LOG.with_borrow_mut(|log| log.entries[at] = Some(entry));
        }
    }

    fn backward(&mut self, entry: &Entry, g: &Tensor) {
        let wanted: SmallVec<[bool; 8]> =
            (0..entry.inputs.len()).map(|i| self.wants(entry, i)).collect();
        if !wanted.contains(&true) {
            return;
        }
        let call = Call { op: &*entry.op, inputs: &entry.inputs, output: &entry.output };
        let mut found = smallvec![];
        entry.op.vjp(&call, g, &mut Gradients { wanted: &wanted, found: &mut found });
        for (input, gradient) in found {
            let spec = entry.inputs[input].spec;
            let gradient = fit(&*entry.op, gradient, &spec);
            let slot = match self.made_at(entry, input) {
                Some(at) => &mut self.pending[at],
                None => {
                    let source = self.source(entry.inputs[input].id);
                    &mut self.found[source.expect("only wanted gradients are computed")]
                }
            };
            *slot = Some(match slot.take() {
                None => gradient,
                Some(sum) => add_in_place(sum, gradient),
            });
        }
    }
}

/// Undoes broadcasting: a gradient is summed to its input's shape.
fn fit(op: &dyn Op, gradient: Tensor, spec: &Spec) -> Tensor {
    assert_eq!(
        gradient.dtype(),
        spec.dtype,
        "`{}`: a gradient must have its input's dtype",
        op.name()
    );
    if gradient.shape() == &spec.shape { gradient } else { sum_to(&gradient, &spec.shape) }
}
