//! Convolution where each channel is a group of its own: no sums over channels, so the vectors
//! run along them.

use super::conv::Sizes;
use super::conv_kernel::{BLOCK, add_up, pieces};
use super::float::Float;
use super::gemm::Finish;
use super::lanes::Vectors;
use super::parallel;
use super::simd::vectorized;
use super::window::Plan;

/// Channels whose sums are kept at hand.
const STRIP: usize = 32;

vectorized! {
    /// `out += Σ x[a..] · kernel[b..]` over pairs `(a, b)`.
    fn add_products[T: Float](out: &mut [T], x: &[T], kernel: &[T], pairs: &[(usize, usize)]) {
        let mut first = 0;
        for out in out.chunks_mut(STRIP) {
            let mut sums = [T::ZERO; STRIP];
            if out.len() == STRIP {
                for &(a, b) in pairs {
                    let (x, k) = (&x[a + first..][..STRIP], &kernel[b + first..][..STRIP]);
                    for i in 0..STRIP {
                        sums[i] += x[i] * k[i];
                    }
                }
            } else {
                for &(a, b) in pairs {
                    let factors = x[a + first..].iter().zip(&kernel[b + first..]);
                    let sums = sums[..out.len()].iter_mut();
                    sums.zip(factors).for_each(|(sum, (&x, &k))| *sum += x * k);
                }
            }
            out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
            first += STRIP;
        }
    }
}

/// What the plan's windows see, each channel times its own kernel `(taps, channels)`; and what
/// `finish` makes of it.
pub(super) fn rows<T: Vectors>(
    plan: &Plan,
    [source, kernel]: [&[T]; 2],
    bias: Option<&[T]>,
    out: &mut [T],
    channels: usize,
    finish: Finish<'_, T>,
) {
    let taps: usize = plan.phases.iter().map(Vec::len).sum();
    parallel::chunks_mut(out, channels, taps.div_ceil(plan.phases.len()).max(1), |first, out| {
        let mut pairs = Vec::new();
        let count = out.len() / channels;
        let mut rows = out.chunks_exact_mut(channels);
        plan.places(first, count, |place| {
            let row = rows.next().expect("as many places as were asked for");
            match bias {
                Some(bias) => row.copy_from_slice(bias),
                None => row.fill(T::ZERO),
            }
            let taps = plan.phases[place.phase].iter();
            pairs.clear();
            pairs.extend(taps.filter_map(|t| Some((place.find(t)?, t.number * channels))));
            add_products(row, source, kernel, &pairs);
            if let Some(finish) = finish {
                finish(row);
            }
        });
    });
}

/// The gradient by the kernel: `out[t, c] = Σ x[t's element, c] · g[position, c]`.
pub(super) fn kernel_gradient<T: Vectors>(
    plan: &Plan,
    sizes: &Sizes,
    x: &[T],
    g: &[T],
    out: &mut [T],
) {
    let (taps, channels, positions) = (sizes.taps(), sizes.filters, sizes.positions());
    let (count, each) = pieces(positions, taps * 8);
    let mut parts = vec![T::ZERO; count * out.len()];
    parallel::chunks_mut(&mut parts, channels, each.min(positions).max(1), |first, parts| {
        for (i, sum) in parts.chunks_exact_mut(channels).enumerate() {
            let (piece, tap) = ((first + i) / taps, &plan.phases[0][(first + i) % taps]);
            let (start, end) = (piece * each, ((piece + 1) * each).min(positions));
            let mut pairs = Vec::with_capacity(end - start);
            let mut at = start * channels;
            plan.places(start, end.saturating_sub(start), |place| {
                pairs.extend(place.find(tap).map(|found| (found, at)));
                at += channels;
            });
            // Blocks keep rounding errors small.
            pairs.chunks(BLOCK).for_each(|pairs| add_products(sum, x, g, pairs));
        }
    });
    add_up(&parts, out);
}
