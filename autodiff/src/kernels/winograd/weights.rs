//! The transform of a kernel, laid out for tiles.

#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop)] // Constant bounds are what is unrolled.

use std::ops::Range;

use super::frame::CHANNELS;
use super::transforms::{Factors, of_kernel};
use super::{APART, PLACES};
use crate::kernels::float::Float;
use crate::kernels::gemm::Gemm;
use crate::kernels::lanes::{Lanes, Task};
use crate::kernels::parallel::{self, Start};
use crate::kernels::simd::Level;
use crate::kernels::tiles::{packed_len, panels};
use crate::storage::Buffer;

/// Channels times filters from which several threads transform a kernel together. Below, one has
/// done it for itself before it could have fetched a part from another core.
const MANY: usize = 1 << 14;

/// A kernel of 3×3, as a convolution takes it.
#[derive(Clone, Copy)]
pub(super) struct Kernel<'a, T> {
    /// `(3, 3, depth, columns)`, or `(3, 3, columns, depth)` if it is to be turned.
    pub(super) values: &'a [T],
    pub(super) depth: usize,
    pub(super) columns: usize,
    /// Whether its taps are to be taken in reverse order, and its channels to change places: the
    /// gradient by the input convolves by such a kernel.
    pub(super) turned: bool,
}

impl<T: Gemm> Kernel<'_, T> {
    /// Whether threads had better share what [`transformed`](Kernel::transformed) gives.
    pub(super) fn is_large(&self) -> bool {
        self.depth * self.columns > MANY
    }

    /// Elements of what [`transformed`](Kernel::transformed) gives.
    pub(super) fn len(&self, level: Level) -> usize {
        let (_, width) = T::tile(level);
        PLACES * (packed_len(self.depth, self.columns, width) + APART)
    }

    /// For each place a matrix `(depth, columns)`, laid out for tiles.
    pub(super) fn transformed(self, level: Level) -> Buffer {
        assert!(self.values.len() == 9 * self.depth * self.columns, "the kernel has nine taps");
        let len = self.len(level);
        let mut buffer = Buffer::scratch(T::DTYPE, len);
        let out =
            Start::of(&mut buffer.slice_mut::<T>().expect("a new buffer has one owner")[..len]);
        let blocks = self.depth / CHANNELS;
        let pieces = if self.is_large() { blocks } else { 1 };
        let each = blocks.div_ceil(pieces) * CHANNELS;
        parallel::each(pieces, &|piece| {
            let room = if self.turned { 9 * CHANNELS * self.columns } else { 0 };
            let mut copy = Buffer::scratch(T::DTYPE, room);
            let mut task = Weights {
                kernel: self,
                lines: piece * each..self.depth.min((piece + 1) * each),
                copy: copy.slice_mut::<T>().expect("a new buffer has one owner"),
                out: out.pointer(),
                apart: len / PLACES,
            };
            // SAFETY: the kernel is as large as it says; there is room for each place and for the
            // copy; pieces share no lines.
            unsafe { T::dispatch(level, &mut task) };
        });
        buffer
    }
}

/// Transforms some lines of a kernel.
struct Weights<'a, T> {
    kernel: Kernel<'a, T>,
    /// A multiple of [`CHANNELS`].
    lines: Range<usize>,
    /// Room for nine taps of so many lines of a kernel that is to be turned.
    copy: &'a mut [T],
    out: *mut T,
    /// Elements between places.
    apart: usize,
}

impl<T: Float> Task<T> for Weights<'_, T> {
    /// # Safety
    /// The kernel and both outputs are as large as they say, and columns are whole vectors.
    #[inline(always)]
    unsafe fn run<L: Lanes<T>, const ROWS: usize>(&mut self) {
        let Kernel { values, depth, columns, turned } = self.kernel;
        // SAFETY: the caller's promise.
        unsafe {
            let factors = Factors::new::<T, L>();
            for first in self.lines.clone().step_by(CHANNELS) {
                let (from, tap) = if turned {
                    self.turn::<L>(first);
                    (self.copy.as_ptr(), CHANNELS * columns)
                } else {
                    (values.as_ptr().add(first * columns), depth * columns)
                };
                for panel in panels(columns, L::WIDTH) {
                    for line in 0..CHANNELS {
                        for part in (0..panel.width).step_by(L::WIDTH) {
                            let at = line * columns + panel.first + part;
                            let mut x = [[L::zero(); 3]; 3];
                            for i in 0..9 {
                                x[i / 3][i % 3] = L::load(from.add(i * tap + at));
                            }
                            let y = of_kernel::<T, L>(&factors, &x);
                            let line = first + line;
                            let at = depth * panel.first + line * panel.width + part;
                            for place in 0..PLACES {
                                let to = self.out.add(place * self.apart + at);
                                L::store(to, y[place / 4][place % 4]);
                            }
                        }
                    }
                }
            }
        }
    }
}

impl<T: Float> Weights<'_, T> {
    /// Copies nine taps of the lines from `first` on, turned.
    ///
    /// # Safety
    /// That of `run`.
    #[inline(always)]
    unsafe fn turn<L: Lanes<T>>(&mut self, first: usize) {
        let Kernel { values, depth, columns, .. } = self.kernel;
        for tap in 0..9 {
            for column in (0..columns).step_by(4) {
                for line in (0..CHANNELS).step_by(4) {
                    let at = |i| ((8 - tap) * columns + column + i) * depth + first + line;
                    // SAFETY: the caller's promise; lines and columns are multiples of four.
                    unsafe {
                        let from = [0, 1, 2, 3].map(|i| values.as_ptr().add(at(i)));
                        let to = (tap * CHANNELS + line) * columns + column;
                        L::turn(from, self.copy.as_mut_ptr().add(to), columns);
                    }
                }
            }
        }
    }
}
