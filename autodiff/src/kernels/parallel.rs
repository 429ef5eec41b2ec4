//! How many threads work, and how work is split among them.

#![allow(unsafe_code)]

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rayon_core::{ThreadPool, ThreadPoolBuilder};

/// Elements of cheap work under which waking another thread costs more than it brings.
pub(crate) const WORTH_A_THREAD: usize = 64 * 1024;

/// 0 until set: as many as the process may use.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Sets how many threads kernels use; 1 makes no pool at all. Results are the same bits for
/// any number.
///
/// # Panics
/// When `n` is zero.
pub fn set_threads(n: usize) {
    assert!(n > 0, "set_threads: there must be at least one thread; got 0");
    THREADS.store(n, Ordering::Relaxed);
}

/// How many threads kernels use. By default as many as the process may: affinity and the
/// container's limit are obeyed.
pub fn threads() -> usize {
    static DEFAULT: OnceLock<usize> = OnceLock::new();
    match THREADS.load(Ordering::Relaxed) {
        0 => *DEFAULT
            .get_or_init(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get)),
        n => n,
    }
}

/// The pool for the present number of threads.
fn pool() -> Arc<ThreadPool> {
    static POOL: RwLock<Option<Arc<ThreadPool>>> = RwLock::new(None);
    let wanted = threads();
    let current = POOL.read().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(pool) = current
        && pool.current_num_threads() == wanted
    {
        return pool;
    }
    let mut place = POOL.write().unwrap_or_else(PoisonError::into_inner);
    let pool = match place.take() {
        // Another thread was here first.
        Some(pool) if pool.current_num_threads() == wanted => pool,
        _ => Arc::new(build(wanted)),
    };
    *place = Some(pool.clone());
    pool
}

/// A pool to which the thread that asks for it belongs, if it can: its work then begins here at
/// once, without waking another thread and waiting for it.
fn build(threads: usize) -> ThreadPool {
    let builder =
        || ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("cornu-{i}"));
    // Err: this thread belongs to a pool already, an earlier one of ours or its user's.
    builder()
        .use_current_thread()
        .build()
        .or_else(|_| builder().build())
        .expect("the system lets a process start threads")
}

/// How long a thread without work looks for more before it sleeps. Waking it takes the system
/// tens of microseconds, longer than many an op, and a training step has twenty such gaps.
const AWAKE: Duration = Duration::from_micros(200);
/// Calls for parallel work so far.
static CALLS: AtomicUsize = AtomicUsize::new(0);
/// Threads that stay awake, or soon will.
static LOOKOUTS: AtomicUsize = AtomicUsize::new(0);

/// Lets the pool's other threads stay awake from here on.
fn stay_awake(pool: &ThreadPool) {
    CALLS.fetch_add(1, Ordering::Relaxed);
    let others = pool.current_num_threads() - 1;
    while LOOKOUTS.load(Ordering::Relaxed) < others {
        LOOKOUTS.fetch_add(1, Ordering::Relaxed);
        pool.spawn(|| {
            look_out();
            LOOKOUTS.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

/// Does the pool's work until there has been none for a while.
fn look_out() {
    // The thread that asks for work must not stay here.
    if rayon_core::current_thread_index() == Some(0) {
        return;
    }
    let (mut seen, mut since) = (0, Instant::now());
    loop {
        if rayon_core::yield_now() == Some(rayon_core::Yield::Executed) {
            continue;
        }
        let calls = CALLS.load(Ordering::Relaxed);
        if calls != seen {
            (seen, since) = (calls, Instant::now());
        } else if since.elapsed() > AWAKE {
            return;
        }
        std::hint::spin_loop();
    }
}

/// Runs `f` inside a pool of the right size, here if this thread belongs to one.
pub(crate) fn with_pool<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    let pool = pool();
    stay_awake(&pool);
    let here = rayon_core::current_thread_index().is_some();
    if here && rayon_core::current_num_threads() == pool.current_num_threads() {
        f()
    } else {
        pool.install(f)
    }
}

/// Calls `f(first, chunk)` for pieces of `out` that are whole multiples of `unit` elements and
/// together are `out`; `first` is the piece's first unit. `cost` is the work behind one
/// element, 1 for an addition.
#[inline]
pub(crate) fn chunks_mut<T: Send>(
    out: &mut [T],
    unit: usize,
    cost: usize,
    f: impl Fn(usize, &mut [T]) + Sync + Send,
) {
    let (len, start) = (out.len(), Start::of(out));
    split(len, unit, cost, &Chunks { start, f });
}

/// As [`chunks_mut`], for elements of `size` bytes whose type is not known here.
pub(crate) fn pieces_mut(
    out: &mut [u8],
    size: usize,
    unit: usize,
    cost: usize,
    f: &(dyn Fn(usize, &mut [u8]) + Sync),
) {
    let (len, start) = (out.len() / size, Start::of(out));
    split(len, unit, cost, &Pieces { start, size, f });
}

/// Work on an output that can be cut in parts. A trait of its own, since a `dyn Fn` would
/// carry the ways to consume and to mutate a closure into every kernel.
trait Work: Sync {
    /// Does `len` elements from `from` on, which is unit number `first`.
    ///
    /// # Safety
    /// The range must lie within the output, and nobody else may use it.
    unsafe fn part(&self, first: usize, from: usize, len: usize);
}

struct Chunks<T, F> {
    start: Start<T>,
    f: F,
}

impl<T: Send, F: Fn(usize, &mut [T]) + Sync> Work for Chunks<T, F> {
    unsafe fn part(&self, first: usize, from: usize, len: usize) {
        // SAFETY: the caller's promise.
        (self.f)(first, unsafe { self.start.part(from, len) });
    }
}

struct Pieces<'a> {
    start: Start<u8>,
    size: usize,
    f: &'a (dyn Fn(usize, &mut [u8]) + Sync),
}

impl Work for Pieces<'_> {
    unsafe fn part(&self, first: usize, from: usize, len: usize) {
        // SAFETY: the caller's promise.
        (self.f)(first, unsafe { self.start.part(from * self.size, len * self.size) });
    }
}

/// Where an output begins that threads share.
pub(super) struct Start<T>(*mut T);

// SAFETY: only used to make slices that don't overlap, and those of `T: Send` may be sent.
unsafe impl<T: Send> Sync for Start<T> {}

impl<T> Start<T> {
    pub(super) fn of(out: &mut [T]) -> Start<T> {
        Start(out.as_mut_ptr())
    }

    /// Its first element.
    pub(super) fn pointer(&self) -> *mut T {
        self.0
    }

    /// # Safety
    /// The range must lie within the output and nobody else may use it.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)]
    pub(super) unsafe fn part(&self, from: usize, len: usize) -> &mut [T] {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(from), len) }
    }
}

/// Calls `f(i)` for every `i` below `count`, each as much work as is worth a thread.
pub(crate) fn each(count: usize, f: &(dyn Fn(usize) + Sync)) {
    if count == 1 || threads() == 1 {
        return (0..count).for_each(f);
    }
    with_pool(|| halves(0..count, f));
}

/// Calls `f` for every `i` of the range, one half here and the other wherever a thread has
/// nothing to do: from call to call, a thread gets about the same part of the data.
fn halves(range: Range<usize>, f: &(dyn Fn(usize) + Sync)) {
    match range.len() {
        0 => (),
        1 => f(range.start),
        n => {
            let middle = range.start + n / 2;
            let (first, second) = (range.start..middle, middle..range.end);
            rayon_core::join(|| halves(first, f), || halves(second, f));
        }
    }
}

/// Does `len` elements of work, on this thread if it is small. Compiled once, not once a
/// kernel: the thread pool's machinery would be most of this crate's code.
fn split(len: usize, unit: usize, cost: usize, work: &dyn Work) {
    if len * cost <= WORTH_A_THREAD || len <= unit || threads() == 1 {
        // SAFETY: all of the output, once.
        return unsafe { work.part(0, 0, len) };
    }
    // Twice as many pieces as threads evens out a thread that starts late.
    let pieces = (threads() * 2).min(len * cost / (WORTH_A_THREAD / 2)).max(1);
    let per_piece = (len / unit).div_ceil(pieces);
    let size = per_piece * unit;
    each(len.div_ceil(size), &|i| {
        // SAFETY: ranges one behind the other, the last of them cut at the end.
        unsafe { work.part(i * per_piece, i * size, size.min(len - i * size)) };
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_is_handed_out_once_and_in_whole_units() {
        let (len, cost) = if cfg!(miri) { (1000, 1000) } else { (200_001, 1) };
        for unit in [1, 7, 64] {
            let whole = len / unit * unit;
            let mut out = vec![0u32; whole];
            chunks_mut(&mut out, unit, cost, |first, chunk| {
                assert_eq!(chunk.len() % unit, 0);
                for (i, y) in chunk.iter_mut().enumerate() {
                    *y += (first * unit + i) as u32 + 1;
                }
            });
            assert!(out.iter().enumerate().all(|(i, &y)| y == i as u32 + 1));
            let mut bytes = vec![0u8; whole * 4];
            pieces_mut(&mut bytes, 4, unit, cost, &|_, piece| {
                assert_eq!(piece.len() % (4 * unit), 0);
                piece.iter_mut().for_each(|byte| *byte += 1);
            });
            assert!(bytes.iter().all(|&byte| byte == 1));
        }
    }
}
