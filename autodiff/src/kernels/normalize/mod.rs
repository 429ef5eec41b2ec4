//! Normalization to zero mean and unit variance: of rows for layer normalization, of columns
//! for batch normalization.
//!
//! Sums over rows are made over pieces whose size depends on shapes alone and added in order.

mod columns;
mod rows;

pub(crate) use columns::{batch_norm, batch_norm_gradient, batch_norm_sums, moments};
pub(crate) use rows::{layer_norm, layer_norm_gradient};

use super::float::Float;

/// Elements of a piece, at least.
const PIECE: usize = 16 * 1024;
/// Pieces, at most: each has its own sums.
const PIECES: usize = 64;
/// Rows that are summed before their sum is added to others, to keep rounding errors small.
pub(super) const BLOCK: usize = 64;
/// Work behind one element, as [`parallel::chunks_mut`] counts it.
pub(super) const COST: usize = 4;

/// Rows in each piece but the last. A piece has rows enough to be worth sums of its own.
pub(super) fn rows_per_piece(rows: usize, len: usize) -> usize {
    rows.div_ceil(PIECES).max(PIECE / len.max(1)).max(8)
}

/// Adds `parts`, each as long as `out`, in order.
pub(super) fn add_up<T: Float>(parts: &[T], out: &mut [T]) {
    out.fill(T::ZERO);
    for part in parts.chunks_exact(out.len()) {
        out.iter_mut().zip(part).for_each(|(out, &v)| *out += v);
    }
}

/// What rows are scaled by and moved by after normalization; empty for 1 and 0.
#[derive(Clone, Copy)]
pub(crate) struct Affine<'a, T> {
    pub(crate) gamma: &'a [T],
    pub(crate) beta: &'a [T],
}
