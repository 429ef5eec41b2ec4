//! Vectors with fused multiply-add, and code that is compiled for each width of them.
//!
//! [`vectorized!`](super::simd::vectorized) leaves it to the compiler what becomes a vector.
//! A product that keeps its sums in registers cannot: here the vectors are named. Every lane
//! does the same operations in the same order whatever the width, so among processors that
//! have fused multiply-add, results are the same bits.

#![allow(unsafe_code)]

use super::float::Float;
use super::simd::Level;

/// The most elements that any vector has.
pub(crate) const MAX_WIDTH: usize = 16;

/// The vectors of one level of instructions, for elements `T`.
pub(crate) trait Lanes<T>: Copy {
    /// A vector.
    type Vector: Copy;
    /// Its number of elements.
    const WIDTH: usize;

    /// All zeros.
    ///
    /// # Safety
    /// The processor must have this level, as for all functions here.
    unsafe fn zero() -> Self::Vector;

    /// The element at `from`, repeated.
    ///
    /// # Safety
    /// `from` must be valid for reading one element.
    unsafe fn splat(from: *const T) -> Self::Vector;

    /// The elements from `from` on.
    ///
    /// # Safety
    /// `from` must be valid for reading `WIDTH` elements.
    unsafe fn load(from: *const T) -> Self::Vector;

    /// Writes the elements to `to`.
    ///
    /// # Safety
    /// `to` must be valid for writing `WIDTH` elements.
    unsafe fn store(to: *mut T, x: Self::Vector);

    /// `a · b + c`, lane by lane.
    ///
    /// # Safety
    /// None but the level.
    unsafe fn multiply_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;

    /// `a · b + c` of single elements, the same bits as in a vector.
    fn fused(a: T, b: T, c: T) -> T;

    /// Reads four runs of four elements and writes them as columns: four rows that lie `row`
    /// elements apart.
    ///
    /// # Safety
    /// So many elements can be read from each of `from`, and written to `to`.
    #[inline(always)]
    unsafe fn turn(from: [*const T; 4], to: *mut T, row: usize) {
        for (j, from) in from.into_iter().enumerate() {
            for i in 0..4 {
                // SAFETY: the caller's promise.
                unsafe { *to.add(i * row + j) = std::ptr::read(from.add(i)) };
            }
        }
    }
}

/// Work that is written for any [`Lanes`]. `ROWS` is how many rows of two vectors each the
/// registers can hold as sums.
pub(crate) trait Task<T> {
    /// Does it. Must be `#[inline(always)]`, so that it is compiled for the level.
    ///
    /// # Safety
    /// The processor must have the level of `L`.
    unsafe fn run<L: Lanes<T>, const ROWS: usize>(&mut self);
}

/// Element types that have [`Lanes`].
pub(crate) trait Vectors: Float {
    /// Rows of a tile, and elements of a vector, at a level.
    fn tile(level: Level) -> (usize, usize);
    /// Runs a task at a level.
    ///
    /// # Safety
    /// What the task's own `run` asks for, except the level.
    ///
    /// # Panics
    /// When the processor doesn't have the level.
    unsafe fn dispatch(level: Level, task: &mut impl Task<Self>);
}

/// What every processor has. Short, so that a tile fits any register file.
#[derive(Clone, Copy)]
struct Plain;

const PLAIN_WIDTH: usize = 4;
const PLAIN_ROWS: usize = 4;

macro_rules! plain {
    ($type:ty) => {
        impl Lanes<$type> for Plain {
            type Vector = [$type; PLAIN_WIDTH];
            const WIDTH: usize = PLAIN_WIDTH;

            #[inline(always)]
            unsafe fn zero() -> Self::Vector {
                [0.0; PLAIN_WIDTH]
            }
            #[inline(always)]
            unsafe fn splat(from: *const $type) -> Self::Vector {
                // SAFETY: the caller's promise.
                [unsafe { *from }; PLAIN_WIDTH]
            }
            #[inline(always)]
            unsafe fn load(from: *const $type) -> Self::Vector {
                // SAFETY: the caller's promise; an array has its element's alignment.
                unsafe { *from.cast() }
            }
            #[inline(always)]
            unsafe fn store(to: *mut $type, x: Self::Vector) {
                // SAFETY: as above.
                unsafe { *to.cast() = x }
            }
            #[inline(always)]
            unsafe fn multiply_add(
                a: Self::Vector,
                b: Self::Vector,
                mut c: Self::Vector,
            ) -> Self::Vector {
                for i in 0..PLAIN_WIDTH {
                    c[i] = Self::fused(a[i], b[i], c[i]);
                }
                c
            }
            #[inline(always)]
            fn fused(a: $type, b: $type, c: $type) -> $type {
                // Where it is not an instruction, fusing would be a slow function.
                if cfg!(any(target_feature = "fma", target_arch = "aarch64")) {
                    a.mul_add(b, c)
                } else {
                    a * b + c
                }
            }
        }
    };
}
plain!(f32);
plain!(f64);

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::Lanes;

    /// 512-bit vectors.
    #[derive(Clone, Copy)]
    pub(super) struct Avx512;

    /// 256-bit vectors.
    #[derive(Clone, Copy)]
    pub(super) struct Avx2;

    #[inline(always)]
    unsafe fn turn_f32(from: [*const f32; 4], to: *mut f32, row: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let (mut a, mut b) = (_mm_loadu_ps(from[0]), _mm_loadu_ps(from[1]));
            let (mut c, mut d) = (_mm_loadu_ps(from[2]), _mm_loadu_ps(from[3]));
            _MM_TRANSPOSE4_PS(&mut a, &mut b, &mut c, &mut d);
            _mm_storeu_ps(to, a);
            _mm_storeu_ps(to.add(row), b);
            _mm_storeu_ps(to.add(2 * row), c);
            _mm_storeu_ps(to.add(3 * row), d);
        }
    }

    #[inline(always)]
    unsafe fn turn_f64([a, b, c, d]: [*const f64; 4], to: *mut f64, row: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            for i in 0..4 {
                let line = [*a.add(i), *b.add(i), *c.add(i), *d.add(i)];
                to.add(i * row).cast::<[f64; 4]>().write_unaligned(line);
            }
        }
    }

    macro_rules! lanes {
        ($($Level:ty, $type:ty, $Vector:ty, $width:literal,
            $zero:ident $splat:ident $load:ident $store:ident $fma:ident $turn:ident;)*) => {$(
            impl Lanes<$type> for $Level {
                type Vector = $Vector;
                const WIDTH: usize = $width;

                #[inline(always)]
                unsafe fn zero() -> $Vector {
                    // SAFETY: the caller promises that the processor has the instructions.
                    unsafe { $zero() }
                }
                #[inline(always)]
                unsafe fn splat(from: *const $type) -> $Vector {
                    // SAFETY: as above, and that `from` can be read.
                    unsafe { $splat(*from) }
                }
                #[inline(always)]
                unsafe fn load(from: *const $type) -> $Vector {
                    // SAFETY: as above; unaligned.
                    unsafe { $load(from) }
                }
                #[inline(always)]
                unsafe fn store(to: *mut $type, x: $Vector) {
                    // SAFETY: as above; unaligned.
                    unsafe { $store(to, x) }
                }
                #[inline(always)]
                unsafe fn multiply_add(a: $Vector, b: $Vector, c: $Vector) -> $Vector {
                    // SAFETY: as above.
                    unsafe { $fma(a, b, c) }
                }
                #[inline(always)]
                fn fused(a: $type, b: $type, c: $type) -> $type {
                    // One instruction, inlined where the level is on.
                    a.mul_add(b, c)
                }
                #[inline(always)]
                unsafe fn turn(from: [*const $type; 4], to: *mut $type, row: usize) {
                    // SAFETY: the caller's promise; SSE, which every such processor has.
                    unsafe { $turn(from, to, row) }
                }
            }
        )*};
    }
    lanes! {
        Avx512, f32, __m512, 16,
            _mm512_setzero_ps _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_fmadd_ps turn_f32;
        Avx512, f64, __m512d, 8,
            _mm512_setzero_pd _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd _mm512_fmadd_pd turn_f64;
        Avx2, f32, __m256, 8,
            _mm256_setzero_ps _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_fmadd_ps turn_f32;
        Avx2, f64, __m256d, 4,
            _mm256_setzero_pd _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_fmadd_pd turn_f64;
    }
}

/// Rows of a tile at each level: twice as many vectors of sums, two factors and a spare must
/// fit the registers, of which AVX-512 has 32 and AVX2 16.
const AVX512_ROWS: usize = 8;
const AVX2_ROWS: usize = 6;

macro_rules! vectors {
    ($type:ty, $avx512:ident, $avx2:ident) => {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f")]
        unsafe fn $avx512(task: &mut impl Task<$type>) {
            // SAFETY: this function has the level; the rest is the caller's promise.
            unsafe { task.run::<x86::Avx512, AVX512_ROWS>() }
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        unsafe fn $avx2(task: &mut impl Task<$type>) {
            // SAFETY: this function has the level; the rest is the caller's promise.
            unsafe { task.run::<x86::Avx2, AVX2_ROWS>() }
        }

        impl Vectors for $type {
            fn tile(level: Level) -> (usize, usize) {
                match level {
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx512 => (AVX512_ROWS, <x86::Avx512 as Lanes<$type>>::WIDTH),
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx2 => (AVX2_ROWS, <x86::Avx2 as Lanes<$type>>::WIDTH),
                    Level::Baseline => (PLAIN_ROWS, PLAIN_WIDTH),
                }
            }

            unsafe fn dispatch(level: Level, task: &mut impl Task<$type>) {
                assert!(level <= Level::best(), "the processor has the level");
                match level {
                    // SAFETY: the assert above, and the caller's promise.
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx512 => unsafe { $avx512(task) },
                    // SAFETY: as above.
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx2 => unsafe { $avx2(task) },
                    // SAFETY: every processor has this level.
                    Level::Baseline => unsafe { task.run::<Plain, PLAIN_ROWS>() },
                }
            }
        }
    };
}
vectors!(f32, avx512_f32, avx2_f32);
vectors!(f64, avx512_f64, avx2_f64);
