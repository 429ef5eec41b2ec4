//! Maxima and means of windows over channels-last tensors; vectors run along the channels.

use super::float::Float;
use super::parallel;
use super::simd::vectorized;
use super::window::{Axes, Plan};

/// Channels worked on at a time.
const STRIP: usize = 32;

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

    /// Calls `f(row, elements)` for each row of an output: where the elements under its window
    /// begin.
    fn rows<T: Float>(&self, out: &mut [T], f: impl Fn(&mut [T], &[usize]) + Sync + Send) {
        if out.is_empty() {
            return;
        }
        let plan = self.plan();
        parallel::chunks_mut(out, self.channels, self.taps(), |first, out| {
            let mut found = Vec::with_capacity(self.taps());
            let count = out.len() / self.channels;
            let mut rows = out.chunks_exact_mut(self.channels);
            plan.places(first, count, |place| {
                found.clear();
                found.extend(plan.phases[0].iter().filter_map(|tap| place.find(tap)));
                f(rows.next().expect("as many places as were asked for"), &found);
            });
        });
    }

    /// Adds to an input's gradient: calls `f(sample, its first element, elements, g)` for each
    /// window in order. Samples are shared out among threads.
    fn scatter<T: Float>(
        &self,
        g: &[T],
        out: &mut [T],
        f: impl Fn(&mut [T], usize, &[usize], &[T]) + Sync + Send,
    ) {
        if out.is_empty() {
            return;
        }
        let plan = self.plan();
        let sample = self.axes.iter().map(|a| a.input).product::<usize>() * self.channels;
        let cost = self.taps() * self.positions() * self.channels / sample + 1;
        parallel::chunks_mut(out, sample, cost, |first, out| {
            out.fill(T::ZERO);
            let mut found = Vec::with_capacity(self.taps());
            for (i, out) in out.chunks_exact_mut(sample).enumerate() {
                let start = (first + i) * self.positions();
                let mut rows = g[start * self.channels..].chunks_exact(self.channels);
                plan.places(start, self.positions(), |place| {
                    found.clear();
                    found.extend(plan.phases[0].iter().filter_map(|tap| place.find(tap)));
                    let g = rows.next().expect("a gradient for each position");
                    f(out, (first + i) * sample, &found, g);
                });
            }
        });
    }
}

vectorized! {
    fn max_row[T: Float](x: &[T], found: &[usize], out: &mut [T]) {
        out.fill(T::LOWEST);
        for &from in found {
            let x = &x[from..from + out.len()];
            out.iter_mut().zip(x).for_each(|(out, &x)| *out = x.greatest(*out));
        }
    }
}

vectorized! {
    fn mean_row[T: Float](x: &[T], found: &[usize], out: &mut [T]) {
        out.fill(T::ZERO);
        for &from in found {
            let x = &x[from..from + out.len()];
            out.iter_mut().zip(x).for_each(|(out, &x)| *out += x);
        }
        let count = T::from_f64(found.len() as f64);
        out.iter_mut().for_each(|out| *out = *out / count);
    }
}

/// Whether a value takes the place of the best so far; the first NaN wins.
#[inline(always)]
#[allow(clippy::eq_op)] // a NaN is what doesn't equal itself
fn better<T: Float>(x: T, best: T) -> bool {
    (x > best) | ((x != x) & (best == best))
}

vectorized! {
    /// Which of the elements found is the first maximum, for each channel from `first` on.
    fn first_maxima[T: Float](x: &[T], found: &[usize], first: usize, which: &mut [u32]) {
        let count = which.len();
        let mut best = [T::LOWEST; STRIP];
        best[..count].copy_from_slice(&x[found[0] + first..][..count]);
        which.fill(0);
        for (number, &from) in found.iter().enumerate().skip(1) {
            let x = &x[from + first..][..count];
            for ((best, which), &x) in best.iter_mut().zip(which.iter_mut()).zip(x) {
                let wins = better(x, *best);
                *best = if wins { x } else { *best };
                *which = if wins { number as u32 } else { *which };
            }
        }
    }
}

/// Calls `f(channel, element)` with where each channel has its first maximum.
#[inline]
fn maxima<T: Float>(x: &[T], found: &[usize], channels: usize, mut f: impl FnMut(usize, usize)) {
    let mut which = [0; STRIP];
    for first in (0..channels).step_by(STRIP) {
        let which = &mut which[..STRIP.min(channels - first)];
        first_maxima(x, found, first, which);
        for (channel, &number) in (first..).zip(which.iter()) {
            f(channel, found[number as usize] + channel);
        }
    }
}

/// The largest element under each window; NaN if there is one.
pub(crate) fn max<T: Float>(sizes: &Pooling, x: &[T], y: &mut [T]) {
    sizes.rows(y, |row, found| max_row(x, found, row));
}

/// `h` where `x` has the first maximum of each window.
pub(crate) fn pick<T: Float>(sizes: &Pooling, x: &[T], h: &[T], y: &mut [T]) {
    sizes.rows(y, |row, found| maxima(x, found, row.len(), |c, at| row[c] = h[at]));
}

/// `g` added to where `x` has the first maximum of each window.
pub(crate) fn max_gradient<T: Float>(sizes: &Pooling, x: &[T], g: &[T], out: &mut [T]) {
    sizes.scatter(g, out, |out, start, found, g| {
        maxima(x, found, g.len(), |c, at| out[at - start] += g[c]);
    });
}

/// The mean of the elements under each window; padding is none.
pub(crate) fn mean<T: Float>(sizes: &Pooling, x: &[T], y: &mut [T]) {
    sizes.rows(y, |row, found| mean_row(x, found, row));
}

/// `g` shared among the elements under each window.
pub(crate) fn mean_gradient<T: Float>(sizes: &Pooling, g: &[T], out: &mut [T]) {
    sizes.scatter(g, out, |out, start, found, g| {
        let count = T::from_f64(found.len() as f64);
        for from in found.iter().map(|at| at - start) {
            let out = out[from..from + g.len()].iter_mut();
            out.zip(g).for_each(|(out, &g)| *out += g / count);
        }
    });
}
