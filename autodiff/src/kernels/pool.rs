//! Maxima and means of windows over channels-last tensors; vectors run along the channels.

use super::float::Float;
use super::parallel;
use super::simd::vectorized;
use super::window::{Axes, Plan};

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
    fn plan(&self) -> Plan {
        Plan::windows(&self.axes, self.channels)
    }

    /// Elements under a window.
    fn taps(&self) -> usize {
        self.axes.iter().map(|a| a.size).product()
    }

    /// Windows of one sample.
    fn positions(&self) -> usize {
        self.axes.iter().map(|a| a.output).product()
    }

    /// Calls `f(rows, windows)` for some rows of an output at a time.
    fn rows<T: Float>(&self, out: &mut [T], f: impl Fn(&mut [T], &Windows) + Sync + Send) {
        if out.is_empty() {
            return;
        }
        let plan = self.plan();
        parallel::chunks_mut(out, self.channels, self.taps(), |first, out| {
            let mut windows = Windows::default();
            for (i, out) in out.chunks_mut(BLOCK * self.channels).enumerate() {
                windows.find(&plan, first + i * BLOCK, out.len() / self.channels);
                f(out, &windows);
            }
        });
    }

    /// Adds to an input's gradient: calls `f(sample, its first element, windows, their g)` for
    /// some windows at a time, in order. Samples are shared out among threads.
    fn scatter<T: Float>(
        &self,
        g: &[T],
        out: &mut [T],
        f: impl Fn(&mut [T], usize, &Windows, &[T]) + Sync + Send,
    ) {
        if out.is_empty() {
            return;
        }
        let plan = self.plan();
        let sample = self.axes.iter().map(|a| a.input).product::<usize>() * self.channels;
        let cost = self.taps() * self.positions() * self.channels / sample + 1;
        parallel::chunks_mut(out, sample, cost, |first, out| {
            out.fill(T::ZERO);
            let mut windows = Windows::default();
            for (i, out) in out.chunks_exact_mut(sample).enumerate() {
                let start = (first + i) * self.positions();
                for block in (0..self.positions()).step_by(BLOCK) {
                    let count = BLOCK.min(self.positions() - block);
                    windows.find(&plan, start + block, count);
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
    /// For each window, where those of the next one follow.
    ends: Vec<usize>,
}

impl Windows {
    /// Looks up `count` windows from number `first` on.
    fn find(&mut self, plan: &Plan, first: usize, count: usize) {
        self.found.clear();
        self.ends.clear();
        plan.places(first, count, |place| {
            for tap in &plan.phases[0] {
                if let Some(found) = place.find(tap) {
                    self.found.push(found);
                }
            }
            self.ends.push(self.found.len());
        });
    }

    /// The elements of window `i`.
    #[inline(always)]
    fn of(&self, i: usize) -> &[usize] {
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.found[start..self.ends[i]]
    }
}

// Loops over channels count, since rows are short: setting up iterators would take as long.

vectorized! {
    fn max_rows[T: Float](x: &[T], windows: &Windows, out: &mut [T]) {
        let count = windows.ends.len();
        let channels = out.len() / count;
        for i in 0..count {
            let out = &mut out[i * channels..][..channels];
            out.fill(T::LOWEST);
            for &from in windows.of(i) {
                let x = &x[from..][..channels];
                for c in 0..channels {
                    out[c] = x[c].greatest(out[c]);
                }
            }
        }
    }
}

vectorized! {
    fn mean_rows[T: Float](x: &[T], windows: &Windows, out: &mut [T]) {
        let count = windows.ends.len();
        let channels = out.len() / count;
        for i in 0..count {
            let out = &mut out[i * channels..][..channels];
            out.fill(T::ZERO);
            for &from in windows.of(i) {
                let x = &x[from..][..channels];
                for c in 0..channels {
                    out[c] += x[c];
                }
            }
            let n = T::from_f64(windows.of(i).len() as f64);
            for y in out {
                *y = *y / n;
            }
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
    best[..count].copy_from_slice(&x[found[0] + first..][..count]);
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

vectorized! {
    /// Adds to `out`, which begins at element `start` of the input, each window's `g` where the
    /// first maximum is.
    fn add_slopes[T: Float](x: &[T], windows: &Windows, g: &[T], start: usize, out: &mut [T]) {
        let count = windows.ends.len();
        let channels = g.len() / count;
        for i in 0..count {
            let found = windows.of(i);
            for first in (0..channels).step_by(STRIP) {
                let len = STRIP.min(channels - first);
                let which = first_maxima(x, found, first, len);
                let g = &g[i * channels + first..][..len];
                for (number, &from) in found.iter().enumerate() {
                    let out = &mut out[from - start + first..][..len];
                    for c in 0..len {
                        out[c] += if which[c] == number as u32 { g[c] } else { T::ZERO };
                    }
                }
            }
        }
    }
}

vectorized! {
    fn add_shares[T: Float](windows: &Windows, g: &[T], start: usize, out: &mut [T]) {
        let count = windows.ends.len();
        let channels = g.len() / count;
        for i in 0..count {
            let g = &g[i * channels..][..channels];
            let n = T::from_f64(windows.of(i).len() as f64);
            for &from in windows.of(i) {
                let out = &mut out[from - start..][..channels];
                for c in 0..channels {
                    out[c] += g[c] / n;
                }
            }
        }
    }
}

/// The largest element under each window; NaN if there is one.
pub(crate) fn max<T: Float>(sizes: &Pooling, x: &[T], y: &mut [T]) {
    sizes.rows(y, |rows, windows| max_rows(x, windows, rows));
}

/// `h` where `x` has the first maximum of each window.
pub(crate) fn pick<T: Float>(sizes: &Pooling, x: &[T], h: &[T], y: &mut [T]) {
    sizes.rows(y, |rows, windows| {
        for (i, row) in rows.chunks_exact_mut(sizes.channels).enumerate() {
            let found = windows.of(i);
            for (strip, row) in row.chunks_mut(STRIP).enumerate() {
                let first = strip * STRIP;
                let which = first_maxima(x, found, first, row.len());
                for (c, y) in row.iter_mut().enumerate() {
                    *y = h[found[which[c] as usize] + first + c];
                }
            }
        }
    });
}

/// `g` added to where `x` has the first maximum of each window.
pub(crate) fn max_gradient<T: Float>(sizes: &Pooling, x: &[T], g: &[T], out: &mut [T]) {
    sizes.scatter(g, out, |out, start, windows, g| add_slopes(x, windows, g, start, out));
}

/// The mean of the elements under each window; padding is none.
pub(crate) fn mean<T: Float>(sizes: &Pooling, x: &[T], y: &mut [T]) {
    sizes.rows(y, |rows, windows| mean_rows(x, windows, rows));
}

/// `g` shared among the elements under each window.
pub(crate) fn mean_gradient<T: Float>(sizes: &Pooling, g: &[T], out: &mut [T]) {
    sizes.scatter(g, out, |out, start, windows, g| add_shares(windows, g, start, out));
}
