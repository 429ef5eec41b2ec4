//! Where elements live: typed vectors behind `Arc`, recycled from step to step.
//!
//! A training step makes and drops the same buffers again and again. Each thread keeps the
//! dropped ones in lists by element type and size class, so that in steady state an op
//! allocates nothing, and large buffers are not handed back to the system only to be
//! page-faulted in again. Buffers are always initialised; a fresh op overwrites them.
//!
//! Only what a thread has made is kept, and by that thread: a user's vectors, or batches that
//! another thread makes, come anew with every step and would be heaped up.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::dtype::{DType, Element};
use crate::each_dtype;
use crate::elements::Elements;
use crate::kernels::bytes;
use crate::kernels::pages::prefer_large;

/// Elements of one of the run-time types.
#[derive(Debug)]
#[doc(hidden)]
pub enum Storage {
    F32(Elements<f32>),
    F64(Elements<f64>),
    I32(Elements<i32>),
    I64(Elements<i64>),
    U8(Elements<u8>),
    Bool(Elements<bool>),
}

impl Storage {
    pub(crate) fn dtype(&self) -> DType {
        match self {
            Storage::F32(_) => DType::F32,
            Storage::F64(_) => DType::F64,
            Storage::I32(_) => DType::I32,
            Storage::I64(_) => DType::I64,
            Storage::U8(_) => DType::U8,
            Storage::Bool(_) => DType::Bool,
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Storage::F32(v) => v.len(),
            Storage::F64(v) => v.len(),
            Storage::I32(v) => v.len(),
            Storage::I64(v) => v.len(),
            Storage::U8(v) => v.len(),
            Storage::Bool(v) => v.len(),
        }
    }
}

/// A [`Storage`], and what is known of its elements.
#[derive(Debug)]
struct Held {
    storage: Storage,
    /// Whether who wrote the elements has seen that none is NaN or infinite.
    finite: bool,
    /// The pool that it was made for, if any.
    home: usize,
}

/// The home of what no pool keeps.
const HOMELESS: usize = 0;

impl Held {
    fn new(storage: Storage, home: usize) -> Arc<Held> {
        Arc::new(Held { storage, finite: false, home })
    }
}

/// A shared handle to a [`Storage`]; the last one to be dropped gives it back to the pool.
#[derive(Clone, Debug)]
pub(crate) struct Buffer(Option<Arc<Held>>);

impl Buffer {
    /// A buffer of at least `len` elements with arbitrary values.
    pub(crate) fn scratch(dtype: DType, len: usize) -> Buffer {
        let class = class_above(len);
        let recycled = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            pool.take(dtype, class).ok_or(pool.id)
        });
        // Err: as in `drop`.
        Buffer(Some(recycled.unwrap_or(Err(HOMELESS)).unwrap_or_else(|home| {
            let len = class_len(class);
            let storage = each_dtype!(dtype, T => {
                let mut values = Elements::<T>::zeros(len);
                prefer_large(&mut values);
                T::wrap(values)
            });
            Held::new(storage, home)
        })))
    }

    /// A buffer that owns `values`.
    pub(crate) fn from_vec<T: Element>(values: Vec<T>) -> Buffer {
        Buffer(Some(Held::new(T::wrap(values.into()), HOMELESS)))
    }

    #[inline]
    fn held(&self) -> &Held {
        self.0.as_ref().expect("a buffer is empty only while it is dropped")
    }

    #[inline]
    pub(crate) fn slice<T: Element>(&self) -> &[T] {
        T::slice(&self.held().storage)
    }

    /// The elements for writing, when nobody else holds them.
    #[inline]
    pub(crate) fn slice_mut<T: Element>(&mut self) -> Option<&mut [T]> {
        self.storage_mut().map(T::slice_mut)
    }

    /// The elements as bytes.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        bytes::of(&self.held().storage)
    }

    /// The storage for writing, when nobody else holds it.
    #[inline]
    pub(crate) fn storage_mut(&mut self) -> Option<&mut Storage> {
        let held = Arc::get_mut(self.0.as_mut()?)?;
        held.finite = false;
        Some(&mut held.storage)
    }

    /// Whether it is known that no element is NaN or infinite.
    #[inline]
    pub(crate) fn is_known_finite(&self) -> bool {
        self.held().finite
    }

    /// Notes that no element is NaN or infinite, until somebody writes again.
    #[inline]
    pub(crate) fn note_finite(&mut self) {
        if let Some(held) = self.0.as_mut().and_then(Arc::get_mut) {
            held.finite = true;
        }
    }

    /// Whether nobody else holds these elements.
    #[inline]
    pub(crate) fn is_unique(&mut self) -> bool {
        self.0.as_mut().is_some_and(|arc| Arc::get_mut(arc).is_some())
    }
}

impl Drop for Buffer {
    #[inline]
    fn drop(&mut self) {
        // There are no weak handles, so a count of one is nobody but us.
        if let Some(arc) = self.0.take()
            && Arc::strong_count(&arc) == 1
        {
            // Err: the thread is ending and its pool is gone; the memory is simply freed.
            let _ = POOL.try_with(|pool| pool.borrow_mut().put(arc));
        }
    }
}

/// Smallest buffer, in elements.
const SMALLEST: usize = 16;
/// Sizes grow by a quarter of a power of two, so at most a fifth of a buffer is unused.
const STEPS: usize = 4;
/// Bytes a thread keeps for reuse before it frees what is dropped.
const KEPT_BYTES: usize = 2 << 30;

/// The size class that holds at least `len` elements.
#[inline]
fn class_above(len: usize) -> usize {
    if len <= SMALLEST {
        return 0;
    }
    let power = (len - 1).ilog2() as usize; // 2^power < len <= 2^(power + 1)
    let step = (((len - 1) - (1 << power)) * STEPS) >> power;
    (power - SMALLEST.ilog2() as usize) * STEPS + step + 1
}

/// Number of elements in a class.
#[inline]
fn class_len(class: usize) -> usize {
    if class == 0 {
        return SMALLEST;
    }
    let (power, step) = ((class - 1) / STEPS, (class - 1) % STEPS);
    (SMALLEST << power) + ((SMALLEST << power) / STEPS) * (step + 1)
}

struct Pool {
    id: usize,
    /// Free buffers by element type, then class.
    free: [Vec<Vec<Arc<Held>>>; DType::ALL.len()],
    bytes: usize,
}

impl Default for Pool {
    fn default() -> Pool {
        static LAST: AtomicUsize = AtomicUsize::new(HOMELESS);
        let id = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        Pool { id, free: Default::default(), bytes: 0 }
    }
}

impl Pool {
    #[inline]
    fn take(&mut self, dtype: DType, class: usize) -> Option<Arc<Held>> {
        let arc = self.free[dtype as usize].get_mut(class)?.pop()?;
        self.bytes -= class_len(class) * dtype.size();
        Some(arc)
    }

    #[inline]
    fn put(&mut self, arc: Arc<Held>) {
        let (dtype, len) = (arc.storage.dtype(), arc.storage.len());
        let (class, bytes) = (class_above(len), len * dtype.size());
        if arc.home != self.id || self.bytes + bytes > KEPT_BYTES {
            return;
        }
        let classes = &mut self.free[dtype as usize];
        if classes.len() <= class {
            classes.resize_with(class + 1, Vec::new);
        }
        self.bytes += bytes;
        classes[class].push(arc);
    }
}

thread_local! {
    static POOL: RefCell<Pool> = RefCell::new(Pool::default());
}

/// Frees the buffers that this thread keeps for reuse.
///
/// A thread keeps up to 2 GiB of buffers that it has made and dropped, because the next step will
/// want the same sizes again. A program that is done with its large tensors can give the memory back.
pub fn release_memory() {
    POOL.with(|pool| {
        let mut pool = pool.borrow_mut();
        (pool.free, pool.bytes) = Default::default();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_holds_what_was_asked_and_wastes_little() {
        for len in 1..5000 {
            let class = class_above(len);
            assert!(class_len(class) >= len, "{len}");
            assert!(class == 0 || class_len(class - 1) < len, "{len} fits a smaller class");
            assert!(class == 0 || class_len(class) * 4 <= len * 5 + 16, "{len}");
        }
    }

    #[test]
    fn a_dropped_buffer_is_used_again() {
        let first = Buffer::scratch(DType::F32, 1000);
        let address = first.slice::<f32>().as_ptr();
        drop(first);
        assert_eq!(Buffer::scratch(DType::F32, 1010).slice::<f32>().as_ptr(), address);
    }

    #[test]
    fn a_pool_keeps_only_what_was_made_for_it() {
        let kept = || POOL.with(|pool| pool.borrow().bytes);
        let before = kept();
        drop(Buffer::from_vec(vec![0.0f32; 1024]));
        drop(std::thread::spawn(|| Buffer::scratch(DType::F32, 1024)).join().unwrap());
        assert_eq!(kept(), before);
        drop(Buffer::scratch(DType::F32, 1024));
        assert_eq!(kept(), before + 4096);
        release_memory();
        assert_eq!(kept(), 0);
    }
}
