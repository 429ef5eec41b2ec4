//! One binary for every processor: a kernel is compiled for three levels of instructions, and
//! the best that the machine has is chosen at run time.
//!
//! Kernels are plain Rust that the compiler vectorises. None uses fused multiply-add, so
//! element-wise results are the same bits at every level; so builds without optimisation, where
//! a level would bring nothing, compile the first only and take a third of the time.

use std::sync::atomic::{AtomicU8, Ordering};

/// What a kernel may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// What every processor of this architecture has.
    Baseline,
    /// 256-bit vectors (x86-64 with AVX2 and FMA).
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit vectors (x86-64 with AVX-512 F, BW, DQ and VL).
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// The best that this machine has, found once.
    #[inline]
    pub(crate) fn best() -> Level {
        static FOUND: AtomicU8 = AtomicU8::new(u8::MAX);
        match FOUND.load(Ordering::Relaxed) {
            0 => Level::Baseline,
            #[cfg(target_arch = "x86_64")]
            1 => Level::Avx2,
            #[cfg(target_arch = "x86_64")]
            2 => Level::Avx512,
            _ => {
                let level = detect();
                FOUND.store(level as u8, Ordering::Relaxed);
                level
            }
        }
    }

    /// All that this machine has.
    #[cfg(test)]
    pub(crate) fn all() -> impl Iterator<Item = Level> {
        let levels = [
            Level::Baseline,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2,
            #[cfg(target_arch = "x86_64")]
            Level::Avx512,
        ];
        levels.into_iter().filter(|&level| level <= Level::best())
    }
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Level {
    let avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl");
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    match (avx512, avx2) {
        (true, true) => Level::Avx512,
        (false, true) => Level::Avx2,
        _ => Level::Baseline,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Level {
    Level::Baseline
}

/// Whether a kernel on this type is worth compiling for every level: float32, which networks
/// are made of. The others run at the baseline, or programs would take minutes to build.
pub(crate) const fn is_hot<T: crate::dtype::Element>() -> bool {
    matches!(T::DTYPE, crate::dtype::DType::F32)
}

/// Defines a function whose body is compiled for every [`Level`] and dispatched at run time; a
/// generic one only where its first type is [hot](is_hot).
///
/// `vectorized! { pub(crate) fn name[T: Bound](a: A, b: B) -> R { body } }`
macro_rules! vectorized {
    ($(#[$meta:meta])* $vis:vis fn $name:ident $([$first:ident $($generics:tt)*])? (
        $($arg:ident: $ty:ty),* $(,)?
    ) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        #[inline]
        #[allow(unsafe_code, clippy::too_many_arguments, clippy::needless_lifetimes)]
        $vis fn $name $(<$first $($generics)*>)? ($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            fn body $(<$first $($generics)*>)? ($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            if const { true $(&& $crate::kernels::simd::is_hot::<$first>())? } {
                #[target_feature(enable = "avx2")]
                fn avx2 $(<$first $($generics)*>)? ($($arg: $ty),*) $(-> $ret)? {
                    body($($arg),*)
                }
                #[target_feature(enable = "avx2,avx512f,avx512bw,avx512dq,avx512vl")]
                fn avx512 $(<$first $($generics)*>)? ($($arg: $ty),*) $(-> $ret)? {
                    body($($arg),*)
                }
                match $crate::kernels::simd::Level::best() {
                    // SAFETY: `best` found these features on this processor.
                    $crate::kernels::simd::Level::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: as above.
                    $crate::kernels::simd::Level::Avx2 => return unsafe { avx2($($arg),*) },
                    $crate::kernels::simd::Level::Baseline => {}
                }
            }
            body($($arg),*)
        }
    };
}
pub(crate) use vectorized;
