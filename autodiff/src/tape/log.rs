//! The list of recorded calls that each thread keeps, and who may see it.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::ops::Range;

use crate::op::Op;
use crate::tensor::Tensor;

/// The list of one thread. Entry `i` is a recorded call: its op, its inputs and its output.
/// Tensors that the op doesn't save are kept without their values.
#[derive(Default)]
pub(super) struct Log {
    /// `None` only while the op's backward pass runs.
    pub(super) ops: Vec<Option<Box<dyn Op>>>,
    /// Number of each entry's output, ascending.
    pub(super) ids: Vec<u64>,
    /// Where each entry's tensors end.
    pub(super) ends: Vec<usize>,
    /// For each entry its inputs, then its output.
    pub(super) tensors: Vec<Tensor>,
    /// Which entry made each of `tensors`, or `OUTSIDE`.
    pub(super) producers: Vec<usize>,
    /// Where each living tape begins, with its key.
    windows: Vec<(u64, usize)>,
    next_key: u64,
}

/// The producer of a tensor that no entry made.
pub(super) const OUTSIDE: usize = usize::MAX;

impl Log {
    pub(super) fn len(&self) -> usize {
        self.ops.len()
    }

    /// Where an entry's tensors lie: inputs, then the output.
    #[inline]
    pub(super) fn range(&self, at: usize) -> Range<usize> {
        at.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[at]
    }

    /// Forgets the entries from `at` on.
    pub(super) fn truncate(&mut self, at: usize) {
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

/// What a pause hides.
#[derive(Clone, Copy, Debug)]
struct Hidden {
    /// Number of tapes that lived when it began: they don't see what happens now.
    tapes: usize,
    /// Where younger tapes began, if there were any.
    entries: usize,
}

const NOTHING: Hidden = Hidden { tapes: 0, entries: usize::MAX };

thread_local! {
    pub(super) static LOG: RefCell<Log> = RefCell::new(Log::default());
    /// Whether a tape lives that is not paused: read by every op.
    static RECORDING: Cell<bool> = const { Cell::new(false) };
    /// Number of living tapes.
    static TAPES: Cell<usize> = const { Cell::new(0) };
    static HIDDEN: Cell<Hidden> = const { Cell::new(NOTHING) };
}

/// Whether ops of this thread are being recorded.
#[inline]
pub fn is_recording() -> bool {
    RECORDING.get()
}

/// Number of living tapes of this thread.
pub(super) fn tapes() -> usize {
    TAPES.get()
}

/// Stops the tapes of this thread from recording until dropped. A tape that is made during a
/// pause records for itself; tapes that are older never see what happens in a pause.
///
/// ```
/// use cornu_autodiff::{Pause, Tape, Tensor};
/// let x = Tensor::scalar(3.0);
/// let tape = Tape::new();
/// let pause = Pause::new();
/// let constant = &x * 2.0;
/// drop(pause);
/// let y = x * constant;
/// assert_eq!(tape.len(), 1);
/// ```
#[derive(Debug)]
pub struct Pause {
    /// `None` if nothing was being recorded.
    before: Option<Hidden>,
    thread: PhantomData<*const ()>,
}

impl Pause {
    /// Stops recording.
    #[inline]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Pause {
        let hide = || HIDDEN.replace(Hidden { tapes: TAPES.get(), ..NOTHING });
        Pause { before: RECORDING.replace(false).then(hide), thread: PhantomData }
    }
}

impl Drop for Pause {
    #[inline]
    fn drop(&mut self) {
        if let Some(before) = self.before {
            HIDDEN.set(before);
            RECORDING.set(TAPES.get() > before.tapes);
        }
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

/// Begins a tape: its key, and where on the list it starts.
pub(super) fn open_window() -> (u64, usize) {
    let (key, start) = LOG.with_borrow_mut(|log| {
        let (key, start) = (log.next_key, log.len());
        log.next_key += 1;
        log.windows.push((key, start));
        (key, start)
    });
    let hidden = HIDDEN.get();
    if TAPES.get() == hidden.tapes {
        HIDDEN.set(Hidden { entries: start, ..hidden });
    }
    TAPES.set(TAPES.get() + 1);
    RECORDING.set(true);
    (key, start)
}

/// Ends a tape; ops go on being recorded only if there is another.
pub(super) fn close_window(key: u64) {
    // Err: the thread is ending, and with it the list.
    let _ = LOG.try_with(|log| {
        let mut log = log.borrow_mut();
        let Some(at) = log.windows.iter().position(|w| w.0 == key) else { return };
        log.windows.remove(at);
        let hidden = HIDDEN.get();
        let tapes = hidden.tapes - usize::from(at < hidden.tapes);
        HIDDEN.set(Hidden { tapes, ..hidden });
        TAPES.set(log.windows.len());
        RECORDING.set(log.windows.len() > tapes);
    });
}

/// Forgets what no living tape can see. What entries hold is freed after the list is let go,
/// one by one: nothing here recurses.
pub(super) fn finish() {
    // Err: the thread is ending, and with it the list.
    let rest = LOG.try_with(|log| {
        let (mut log, hidden) = (log.borrow_mut(), HIDDEN.get());
        if log.windows.is_empty() {
            return (log.len() > 0).then(|| log.take());
        }
        let made_in_pause = log.windows.len() == hidden.tapes && log.len() > hidden.entries;
        made_in_pause.then(|| log.split_off(hidden.entries))
    });
    if let Ok(Some(rest)) = rest {
        rest.give_back();
    }
}

impl Log {
    /// The entries, so that they can be read while others are recorded.
    pub(super) fn take(&mut self) -> Log {
        Log {
            ops: std::mem::take(&mut self.ops),
            ids: std::mem::take(&mut self.ids),
            ends: std::mem::take(&mut self.ends),
            tensors: std::mem::take(&mut self.tensors),
            producers: std::mem::take(&mut self.producers),
            ..Log::default()
        }
    }

    /// A list of one entry, but for its op.
    pub(super) fn only(&self, at: usize) -> Log {
        let range = self.range(at);
        let (tensors, producers) =
            (self.tensors[range.clone()].to_vec(), self.producers[range].to_vec());
        Log { ends: vec![tensors.len()], tensors, producers, ..Log::default() }
    }

    /// Removes the entries from `at` on.
    fn split_off(&mut self, at: usize) -> Log {
        let tensors = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        let mut ends = self.ends.split_off(at);
        ends.iter_mut().for_each(|end| *end -= tensors);
        Log {
            ops: self.ops.split_off(at),
            ids: self.ids.split_off(at),
            ends,
            tensors: self.tensors.split_off(tensors),
            producers: self.producers.split_off(tensors),
            ..Log::default()
        }
    }

    /// Frees the entries; the list's own memory serves the next step.
    pub(super) fn give_back(mut self) {
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
