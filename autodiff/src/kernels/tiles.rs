//! The inner loop of convolutions: sums of products that stay in registers, whose factors
//! are found by pointers. No patch of the input is ever copied to be multiplied (the indirect
//! convolution of Dukhan 2019, arXiv 1907.02129).
//!
//! Loops count to constants. An iterator's constructor is a call where the linker doesn't
//! optimise; sums of which it takes the address live in memory, at half the speed.

#![allow(unsafe_code)]

use super::lanes::{Lanes, MAX_WIDTH, Task};

/// Columns of a tile are at most this many vectors.
pub(crate) const VECTORS: usize = 2;

/// A matrix `(depth, columns)` laid out for tiles: panels of `VECTORS · width` columns, the last
/// of a single vector if that is enough; in each panel row after row, filled up with zeros.
pub(crate) fn packed_len(depth: usize, columns: usize, width: usize) -> usize {
    depth * columns.div_ceil(width) * width
}

/// The panels of a matrix.
#[derive(Clone, Copy)]
pub(crate) struct Panels {
    first: usize,
    columns: usize,
    width: usize,
}

/// The panels of a matrix of `columns`, with vectors of `width` elements.
#[inline(always)]
pub(crate) fn panels(columns: usize, width: usize) -> Panels {
    Panels { first: 0, columns, width }
}

/// One panel: its columns, and those in use.
#[derive(Clone, Copy)]
pub(crate) struct Panel {
    pub(crate) first: usize,
    pub(crate) used: usize,
    pub(crate) width: usize,
}

impl Iterator for Panels {
    type Item = Panel;

    #[inline(always)]
    fn next(&mut self) -> Option<Panel> {
        let (first, rest) = (self.first, self.columns.saturating_sub(self.first));
        if rest == 0 {
            return None;
        }
        let width = if rest > self.width { VECTORS * self.width } else { self.width };
        self.first += width;
        Some(Panel { first, used: rest.min(width), width })
    }
}

/// Lays out the matrix whose element `(row, column)` is `value(row, column)`.
pub(crate) fn pack<T: Copy + Default>(
    depth: usize,
    columns: usize,
    width: usize,
    out: &mut [T],
    value: impl Fn(usize, usize) -> T,
) {
    let mut out = out.chunks_exact_mut(width);
    for Panel { first, used, width: panel } in panels(columns, width) {
        for row in 0..depth {
            for start in (0..panel).step_by(width) {
                let part = out.next().expect("`packed_len` has counted");
                for (i, v) in part.iter_mut().enumerate() {
                    let column = start + i;
                    *v = if column < used { value(row, first + column) } else { T::default() };
                }
            }
        }
    }
}

/// As [`pack`], for a matrix in memory: `line(row)` tells where in `from` a row begins, and how far
/// apart its elements are.
pub(crate) fn pack_lines<T: Copy + Default>(
    depth: usize,
    columns: usize,
    width: usize,
    from: &[T],
    line: impl Fn(usize) -> (usize, usize),
    out: &mut [T],
) {
    let mut done = 0;
    for Panel { first, used, width: panel } in panels(columns, width) {
        for row in 0..depth {
            let part = &mut out[done..done + panel];
            done += panel;
            let (start, apart) = line(row);
            let from = &from[start + first * apart..];
            if apart == 1 {
                part[..used].copy_from_slice(&from[..used]);
            } else {
                for i in 0..used {
                    part[i] = from[i * apart];
                }
            }
            part[used..].fill(T::default());
        }
    }
}

/// `out[r] = start + Σ_tap Σ_i factor[r, tap][offsets[i]] · weights[tap, i]` for many rows.
///
/// A tile is as many rows as the registers hold sums for; a tile that isn't full repeats its
/// last row.
pub(crate) struct RowProducts<'a, T> {
    /// For each tile and each tap, from where each row's factors are found.
    pub(crate) factors: &'a [*const T],
    /// For each tile, a bit for each tap where not all factors are zeros; all taps from
    /// [`LAST_BIT`](RowProducts::LAST_BIT) on share one.
    pub(crate) seen: &'a [u64],
    pub(crate) taps: usize,
    /// Added to each of the pointers: where a group of channels begins.
    pub(crate) shift: usize,
    /// Where the factors of a tap are.
    pub(crate) offsets: &'a [usize],
    /// `(taps · offsets, columns)`, packed; or not, and then of whole vectors.
    pub(crate) weights: &'a [T],
    /// How far apart rows of weights are that aren't packed.
    pub(crate) stride: Option<usize>,
    /// What the sums begin with, as many as columns filled up to whole vectors.
    pub(crate) start: &'a [T],
    pub(crate) columns: usize,
    /// For each tile, where the rows of the output begin.
    pub(crate) out: &'a [*mut T],
    /// Added to each of these pointers: where a group's columns begin.
    pub(crate) out_shift: usize,
}

impl<T> RowProducts<'_, T> {
    /// The bit of the last taps.
    pub(crate) const LAST_BIT: usize = 63;
}

impl<T: Copy + Default> Task<T> for RowProducts<'_, T> {
    /// # Safety
    /// Every pointer in `factors` is valid for reading at all `offsets` behind `shift`, and every
    /// one in `out` for writing `columns` elements behind `out_shift`.
    #[inline(always)]
    unsafe fn run<L: Lanes<T>, const ROWS: usize>(&mut self) {
        let lines = self.taps * self.offsets.len();
        let enough = match self.stride {
            None => packed_len(lines, self.columns, L::WIDTH),
            Some(_) if lines == 0 => 0,
            Some(stride) => (lines - 1) * stride + self.columns,
        };
        assert!(self.weights.len() >= enough);
        assert!(self.stride.is_none() || self.columns.is_multiple_of(L::WIDTH));
        assert!(self.start.len() >= self.columns.next_multiple_of(L::WIDTH));
        assert!(self.factors.len() == self.out.len() * self.taps);
        assert!(self.seen.len() == self.out.len() / ROWS);
        for panel in panels(self.columns, L::WIDTH) {
            let (begin, step) = match self.stride {
                None => (lines * panel.first, panel.width),
                Some(stride) => (panel.first, stride),
            };
            let weights = self.weights.as_ptr().wrapping_add(begin);
            if panel.width == L::WIDTH {
                // SAFETY: the asserts, and the caller's promise.
                unsafe { self.panel::<L, ROWS, 1>(panel, weights, step) }
            } else {
                // SAFETY: the same.
                unsafe { self.panel::<L, ROWS, VECTORS>(panel, weights, step) }
            }
        }
    }
}

impl<T: Copy + Default> RowProducts<'_, T> {
    /// One panel of columns for all tiles.
    ///
    /// # Safety
    /// That of `run`, and `weights` is a panel of `N` vectors and `taps · offsets` rows that lie
    /// `step` elements apart.
    #[inline(always)]
    #[allow(clippy::needless_range_loop)] // See the top of the file.
    unsafe fn panel<L: Lanes<T>, const ROWS: usize, const N: usize>(
        &self,
        Panel { first, used, .. }: Panel,
        weights: *const T,
        step: usize,
    ) {
        for tile in 0..self.out.len() / ROWS {
            let factors = &self.factors[tile * self.taps * ROWS..][..self.taps * ROWS];
            let out = &self.out[tile * ROWS..][..ROWS];
            // SAFETY: `start` holds whole vectors for every panel; pointers are the caller's
            // promise; `weights` advances by one row of the panel for each tap and factor.
            unsafe {
                let mut sums = [[L::zero(); N]; ROWS];
                for i in 0..ROWS {
                    for j in 0..N {
                        sums[i][j] = L::load(self.start.as_ptr().add(first + j * L::WIDTH));
                    }
                }
                let mut line = weights;
                let seen = self.seen[tile];
                for tap in 0..self.taps {
                    if seen >> tap.min(Self::LAST_BIT) & 1 == 0 {
                        line = line.wrapping_add(self.offsets.len() * step);
                        continue;
                    }
                    let mut from = [std::ptr::null(); ROWS];
                    for i in 0..ROWS {
                        from[i] = (*factors.as_ptr().add(tap * ROWS + i)).add(self.shift);
                    }
                    for c in 0..self.offsets.len() {
                        let offset = *self.offsets.get_unchecked(c);
                        let mut w = [L::zero(); N];
                        for j in 0..N {
                            w[j] = L::load(line.add(j * L::WIDTH));
                        }
                        line = line.wrapping_add(step);
                        for i in 0..ROWS {
                            let x = L::splat(from[i].add(offset));
                            for j in 0..N {
                                sums[i][j] = L::multiply_add(x, w[j], sums[i][j]);
                            }
                        }
                    }
                }
                if used == N * L::WIDTH {
                    for i in 0..ROWS {
                        for j in 0..N {
                            let to = first + self.out_shift + j * L::WIDTH;
                            L::store(out[i].add(to), sums[i][j]);
                        }
                    }
                    continue;
                }
                let mut copy = [[[T::default(); MAX_WIDTH]; N]; ROWS];
                for i in 0..ROWS {
                    for j in 0..N {
                        L::store(copy[i][j].as_mut_ptr(), sums[i][j]);
                    }
                }
                for (copy, out) in copy.iter().zip(out) {
                    for column in 0..used {
                        *out.add(first + self.out_shift + column) =
                            copy[column / L::WIDTH][column % L::WIDTH];
                    }
                }
            }
        }
    }
}
