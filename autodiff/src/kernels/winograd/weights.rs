//! The transform of a kernel, laid out for tiles.

#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop)] // Constant bounds are what is unrolled.

use super::PLACES;
use super::transforms::{Factors, of_kernel};
use crate::kernels::float::Float;
use crate::kernels::lanes::{Lanes, Task};
use crate::kernels::tiles::panels;

/// A task for each level.
pub(super) struct Weights<'a, T> {
    /// `(3, 3, depth, columns)`
    pub(super) kernel: &'a [T],
    pub(super) depth: usize,
    pub(super) columns: usize,
    pub(super) out: &'a mut [T],
}

impl<T: Float> Task<T> for Weights<'_, T> {
    /// # Safety
    /// The kernel holds nine taps, `out` sixteen places of them, and columns are
    /// whole vectors.
    #[inline(always)]
    unsafe fn run<L: Lanes<T>, const ROWS: usize>(&mut self) {
        let (kernel, out) = (self.kernel.as_ptr(), self.out.as_mut_ptr());
        let apart = self.out.len() / PLACES;
        // SAFETY: the caller's promise.
        unsafe {
            let factors = Factors::new::<T, L>();
            for panel in panels(self.columns, L::WIDTH) {
                for line in 0..self.depth {
                    for part in (0..panel.width).step_by(L::WIDTH) {
                        let at = line * self.columns + panel.first + part;
                        let mut x = [[L::zero(); 3]; 3];
                        for tap in 0..9 {
                            let at = tap * self.depth * self.columns + at;
                            x[tap / 3][tap % 3] = L::load(kernel.add(at));
                        }
                        let y = of_kernel::<T, L>(&factors, &x);
                        let at = self.depth * panel.first + line * panel.width + part;
                        for place in 0..PLACES {
                            L::store(out.add(place * apart + at), y[place / 4][place % 4]);
                        }
                    }
                }
            }
        }
    }
}
