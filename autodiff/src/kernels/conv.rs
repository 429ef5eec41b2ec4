//! Convolution of channels-last tensors, and its two gradients.
//!
//! Each element of a result is one sum in one order, whatever the batch, the position in it, and
//! the number of threads; only the kernel's gradient is a sum of sums, over pieces of the batch
//! that depend on sizes alone. (Where padding meets an infinite weight, whether their product, NaN,
//! is added depends on the positions next to it.) Kernels of 3×3 of many channels go another way,
//! [`winograd`].

use super::depthwise;
use super::gemm::{Finish, Gemm};
use super::lanes::Vectors;
use super::parallel;
use super::plans;
use super::simd::{Level, is_hot};
use super::tables::{RowRun, Source, Tables, Way};
use super::tiles::{RowProducts, pack_lines, packed_len};
use super::window::{Axes, Place, Plan, Tap};
use super::winograd::{self, Frame};
use crate::elements::Elements;

/// Positions whose windows are looked up at a time. Of more, those that see the same fill more
/// tiles; what is to be finished should still be in the first cache then.
const TOGETHER: usize = 512;
const TOGETHER_TO_FINISH: usize = 256;

/// Positions so few that laying out the kernel for them costs more than it brings.
const FEW: usize = 512;

/// All sizes of a convolution.
#[derive(Clone, Debug)]
pub(crate) struct Sizes {
    pub(crate) batch: usize,
    pub(crate) axes: Axes,
    /// Channels of the input.
    pub(crate) inputs: usize,
    /// Channels of the output.
    pub(crate) filters: usize,
    pub(crate) groups: usize,
}

impl Sizes {
    /// Taps of the kernel.
    pub(super) fn taps(&self) -> usize {
        self.axes.iter().map(|a| a.size).product()
    }

    /// Positions of the output, in all samples.
    pub(super) fn positions(&self) -> usize {
        self.batch * self.axes.iter().map(|a| a.output).product::<usize>()
    }

    /// Whether each channel is a group of its own, with one filter.
    pub(super) fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.groups == self.inputs && self.groups == self.filters
    }
}

/// `y[b, o, f] = bias[f] + Σ_t Σ_c x[b, o · stride + t · dilation - before, c] · kernel[t, c, f]`,
/// and what `finish` makes of it.
pub(crate) fn forward<T: Gemm>(
    level: Level,
    sizes: &Sizes,
    [x, kernel]: [&[T]; 2],
    bias: Option<&[T]>,
    y: &mut [T],
    finish: Finish<'_, T>,
) {
    if y.is_empty() {
        return;
    }
    if const { is_hot::<T>() }
        && let Some(frame) = Frame::of_output(sizes)
    {
        return winograd::forward(level, frame, [x, kernel], bias, y, finish);
    }
    let plan = plans::windows(&sizes.axes, sizes.inputs);
    if sizes.is_depthwise() {
        return depthwise::rows(&plan, [x, kernel], bias, y, sizes.filters, finish);
    }
    let gather = Gather {
        level,
        plan: &plan,
        source: x,
        groups: sizes.groups,
        depth: sizes.inputs / sizes.groups,
        columns: sizes.filters / sizes.groups,
    };
    let (depth, columns, filters) = (gather.depth, gather.columns, sizes.filters);
    let weights = if sizes.positions() <= FEW && columns.is_multiple_of(T::tile(level).1) {
        Weights::AsTheyAre(kernel)
    } else {
        let line = |tap, group, c| ((tap * depth + c) * filters + group * columns, 1);
        gather.weights(kernel, line)
    };
    gather.run(&weights, bias, y, finish);
}

/// The gradient of [`forward`] by `x`, from that by `y`: the transposed convolution.
pub(crate) fn input_gradient<T: Gemm>(
    level: Level,
    sizes: &Sizes,
    g: &[T],
    kernel: &[T],
    out: &mut [T],
) {
    if out.is_empty() {
        return;
    }
    if const { is_hot::<T>() }
        && let Some(frame) = Frame::of_output(sizes)
    {
        return winograd::input_gradient(level, frame, g, kernel, out);
    }
    let plan = plans::covers(&sizes.axes, sizes.filters);
    if sizes.is_depthwise() {
        return depthwise::rows(&plan, [g, kernel], None, out, sizes.inputs, None);
    }
    let gather = Gather {
        level,
        plan: &plan,
        source: g,
        groups: sizes.groups,
        depth: sizes.filters / sizes.groups,
        columns: sizes.inputs / sizes.groups,
    };
    let (depth, columns, filters) = (gather.depth, gather.columns, sizes.filters);
    let weights = gather
        .weights(kernel, |tap, group, f| (tap * columns * filters + group * depth + f, filters));
    gather.run(&weights, None, out, None);
}

/// For each position of an output, what its window sees times what the phase's taps weigh.
struct Gather<'a, T> {
    level: Level,
    plan: &'a Plan,
    source: &'a [T],
    groups: usize,
    /// Channels of the source in a group.
    depth: usize,
    /// Channels of the output in a group.
    columns: usize,
}

/// By what windows are multiplied.
enum Weights<'a, T> {
    /// Those of each phase, group after group, laid out for tiles.
    Packed(Vec<Elements<T>>),
    /// The kernel of a forward convolution, whose columns are whole vectors.
    AsTheyAre(&'a [T]),
}

impl<T: Vectors> Gather<'_, T> {
    /// The weights of each phase, group after group, laid out for tiles. `line` takes the tap's
    /// number, the group, and the channel of the source in it, and tells where in the kernel the
    /// weights of the output's channels begin, and how far apart they are.
    fn weights(
        &self,
        kernel: &[T],
        line: impl Fn(usize, usize, usize) -> (usize, usize),
    ) -> Weights<'static, T> {
        let (_, width) = T::tile(self.level);
        let (depth, columns) = (self.depth, self.columns);
        let phase = |taps: &Vec<Tap>| {
            let lines = taps.len() * depth;
            let len = packed_len(lines, columns, width);
            let mut weights = Elements::zeros(len * self.groups);
            for group in 0..if len > 0 { self.groups } else { 0 } {
                let line = |i: usize| line(taps[i / depth].number, group, i % depth);
                let out = &mut weights[group * len..][..len];
                pack_lines(lines, columns, width, kernel, line, out);
            }
            weights
        };
        Weights::Packed(self.plan.phases.iter().map(phase).collect())
    }

    fn run(
        &self,
        weights: &Weights<'_, T>,
        bias: Option<&[T]>,
        out: &mut [T],
        finish: Finish<'_, T>,
    ) {
        let (_, width) = T::tile(self.level);
        let padded = self.columns.next_multiple_of(width);
        let mut start = Elements::zeros(padded * self.groups);
        if let Some(bias) = bias {
            for (start, bias) in start.chunks_mut(padded).zip(bias.chunks(self.columns)) {
                start[..bias.len()].copy_from_slice(bias);
            }
        }
        let row = self.groups * self.columns;
        let phases = &self.plan.phases;
        let ways: Vec<_> = phases.iter().flat_map(|taps| Way::both(taps, self.depth)).collect();
        let row_of_zeros = self.groups * self.depth;
        let taps: usize = phases.iter().map(Vec::len).sum();
        let cost = taps * self.depth / phases.len();
        let together = if finish.is_some() { TOGETHER_TO_FINISH } else { TOGETHER };
        let block = together * phases.len();
        parallel::chunks_mut(out, row, cost.max(1), |first, out| {
            let mut tables =
                Tables::new(self.level, &ways, block.min(out.len() / row), row_of_zeros);
            for (i, out) in out.chunks_mut(block * row).enumerate() {
                self.block(first + i * block, weights, &start, out, &mut tables);
                if let Some(finish) = finish {
                    finish(out);
                }
            }
        });
    }

    /// The positions from number `first` on whose rows are `out`.
    #[allow(unsafe_code)]
    fn block(
        &self,
        first: usize,
        weights: &Weights<'_, T>,
        start: &[T],
        out: &mut [T],
        tables: &mut Tables<'_, T>,
    ) {
        let row = self.groups * self.columns;
        tables.clear();
        let mut rows = out.as_mut_ptr();
        let source = Source { values: self.source, step: self.plan.step };
        let taps = |place: &Place| &self.plan.phases[place.phase];
        let last = self.plan.phases[0].last().map_or(0, |tap| tap.offset as usize);
        let window = last + self.groups * self.depth;
        let all_inside = self.plan.insides(first, out.len() / row, |sample, bases| {
            tables.push_insides(source.windows(sample, bases, window), rows, row);
            rows = rows.wrapping_add(bases.len() * row);
        });
        if !all_inside {
            self.plan.runs(first, out.len() / row, |place, count| {
                let run = RowRun { place, count, out: rows, apart: row };
                if place.inside {
                    tables.push(&run, taps(&place), &source);
                } else {
                    tables.put_off(run);
                }
                rows = rows.wrapping_add(count * row);
            });
            tables.push_others(taps, &source);
        }
        tables.fill_up();
        let padded = start.len() / self.groups;
        for (number, table) in tables.all.iter().enumerate() {
            for group in 0..self.groups {
                let columns = group * self.columns;
                let (weights, stride) = match weights {
                    Weights::AsTheyAre(kernel) => {
                        (kernel.get(columns..).unwrap_or_default(), Some(row))
                    }
                    Weights::Packed(phases) => {
                        let all = &phases[number / 2];
                        let len = all.len() / self.groups;
                        (&all[group * len..][..len], None)
                    }
                };
                let mut task = RowProducts {
                    factors: &table.factors,
                    seen: &table.seen,
                    taps: table.way.taps,
                    shift: group * self.depth,
                    offsets: &table.way.offsets,
                    weights,
                    stride,
                    start: &start[group * padded..][..padded],
                    columns: self.columns,
                    out: &table.out,
                    out_shift: columns,
                };
                // SAFETY: factors point to all channels of a position or of a whole window, or to
                // as many zeros as a position has; the rows of `out` are this block's own.
                unsafe { T::dispatch(self.level, &mut task) }
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::conv_kernel::kernel_gradient;
    use super::super::window::Axis;
    use super::*;

    /// Values in -0.5..0.5 that look random.
    pub(in crate::kernels) fn values(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.5
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn every_level_of_instructions_gives_the_same() {
        for (inputs, filters, groups, stride) in [(3, 37, 1, 1), (20, 12, 1, 2), (36, 6, 2, 1)] {
            let axis =
                Axis { input: 9, output: 9 / stride, size: 3, stride, dilation: 1, before: 1 };
            let sizes =
                Sizes { batch: 5, axes: Axes::from_slice(&[axis]), inputs, filters, groups };
            let (x, kernel) = (values(45 * inputs, 1), values(3 * inputs / groups * filters, 2));
            let bias = values(filters, 3);
            let g = values(sizes.positions() * filters, 4);
            let run = |level: Level| {
                let (mut y, mut gx) = (vec![9.0; g.len()], vec![9.0; x.len()]);
                let mut gk = vec![9.0; kernel.len()];
                forward(level, &sizes, [&x, &kernel], Some(&bias), &mut y, None);
                input_gradient(level, &sizes, &g, &kernel, &mut gx);
                kernel_gradient(level, &sizes, &x, &g, &mut gk);
                [y, gx, gk].concat()
            };
            let fused: Vec<_> = Level::all().filter(|&l| l != Level::Baseline).map(run).collect();
            let plain = run(Level::Baseline);
            for other in &fused {
                assert!(other == &fused[0], "the same bits with any width");
                assert!(other.iter().zip(&plain).all(|(a, b)| (a - b).abs() <= 1e-5));
            }
        }
    }
}
