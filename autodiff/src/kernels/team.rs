//! The threads that work together: how many, and how the pieces of one call get to them.
//!
//! Whoever calls works too, on its own share first, and waits awake for pieces that others have
//! begun. A training step has dozens of such calls of a few hundred microseconds: to put a
//! thread to sleep and wake it takes a good part of that.

#![allow(unsafe_code)]

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rayon_core::{ThreadPool, ThreadPoolBuilder};
use smallvec::SmallVec;

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
    match THREADS.load(Ordering::Relaxed) {
        0 => cores(),
        n => n,
    }
}

/// How many threads the system runs at once.
fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
}

/// So many threads that help the one that asks.
fn pool(helpers: usize) -> Arc<ThreadPool> {
    static POOL: RwLock<Option<Arc<ThreadPool>>> = RwLock::new(None);
    let current = POOL.read().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(pool) = current
        && pool.current_num_threads() == helpers
    {
        return pool;
    }
    let mut place = POOL.write().unwrap_or_else(PoisonError::into_inner);
    let pool = match place.take() {
        // Another thread was here first.
        Some(pool) if pool.current_num_threads() == helpers => pool,
        _ => {
            let builder = ThreadPoolBuilder::new().num_threads(helpers);
            let builder = builder.thread_name(|i| format!("cornu-{}", i + 1));
            Arc::new(builder.build().expect("the system lets a process start threads"))
        }
    };
    *place = Some(pool.clone());
    pool
}

/// How long a thread without work looks for more before it sleeps.
const AWAKE: Duration = Duration::from_micros(200);
/// Calls for help so far.
static CALLS: AtomicUsize = AtomicUsize::new(0);
/// Helpers that stay awake, or soon will.
static LOOKOUTS: AtomicUsize = AtomicUsize::new(0);

/// Lets the helpers stay awake from here on, unless that keeps others from working.
fn stay_awake(pool: &ThreadPool, helpers: usize) {
    CALLS.fetch_add(1, Ordering::Relaxed);
    if helpers >= cores() {
        return;
    }
    while LOOKOUTS.load(Ordering::Relaxed) < helpers {
        LOOKOUTS.fetch_add(1, Ordering::Relaxed);
        pool.spawn(|| {
            look_out();
            LOOKOUTS.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

/// Does the pool's work until there has been none for a while.
fn look_out() {
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

/// The pieces of one call.
struct Job {
    /// The caller's, who stays until all pieces are done.
    f: *const (dyn Fn(usize) + Sync),
    /// For each who works, its next piece and its end: from call to call, a thread gets about
    /// the same part of the data.
    shares: SmallVec<[(AtomicUsize, usize); 4]>,
    /// Pieces that aren't done.
    left: AtomicUsize,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

// SAFETY: `f` is `Sync`, and only called while the caller waits; the rest is made for sharing.
unsafe impl Send for Job {}
// SAFETY: as above.
unsafe impl Sync for Job {}

impl Job {
    fn new(count: usize, workers: usize, f: &(dyn Fn(usize) + Sync)) -> Job {
        let share = |i| (AtomicUsize::new(count * i / workers), count * (i + 1) / workers);
        Job {
            // SAFETY: only the lifetime is forgotten; see `work`.
            f: unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), *const _>(f) },
            shares: (0..workers).map(share).collect(),
            left: AtomicUsize::new(count),
            panic: Mutex::new(None),
        }
    }

    /// Does pieces until none is left that nobody has begun: of one's own share, then of others.
    fn work(&self, own: usize) {
        let n = self.shares.len();
        for (next, end) in (own..own + n).map(|i| &self.shares[i % n]) {
            loop {
                let piece = next.fetch_add(1, Ordering::Relaxed);
                if piece >= *end {
                    break;
                }
                // SAFETY: this piece isn't done, so the caller is still there, and `f` with it.
                let f = unsafe { &*self.f };
                if let Err(payload) = catch_unwind(AssertUnwindSafe(|| f(piece))) {
                    *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(payload);
                }
                self.left.fetch_sub(1, Ordering::Release);
            }
        }
    }

    /// Waits until every piece is done.
    fn wait(&self) {
        let since = Instant::now();
        while self.left.load(Ordering::Acquire) > 0 {
            if since.elapsed() > AWAKE || self.shares.len() > cores() {
                std::thread::yield_now();
            }
            std::hint::spin_loop();
        }
    }
}

/// Calls `f(i)` for every `i` below `count`, each as much work as is worth a thread.
///
/// # Panics
/// When `f` does, after all pieces are done.
pub(crate) fn each(count: usize, f: &(dyn Fn(usize) + Sync)) {
    let workers = threads().min(count);
    if workers <= 1 {
        return (0..count).for_each(f);
    }
    let helpers = threads() - 1;
    let pool = pool(helpers);
    stay_awake(&pool, helpers);
    let job = Arc::new(Job::new(count, workers, f));
    for own in 1..workers {
        let job = job.clone();
        pool.spawn(move || job.work(own));
    }
    job.work(0);
    job.wait();
    let panic = job.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(payload) = panic {
        resume_unwind(payload);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_done_once_by_however_many_callers_and_levels() {
        set_threads(3);
        let done: Vec<AtomicUsize> = (0..60).map(|_| AtomicUsize::new(0)).collect();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    each(6, &|i| {
                        each(10, &|j| {
                            done[i * 10 + j].fetch_add(1, Ordering::Relaxed);
                        });
                    });
                });
            }
        });
        set_threads(2);
        assert!(done.iter().all(|n| n.load(Ordering::Relaxed) == 4));
    }

    #[test]
    fn a_panic_reaches_the_caller_when_all_is_done() {
        let done = AtomicUsize::new(0);
        let run = || {
            each(8, &|i| {
                assert!(i != 5, "the sixth");
                done.fetch_add(1, Ordering::Relaxed);
            });
        };
        let payload = catch_unwind(AssertUnwindSafe(run)).expect_err("must panic");
        assert_eq!(payload.downcast_ref::<&str>(), Some(&"the sixth"));
        assert!(done.into_inner() == 7 || threads() == 1);
    }
}
