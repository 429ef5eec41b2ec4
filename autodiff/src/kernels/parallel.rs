//! How work on an output is split among threads.

#![allow(unsafe_code)]

pub(crate) use super::team::each;
pub use super::team::{set_threads, threads};

/// Elements of cheap work under which waking another thread costs more than it brings.
pub(crate) const WORTH_A_THREAD: usize = 16 * 1024;

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
