//! Convolutions with kernels of 3×3 in 4/9 of the multiplications: F(2×2, 3×3) of Winograd (Lavin
//! and Gray 2015, arXiv 1509.09308).
//!
//! A tile of 2×2 positions sees 4×4 of the source. Those and the kernel are transformed by sums
//! and differences alone; then 16 products of matrices, one for each place in the square, take the
//! place of the nine taps' for each position, and a last transform makes tiles of the sums. All
//! numbers are 0, 1, -1 and a half, and the chains of additions are shorter than those of plain
//! sums, so that results are as exact. What differs: an infinity gives NaN in all windows that hold
//! it, as one is taken from another.
//!
//! The gradient by the input is such a convolution, too; that by the kernel sums products of the
//! same squares, `kernel`.

#![allow(unsafe_code)]

mod frame;
mod kernel;
mod rows;
mod squares;
mod transforms;
mod weights;

use std::ops::Range;

use super::gemm::{Finish, Gemm};
use super::parallel::{self, Start};
use super::simd::Level;
use crate::elements::Elements;
use crate::storage::Buffer;
pub(super) use frame::Frame;
pub(super) use kernel::kernel_gradient;
use rows::Rows;
use weights::Kernel;

/// Places of a transformed square.
const PLACES: usize = 16;
/// Elements between two places, which would else fall on one another in the first cache.
const APART: usize = 16;
/// Multiply-adds that are worth handing to another thread, and pieces for each.
const WORTH_A_THREAD: usize = 1 << 19;
const PIECES: usize = 4;

/// A convolution in a frame.
struct Work<'a, T> {
    frame: Frame,
    source: &'a [T],
    kernel: Kernel<'a, T>,
    bias: Option<&'a [T]>,
    finish: Finish<'a, T>,
}

/// [`forward`](super::conv::forward), where [`Frame::of_output`] gives a frame.
pub(super) fn forward<T: Gemm>(
    level: Level,
    frame: Frame,
    [source, values]: [&[T]; 2],
    bias: Option<&[T]>,
    y: &mut [T],
    finish: Finish<'_, T>,
) {
    let kernel = Kernel { values, depth: frame.depth, columns: frame.columns, turned: false };
    Work { frame, source, kernel, bias, finish }.run(level, y);
}

/// [`input_gradient`](super::conv::input_gradient), of the frame of the output.
pub(super) fn input_gradient<T: Gemm>(
    level: Level,
    frame: Frame,
    source: &[T],
    values: &[T],
    out: &mut [T],
) {
    let frame = frame.turned();
    let kernel = Kernel { values, depth: frame.depth, columns: frame.columns, turned: true };
    Work { frame, source, kernel, bias: None, finish: None }.run(level, out);
}

impl<T: Gemm> Work<'_, T> {
    fn run(&self, level: Level, out: &mut [T]) {
        let (frame, bands) = (&self.frame, self.frame.bands());
        assert!(
            self.source.len() == frame.batch * frame.from[0] * frame.from[1] * frame.depth
                && out.len() == frame.batch * frame.to[0] * frame.to[1] * frame.columns
                && self.bias.is_none_or(|bias| bias.len() == frame.columns),
            "all are as large as the frame"
        );
        let work = bands * frame.tiles()[1] * PLACES * frame.depth * frame.columns;
        let threads = parallel::threads();
        let wanted = match threads {
            1 => 1,
            _ => (PIECES * threads).min(work / WORTH_A_THREAD).max(1),
        };
        // To transform a small kernel takes less than to fetch it from another core.
        let shared = wanted > threads || self.kernel.is_large();
        let shared = shared.then(|| self.kernel.transformed(level));
        let out = Start::of(out);
        let each = bands.div_ceil(wanted);
        parallel::each(bands.div_ceil(each), &|piece| {
            let bands = piece * each..bands.min((piece + 1) * each);
            match &shared {
                Some(weights) => self.part(level, bands, weights, &out),
                None => self.part(level, bands, &self.kernel.transformed(level), &out),
            }
        });
    }

    /// Some rows of tiles.
    fn part(&self, level: Level, bands: Range<usize>, weights: &Buffer, out: &Start<T>) {
        let (rows, _) = T::tile(level);
        let at_once = self.frame.at_once(rows);
        let room = Rows::<T>::room(&self.frame, at_once.min(bands.len()), rows);
        let mut squares = Buffer::scratch(T::DTYPE, room);
        let zeros = Elements::zeros(self.frame.depth.max(self.frame.columns));
        let weights = &weights.slice::<T>()[..self.kernel.len(level)];
        for first in bands.clone().step_by(at_once) {
            let bands = first..bands.end.min(first + at_once);
            let elements = self.frame.elements(&bands);
            // SAFETY: rows of tiles share no elements of the output, and `run` has seen that it is
            // as large as the frame.
            let out = unsafe { out.part(elements.start, elements.len()) };
            let mut task = Rows {
                frame: &self.frame,
                source: self.source,
                zeros: &zeros,
                weights,
                bias: self.bias.unwrap_or(&zeros),
                bands,
                squares: squares.slice_mut::<T>().expect("a new buffer has one owner"),
                out,
            };
            // SAFETY: `run` has seen that all are as large as the frame; there is room for the
            // squares.
            unsafe { T::dispatch(level, &mut task) };
            if let Some(finish) = self.finish {
                finish(task.out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::conv::tests::values;
    use super::super::conv::{Sizes, forward, input_gradient};
    use super::super::conv_kernel::kernel_gradient;
    use super::super::window::{Axes, Axis};
    use super::*;

    fn sizes(batch: usize, lens: [usize; 2], before: [usize; 2], channels: [usize; 2]) -> Sizes {
        let axis = |i: usize| Axis {
            input: lens[i],
            // As much padding behind as before, and one more in front of an even length.
            output: lens[i] + 2 * before[i] - 2,
            size: 3,
            stride: 1,
            dilation: 1,
            before: before[i],
        };
        let axes = Axes::from_slice(&[axis(0), axis(1)]);
        Sizes { batch, axes, inputs: channels[0], filters: channels[1], groups: 1 }
    }

    fn doubles(x: &[f32]) -> Vec<f64> {
        x.iter().map(|&x| f64::from(x)).collect()
    }

    /// Of odd and even lengths, with tiles that end outside, and padding up to the whole window.
    fn cases() -> Vec<Sizes> {
        let all = [
            sizes(2, [7, 7], [0, 0], [16, 16]),
            sizes(3, [7, 8], [1, 0], [16, 48]),
            sizes(2, [5, 6], [2, 3], [32, 16]),
            sizes(1, [1, 18], [1, 1], [48, 32]),
            sizes(40, [13, 13], [0, 0], [32, 64]),
            sizes(9, [8, 8], [1, 1], [16, 32]),
            sizes(4, [12, 12], [1, 1], [128, 272]),
        ];
        all.into_iter().take(if cfg!(miri) { 1 } else { 7 }).collect()
    }

    #[test]
    fn they_agree_with_plain_sums_in_float64() {
        for sizes in cases() {
            assert!(Frame::of_output(&sizes).is_some());
            let Sizes { inputs, filters, .. } = sizes;
            let positions =
                |f: fn(&Axis) -> usize| sizes.batch * sizes.axes.iter().map(f).product::<usize>();
            let x = values(positions(|a| a.input) * inputs, 1);
            let (kernel, bias) = (values(9 * inputs * filters, 2), values(filters, 3));
            let g = values(positions(|a| a.output) * filters, 4);
            let level = Level::best();
            let wide = [&x, &kernel, &bias, &g].map(|x| doubles(x));
            let mut exact = [vec![9.0; g.len()], vec![9.0; x.len()], vec![9.0; kernel.len()]];
            forward(level, &sizes, [&wide[0], &wide[1]], Some(&wide[2]), &mut exact[0], None);
            input_gradient(level, &sizes, &wide[3], &wide[1], &mut exact[1]);
            kernel_gradient(level, &sizes, &wide[0], &wide[3], &mut exact[2]);
            let run = |level: Level| {
                let (mut y, mut gx) = (vec![9.0; g.len()], vec![9.0; x.len()]);
                forward(level, &sizes, [&x, &kernel], Some(&bias), &mut y, None);
                input_gradient(level, &sizes, &g, &kernel, &mut gx);
                let mut gk = vec![9.0; kernel.len()];
                kernel_gradient(level, &sizes, &x, &g, &mut gk);
                [y, gx, gk]
            };
            let all: Vec<_> = Level::all().map(run).collect();
            for (y, exact) in all.iter().flat_map(|all| all.iter().zip(&exact)) {
                let largest = exact.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
                let off = y.iter().zip(exact).map(|(&y, exact)| (f64::from(y) - exact).abs());
                // Plain sums in float32 are off by about as much.
                let off = off.fold(0.0, f64::max) / largest;
                assert!(off <= 1e-6, "{sizes:?}");
            }
            assert!(all[1..].windows(2).all(|pair| pair[0] == pair[1]), "the same bits");
            parallel::set_threads(1);
            assert!(run(level) == all[all.len() - 1], "the same bits with one thread");
            parallel::set_threads(3);
            // A sample alone has the bits that it has in the batch.
            let one = Sizes { batch: 1, ..sizes.clone() };
            let mut alone = vec![9.0; g.len() / sizes.batch];
            let first = &x[..x.len() / sizes.batch];
            forward(level, &one, [first, &kernel], Some(&bias), &mut alone, None);
            assert_eq!(alone, all[all.len() - 1][0][..alone.len()]);
        }
    }

    #[test]
    fn an_infinity_is_felt_by_the_windows_that_hold_it_and_by_no_other() {
        let sizes = sizes(1, [8, 8], [1, 1], [16, 16]);
        let (x, kernel) = (values(64 * 16, 1), values(9 * 256, 2));
        let run = |x: &[f32]| {
            let mut y = vec![9.0; x.len()];
            forward(Level::best(), &sizes, [x, &kernel], None, &mut y, None);
            y
        };
        let plain = run(&x);
        for (row, column) in [(0, 0), (3, 4), (4, 3), (7, 7)] {
            let mut odd = x.clone();
            odd[(row * 8 + column) * 16 + 5] = f32::INFINITY;
            for (at, (y, plain)) in run(&odd).iter().zip(&plain).enumerate() {
                let (y_row, y_column) = (at / 128, at / 16 % 8);
                let holds = y_row.abs_diff(row) <= 1 && y_column.abs_diff(column) <= 1;
                assert!(if holds { !y.is_finite() } else { y == plain }, "{row} {column} {at}");
            }
        }
    }
}
