//! The gradient of a convolution by its kernel.
//!
//! The kernel is a matrix of one line for each tap and channel. Lines are independent of one
//! another, so threads share them out as they like; where there are few, the positions are cut
//! into pieces, as many as sizes alone say, whose sums are added in order.

use super::conv::{BLOCK, Sizes};
use super::depthwise;
use super::lanes::Vectors;
use super::parallel;
use super::simd::Level;
use super::tiles::StripProducts;
use super::window::{Place, Plan};

/// Channels in a group from which their lines are read where they lie; fewer are copied
/// together with those of the other taps.
const FEW_CHANNELS: usize = 16;
/// Lines, counting each piece's own, that are enough to occupy many threads.
const ENOUGH_LINES: usize = 512;
/// The fewest positions in a piece.
const PIECE: usize = 2 * BLOCK;

/// Cuts positions into pieces: their number, and how many positions are in each but the last.
pub(super) fn pieces(positions: usize, lines: usize) -> (usize, usize) {
    let wanted = ENOUGH_LINES.div_ceil(lines.max(1)).min(positions.div_ceil(PIECE)).max(1);
    let each = positions.div_ceil(wanted).next_multiple_of(BLOCK).max(1);
    (positions.div_ceil(each).max(1), each)
}

/// Adds up equal parts, in order, into `out`.
pub(super) fn add_up<T: Vectors>(parts: &[T], out: &mut [T]) {
    let count = parts.len() / out.len();
    parallel::chunks_mut(out, 1, count, |first, out| {
        out.copy_from_slice(&parts[first..first + out.len()]);
        for part in 1..count {
            let part = &parts[part * (parts.len() / count) + first..];
            out.iter_mut().zip(part).for_each(|(out, &v)| *out += v);
        }
    });
}

/// `out[t, c, f] = Σ_b Σ_o x[b, o · stride + t · dilation - before, c] · g[b, o, f]`
pub(crate) fn kernel_gradient<T: Vectors>(
    level: Level,
    sizes: &Sizes,
    x: &[T],
    g: &[T],
    out: &mut [T],
) {
    if out.is_empty() {
        return;
    }
    let plan = Plan::windows(&sizes.axes, sizes.inputs);
    if sizes.is_depthwise() {
        return depthwise::kernel_gradient(&plan, sizes, x, g, out);
    }
    let depth = sizes.inputs / sizes.groups;
    let lines = sizes.taps() * depth;
    let (count, each) = pieces(sizes.positions(), lines);
    let run = if sizes.groups == 1 { plan.run(0, depth) } else { 1 };
    let strips = Strips { level, sizes, plan: &plan, x, g, depth, run, lines, each };
    if count == 1 {
        return strips.run(out);
    }
    let mut parts = vec![T::ZERO; count * out.len()];
    strips.run(&mut parts);
    add_up(&parts, out);
}

struct Strips<'a, T> {
    level: Level,
    sizes: &'a Sizes,
    plan: &'a Plan,
    x: &'a [T],
    g: &'a [T],
    /// Channels of the input in a group.
    depth: usize,
    /// Taps whose elements lie side by side.
    run: usize,
    /// Lines of the kernel.
    lines: usize,
    /// Positions in a piece.
    each: usize,
}

/// Lookups and copies for one block of positions.
struct Block<T> {
    first: usize,
    places: Vec<Place>,
    /// Where the group's gradients of each position are.
    gradients: Vec<*const T>,
    factors: Vec<*const T>,
    weights: Vec<*const T>,
    /// The windows' elements side by side, for groups of few channels.
    panel: Vec<T>,
    /// The gradients of a group, each position's filled up to whole vectors.
    padded: Vec<T>,
}

impl<T: Vectors> Strips<'_, T> {
    /// All lines of all pieces.
    fn run(&self, parts: &mut [T]) {
        let filters = self.sizes.filters;
        let cost = self.each.min(self.sizes.positions()).max(1);
        parallel::chunks_mut(parts, filters, cost, |first, mut part| {
            part.fill(T::ZERO);
            let mut line = first;
            while !part.is_empty() {
                let end = (line + part.len() / filters).min((line / self.lines + 1) * self.lines);
                let (now, rest) = part.split_at_mut((end - line) * filters);
                let from = line % self.lines;
                self.piece(line / self.lines, from..from + end - line, now);
                (part, line) = (rest, end);
            }
        });
    }

    /// Some lines of one piece.
    fn piece(&self, piece: usize, lines: std::ops::Range<usize>, out: &mut [T]) {
        let end = ((piece + 1) * self.each).min(self.sizes.positions());
        let mut block = Block {
            first: piece * self.each,
            places: Vec::with_capacity(BLOCK),
            gradients: Vec::with_capacity(BLOCK),
            factors: Vec::with_capacity(BLOCK),
            weights: Vec::with_capacity(BLOCK),
            panel: Vec::new(),
            padded: Vec::new(),
        };
        while block.first < end {
            block.places.clear();
            let count = BLOCK.min(end - block.first);
            self.plan.places(block.first, count, |place| block.places.push(place));
            for group in 0..self.sizes.groups {
                self.pad(group, &mut block);
                self.find_gradients(group, &mut block);
                if self.depth < FEW_CHANNELS {
                    self.panel_lines(group, &mut block, lines.clone(), out);
                } else {
                    self.tap_lines(group, &mut block, lines.clone(), out);
                }
            }
            block.first += count;
        }
    }

    /// Filters of one group.
    fn columns(&self) -> usize {
        self.sizes.filters / self.sizes.groups
    }

    /// Copies the group's gradients, unless they can be read as whole vectors where they lie.
    fn pad(&self, group: usize, block: &mut Block<T>) {
        let columns = self.columns();
        let full = columns.next_multiple_of(T::tile(self.level).1);
        if full == columns {
            return;
        }
        block.padded.clear();
        block.padded.resize(block.places.len() * full, T::ZERO);
        for (i, padded) in block.padded.chunks_exact_mut(full).enumerate() {
            let start = (block.first + i) * self.sizes.filters + group * columns;
            padded[..columns].copy_from_slice(&self.g[start..start + columns]);
        }
    }

    /// Finds where the group's gradients of the block's positions are.
    fn find_gradients(&self, group: usize, block: &mut Block<T>) {
        let (columns, count) = (self.columns(), block.places.len());
        let (from, first, apart, len) = match block.padded.len() {
            0 => {
                let first = block.first * self.sizes.filters + group * columns;
                (self.g, first, self.sizes.filters, columns)
            }
            padded => (block.padded.as_slice(), 0, padded / count, padded / count),
        };
        block.gradients.clear();
        for i in 0..count {
            block.gradients.push(from[first + i * apart..][..len].as_ptr());
        }
    }

    /// A group of few channels: the lines of all taps are one strip.
    fn panel_lines(
        &self,
        group: usize,
        block: &mut Block<T>,
        lines: std::ops::Range<usize>,
        out: &mut [T],
    ) {
        let (depth, shift) = (self.depth, group * self.depth);
        let available = self.lines.max(FEW_CHANNELS);
        block.panel.clear();
        block.panel.resize(block.places.len() * available, T::ZERO);
        let taps = &self.plan.phases[0];
        for (i, place) in block.places.iter().enumerate() {
            let row = &mut block.panel[i * available..][..available];
            let run = if place.inside { self.run } else { 1 };
            for (j, row) in (0..taps.len()).step_by(run).zip(row.chunks_exact_mut(run * depth)) {
                if let Some(found) = place.find(&taps[j]) {
                    row.copy_from_slice(&self.x[found + shift..][..run * depth]);
                }
            }
        }
        block.factors.clear();
        block.weights.clear();
        for i in 0..block.places.len() {
            block.factors.push(block.panel[i * available..][..available].as_ptr());
            block.weights.push(block.gradients[i]);
        }
        self.strip(group, block, available, lines, out);
    }

    /// A group of many channels: one strip for each tap.
    fn tap_lines(
        &self,
        group: usize,
        block: &mut Block<T>,
        lines: std::ops::Range<usize>,
        out: &mut [T],
    ) {
        let (depth, shift) = (self.depth, group * self.depth);
        for (number, tap) in self.plan.phases[0].iter().enumerate() {
            let (first, end) = (number * depth, (number + 1) * depth);
            let rows = lines.start.max(first)..lines.end.min(end);
            if rows.is_empty() {
                continue;
            }
            block.factors.clear();
            block.weights.clear();
            for i in 0..block.places.len() {
                // What padding would add is zero.
                if let Some(found) = block.places[i].find(tap) {
                    block.factors.push(self.x[found + shift..found + shift + depth].as_ptr());
                    block.weights.push(block.gradients[i]);
                }
            }
            let out = &mut out[(rows.start - lines.start) * self.sizes.filters..];
            self.strip(group, block, depth, rows.start - first..rows.end - first, out);
        }
    }

    /// Adds a block's share of some rows of `available` that lie side by side.
    #[allow(unsafe_code)]
    fn strip(
        &self,
        group: usize,
        block: &Block<T>,
        available: usize,
        rows: std::ops::Range<usize>,
        out: &mut [T],
    ) {
        let columns = self.columns();
        let mut task = StripProducts {
            factors: &block.factors,
            weights: &block.weights,
            available,
            rows,
            columns,
            out: &mut out[group * columns..],
            stride: self.sizes.filters,
        };
        // SAFETY: the slices from which the pointers were taken have `available` elements, and
        // `columns` filled up to whole vectors.
        unsafe { T::dispatch(self.level, &mut task) }
    }
}
