//! The transforms of F(2×2, 3×3): sums and differences of squares of 4×4, one channel in each lane.
//!
//! With `B`, `G` and `A` of Lavin and Gray, each is `M x Mᵀ`: the same few sums for each column of
//! the square, then for each row of what that gives.

#![allow(unsafe_code)]

use crate::kernels::float::Float;
use crate::kernels::lanes::Lanes;

/// Factors that make a sum, a difference and a half of fused multiply-adds, to the same bits.
pub(super) struct Factors<V> {
    one: V,
    minus_one: V,
    half: V,
    zero: V,
}

impl<V: Copy> Factors<V> {
    /// # Safety
    /// The processor must have the level of `L`, as for all functions here.
    #[inline(always)]
    pub(super) unsafe fn new<T: Float, L: Lanes<T, Vector = V>>() -> Factors<V> {
        // SAFETY: the caller's promise; the references are read at once.
        unsafe {
            Factors {
                one: L::splat(&T::ONE),
                minus_one: L::splat(&-T::ONE),
                half: L::splat(&T::from_f64(0.5)),
                zero: L::zero(),
            }
        }
    }

    #[inline(always)]
    pub(super) unsafe fn add<T, L: Lanes<T, Vector = V>>(&self, a: V, b: V) -> V {
        // SAFETY: the caller's promise.
        unsafe { L::multiply_add(a, self.one, b) }
    }

    #[inline(always)]
    unsafe fn subtract<T, L: Lanes<T, Vector = V>>(&self, a: V, b: V) -> V {
        // SAFETY: the caller's promise.
        unsafe { L::multiply_add(b, self.minus_one, a) }
    }

    #[inline(always)]
    unsafe fn halve<T, L: Lanes<T, Vector = V>>(&self, a: V) -> V {
        // SAFETY: the caller's promise.
        unsafe { L::multiply_add(a, self.half, self.zero) }
    }
}

/// Defines a transform by what it makes of a column or a row.
macro_rules! transform {
    ($(#[$doc:meta])* $name:ident: $from:literal to $to:literal, |$f:ident, $x:ident| $line:expr) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// The processor must have the level of `L`.
        #[inline(always)]
        #[allow(clippy::needless_range_loop)] // Constant bounds are what is unrolled.
        pub(super) unsafe fn $name<T, L: Lanes<T>>(
            $f: &Factors<L::Vector>,
            x: &[[L::Vector; $from]; $from],
        ) -> [[L::Vector; $to]; $to] {
            // SAFETY: the caller's promise.
            unsafe {
                let mut columns = [[L::zero(); $to]; $from];
                for j in 0..$from {
                    let mut $x = [L::zero(); $from];
                    for i in 0..$from {
                        $x[i] = x[i][j];
                    }
                    columns[j] = $line;
                }
                let mut out = [[L::zero(); $to]; $to];
                for i in 0..$to {
                    let mut $x = [L::zero(); $from];
                    for j in 0..$from {
                        $x[j] = columns[j][i];
                    }
                    out[i] = $line;
                }
                out
            }
        }
    };
}

transform! {
    /// `Bᵀ x B`, of what the windows of a tile see.
    of_input: 4 to 4, |f, x| [
        f.subtract::<T, L>(x[0], x[2]),
        f.add::<T, L>(x[1], x[2]),
        f.subtract::<T, L>(x[2], x[1]),
        f.subtract::<T, L>(x[1], x[3]),
    ]
}

transform! {
    /// `G x Gᵀ`, of a kernel.
    of_kernel: 3 to 4, |f, x| {
        let ends = f.add::<T, L>(x[0], x[2]);
        [
            x[0],
            f.halve::<T, L>(f.add::<T, L>(ends, x[1])),
            f.halve::<T, L>(f.subtract::<T, L>(ends, x[1])),
            x[2],
        ]
    }
}

transform! {
    /// `Aᵀ x A`, the tile of the output.
    to_output: 4 to 2, |f, x| {
        let (sum, difference) = (f.add::<T, L>(x[1], x[2]), f.subtract::<T, L>(x[1], x[2]));
        [f.add::<T, L>(x[0], sum), f.subtract::<T, L>(difference, x[3])]
    }
}

transform! {
    /// `A x Aᵀ`, of a gradient by a tile of the output.
    of_gradient: 2 to 4, |f, x| [
        x[0],
        f.add::<T, L>(x[0], x[1]),
        f.subtract::<T, L>(x[0], x[1]),
        f.subtract::<T, L>(f.zero, x[1]),
    ]
}

transform! {
    /// `Gᵀ x G`, the gradient by the kernel.
    to_kernel: 4 to 3, |f, x| {
        let sum = f.halve::<T, L>(f.add::<T, L>(x[1], x[2]));
        let difference = f.halve::<T, L>(f.subtract::<T, L>(x[1], x[2]));
        [f.add::<T, L>(x[0], sum), difference, f.add::<T, L>(sum, x[3])]
    }
}
