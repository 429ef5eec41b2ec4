//! Elements as bytes, for code that moves them without knowing their type.

#![allow(unsafe_code)]

use crate::dtype::{DType, Element};
use crate::each_dtype;
use crate::shape::{Shape, Spec};
use crate::storage::{Buffer, Storage};
use crate::tensor::Tensor;

/// The bytes of a storage's elements.
pub(crate) fn of(storage: &Storage) -> &[u8] {
    each_dtype!(storage.dtype(), T => {
        let elements = T::slice(storage);
        // SAFETY: numbers and truth values have no padding.
        unsafe { std::slice::from_raw_parts(elements.as_ptr().cast(), size_of_val(elements)) }
    })
}

/// As [`of`], for writing.
///
/// # Safety
/// What is written must be elements of the storage's type: a truth value is 0 or 1.
unsafe fn of_mut(storage: &mut Storage) -> &mut [u8] {
    each_dtype!(storage.dtype(), T => {
        let elements = T::slice_mut(storage);
        let len = size_of_val(elements);
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(elements.as_mut_ptr().cast(), len) }
    })
}

/// A contiguous tensor whose elements `fill` writes, every one.
///
/// # Safety
/// `fill` must write elements of `dtype`.
pub(crate) unsafe fn build(dtype: DType, shape: Shape, fill: &mut dyn FnMut(&mut [u8])) -> Tensor {
    let bytes = shape.size() * dtype.size();
    let mut buffer = Buffer::scratch(dtype, shape.size());
    let storage = buffer.storage_mut().expect("a new buffer has one owner");
    // SAFETY: the caller's promise.
    fill(unsafe { &mut of_mut(storage)[..bytes] });
    Tensor::from_buffer(Spec::new(dtype, shape), buffer)
}

/// Bytes as the elements that they are.
///
/// # Safety
/// They must be whole, aligned elements of type `T`.
#[inline(always)]
pub(crate) unsafe fn typed<T: Element>(bytes: &[u8]) -> &[T] {
    debug_assert!(
        bytes.as_ptr().cast::<T>().is_aligned() && bytes.len().is_multiple_of(size_of::<T>())
    );
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len() / size_of::<T>()) }
}

/// As [`typed`], for writing.
///
/// # Safety
/// As [`typed`].
#[inline(always)]
pub(crate) unsafe fn typed_mut<T: Element>(bytes: &mut [u8]) -> &mut [T] {
    debug_assert!(
        bytes.as_ptr().cast::<T>().is_aligned() && bytes.len().is_multiple_of(size_of::<T>())
    );
    let len = bytes.len() / size_of::<T>();
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast(), len) }
}
