//! Vectors whose elements begin where a line of the cache does.

use std::ops::{Deref, DerefMut};

/// Bytes of a line of the cache, and of the longest vector. One that lies across two lines takes
/// as long to read as two: matrix products are a tenth to a quarter faster where none does.
const LINE: usize = 64;

/// Elements of which the first lies at the beginning of a line, unless a user's vector holds
/// them; those can't be moved without a copy.
#[derive(Debug)]
pub struct Elements<T> {
    values: Vec<T>,
    skip: usize,
}

impl<T: Copy + Default> Elements<T> {
    /// So many zeros.
    pub(crate) fn zeros(len: usize) -> Elements<T> {
        let spare = LINE / size_of::<T>() - 1;
        let mut values = vec![T::default(); len + spare];
        let skip = values.as_ptr().align_offset(LINE).min(spare);
        values.truncate(skip + len);
        Elements { values, skip }
    }
}

impl<T> From<Vec<T>> for Elements<T> {
    fn from(values: Vec<T>) -> Elements<T> {
        Elements { values, skip: 0 }
    }
}

impl<T> Deref for Elements<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        &self.values[self.skip..]
    }
}

impl<T> DerefMut for Elements<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values[self.skip..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_begin_at_a_line_of_the_cache() {
        let long = if cfg!(miri) { 2000 } else { 1 << 20 };
        for len in [0, 1, 15, 16, 1000, long] {
            let (mut bytes, numbers) = (Elements::<u8>::zeros(len), Elements::<f64>::zeros(len));
            assert_eq!((bytes.len(), numbers.len()), (len, len));
            assert!(numbers.iter().all(|&v| v == 0.0));
            assert!(bytes.as_ptr().addr() % LINE == 0 && numbers.as_ptr().addr() % LINE == 0);
            bytes.fill(1);
            assert_eq!(bytes.iter().map(|&b| usize::from(b)).sum::<usize>(), len);
        }
    }
}
