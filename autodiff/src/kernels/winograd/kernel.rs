//! The gradient by the kernel: for each place, what the windows see times what the gradients of the
//! tiles become, summed over tiles, and those sums turned into taps.

#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop)] // Constant bounds are what is unrolled.

use std::ops::Range;

use super::squares::{Squares, room};
use super::transforms::{Factors, of_gradient, to_kernel};
use super::{APART, Frame, PLACES};
use crate::elements::Elements;
use crate::kernels::float::Float;
use crate::kernels::gemm::{Gemm, Tile};
use crate::kernels::lanes::{Lanes, MAX_WIDTH, Task};
use crate::kernels::parallel::{self, Start};
use crate::kernels::simd::Level;
use crate::kernels::tiles::{VECTORS, panels};
use crate::storage::Buffer;

/// Pieces of work, which sizes alone tell: parts of the tiles, whose sums are added in order, each
/// in parts of the columns.
const PIECES: usize = 8;
/// The fewest tiles in a part; Miri, which is slow, sees few.
const PIECE: usize = if cfg!(miri) { 9 } else { 128 };
/// Channels times filters up to which each piece has sums of its own.
const MOST: usize = 1 << 14;
/// Columns of a piece are a multiple of this, one or more panels at any level.
const COLUMNS: usize = VECTORS * MAX_WIDTH;

/// [`kernel_gradient`](crate::kernels::conv_kernel::kernel_gradient), of the frame of the output.
/// Tells whether that is the way to compute it.
pub(in crate::kernels) fn kernel_gradient<T: Gemm>(
    level: Level,
    frame: &Frame,
    source: &[T],
    g: &[T],
    out: &mut [T],
) -> bool {
    let (bands, size) = (frame.bands(), frame.depth * frame.columns);
    let most = (PIECES * MOST / size).clamp(1, PIECES);
    let parts = (bands * frame.tiles()[1] / PIECE).min(most);
    if parts == 0 {
        return false;
    }
    assert!(
        source.len() == frame.batch * frame.from[0] * frame.from[1] * frame.depth
            && g.len() == frame.batch * frame.to[0] * frame.to[1] * frame.columns
            && out.len() == 9 * size,
        "all are as large as the frame"
    );
    let each = bands.div_ceil(parts);
    let (parts, part_len) = (bands.div_ceil(each), PLACES * (size + APART));
    let columns_each = frame.columns.div_ceil(PIECES / most).next_multiple_of(COLUMNS);
    let across = frame.columns.div_ceil(columns_each);
    let mut sums = Buffer::scratch(T::DTYPE, parts * part_len);
    let all = &mut sums.slice_mut::<T>().expect("a new buffer has one owner")[..parts * part_len];
    let start = Start::of(all);
    let at_once = frame.at_once(T::tile(level).0);
    let zeros = Elements::zeros(frame.depth);
    parallel::each(parts * across, &|piece| {
        let (part, first) = (piece / across, piece % across * columns_each);
        let bands = part * each..bands.min((part + 1) * each);
        let tiles = at_once.min(bands.len()) * frame.tiles()[1];
        let mut squares = Buffer::scratch(T::DTYPE, room(frame, tiles));
        for from in bands.clone().step_by(at_once) {
            let mut task = Sums {
                frame,
                source,
                g,
                zeros: &zeros,
                bands: from..bands.end.min(from + at_once),
                columns: first..frame.columns.min(first + columns_each),
                first: from == bands.start,
                squares: squares.slice_mut::<T>().expect("a new buffer has one owner"),
                sums: start.pointer().wrapping_add(part * part_len),
            };
            // SAFETY: all are as large as the frame, there is room for the squares, and pieces
            // share no sums.
            unsafe { T::dispatch(level, &mut task) };
        }
    });
    let lines = Start::of(out);
    let each = if size > MOST { size.div_ceil(PIECES).next_multiple_of(MAX_WIDTH) } else { size };
    parallel::each(size.div_ceil(each), &|piece| {
        let elements = piece * each..size.min((piece + 1) * each);
        let mut task = Taps { sums: all, size, elements, out: lines.pointer() };
        // SAFETY: the sums of all parts; `out` has nine taps, of which pieces share no elements.
        unsafe { T::dispatch(level, &mut task) };
    });
    true
}

/// Adds up products for some rows of tiles.
struct Sums<'a, T> {
    frame: &'a Frame,
    source: &'a [T],
    g: &'a [T],
    zeros: &'a [T],
    bands: Range<usize>,
    columns: Range<usize>,
    /// Whether there are no sums yet.
    first: bool,
    squares: &'a mut [T],
    /// For each place `(depth, columns)`, and [`APART`].
    sums: *mut T,
}

impl<T: Float> Task<T> for Sums<'_, T> {
    /// # Safety
    /// Source, gradient and sums are as large as the frame says, and there is room for the squares.
    #[inline(always)]
    unsafe fn run<L: Lanes<T>, const ROWS: usize>(&mut self) {
        let count = self.bands.len() * self.frame.tiles()[1];
        assert!(self.squares.len() >= room(self.frame, count));
        let place = count * self.frame.depth + APART;
        let squares = Squares { place, first: self.squares.as_mut_ptr() };
        // SAFETY: the caller's promise, and the assert.
        unsafe {
            let factors = Factors::new::<T, L>();
            squares.of_source::<L>(self.frame, self.source, self.zeros, &self.bands, &factors);
            for panel in panels(self.columns.len(), L::WIDTH) {
                if panel.width > L::WIDTH {
                    self.panel::<L, ROWS, VECTORS>(
                        &squares,
                        count,
                        self.columns.start + panel.first,
                        &factors,
                    );
                } else {
                    self.panel::<L, ROWS, 1>(
                        &squares,
                        count,
                        self.columns.start + panel.first,
                        &factors,
                    );
                }
            }
        }
    }
}

impl<T: Float> Sums<'_, T> {
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
        let Frame { depth, columns, .. } = *self.frame;
        let width = N * L::WIDTH;
        let zeros = [[T::ZERO; MAX_WIDTH]; N];
        // SAFETY: the caller's promise; channels are at least as many as rows.
        unsafe {
            let place = count * width + APART;
            let gradients = Squares { place, first: squares.at(PLACES, 0) };
            self.gradients::<L, N>(&gradients, first, factors);
            for place in 0..PLACES {
                let out = self.sums.add(place * (depth * columns + APART) + first);
                for row in (0..depth).step_by(ROWS) {
                    let base = row.min(depth - ROWS);
                    let mut a = [squares.at(place, base).cast_const(); ROWS];
                    for i in 0..ROWS {
                        a[i] = a[i].add(i);
                    }
                    let product = Tile {
                        a,
                        column: depth as isize,
                        panel: gradients.at(place, 0),
                        deep: count,
                        start: self.first.then_some(&zeros),
                    };
                    if base == row {
                        product.run::<L>(out.add(row * columns), columns);
                        continue;
                    }
                    // Some of these rows have their sums already.
                    let mut copy = [[[T::ZERO; MAX_WIDTH]; N]; ROWS];
                    let to = copy.as_mut_ptr().cast::<T>();
                    for i in row - base..ROWS {
                        let out = out.add((base + i) * columns);
                        std::ptr::copy_nonoverlapping(out, to.add(i * N * MAX_WIDTH), width);
                    }
                    product.run::<L>(to, N * MAX_WIDTH);
                    for i in row - base..ROWS {
                        let out = out.add((base + i) * columns);
                        std::ptr::copy_nonoverlapping(to.add(i * N * MAX_WIDTH), out, width);
                    }
                }
            }
        }
    }

    /// Transforms a panel of the gradients of all tiles.
    ///
    /// # Safety
    /// That of `run`.
    #[inline(always)]
    unsafe fn gradients<L: Lanes<T>, const N: usize>(
        &self,
        to: &Squares<T>,
        first: usize,
        factors: &Factors<L::Vector>,
    ) {
        let Frame { to: [height, width], columns, .. } = *self.frame;
        let mut tile = 0;
        for band in self.bands.clone() {
            let (sample, row) = self.frame.begin(band);
            let rows = (height - row).min(2);
            let g = &self.g[(sample * height + row) * width * columns + first..];
            for column in (0..width).step_by(2) {
                let used = (width - column).min(2);
                let g = g[column * columns..].as_ptr();
                for j in 0..N {
                    // SAFETY: the caller's promise; what is outside the output is zero.
                    unsafe {
                        let mut x = [[L::zero(); 2]; 2];
                        for i in 0..2 {
                            if i < rows {
                                let g = g.add(i * width * columns + j * L::WIDTH);
                                x[i][0] = L::load(g);
                                if used == 2 {
                                    x[i][1] = L::load(g.add(columns));
                                }
                            }
                        }
                        let y = of_gradient::<T, L>(factors, &x);
                        for place in 0..PLACES {
                            let at = (tile * N + j) * L::WIDTH;
                            L::store(to.at(place, at), y[place / 4][place % 4]);
                        }
                    }
                }
                tile += 1;
            }
        }
    }
}

/// Turns some elements of the parts' sums into taps.
struct Taps<'a, T> {
    sums: &'a [T],
    /// Elements of each place, and of each tap.
    size: usize,
    elements: Range<usize>,
    out: *mut T,
}

impl<T: Float> Task<T> for Taps<'_, T> {
    /// # Safety
    /// There are sums of whole parts, `out` has nine taps, and elements are whole vectors.
    #[inline(always)]
    unsafe fn run<L: Lanes<T>, const ROWS: usize>(&mut self) {
        let (place_len, sums) = (self.size + APART, self.sums.as_ptr());
        let part_len = PLACES * place_len;
        let parts = self.sums.len() / part_len;
        // SAFETY: the caller's promise.
        unsafe {
            let factors = Factors::new::<T, L>();
            for at in self.elements.clone().step_by(L::WIDTH) {
                let mut x = [[L::zero(); 4]; 4];
                for place in 0..PLACES {
                    let from = sums.add(place * place_len + at);
                    let mut sum = L::load(from);
                    for number in 1..parts {
                        sum = factors.add::<T, L>(sum, L::load(from.add(number * part_len)));
                    }
                    x[place / 4][place % 4] = sum;
                }
                let y = to_kernel::<T, L>(&factors, &x);
                for tap in 0..9 {
                    L::store(self.out.add(tap * self.size + at), y[tap / 3][tap % 3]);
                }
            }
        }
    }
}
