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

/// Running results of a fold: so many that additions need not wait for one another.
const LANES: usize = 32;

/// Defines a fold of `value` of what rows of one length have at each place, from a neutral start:
/// runs of [`LANES`], then half a run, then single elements. The order of combination depends on
/// the length alone.
macro_rules! fold {
    ($(#[$meta:meta])* $name:ident, $($row:ident: $T:ident),+) => {
        $(#[$meta])*
        #[inline(always)]
        #[allow(clippy::needless_range_loop)] // Constant bounds are what is unrolled.
        pub(crate) fn $name<T: Float>(
            $($row: &[$T],)+
            start: T,
            value: impl Fn($($T),+) -> T,
            combine: impl Fn(T, T) -> T,
        ) -> T {
            let len = [$($row.len()),+][0];
            let (mut total, mut done) = (start, 0);
            if len >= LANES / 2 {
                let mut lanes = [start; LANES];
                while done + LANES <= len {
                    $(let $row: &[T; LANES] = $row[done..].first_chunk().expect("a whole run");)+
                    let mut values = [start; LANES];
                    for i in 0..LANES {
                        values[i] = value($($row[i]),+);
                    }
                    for i in 0..LANES {
                        lanes[i] = combine(lanes[i], values[i]);
                    }
                    done += LANES;
                }
                if done + LANES / 2 <= len {
                    $(let $row: &[T; LANES / 2] = $row[done..].first_chunk().expect("half a run");)+
                    let mut values = [start; LANES / 2];
                    for i in 0..LANES / 2 {
                        values[i] = value($($row[i]),+);
                    }
                    for i in 0..LANES / 2 {
                        lanes[i] = combine(lanes[i], values[i]);
                    }
                    done += LANES / 2;
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
            for i in done..len {
                total = combine(total, value($($row[i]),+));
            }
            total
        }
    };
}

fold! {
    /// A fold of one row.
    fold, x: T
}
fold! {
    /// A fold of two rows of one length.
    fold_pairs, x: T, y: T
}

/// Sum of `value` of the elements.
#[inline(always)]
pub(crate) fn total<T: Float>(x: &[T], value: impl Fn(T) -> T) -> T {
    fold(x, T::ZERO, value, |a, b| a + b)
}

/// Sum of `value` of the pairs of elements of two rows of one length.
#[inline(always)]
pub(crate) fn total_pairs<T: Float>(x: &[T], y: &[T], value: impl Fn(T, T) -> T) -> T {
    fold_pairs(x, y, T::ZERO, value, |a, b| a + b)
}

/// Largest of a row; NaN if there is one, minus infinity if it is empty.
#[inline(always)]
pub(crate) fn largest<T: Float>(row: &[T]) -> T {
    fold(row, T::LOWEST, |x| x, |a, b| a.greatest(b))
}
