//! Large pages for large buffers.
//!
//! What streams through more memory than the caches hold waits for the tables of its pages, too,
//! and hardware that reads ahead stops where a page ends: with pages of 2 MiB a convolution's
//! step takes some hundredths less.

#![allow(unsafe_code)]

/// Asks the system to hold these elements in large pages, where it can and where that may pay.
/// Before they are written for the first time, or it comes too late.
pub(crate) fn prefer_large<T>(values: &mut [T]) {
    #[cfg(all(target_os = "linux", not(miri)))]
    linux::prefer_large(values.as_mut_ptr().cast(), size_of_val(values));
    #[cfg(not(all(target_os = "linux", not(miri))))]
    let _ = values;
}

#[cfg(all(target_os = "linux", not(miri)))]
mod linux {
    use std::ffi::{c_int, c_void};

    const LARGE: usize = 2 << 20;
    /// No processor that Linux runs on has larger ones as its smallest.
    const SMALL: usize = 64 << 10;
    /// `MADV_HUGEPAGE`
    const ADVICE: c_int = 14;

    unsafe extern "C" {
        fn madvise(address: *mut c_void, length: usize, advice: c_int) -> c_int;
    }

    pub(super) fn prefer_large(address: *mut u8, length: usize) {
        let skip = address.align_offset(SMALL);
        if length < 2 * LARGE {
            return;
        }
        // SAFETY: whole pages inside memory that the caller borrows for writing; the advice
        // changes how it is mapped, never what is in it. A system that can't take it says so, and
        // all is as before.
        unsafe { madvise(address.add(skip).cast(), (length - skip) / SMALL * SMALL, ADVICE) };
    }
}
