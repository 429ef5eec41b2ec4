//! Arithmetic on float32 and float64 alike, and folds over rows that vectorise.

use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub};

use super::math::Math;

/// A floating-point type, with its arithmetic.
pub(crate) trait Float:
    Math
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + MulAssign
{
    const ZERO: Self;
    const ONE: Self;
    const LOWEST: Self;
}

impl Float for f32 {
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;
    const LOWEST: f32 = f32::NEG_INFINITY;
}

impl Float for f64 {
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;
    const LOWEST: f64 = f64::NEG_INFINITY;
}

const LANES: usize = 16;

/// Folds `value(i)` for `i` below `len` with sixteen running results, so that the loop
/// vectorises; the order of combination depends on `len` alone.
#[inline(always)]
pub(crate) fn fold<T: Float>(
    len: usize,
    start: T,
    value: impl Fn(usize) -> T,
    combine: impl Fn(T, T) -> T,
) -> T {
    let mut total = start;
    let body = len - len % LANES;
    if body > 0 {
        let mut lanes = [start; LANES];
        for first in (0..body).step_by(LANES) {
            for (i, lane) in lanes.iter_mut().enumerate() {
                *lane = combine(*lane, value(first + i));
            }
        }
        let mut width = LANES;
        while width > 1 {
            width /= 2;
            for i in 0..width {
                lanes[i] = combine(lanes[i], lanes[i + width]);
            }
        }
        total = lanes[0];
    }
    for i in body..len {
        total = combine(total, value(i));
    }
    total
}

/// Sum of `value(i)` for `i` below `len`.
#[inline(always)]
pub(crate) fn total<T: Float>(len: usize, value: impl Fn(usize) -> T) -> T {
    fold(len, T::ZERO, value, |a, b| a + b)
}

/// Largest of a row; NaN if there is one, minus infinity if it is empty.
#[inline(always)]
pub(crate) fn largest<T: Float>(row: &[T]) -> T {
    fold(row.len(), T::LOWEST, |i| row[i], |a, b| a.greatest(b))
}
