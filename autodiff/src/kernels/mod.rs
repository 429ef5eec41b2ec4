//! Loops over raw elements: the only place with SIMD, threads, or `unsafe`.
//!
//! Kernels know nothing of tapes. Results never depend on the number of threads: work is split
//! only between outputs, or at places that depend on sizes alone.

pub(crate) mod attention;
pub(crate) mod bytes;
pub(crate) mod conv;
pub(crate) mod conv_kernel;
pub(crate) mod copy;
mod depthwise;
pub(crate) mod elementwise;
pub(crate) mod float;
pub(crate) mod gather;
pub(crate) mod gemm;
pub(crate) mod lanes;
pub(crate) mod linear;
pub(crate) mod math;
pub(crate) mod nest;
pub(crate) mod normalize;
pub(crate) mod pages;
pub(crate) mod parallel;
mod plans;
pub(crate) mod pool;
pub(crate) mod random;
pub(crate) mod recurrent;
pub(crate) mod reduce;
pub(crate) mod scan;
pub(crate) mod simd;
pub(crate) mod softmax;
mod strips;
mod tables;
pub(crate) mod team;
mod tiles;
pub(crate) mod update;
pub(crate) mod window;
mod winograd;
