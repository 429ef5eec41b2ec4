//! Where windows that slide over the spatial axes of a channels-last tensor find their elements.
//!
//! A plan has one *place* for each position of its output: where the window begins in the
//! source, and which of its taps lie inside. The gradient of a convolution by its input is a
//! sliding window too; with a stride its positions fall into *phases*, each of which meets its
//! own taps of the kernel.

use std::sync::OnceLock;

use smallvec::SmallVec;

use crate::shape::MAX_RANK;

/// The most spatial axes there can be.
pub(crate) const MAX_SPATIAL: usize = MAX_RANK - 2;

/// One spatial axis of a convolution or a pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    /// Length of the input.
    pub(crate) input: usize,
    /// Length of the output.
    pub(crate) output: usize,
    /// Number of taps of the window.
    pub(crate) size: usize,
    /// Distance between neighbouring windows.
    pub(crate) stride: usize,
    /// Distance between neighbouring taps.
    pub(crate) dilation: usize,
    /// Padding before the first element.
    pub(crate) before: usize,
}

/// All spatial axes.
pub(crate) type Axes = SmallVec<[Axis; 3]>;

/// One coordinate of the output along one axis.
#[derive(Clone, Copy, Debug)]
struct Line {
    /// Where the first tap lies, in elements of the source; may be outside.
    offset: isize,
    /// The taps inside the source: `low..high`.
    low: usize,
    high: usize,
    /// Whether these are all.
    inside: bool,
    /// A number for which of them there are, the same for coordinates that meet the same ones.
    sees: u64,
    phase: usize,
    /// How many coordinates from this one on see the same, each a step behind the one before.
    alike: usize,
}

/// A tap of a window.
#[derive(Clone, Debug)]
pub(crate) struct Tap {
    /// Its number in the kernel, in row-major order.
    pub(crate) number: usize,
    /// Distance from the window's first tap, in elements of the source.
    pub(crate) offset: isize,
    /// Its coordinates in the window.
    at: [usize; MAX_SPATIAL],
}

/// A window at one position of the output.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    /// Where the first tap lies in the source; may be outside.
    pub(crate) base: isize,
    low: [usize; MAX_SPATIAL],
    high: [usize; MAX_SPATIAL],
    /// Whether all taps are inside.
    pub(crate) inside: bool,
    /// A number for which of them are, above all along the last axis: the same for places that
    /// see the same.
    pub(crate) sees: u64,
    /// Which of the plan's phases this is.
    pub(crate) phase: usize,
}

impl Place {
    /// Takes a coordinate along one axis.
    #[inline(always)]
    fn enter(&mut self, axis: usize, line: &Line) {
        self.base += line.offset;
        (self.low[axis], self.high[axis]) = (line.low, line.high);
        self.inside &= line.inside;
        self.sees = self.sees.wrapping_add(line.sees);
        self.phase += line.phase;
    }

    /// Where a tap finds its element, unless that is padding.
    #[inline(always)]
    pub(crate) fn find(&self, tap: &Tap) -> Option<usize> {
        let inside = self.inside
            || (0..MAX_SPATIAL).all(|a| self.low[a] <= tap.at[a] && tap.at[a] < self.high[a]);
        inside.then_some((self.base + tap.offset) as usize)
    }
}

/// Windows over a source `(batch, spatial…, channels)`, one for each position of the output.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Elements of the source in one sample.
    sample: usize,
    /// For each axis, its coordinates.
    lines: SmallVec<[Vec<Line>; 3]>,
    /// The taps of each phase.
    pub(crate) phases: Vec<Vec<Tap>>,
    /// Elements of the source between neighbours of a run.
    pub(crate) step: usize,
    /// What [`insides`](Plan::insides) has noted.
    bases: OnceLock<Vec<usize>>,
}

/// Positions of a sample that are noted at most.
const NOTED: usize = 1 << 14;

/// The taps that the positions of one phase meet along one axis.
struct AxisTaps {
    /// Numbers along this axis of the kernel, in the order of their elements in the source.
    numbers: Vec<usize>,
    /// Distance in the source between one and the next.
    step: usize,
}

impl Plan {
    /// For each position of the output, the inputs under the window.
    pub(crate) fn windows(axes: &[Axis], channels: usize) -> Plan {
        let taps =
            |axis: &Axis| vec![AxisTaps { numbers: (0..axis.size).collect(), step: axis.dilation }];
        let line = |axis: &Axis, o: usize| (0, (o * axis.stride) as isize - axis.before as isize);
        Plan::new(axes, channels, |a| (a.input, a.output), taps, line)
    }

    /// For each position of the input, the outputs whose windows cover it.
    pub(crate) fn covers(axes: &[Axis], channels: usize) -> Plan {
        // Output o covers input i by tap t if o · stride + t · dilation = i + before.
        let meets = |axis: &Axis, i: usize, t: usize| {
            (i + axis.before) as isize - (t * axis.dilation) as isize
        };
        let taps = |axis: &Axis| {
            let phase = |i: usize| {
                let meet = |&t: &usize| meets(axis, i, t) % axis.stride as isize == 0;
                // From the last tap to the first, the outputs come in ascending order.
                let numbers: Vec<usize> = (0..axis.size).rev().filter(meet).collect();
                let apart = numbers.first().zip(numbers.get(1)).map_or(axis.stride, |(a, b)| a - b);
                AxisTaps { numbers, step: apart * axis.dilation / axis.stride }
            };
            (0..axis.stride.min(axis.input)).map(phase).collect()
        };
        let line = |axis: &Axis, i: usize| {
            let phase = i % axis.stride;
            let meet = |&t: &usize| meets(axis, i, t) % axis.stride as isize == 0;
            let last = (0..axis.size).rev().find(meet).unwrap_or(0);
            (phase, meets(axis, i, last).div_euclid(axis.stride as isize))
        };
        Plan::new(axes, channels, |a| (a.output, a.input), taps, line)
    }

    /// `ends` gives the lengths of source and output, `taps` those of each phase, and `line` the
    /// phase of an output coordinate and the source coordinate of its first tap.
    fn new(
        axes: &[Axis],
        channels: usize,
        ends: impl Fn(&Axis) -> (usize, usize),
        taps: impl Fn(&Axis) -> Vec<AxisTaps>,
        line: impl Fn(&Axis, usize) -> (usize, isize),
    ) -> Plan {
        let mut plan = Plan {
            sample: channels,
            lines: SmallVec::new(),
            phases: Vec::new(),
            step: 0,
            bases: OnceLock::new(),
        };
        plan.phases.push(vec![Tap { number: 0, offset: 0, at: [0; MAX_SPATIAL] }]);
        let (mut kernel, mut phase_step) = (1, 1);
        // Numbers of windows with thousands of taps may meet; then places seem more alike.
        let mut sees_step = 1 << 32;
        // From the last axis to the first, as steps grow.
        for (number, axis) in axes.iter().enumerate().rev() {
            let (source, output) = ends(axis);
            let phases = taps(axis);
            let lines = (0..output).map(|at| {
                let (phase, first) = line(axis, at);
                let AxisTaps { numbers, step } = &phases[phase];
                let before = |end: isize| (end.max(0) as usize).div_ceil(*step).min(numbers.len());
                let (low, high) = (before(-first), before(source as isize - first));
                let inside = low == 0 && high == numbers.len();
                let offset = first * plan.sample as isize;
                let sees = ((low * (axis.size + 1) + high) as u64).wrapping_mul(sees_step);
                let phase = phase * phase_step;
                Line { offset, low, high, inside, sees, phase, alike: 1 }
            });
            plan.lines.insert(0, lines.collect());
            plan.phases = phases
                .iter()
                .flat_map(|taps| {
                    plan.phases.iter().map(|inner| nested(taps, inner, number, plan.sample, kernel))
                })
                .collect();
            plan.sample *= source;
            kernel *= axis.size;
            phase_step *= phases.len();
            sees_step >>= 16;
        }
        plan.find_runs();
        plan
    }

    /// Where in a sample the window of each position begins; none if they don't all lie inside, or
    /// are too many to be noted.
    fn bases(&self) -> Vec<usize> {
        let positions: usize = self.lines.iter().map(Vec::len).product();
        let inside = self.phases.len() == 1 && self.lines.iter().flatten().all(|line| line.inside);
        let mut bases = Vec::new();
        if inside && positions <= NOTED {
            bases.reserve_exact(positions);
            self.places(0, positions, |place| bases.push(place.base as usize));
        }
        bases
    }

    /// Calls `f` for the positions of each sample among `count` from number `first` on, if all
    /// windows lie inside: with where the sample begins in the source, and where from there the
    /// windows do.
    pub(crate) fn insides(
        &self,
        first: usize,
        count: usize,
        mut f: impl FnMut(usize, &[usize]),
    ) -> bool {
        let bases = self.bases.get_or_init(|| self.bases());
        let (mut sample, mut at) = match bases.len() {
            0 => return false,
            positions => (first / positions, first % positions),
        };
        let mut left = count;
        while left > 0 {
            let now = left.min(bases.len() - at);
            f(sample * self.sample, &bases[at..at + now]);
            (sample, at, left) = (sample + 1, 0, left - now);
        }
        true
    }

    /// Finds out how far apart the first two neighbours are that meet the same taps, and which
    /// others are, too.
    fn find_runs(&mut self) {
        let Some(lines) = self.lines.last_mut() else {
            // Without spatial axes, samples are neighbours.
            self.step = self.sample;
            return;
        };
        let step = |pair: &[Line]| pair[1].offset - pair[0].offset;
        let inside = lines.windows(2).find(|pair| pair[0].inside && pair[1].inside);
        // Neighbours of different phases may go back; they are no run.
        self.step = inside.map_or(0, step).max(0) as usize;
        count_alike(lines, self.step as isize);
    }

    /// Calls `f` with the places of `count` positions of the output from number `first` on.
    #[inline]
    pub(crate) fn places(&self, first: usize, count: usize, mut f: impl FnMut(Place)) {
        self.runs(first, count, |mut place, count| {
            for _ in 0..count {
                f(place);
                place.base += self.step as isize;
            }
        });
    }

    /// As [`places`](Plan::places), for neighbours at a time that meet the same taps: calls `f`
    /// with the first one's place and their number. Each begins [`step`](Plan::step) elements
    /// behind the one before it.
    #[inline]
    pub(crate) fn runs(&self, first: usize, count: usize, mut f: impl FnMut(Place, usize)) {
        let outside = |sample: usize| {
            let base = (sample * self.sample) as isize;
            Place { base, high: [1; MAX_SPATIAL], inside: true, ..Place::default() }
        };
        let Some((inner, outer)) = self.lines.split_last() else {
            return f(outside(first), count);
        };
        let mut at = [0usize; MAX_SPATIAL];
        let (mut column, mut sample) = (first % inner.len(), first / inner.len());
        for (axis, lines) in outer.iter().enumerate().rev() {
            at[axis] = sample % lines.len();
            sample /= lines.len();
        }
        let mut left = count;
        while left > 0 {
            // What all positions along the last axis share.
            let mut row = outside(sample);
            for (axis, lines) in outer.iter().enumerate() {
                row.enter(axis, &lines[at[axis]]);
            }
            let end = inner.len().min(column + left);
            left -= end - column;
            while column < end {
                let line = &inner[column];
                let mut place = row;
                place.enter(outer.len(), line);
                let count = line.alike.min(end - column);
                f(place, count);
                column += count;
            }
            column = 0;
            let mut axis = outer.len();
            while axis > 0 {
                axis -= 1;
                at[axis] += 1;
                if at[axis] < outer[axis].len() {
                    break;
                }
                at[axis] = 0;
                sample += usize::from(axis == 0);
            }
            sample += usize::from(outer.is_empty());
        }
    }
}

/// Tells each coordinate how many from it on meet the same taps, one `step` behind the other.
fn count_alike(lines: &mut [Line], step: isize) {
    for i in (1..lines.len()).rev() {
        let (line, next) = (lines[i - 1], lines[i]);
        let alike = (line.low, line.high, line.phase) == (next.low, next.high, next.phase)
            && next.offset - line.offset == step;
        lines[i - 1].alike = if alike { next.alike + 1 } else { 1 };
    }
}

/// The taps along one axis with those along the axes inside it.
fn nested(outer: &AxisTaps, inner: &[Tap], axis: usize, stride: usize, kernel: usize) -> Vec<Tap> {
    let each = |(i, &number): (usize, &usize)| {
        inner.iter().map(move |tap| {
            let mut tap = tap.clone();
            tap.number += number * kernel;
            tap.offset += (i * outer.step * stride) as isize;
            tap.at[axis] = i;
            tap
        })
    };
    outer.numbers.iter().enumerate().flat_map(each).collect()
}
