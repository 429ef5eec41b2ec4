//! Convolution of channels-last tensors, and its two gradients.
//!
//! Each element of a result is one sum in one order, whatever the batch, the position in it, and
//! the number of threads; only the kernel's gradient is a sum of sums, over pieces of the batch
//! that depend on sizes alone.

use super::depthwise;
use super::gemm::Finish;
use super::lanes::Vectors;
use super::parallel;
use super::simd::Level;
use super::tiles::{RowProducts, pack_lines, packed_len};
use super::window::{Axes, Place, Plan, Tap};

/// Positions whose windows are looked up at a time.
pub(super) const BLOCK: usize = 128;

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
pub(crate) fn forward<T: Vectors>(
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
    let plan = Plan::windows(&sizes.axes, sizes.inputs);
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
    let weights =
        gather.weights(kernel, |tap, group, c| ((tap * depth + c) * filters + group * columns, 1));
    gather.run(&weights, bias, y, finish);
}

/// The gradient of [`forward`] by `x`, from that by `y`: the transposed convolution.
pub(crate) fn input_gradient<T: Vectors>(
    level: Level,
    sizes: &Sizes,
    g: &[T],
    kernel: &[T],
    out: &mut [T],
) {
    if out.is_empty() {
        return;
    }
    let plan = Plan::covers(&sizes.axes, sizes.filters);
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

impl<T: Vectors> Gather<'_, T> {
    /// The weights of each phase, group after group, laid out for tiles. `line` takes the tap's
    /// number, the group, and the channel of the source in it, and tells where in the kernel the
    /// weights of the output's channels begin, and how far apart they are.
    fn weights(
        &self,
        kernel: &[T],
        line: impl Fn(usize, usize, usize) -> (usize, usize),
    ) -> Vec<Vec<T>> {
        let (_, width) = T::tile(self.level);
        let (depth, columns) = (self.depth, self.columns);
        let phase = |taps: &Vec<Tap>| {
            let lines = taps.len() * depth;
            let len = packed_len(lines, columns, width);
            let mut weights = vec![T::ZERO; len * self.groups];
            for group in 0..if len > 0 { self.groups } else { 0 } {
                let line = |i: usize| line(taps[i / depth].number, group, i % depth);
                let out = &mut weights[group * len..][..len];
                pack_lines(lines, columns, width, kernel, line, out);
            }
            weights
        };
        self.plan.phases.iter().map(phase).collect()
    }

    fn run(&self, weights: &[Vec<T>], bias: Option<&[T]>, out: &mut [T], finish: Finish<'_, T>) {
        let (_, width) = T::tile(self.level);
        let padded = self.columns.next_multiple_of(width);
        let mut start = vec![T::ZERO; padded * self.groups];
        if let Some(bias) = bias {
            for (start, bias) in start.chunks_mut(padded).zip(bias.chunks(self.columns)) {
                start[..bias.len()].copy_from_slice(bias);
            }
        }
        let row = self.groups * self.columns;
        let cost = weights.iter().map(Vec::len).sum::<usize>() / row / weights.len();
        parallel::chunks_mut(out, row, cost.max(1), |first, out| {
            let block = BLOCK * self.plan.phases.len();
            let mut tables = Tables::new(self);
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
        weights: &[Vec<T>],
        start: &[T],
        out: &mut [T],
        tables: &mut Tables<T>,
    ) {
        let row = self.groups * self.columns;
        tables.clear();
        let mut rows = out.as_mut_ptr();
        self.plan.runs(first, out.len() / row, |place, count| {
            let taps = &self.plan.phases[place.phase];
            let source = Source { values: self.source, step: self.plan.step };
            tables.push(&place, count, taps, &source, (rows, row));
            rows = rows.wrapping_add(count * row);
        });
        tables.fill_up();
        let padded = start.len() / self.groups;
        for (number, table) in tables.all.iter().enumerate() {
            let phase = number / 2;
            let len = weights[phase].len() / self.groups;
            for group in 0..self.groups {
                let columns = group * self.columns;
                let out: Vec<*mut T> =
                    table.out.iter().map(|row| row.wrapping_add(columns)).collect();
                let mut task = RowProducts {
                    factors: &table.factors,
                    seen: &table.seen,
                    taps: table.taps,
                    shift: group * self.depth,
                    offsets: &table.offsets,
                    weights: &weights[phase][group * len..][..len],
                    start: &start[group * padded..][..padded],
                    columns: self.columns,
                    out: &out,
                };
                // SAFETY: factors point to all channels of a position or of a whole window, or to
                // as many zeros as a position has; the rows of `out` are this block's own.
                unsafe { T::dispatch(self.level, &mut task) }
            }
        }
    }
}

/// What windows slide over.
pub(super) struct Source<'a, T> {
    pub(super) values: &'a [T],
    /// Between where neighbours begin.
    pub(super) step: isize,
}

impl<T> Source<'_, T> {
    /// Where the first of `count` neighbours finds `len` elements; each of the others finds as
    /// many, a step behind.
    pub(super) fn rows(&self, found: usize, count: usize, len: usize) -> *const T {
        let last = found.wrapping_add_signed((count as isize - 1) * self.step);
        let inside = last + len <= self.values.len() && (count == 1 || self.step >= 0);
        assert!(inside, "windows lie in what they slide over");
        self.values[found..].as_ptr()
    }
}

/// Where the rows of each phase find their factors and leave their sums.
struct Tables<T> {
    /// For each phase, windows of which padding may hide a part, and those that lie inside.
    all: Vec<Table<T>>,
    /// Rows of a tile.
    rows: usize,
    /// What padding points to.
    zeros: Vec<T>,
    /// Where a run's first row finds its factors, how far behind that the next one does, and
    /// whether they aren't all zeros.
    begin: Vec<(*const T, isize, bool)>,
}

/// Rows whose factors are found in one way: from one pointer for the whole window, or from one
/// for each tap.
struct Table<T> {
    /// For each tile, each pointer and each row.
    factors: Vec<*const T>,
    /// For each tile, a bit for each pointer that some row has other factors than zeros at.
    seen: Vec<u64>,
    /// For each tile and each row.
    out: Vec<*mut T>,
    /// Rows in the last tile.
    filled: usize,
    /// Pointers of a row.
    taps: usize,
    /// Where the factors of each are.
    offsets: Vec<usize>,
}

impl<T: Vectors> Tables<T> {
    fn new(gather: &Gather<'_, T>) -> Tables<T> {
        let rows = T::tile(gather.level).0;
        let depth = gather.depth;
        let table = |taps, offsets| Table {
            factors: Vec::new(),
            seen: Vec::new(),
            out: Vec::new(),
            filled: rows,
            taps,
            offsets,
        };
        let both = |taps: &Vec<Tap>| {
            let window =
                (0..taps.len() * depth).map(|i| taps[i / depth].offset as usize + i % depth);
            [table(taps.len(), (0..depth).collect()), table(1, window.collect())]
        };
        Tables {
            all: gather.plan.phases.iter().flat_map(both).collect(),
            rows,
            zeros: vec![T::ZERO; gather.groups * depth],
            begin: Vec::new(),
        }
    }

    fn clear(&mut self) {
        for table in &mut self.all {
            table.factors.clear();
            table.seen.clear();
            table.out.clear();
            table.filled = self.rows;
        }
    }

    /// Adds neighbouring rows to their phase: the first one's place, their number, and where the
    /// first one's sums go, and how far behind them the next one's.
    #[allow(clippy::needless_range_loop)]
    fn push(
        &mut self,
        place: &Place,
        count: usize,
        taps: &[Tap],
        source: &Source<'_, T>,
        (out, apart): (*mut T, usize),
    ) {
        let (rows, zeros, channels) = (self.rows, self.zeros.as_ptr(), self.zeros.len());
        let table = &mut self.all[2 * place.phase + usize::from(place.inside)];
        let pointers = table.taps;
        self.begin.clear();
        // These loops count, since setting up iterators would take as long as they do.
        if place.inside {
            self.begin.push(match taps.last() {
                None => (zeros, 0, false),
                Some(last) => {
                    let len = last.offset as usize + channels;
                    (source.rows(place.base as usize, count, len), source.step, true)
                }
            });
        } else {
            for i in 0..pointers {
                self.begin.push(match place.find(&taps[i]) {
                    Some(found) => (source.rows(found, count, channels), source.step, true),
                    None => (zeros, 0, false),
                });
            }
        }
        let mut done = 0;
        while done < count {
            if table.filled == rows {
                table.factors.resize(table.factors.len() + pointers * rows, zeros);
                table.seen.push(0);
                table.filled = 0;
            }
            let (at, now) = (table.filled, (rows - table.filled).min(count - done));
            let tile = table.factors.len() - pointers * rows;
            let seen = table.seen.last_mut().expect("the tile was just made");
            for i in 0..pointers {
                let (from, step, visible) = self.begin[i];
                *seen |= u64::from(visible) << i.min(RowProducts::<T>::LAST_BIT);
                let factors = &mut table.factors[tile + i * rows + at..][..now];
                for j in 0..now {
                    factors[j] = from.wrapping_offset((done + j) as isize * step);
                }
            }
            for j in done..done + now {
                table.out.push(out.wrapping_add(j * apart));
            }
            table.filled += now;
            done += now;
        }
    }

    /// Repeats the last row of each table until its last tile is full: its sums are the same, and
    /// are written to the same place.
    fn fill_up(&mut self) {
        let rows = self.rows;
        for table in &mut self.all {
            let Some(&out) = table.out.last() else { continue };
            let tiles = table.out.len().div_ceil(rows);
            let tile = table.factors.len() / tiles * (tiles - 1);
            for factors in table.factors[tile..].chunks_exact_mut(rows) {
                let repeated = factors[table.filled - 1];
                factors[table.filled..].fill(repeated);
            }
            table.out.resize(tiles * rows, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::conv_kernel::kernel_gradient;
    use super::super::window::Axis;
    use super::*;

    /// Values in -0.5..0.5 that look random.
    fn values(count: usize, seed: u32) -> Vec<f32> {
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
