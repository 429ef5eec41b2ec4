//! How many threads work, and how work is split among them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, RwLock};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

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
    let current = POOL.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    if let Some(pool) = current
        && pool.current_num_threads() == wanted
    {
        return pool;
    }
    let built = ThreadPoolBuilder::new()
        .num_threads(wanted)
        .thread_name(|i| format!("cornu-{i}"))
        .build()
        .expect("the system lets a process start threads");
    let built = Arc::new(built);
    *POOL.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(built.clone());
    built
}

/// Runs `f` inside the pool, or right here if one thread is enough.
pub(crate) fn with_pool<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    if rayon::current_thread_index().is_some() { f() } else { pool().install(f) }
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
    let len = out.len();
    if len * cost <= WORTH_A_THREAD || len <= unit || threads() == 1 {
        return f(0, out);
    }
    split(out, unit, cost, &f);
}

/// The rest of [`chunks_mut`]. Compiled once an element type, not once a kernel: the thread
/// pool's machinery would be most of this crate's code.
#[inline(never)]
fn split<T: Send>(
    out: &mut [T],
    unit: usize,
    cost: usize,
    f: &(dyn Fn(usize, &mut [T]) + Sync + Send),
) {
    let len = out.len();
    let units = len / unit;
    // Twice as many pieces as threads evens out a thread that starts late.
    let pieces = (threads() * 2).min(len * cost / (WORTH_A_THREAD / 2)).max(1);
    let per_piece = units.div_ceil(pieces);
    with_pool(|| {
        out.par_chunks_mut(per_piece * unit).enumerate().for_each(|(i, chunk)| {
            f(i * per_piece, chunk);
        });
    });
}
