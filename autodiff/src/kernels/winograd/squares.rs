//! Transformed squares of the source.

#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop)] // Constant bounds are what is unrolled.

use std::ops::Range;

use super::transforms::{Factors, of_input};
use super::{APART, Frame, PLACES};
use crate::kernels::float::Float;
use crate::kernels::lanes::{Lanes, MAX_WIDTH};
use crate::kernels::tiles::VECTORS;

/// Squares of each place, tile after tile.
pub(super) struct Squares<T> {
    /// Elements between one place and the next.
    pub(super) place: usize,
    pub(super) first: *mut T,
}

/// Elements that the squares of so many tiles take, and behind them those of a panel.
pub(super) fn room(frame: &Frame, count: usize) -> usize {
    PLACES * (count * frame.depth + APART) + PLACES * (count * VECTORS * MAX_WIDTH + APART)
}

impl<T: Float> Squares<T> {
    /// # Safety
    /// It must be there.
    #[inline(always)]
    pub(super) unsafe fn at(&self, place: usize, at: usize) -> *mut T {
        // SAFETY: the caller's promise.
        unsafe { self.first.add(place * self.place + at) }
    }

    /// Transforms what the windows of some rows of tiles see.
    ///
    /// # Safety
    /// The source is as large as the frame says, `zeros` as long as a position of it, and there is
    /// room for all squares.
    #[inline(always)]
    pub(super) unsafe fn of_source<L: Lanes<T>>(
        &self,
        frame: &Frame,
        source: &[T],
        zeros: &[T],
        bands: &Range<usize>,
        factors: &Factors<L::Vector>,
    ) {
        let ([height, width], depth) = (frame.from.map(|len| len as isize), frame.depth);
        let mut tile = 0;
        for band in bands.clone() {
            let (sample, row) = frame.begin(band);
            let top = row as isize - frame.before[0];
            let source = source[sample * (height * width) as usize * depth..].as_ptr();
            let at = |y: isize, x: isize| source.wrapping_offset((y * width + x) * depth as isize);
            for column in (0..frame.to[1]).step_by(2) {
                let left = column as isize - frame.before[1];
                let mut from = [[zeros.as_ptr(); 4]; 4];
                for i in 0..4 {
                    for j in 0..4 {
                        let (y, x) = (top + i as isize, left + j as isize);
                        if 0 <= y && y < height && 0 <= x && x < width {
                            from[i][j] = at(y, x);
                        }
                    }
                }
                // SAFETY: the caller's promise; `from` are positions inside, or zeros.
                unsafe { self.square::<L>(tile, depth, factors, from) };
                tile += 1;
            }
        }
    }

    /// Transforms the square that finds its elements at `from`.
    ///
    /// # Safety
    /// They can be read, and written to the squares.
    #[inline(always)]
    unsafe fn square<L: Lanes<T>>(
        &self,
        tile: usize,
        depth: usize,
        factors: &Factors<L::Vector>,
        from: [[*const T; 4]; 4],
    ) {
        for channel in (0..depth).step_by(L::WIDTH) {
            // SAFETY: the caller's promise.
            unsafe {
                let mut x = [[L::zero(); 4]; 4];
                for i in 0..4 {
                    for j in 0..4 {
                        x[i][j] = L::load(from[i][j].add(channel));
                    }
                }
                let y = of_input::<T, L>(factors, &x);
                for place in 0..PLACES {
                    let to = self.at(place, tile * depth + channel);
                    L::store(to, y[place / 4][place % 4]);
                }
            }
        }
    }
}
