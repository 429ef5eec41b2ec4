//! Some rows of tiles: their transformed squares, sixteen products, and the tiles of the output.

#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop)] // Constant bounds are what is unrolled.

use std::ops::Range;

use super::squares::{Squares, room};
use super::transforms::{Factors, to_output};
use super::{APART, Frame, PLACES};
use crate::kernels::float::Float;
use crate::kernels::gemm::Tile;
use crate::kernels::lanes::{Lanes, MAX_WIDTH, Task};
use crate::kernels::tiles::{VECTORS, panels};

/// A task for each level.
pub(super) struct Rows<'a, T> {
    pub(super) frame: &'a Frame,
    pub(super) source: &'a [T],
    /// As many zeros as the source has channels, for what lies outside.
    pub(super) zeros: &'a [T],
    /// For each place, a matrix laid out for tiles.
    pub(super) weights: &'a [T],
    pub(super) bias: &'a [T],
    pub(super) bands: Range<usize>,
    /// [`Rows::room`] for squares.
    pub(super) squares: &'a mut [T],
    /// The elements of these rows of tiles.
    pub(super) out: &'a mut [T],
}

impl<T: Float> Rows<'_, T> {
    /// Elements that the squares of so many rows of tiles take, with and without the products.
    pub(super) fn room(frame: &Frame, bands: usize, rows: usize) -> usize {
        room(frame, (bands * frame.tiles()[1]).next_multiple_of(rows))
    }
}

impl<T: Float> Task<T> for Rows<'_, T> {
    /// # Safety
    /// Source, output, weights and bias are as large as the frame says, and there is room for the
    /// squares.
    #[inline(always)]
    unsafe fn run<L: Lanes<T>, const ROWS: usize>(&mut self) {
        let count = self.bands.len() * self.frame.tiles()[1];
        let count = count.next_multiple_of(ROWS);
        assert!(self.squares.len() >= Self::room(self.frame, self.bands.len(), ROWS));
        // SAFETY: the caller's promise, and the assert.
        unsafe {
            let factors = Factors::new::<T, L>();
            let squares = Squares {
                place: count * self.frame.depth + APART,
                first: self.squares.as_mut_ptr(),
            };
            squares.of_source::<L>(self.frame, self.source, self.zeros, &self.bands, &factors);
            for panel in panels(self.frame.columns, L::WIDTH) {
                if panel.width > L::WIDTH {
                    self.panel::<L, ROWS, VECTORS>(&squares, count, panel.first, &factors);
                } else {
                    self.panel::<L, ROWS, 1>(&squares, count, panel.first, &factors);
                }
            }
        }
    }
}

impl<T: Float> Rows<'_, T> {
    /// The columns of one panel, of `N` vectors, for `count` tiles.
    ///
    /// # Safety
    /// That of `run`.
    #[inline(always)]
    unsafe fn panel<L: Lanes<T>, const ROWS: usize, const N: usize>(
        &mut self,
        squares: &Squares<T>,
        count: usize,
        first: usize,
        factors: &Factors<L::Vector>,
    ) {
        let (depth, width) = (self.frame.depth, N * L::WIDTH);
        let zeros = [[T::ZERO; MAX_WIDTH]; N];
        let weights = self.weights.len() / PLACES;
        // SAFETY: the caller's promise.
        unsafe {
            let sums = Squares { place: count * width + APART, first: squares.at(PLACES, 0) };
            for place in 0..PLACES {
                let panel = self.weights.as_ptr().add(place * weights + depth * first);
                for tile in (0..count).step_by(ROWS) {
                    let mut a = [squares.at(place, tile * depth).cast_const(); ROWS];
                    for i in 0..ROWS {
                        a[i] = a[i].add(i * depth);
                    }
                    let product = Tile { a, column: 1, panel, deep: depth, start: Some(&zeros) };
                    product.run::<L>(sums.at(place, tile * width), width);
                }
            }
            self.write::<L, N>(&sums, first, factors);
        }
    }

    /// Makes tiles of the output of the sums of a panel.
    ///
    /// # Safety
    /// That of `run`.
    #[inline(always)]
    unsafe fn write<L: Lanes<T>, const N: usize>(
        &mut self,
        sums: &Squares<T>,
        first: usize,
        factors: &Factors<L::Vector>,
    ) {
        let Frame { to: [height, width], columns, .. } = *self.frame;
        let (mut tile, mut done) = (0, first);
        // SAFETY: the caller's promise; a tile at the end has rows and columns outside, which are
        // passed over.
        unsafe {
            let mut bias = [L::zero(); N];
            for j in 0..N {
                bias[j] = L::load(self.bias.as_ptr().add(first + j * L::WIDTH));
            }
            for band in self.bands.clone() {
                let rows = (height - self.frame.begin(band).1).min(2);
                let out = self.out.as_mut_ptr().add(done);
                done += rows * width * columns;
                for column in (0..width).step_by(2) {
                    let used = (width - column).min(2);
                    for j in 0..N {
                        let at = (tile * N + j) * L::WIDTH;
                        let mut x = [[L::zero(); 4]; 4];
                        for place in 0..PLACES {
                            x[place / 4][place % 4] = L::load(sums.at(place, at));
                        }
                        let y = to_output::<T, L>(factors, &x);
                        let to = out.add(column * columns + j * L::WIDTH);
                        let mut lines = [to; 2];
                        lines[1] = to.wrapping_add(width * columns);
                        for i in 0..rows {
                            L::store(lines[i], factors.add::<T, L>(y[i][0], bias[j]));
                        }
                        if used == 2 {
                            for i in 0..rows {
                                L::store(
                                    lines[i].add(columns),
                                    factors.add::<T, L>(y[i][1], bias[j]),
                                );
                            }
                        }
                    }
                    tile += 1;
                }
            }
        }
    }
}
