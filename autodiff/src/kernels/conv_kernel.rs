//! The gradient of a convolution by its kernel.
//!
//! The kernel is a matrix of one line for each tap and channel. Lines are independent of one
//! another, so threads share them out as they like; where there are few, the positions are cut
//! into pieces, as many as sizes alone say, whose sums are added in order.

use std::ops::Range;

use super::conv::Sizes;
use super::depthwise;
use super::gemm::Gemm;
use super::lanes::Vectors;
use super::parallel;
use super::plans;
use super::simd::{Level, is_hot};
use super::strips::{Run, StripProducts};
use super::tables::Source;
use super::window::{Place, Plan};
use super::winograd::{self, Frame};
use crate::elements::Elements;

/// Positions whose windows are looked up at a time.
pub(super) const BLOCK: usize = 128;
/// Channels in a group from which each tap's lines are worked on by themselves; fewer are taken
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
pub(crate) fn kernel_gradient<T: Gemm>(
    level: Level,
    sizes: &Sizes,
    x: &[T],
    g: &[T],
    out: &mut [T],
) {
    if out.is_empty() {
        return;
    }
    if const { is_hot::<T>() }
        && let Some(frame) = Frame::of_output(sizes)
        && winograd::kernel_gradient(level, &frame, x, g, out)
    {
        return;
    }
    let plan = plans::windows(&sizes.axes, sizes.inputs);
    if sizes.is_depthwise() {
        return depthwise::kernel_gradient(&plan, sizes, x, g, out);
    }
    let depth = sizes.inputs / sizes.groups;
    let lines = sizes.taps() * depth;
    let (count, each) = pieces(sizes.positions(), lines);
    let strips = Strips { level, sizes, plan: &plan, x, g, depth, lines, each };
    if count == 1 {
        return strips.run(out);
    }
    let mut parts = Elements::zeros(count * out.len());
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
    /// Lines of the kernel.
    lines: usize,
    /// Positions in a piece.
    each: usize,
}

/// Lookups and copies for one block of positions.
struct Block<T> {
    first: usize,
    /// Neighbours that meet the same taps: the first one's place, its number in the block, and
    /// how many they are.
    runs: Vec<(Place, usize, usize)>,
    lines: Vec<Run<T>>,
    /// The windows' elements side by side, for groups of few channels at the edges.
    panel: Vec<T>,
    /// The gradients of a group, each position's filled up to whole vectors.
    padded: Vec<T>,
}

/// Some rows of one group's part of the kernel.
struct Part<'a, T> {
    group: usize,
    /// Where each row's factor is in a window.
    offsets: &'a [usize],
    dense: bool,
    /// Between neighbours' factors.
    step: usize,
    rows: Range<usize>,
    /// From the first of the rows on.
    out: &'a mut [T],
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
    fn piece(&self, piece: usize, lines: Range<usize>, out: &mut [T]) {
        let end = ((piece + 1) * self.each).min(self.sizes.positions());
        let mut block = Block {
            first: piece * self.each,
            runs: Vec::new(),
            lines: Vec::new(),
            panel: Vec::new(),
            padded: Vec::new(),
        };
        while block.first < end {
            block.runs.clear();
            let (count, mut at) = (BLOCK.min(end - block.first), 0);
            self.plan.runs(block.first, count, |place, count| {
                block.runs.push((place, at, count));
                at += count;
            });
            for group in 0..self.sizes.groups {
                self.pad(group, &mut block, count);
                if self.depth < FEW_CHANNELS {
                    self.all_lines(group, &mut block, lines.clone(), out);
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
    fn pad(&self, group: usize, block: &mut Block<T>, count: usize) {
        let columns = self.columns();
        let full = columns.next_multiple_of(T::tile(self.level).1);
        if full == columns {
            return;
        }
        block.padded.clear();
        block.padded.resize(count * full, T::ZERO);
        for (i, padded) in block.padded.chunks_exact_mut(full).enumerate() {
            let start = (block.first + i) * self.sizes.filters + group * columns;
            padded[..columns].copy_from_slice(&self.g[start..start + columns]);
        }
    }

    /// Between the gradients of neighbours.
    fn apart(&self, block: &Block<T>) -> usize {
        match block.padded.len() {
            0 => self.sizes.filters,
            _ => self.columns().next_multiple_of(T::tile(self.level).1),
        }
    }

    /// Where the group's gradients of `count` positions from the block's number `at` on are.
    fn gradients(&self, group: usize, block: &Block<T>, at: usize, count: usize) -> *const T {
        let apart = self.apart(block);
        if block.padded.is_empty() {
            let first = (block.first + at) * apart + group * self.columns();
            return self.g[first..][..(count - 1) * apart + self.columns()].as_ptr();
        }
        block.padded[at * apart..][..count * apart].as_ptr()
    }

    /// A group of few channels: the lines of all taps are one strip.
    fn all_lines(&self, group: usize, block: &mut Block<T>, lines: Range<usize>, out: &mut [T]) {
        let (depth, shift) = (self.depth, group * self.depth);
        let taps = &self.plan.phases[0];
        // Lines that are computed and dropped find what the last one does.
        let rows = self.lines.max(T::tile(self.level).0);
        let line = |i: usize| i.min(self.lines - 1);
        let inner: Vec<_> =
            (0..rows).map(|i| taps[line(i) / depth].offset as usize + line(i) % depth).collect();
        let side_by_side: Vec<_> = (0..rows).collect();
        let source = Source { values: self.x, step: self.plan.step };
        block.lines.clear();
        for &(place, at, count) in block.runs.iter().filter(|run| run.0.inside) {
            let found = place.base as usize + shift;
            let factors = source.rows(found, count, inner[rows - 1] + 1);
            let weights = self.gradients(group, block, at, count);
            block.lines.push(Run { factors, weights, count });
        }
        let step = self.plan.step;
        let part = Part {
            group,
            offsets: &inner,
            dense: false,
            step,
            rows: lines.clone(),
            out: &mut *out,
        };
        self.strip(block, part);
        if self.copy_edges(shift, rows, block) {
            self.edge_lines(group, rows, block);
            let (offsets, step) = (&side_by_side, rows);
            self.strip(block, Part { group, offsets, dense: true, step, rows: lines, out });
        }
    }

    /// Puts the windows that padding hides a part of side by side, `rows` elements for each;
    /// tells whether there are any.
    fn copy_edges(&self, shift: usize, rows: usize, block: &mut Block<T>) -> bool {
        let (depth, taps) = (self.depth, &self.plan.phases[0]);
        let edges = || block.runs.iter().filter(|run| !run.0.inside);
        let count: usize = edges().map(|run| run.2).sum();
        block.panel.clear();
        block.panel.resize(count * rows, T::ZERO);
        let mut copies = block.panel.chunks_exact_mut(rows);
        for &(place, _, count) in edges() {
            for (i, copy) in copies.by_ref().take(count).enumerate() {
                let behind = shift + i * self.plan.step;
                for (tap, copy) in taps.iter().zip(copy.chunks_exact_mut(depth)) {
                    if let Some(found) = place.find(tap) {
                        copy.copy_from_slice(&self.x[found + behind..][..depth]);
                    }
                }
            }
        }
        count > 0
    }

    /// The lines of a group's windows that were copied.
    fn edge_lines(&self, group: usize, rows: usize, block: &mut Block<T>) {
        block.lines.clear();
        let mut done = 0;
        for i in 0..block.runs.len() {
            let (place, at, count) = block.runs[i];
            if place.inside {
                continue;
            }
            let factors = block.panel[done * rows..][..count * rows].as_ptr();
            let weights = self.gradients(group, block, at, count);
            block.lines.push(Run { factors, weights, count });
            done += count;
        }
    }

    /// A group of many channels: one strip for each tap.
    fn tap_lines(&self, group: usize, block: &mut Block<T>, lines: Range<usize>, out: &mut [T]) {
        let (depth, shift) = (self.depth, group * self.depth);
        let offsets: Vec<_> = (0..depth).collect();
        let source = Source { values: self.x, step: self.plan.step };
        let step = self.plan.step;
        for (number, tap) in self.plan.phases[0].iter().enumerate() {
            let (first, end) = (number * depth, (number + 1) * depth);
            let rows = lines.start.max(first)..lines.end.min(end);
            if rows.is_empty() {
                continue;
            }
            block.lines.clear();
            for i in 0..block.runs.len() {
                let (place, at, count) = block.runs[i];
                // What padding would add is zero.
                if let Some(found) = place.find(tap) {
                    let factors = source.rows(found + shift, count, depth);
                    let weights = self.gradients(group, block, at, count);
                    block.lines.push(Run { factors, weights, count });
                }
            }
            let out = &mut out[(rows.start - lines.start) * self.sizes.filters..];
            let rows = rows.start - first..rows.end - first;
            self.strip(block, Part { group, offsets: &offsets, dense: true, step, rows, out });
        }
    }

    /// Adds a block's share of some rows.
    #[allow(unsafe_code)]
    fn strip(&self, block: &Block<T>, part: Part<'_, T>) {
        let columns = self.columns();
        let mut task = StripProducts {
            runs: &block.lines,
            steps: [part.step, self.apart(block)],
            offsets: part.offsets,
            dense: part.dense,
            rows: part.rows,
            columns,
            out: &mut part.out[part.group * columns..],
            stride: self.sizes.filters,
        };
        // SAFETY: lines were looked up such that all their neighbours find all offsets, and
        // gradients filled up to whole vectors.
        unsafe { T::dispatch(self.level, &mut task) }
    }
}
