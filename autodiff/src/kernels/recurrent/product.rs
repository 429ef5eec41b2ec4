//! The product of each step: few rows, which stay in the first cache, by a kernel that was laid
//! out for tiles.

#![allow(unsafe_code)]

use crate::kernels::float::Float;
use crate::kernels::lanes::{Lanes, Task};
use crate::kernels::tiles::{VECTORS, panels};

/// `out[r] += Σ_tap Σ_p a[tap][r][p] · weights[tap · depth + p]`, every sum of fused products in
/// this order.
pub(super) struct Product<'a, T> {
    /// `(taps, rows, row)`, of whose last axis the first `depth` count.
    pub(super) a: &'a [T],
    pub(super) taps: usize,
    pub(super) depth: usize,
    /// `(taps · depth, row)`, packed as `tiles::pack` does.
    pub(super) weights: &'a [T],
    /// `(rows, row)`
    pub(super) out: &'a mut [T],
    /// A multiple of the width of every vector.
    pub(super) row: usize,
}

/// Rows of a tile that takes some of what is left by full tiles.
const HALF: usize = 4;

impl<T: Float> Task<T> for Product<'_, T> {
    /// # Safety
    /// None but the level.
    #[inline(always)]
    unsafe fn run<L: Lanes<T>, const ROWS: usize>(&mut self) {
        let (lines, size) = (self.taps * self.depth, self.out.len());
        assert!(self.row.is_multiple_of(L::WIDTH) && size.is_multiple_of(self.row));
        assert!(self.depth <= self.row && self.a.len() == self.taps * size);
        assert!(self.weights.len() == lines * self.row);
        for panel in panels(self.row, L::WIDTH) {
            let weights = self.weights[lines * panel.first..].as_ptr();
            // SAFETY: the asserts.
            unsafe {
                if panel.width == L::WIDTH {
                    self.panel::<L, ROWS, 1>(panel.first, weights);
                } else {
                    self.panel::<L, ROWS, VECTORS>(panel.first, weights);
                }
            }
        }
    }
}

impl<T: Float> Product<'_, T> {
    /// `N` vectors of columns from `first` on.
    ///
    /// # Safety
    /// That of `run`, whose asserts hold; `weights` has a line of `N` vectors for each of
    /// `taps · depth`.
    #[inline(always)]
    unsafe fn panel<L: Lanes<T>, const ROWS: usize, const N: usize>(
        &mut self,
        first: usize,
        weights: *const T,
    ) {
        let (rows, mut done) = (self.out.len() / self.row, 0);
        // SAFETY: the caller's promise; a tile begins with at least its number of rows left.
        unsafe {
            while rows - done >= ROWS {
                self.tile::<L, ROWS, N>(done, first, weights);
                done += ROWS;
            }
            while rows - done >= HALF {
                self.tile::<L, HALF, N>(done, first, weights);
                done += HALF;
            }
            while rows - done >= 1 {
                self.tile::<L, 1, N>(done, first, weights);
                done += 1;
            }
        }
    }

    /// # Safety
    /// That of `panel`, and there are `ROWS` rows from `from` on.
    #[inline(always)]
    #[allow(clippy::needless_range_loop)] // Constant bounds are what is unrolled into registers.
    unsafe fn tile<L: Lanes<T>, const ROWS: usize, const N: usize>(
        &mut self,
        from: usize,
        first: usize,
        mut line: *const T,
    ) {
        let size = self.out.len();
        // SAFETY: the caller's promise.
        unsafe {
            let out = self.out.as_mut_ptr().add(from * self.row + first);
            let mut sums = [[L::zero(); N]; ROWS];
            for i in 0..ROWS {
                for j in 0..N {
                    sums[i][j] = L::load(out.add(i * self.row + j * L::WIDTH));
                }
            }
            for tap in 0..self.taps {
                let mut a = [self.a.as_ptr().add(tap * size + from * self.row); ROWS];
                for (i, a) in a.iter_mut().enumerate() {
                    *a = a.add(i * self.row);
                }
                for p in 0..self.depth {
                    let mut w = [L::zero(); N];
                    for j in 0..N {
                        w[j] = L::load(line.add(j * L::WIDTH));
                    }
                    line = line.add(N * L::WIDTH);
                    for i in 0..ROWS {
                        let x = L::splat(a[i].add(p));
                        for j in 0..N {
                            sums[i][j] = L::multiply_add(x, w[j], sums[i][j]);
                        }
                    }
                }
            }
            for i in 0..ROWS {
                for j in 0..N {
                    L::store(out.add(i * self.row + j * L::WIDTH), sums[i][j]);
                }
            }
        }
    }
}
