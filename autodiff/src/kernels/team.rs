//! The threads that work together: how many, and how the pieces of one call get to them.
//!
//! Whoever calls works too, on its own share first, and waits awake for pieces that others have
//! begun. A training step has dozens of such calls of a few hundred microseconds: to put a
//! thread to sleep and wake it takes a good part of that.

#![allow(unsafe_code)]

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use smallvec::SmallVec;

/// 0 until set: as many as the process may use.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Sets how many threads kernels use; 1 starts none. Results are the same bits for
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

/// Most threads that help; the caller is one more.
const MOST: usize = 255;
/// How long a thread without work looks for more before it sleeps.
const AWAKE: Duration = Duration::from_micros(200);
/// Looks between two at the clock.
const LOOKS: usize = 64;

/// A thread that helps whoever asks first.
struct Helper {
    /// What it is asked to do, null for nothing. The one who asks may take it back until the
    /// helper takes it.
    job: AtomicPtr<Job>,
    /// Whether it does nothing and isn't asked to.
    idle: AtomicBool,
    /// Whether it sleeps, or is about to.
    asleep: AtomicBool,
    thread: OnceLock<Thread>,
}

/// The helper number `i`, started when it is first asked for; `None` if the system has no thread
/// for it.
fn helper(i: usize) -> Option<&'static Helper> {
    static HELPERS: [Helper; MOST] = [const {
        Helper {
            job: AtomicPtr::new(ptr::null_mut()),
            idle: AtomicBool::new(true),
            asleep: AtomicBool::new(false),
            thread: OnceLock::new(),
        }
    }; MOST];
    static STARTING: Mutex<()> = Mutex::new(());
    let helper = HELPERS.get(i)?;
    if helper.thread.get().is_none() {
        let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        if helper.thread.get().is_none() {
            let builder = std::thread::Builder::new().name(format!("cornu-{}", i + 1));
            let handle = builder.spawn(move || helper.help(i + 1)).ok()?;
            let _ = helper.thread.set(handle.thread().clone());
        }
    }
    Some(helper)
}

impl Helper {
    /// Asks for help with a job, unless the helper has another.
    fn ask(&self, job: &Job) -> bool {
        if !self.idle.load(Ordering::Relaxed) || !self.idle.swap(false, Ordering::AcqRel) {
            return false;
        }
        job.helpers.fetch_add(1, Ordering::Relaxed);
        self.job.store(ptr::from_ref(job).cast_mut(), Ordering::SeqCst);
        // Either the helper sees the job before it sleeps, or this sees that it sleeps.
        if self.asleep.load(Ordering::SeqCst)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
        true
    }

    /// Takes a job back that the helper hasn't begun.
    fn take_back(&self, job: &Job) {
        let asked = ptr::from_ref(job).cast_mut();
        let (to, order) = (ptr::null_mut(), Ordering::AcqRel);
        if self.job.compare_exchange(asked, to, order, Ordering::Relaxed).is_ok() {
            self.idle.store(true, Ordering::Release);
            job.helpers.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// What the thread does for ever: `own` is whose share of the pieces it begins with.
    fn help(&self, own: usize) {
        loop {
            let job = self.job.swap(ptr::null_mut(), Ordering::AcqRel);
            if job.is_null() {
                self.look_out();
                continue;
            }
            // SAFETY: the one who asked waits until the job's number of helpers is 0.
            let job = unsafe { &*job };
            job.work(own);
            // Idle first: the one who asked may ask again at once.
            self.idle.store(true, Ordering::Release);
            job.helpers.fetch_sub(1, Ordering::Release);
        }
    }

    /// Waits for a job, awake for a while, unless that keeps others from working.
    fn look_out(&self) {
        let since = Instant::now();
        while threads() <= cores() && since.elapsed() < AWAKE {
            for _ in 0..LOOKS {
                if !self.job.load(Ordering::Relaxed).is_null() {
                    return;
                }
                std::hint::spin_loop();
            }
        }
        self.asleep.store(true, Ordering::SeqCst);
        while self.job.load(Ordering::SeqCst).is_null() {
            std::thread::park();
        }
        self.asleep.store(false, Ordering::Relaxed);
    }
}

/// The pieces of one call. It lies with the caller, so that nothing is allocated that another
/// thread frees: they would wait for one another in the allocator.
struct Job {
    /// The caller's.
    f: *const (dyn Fn(usize) + Sync),
    /// For each who works, its next piece and its end: from call to call, a thread gets about
    /// the same part of the data.
    shares: SmallVec<[(AtomicUsize, usize); 4]>,
    /// Those who were asked to help and aren't done.
    helpers: AtomicUsize,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

impl Job {
    fn new(count: usize, workers: usize, f: &(dyn Fn(usize) + Sync)) -> Job {
        let share = |i| (AtomicUsize::new(count * i / workers), count * (i + 1) / workers);
        Job {
            // SAFETY: only the lifetime is forgotten; `each` doesn't return, nor unwind, before
            // all helpers are done.
            f: unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), *const _>(f) },
            shares: (0..workers).map(share).collect(),
            helpers: AtomicUsize::new(0),
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
                // SAFETY: see `new`.
                let f = unsafe { &*self.f };
                if let Err(payload) = catch_unwind(AssertUnwindSafe(|| f(piece))) {
                    *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(payload);
                }
            }
        }
    }

    /// Waits until every helper is done.
    fn wait(&self) {
        let since = Instant::now();
        let mut looks = 0;
        while self.helpers.load(Ordering::Acquire) > 0 {
            looks += 1;
            if looks % LOOKS == 0 && (threads() > cores() || since.elapsed() > AWAKE) {
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
    let workers = threads().min(count).min(MOST + 1);
    if workers <= 1 {
        return (0..count).for_each(f);
    }
    let job = Job::new(count, workers, f);
    let helpers = || (0..workers - 1).map_while(helper);
    helpers().for_each(|helper| {
        helper.ask(&job);
    });
    job.work(0);
    helpers().for_each(|helper| helper.take_back(&job));
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

    /// Calls so short that helpers come late, are taken back from, or fall asleep.
    #[test]
    fn short_calls_are_done_when_they_return() {
        set_threads(3);
        let rounds = if cfg!(miri) { 30 } else { 5000 };
        std::thread::scope(|scope| {
            for caller in 0..2 {
                scope.spawn(move || {
                    for round in 0..rounds {
                        let mut done = [const { AtomicUsize::new(0) }; 5];
                        each(done.len(), &|i| {
                            done[i].fetch_add(round + i, Ordering::Relaxed);
                        });
                        for (i, done) in done.iter_mut().enumerate() {
                            assert_eq!(*done.get_mut(), round + i);
                        }
                        if round % 1000 == caller {
                            std::thread::sleep(2 * AWAKE);
                        }
                    }
                });
            }
        });
        set_threads(2);
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
