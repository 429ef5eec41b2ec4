//! Maxima and means of windows over channels-last tensors; vectors run along the channels.

#![allow(clippy::manual_memcpy)] // see below: a copy of a strip is a call

use std::rc::Rc;

use super::float::Float;
use super::parallel;
use super::plans;
use super::simd::vectorized;
use super::window::{Axes, Axis, Plan};

/// Channels worked on at a time.
const STRIP: usize = 32;
/// Windows that are looked up before any is worked on.
const BLOCK: usize = 64;

/// All sizes of a pooling.
#[derive(Clone, Debug)]
pub(crate) struct Pooling {
    pub(crate) axes: Axes,
    pub(crate) channels: usize,
}

impl Pooling {
    fn plan(&self) -> Rc<Plan> {
        plans::windows(&self.axes, self.channels)
    }

    /// Elements under a window.
    fn taps(&self) -> usize {
        self.axes.iter().map(|a| a.size).product()
    }

    /// Windows of one sample.
    fn positions(&self) -> usize {
        self.axes.iter().map(|a| a.output).product()
    }

    /// Whether every element lies under one window.
    fn is_partition(&self) -> bool {
        let once = |a: &Axis| a.size == a.stride && a.dilation == 1 && a.before == 0;
        self.axes.iter().all(|a| once(a) && a.size * a.output == a.input)
    }

    /// Calls `f(rows, windows)` for some rows of an output at a time.
    fn rows<T: Float>(&self, out: &mut [T], f: impl Fn(&mut [T], &Windows) + Sync + Send) {
        if out.is_empty() {
            return;
        }
        let plan = &*self.plan();
        parallel::chunks_mut(out, self.channels, self.taps(), |first, out| {
            let mut windows = Windows::default();
            for (i, out) in out.chunks_mut(BLOCK * self.channels).enumerate() {
                windows.find(plan, first + i * BLOCK, out.len() / self.channels);
                f(out, &windows);
            }
        });
    }

    /// Adds to an input's gradient: calls `f(sample, its first element, windows, their g)` for
    /// some windows at a time, in order. Samples are shared out among threads; each is zeros at
    /// first if it is to be cleared.
    fn scatter<T: Float>(
        &self,
        g: &[T],
        out: &mut [T],
        clear: bool,
        f: impl Fn(&mut [T], usize, &Windows, &[T]) + Sync + Send,
    ) {
        if out.is_empty() {
            return;
        }
        let plan = &*self.plan();
        let sample = self.axes.iter().map(|a| a.input).product::<usize>() * self.channels;
        let cost = self.taps() * self.positions() * self.channels / sample + 1;
        parallel::chunks_mut(out, sample, cost, |first, out| {
            let mut windows = Windows::default();
            for (i, out) in out.chunks_exact_mut(sample).enumerate() {
                if clear {
                    out.fill(T::ZERO);
                }
                let start = (first + i) * self.positions();
                for block in (0..self.positions()).step_by(BLOCK) {
                    let count = BLOCK.min(self.positions() - block);
                    windows.find(plan, start + block, count);
                    let g = &g[(start + block) * self.channels..][..count * self.channels];
                    f(out, (first + i) * sample, &windows, g);
                }
            }
        });
    }
}

/// Where the elements under some windows begin.
#[derive(Default)]
struct Windows {
    found: Vec<usize>,
    /// Neighbours that see as many elements.
    runs: Vec<Run>,
    /// Between the elements of one of them and of the next.
    step: usize,
}

/// Windows side by side.
#[derive(Clone, Copy)]
struct Run {
    /// The first one's elements, in `found`.
    from: usize,
    to: usize,
    /// How many windows.
    count: usize,
}

impl Windows {
    /// Looks up `count` windows from number `first` on.
    fn find(&mut self, plan: &Plan, first: usize, count: usize) {
        self.found.clear();
        self.runs.clear();
        self.step = plan.step;
        plan.runs(first, count, |place, count| {
            let from = self.found.len();
            for tap in &plan.phases[0] {
                if let Some(found) = place.find(tap) {
                    self.found.push(found);
                }
            }
            self.runs.push(Run { from, to: self.found.len(), count });
        });
    }

    /// The elements under the first window of a run.
    #[inline(always)]
    fn of(&self, run: Run) -> &[usize] {
        &self.found[run.from..run.to]
    }
}

// Loops over channels count, since rows are short: setting up iterators, or calling a copy, would
// take as long. Whole
// strips have a length that the compiler knows, so that they stay in registers.

vectorized! {
    /// All elements under each window, folded with `f` from `start` on.
    fn fold_windows[T: Float, F: Fn(T, T) -> T + Copy](
        x: &[T],
        windows: &Windows,
        out: &mut [T],
        channels: usize,
        start: T,
        f: F,
    ) {
        let mut at = 0;
        for &run in &windows.runs {
            let found = windows.of(run);
            for i in 0..run.count {
                let behind = i * windows.step;
                let out = &mut out[at..at + channels];
                at += channels;
                let whole = channels / STRIP * STRIP;
                let mut first = 0;
                while first < whole {
                    let mut y = [start; STRIP];
                    for &from in found {
                        let x = &x[from + behind + first..][..STRIP];
                        for c in 0..STRIP {
                            y[c] = f(x[c], y[c]);
                        }
                    }
                    let out = &mut out[first..first + STRIP];
                    for c in 0..STRIP {
                        out[c] = y[c];
                    }
                    first += STRIP;
                }
                let out = &mut out[whole..];
                out.fill(start);
                for &from in found {
                    let x = &x[from + behind + whole..][..out.len()];
                    for c in 0..out.len() {
                        out[c] = f(x[c], out[c]);
                    }
                }
            }
        }
    }
}

vectorized! {
    fn divide[T: Float](values: &mut [T], by: T) {
        for y in values {
            *y = *y / by;
        }
    }
}

/// Whether a value takes the place of the best so far; the first NaN wins.
#[inline(always)]
#[allow(clippy::eq_op)] // a NaN is what doesn't equal itself
fn better<T: Float>(x: T, best: T) -> bool {
    (x > best) | ((x != x) & (best == best))
}

/// Which of the elements found is the first maximum, for `count` channels from `first` on.
#[inline(always)]
fn first_maxima<T: Float>(x: &[T], found: &[usize], first: usize, count: usize) -> [u32; STRIP] {
    let (mut best, mut which) = ([T::LOWEST; STRIP], [0; STRIP]);
    let begin = &x[found[0] + first..][..count];
    for c in 0..count {
        best[c] = begin[c];
    }
    for (number, &from) in found.iter().enumerate().skip(1) {
        let x = &x[from + first..][..count];
        for c in 0..count {
            let wins = better(x[c], best[c]);
            best[c] = if wins { x[c] } else { best[c] };
            which[c] = if wins { number as u32 } else { which[c] };
        }
    }
    which
}

/// Makes `f(old, g)` of what is where the first maxima are, and `f(old, 0)` of what is where others
/// are, for `count` channels from `first` on; `out` begins at element `start`.
#[inline(always)]
fn put_to_maxima<T: Float>(
    x: &[T],
    found: &[usize],
    g: &[T],
    out: &mut [T],
    [first, count, start]: [usize; 3],
    f: impl Fn(T, T) -> T,
) {
    let which = first_maxima(x, found, first, count);
    let g = &g[first..][..count];
    for (number, &from) in found.iter().enumerate() {
        let out = &mut out[from - start + first..][..count];
        for c in 0..count {
            out[c] = f(out[c], if which[c] == number as u32 { g[c] } else { T::ZERO });
        }
    }
}

vectorized! {
    /// Puts each window's `g` where the first maximum is: `f(old, g)`, `out` beginning at element
    /// `start` of the input.
    fn put_slopes[T: Float, F: Fn(T, T) -> T + Copy](
        x: &[T],
        windows: &Windows,
        g: &[T],
        out: &mut [T],
        channels: usize,
        start: usize,
        f: F,
    ) {
        let mut at = 0;
        for &run in &windows.runs {
            for i in 0..run.count {
                let behind = i * windows.step;
                let x = &x[behind..];
                let out = &mut out[behind..];
                let g = &g[at..at + channels];
                at += channels;
                let mut first = 0;
                while first < channels {
                    let rest = channels - first;
                    if rest >= STRIP {
                        put_to_maxima(x, windows.of(run), g, out, [first, STRIP, start], f);
                    } else {
                        put_to_maxima(x, windows.of(run), g, out, [first, rest, start], f);
                    }
                    first += STRIP;
                }
            }
        }
    }
}

vectorized! {
    fn add_shares[T: Float](
        windows: &Windows,
        g: &[T],
        out: &mut [T],
        channels: usize,
        start: usize,
    ) {
        let mut at = 0;
        for &run in &windows.runs {
            let n = T::from_f64((run.to - run.from) as f64);
            for i in 0..run.count {
                let behind = i * windows.step;
                let g = &g[at..at + channels];
                at += channels;
                for &from in windows.of(run) {
                    let out = &mut out[from + behind - start..][..channels];
                    for c in 0..channels {
                        out[c] += g[c] / n;
                    }
                }
            }
        }
    }
}

/// The largest element under each window; NaN if there is one.
pub(crate) fn max<T: Float>(sizes: &Pooling, x: &[T], y: &mut [T]) {
    sizes.rows(y, |rows, windows| {
        fold_windows(x, windows, rows, sizes.channels, T::LOWEST, |x, best| x.greatest(best));
    });
}

/// `h` where `x` has the first maximum of each window.
pub(crate) fn pick<T: Float>(sizes: &Pooling, x: &[T], h: &[T], y: &mut [T]) {
    sizes.rows(y, |rows, windows| {
        let mut rows = rows.chunks_exact_mut(sizes.channels);
        for &run in &windows.runs {
            let found = windows.of(run);
            for (i, row) in rows.by_ref().take(run.count).enumerate() {
                let behind = i * windows.step;
                for (strip, row) in row.chunks_mut(STRIP).enumerate() {
                    let first = behind + strip * STRIP;
                    let which = first_maxima(x, found, first, row.len());
                    for (c, y) in row.iter_mut().enumerate() {
                        *y = h[found[which[c] as usize] + first + c];
                    }
                }
            }
        }
    });
}

/// `g` added to where `x` has the first maximum of each window.
pub(crate) fn max_gradient<T: Float>(sizes: &Pooling, x: &[T], g: &[T], out: &mut [T]) {
    let channels = sizes.channels;
    if sizes.is_partition() {
        return sizes.scatter(g, out, false, |out, start, windows, g| {
            put_slopes(x, windows, g, out, channels, start, |_, g| g);
        });
    }
    sizes.scatter(g, out, true, |out, start, windows, g| {
        put_slopes(x, windows, g, out, channels, start, |old, g| old + g);
    });
}

/// The mean of the elements under each window; padding is none.
pub(crate) fn mean<T: Float>(sizes: &Pooling, x: &[T], y: &mut [T]) {
    sizes.rows(y, |rows, windows| {
        fold_windows(x, windows, rows, sizes.channels, T::ZERO, |x, sum| sum + x);
        let mut rest = rows;
        for run in &windows.runs {
            let (now, later) = rest.split_at_mut(run.count * sizes.channels);
            divide(now, T::from_f64((run.to - run.from) as f64));
            rest = later;
        }
    });
}

/// `g` shared among the elements under each window.
pub(crate) fn mean_gradient<T: Float>(sizes: &Pooling, g: &[T], out: &mut [T]) {
    sizes.scatter(g, out, true, |out, start, windows, g| {
        add_shares(windows, g, out, sizes.channels, start);
    });
}
