//! Attention by scaled dot products, some queries of a head at a time: their scores stay in a
//! cache and are never a tensor.
//!
//! The gradient computes the weights again from the inputs, as in FlashAttention (Dao et al. 2022,
//! arXiv:2205.14135); unlike there, a row of weights is whole, so that nothing need be rescaled.
//! Sums over queries are made head by head and tile by tile, and tiles depend on sizes alone.

#![allow(unsafe_code)]

use super::float::{Float, largest, total, total_pairs};
use super::gemm::{Gemm, Matrix};
use super::parallel::{self, Start};
use super::simd::vectorized;
use crate::storage::Buffer;

/// What the score is where attention is not allowed. Its exponential is 0 beside any other, but a
/// query that may attend to nothing attends to all keys alike.
pub(crate) const NEVER: f64 = -1e9;

/// Scores that a tile has, about.
const TILE: usize = 1 << 16;
/// Queries that a tile has at least: so many pay for copying keys and values.
const FEWEST: usize = 64;

/// `(batch, steps, heads, size)` in any layout.
#[derive(Clone, Copy)]
pub(crate) struct Heads<'a, T> {
    pub(crate) values: &'a [T],
    pub(crate) offset: usize,
    pub(crate) strides: [isize; 4],
}

impl<'a, T> Heads<'a, T> {
    /// The steps from `step` on of one head, as rows.
    fn head(&self, batch: usize, step: usize, head: usize) -> Matrix<'a, T> {
        let [b, t, h, column] = self.strides;
        let at = batch as isize * b + step as isize * t + head as isize * h;
        let offset = (self.offset as isize + at) as usize;
        Matrix { values: self.values, offset, row: t, column }
    }
}

/// True where attention is allowed, `(batch, heads, queries, keys)`; keys lie side by side.
#[derive(Clone, Copy)]
pub(crate) struct Mask<'a> {
    pub(crate) values: &'a [bool],
    pub(crate) offset: usize,
    pub(crate) strides: [isize; 3],
}

/// The mask of some queries of a head.
#[derive(Clone, Copy)]
struct MaskRows<'a> {
    values: &'a [bool],
    first: isize,
    step: isize,
}

impl<'a> MaskRows<'a> {
    #[inline(always)]
    fn row(&self, i: usize, len: usize) -> &'a [bool] {
        &self.values[(self.first + i as isize * self.step) as usize..][..len]
    }
}

/// Queries, keys and values, and what is made of them.
#[derive(Clone, Copy)]
pub(crate) struct Attention<'a, T> {
    /// `(batch, queries, heads, size)`
    pub(crate) query: Heads<'a, T>,
    /// `(batch, keys, heads / repeats, size)`
    pub(crate) key: Heads<'a, T>,
    /// `(batch, keys, heads / repeats, width)`
    pub(crate) value: Heads<'a, T>,
    pub(crate) mask: Option<Mask<'a>>,
    pub(crate) scale: T,
    pub(crate) sizes: Sizes,
}

/// Sizes of the axes.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) batch: usize,
    pub(crate) queries: usize,
    pub(crate) keys: usize,
    /// Heads of the query.
    pub(crate) heads: usize,
    /// Heads of the query for each of key and value.
    pub(crate) repeats: usize,
    pub(crate) size: usize,
    pub(crate) width: usize,
}

impl Sizes {
    /// Queries of a tile.
    fn rows(&self) -> usize {
        (TILE / self.keys.max(1)).max(FEWEST).min(self.queries)
    }

    /// Calls `f` for each sample, on several threads if it is worth it.
    fn each(&self, f: impl Fn(usize) + Sync) {
        let work = self.queries * self.keys * self.heads * (self.size + self.width);
        if self.batch * work <= parallel::WORTH_A_THREAD {
            (0..self.batch).for_each(f);
        } else {
            parallel::each(self.batch, &f);
        }
    }
}

/// A tile: some queries of one head.
#[derive(Clone, Copy)]
struct Tile {
    batch: usize,
    head: usize,
    first: usize,
    rows: usize,
}

vectorized! {
    /// Scores of rows of `len`, not yet scaled, to weights: a softmax of each row.
    fn soften[T: Float](scores: &mut [T], len: usize, scale: T, mask: Option<MaskRows<'_>>) {
        for (i, row) in scores.chunks_exact_mut(len).enumerate() {
            match mask {
                Some(mask) => {
                    let never = T::from_f64(NEVER);
                    for (x, &allowed) in row.iter_mut().zip(mask.row(i, len)) {
                        *x = if allowed { *x * scale } else { never };
                    }
                }
                None => row.iter_mut().for_each(|x| *x *= scale),
            }
            let peak = largest(row);
            row.iter_mut().for_each(|x| *x = (*x - peak).exp_());
            let factor = T::ONE / total(row, |x| x);
            row.iter_mut().for_each(|x| *x *= factor);
        }
    }
}

vectorized! {
    /// The gradient by weights to that by scores, in its place: `w · (g - Σ w·g) · scale`.
    fn harden[T: Float](
        weights: &[T], slopes: &mut [T], len: usize, scale: T, mask: Option<MaskRows<'_>>,
    ) {
        let rows = weights.chunks_exact(len).zip(slopes.chunks_exact_mut(len));
        for (i, (w, g)) in rows.enumerate() {
            let dot = total_pairs(w, g, |w, g| w * g);
            g.iter_mut().zip(w).for_each(|(g, &w)| *g = w * (*g - dot) * scale);
            if let Some(mask) = mask {
                for (g, &allowed) in g.iter_mut().zip(mask.row(i, len)) {
                    *g = if allowed { *g } else { T::ZERO };
                }
            }
        }
    }
}

vectorized! {
    /// Adds rows of `len`, which is not 0, to rows `step` apart.
    fn add_rows[T: Float](from: &[T], len: usize, to: &mut [T], step: usize) {
        for (from, to) in from.chunks_exact(len).zip(to.chunks_mut(step)) {
            to.iter_mut().zip(from).for_each(|(y, &x)| *y += x);
        }
    }
}

impl<T: Gemm> Attention<'_, T> {
    /// Calls `f` with each tile of a sample, head by head.
    fn tiles(&self, batch: usize, mut f: impl FnMut(Tile)) {
        let Sizes { queries, heads, .. } = self.sizes;
        let most = self.sizes.rows().max(1);
        for head in 0..heads {
            for first in (0..queries).step_by(most) {
                f(Tile { batch, head, first, rows: most.min(queries - first) });
            }
        }
    }

    fn mask_of(&self, tile: Tile) -> Option<MaskRows<'_>> {
        self.mask.map(|mask| {
            let [b, h, t] = mask.strides;
            let at = tile.batch as isize * b + tile.head as isize * h + tile.first as isize * t;
            MaskRows { values: mask.values, first: mask.offset as isize + at, step: t }
        })
    }

    /// The weights of a tile, `(rows, keys)`.
    fn weights(&self, tile: Tile, out: &mut [T]) {
        let Sizes { keys, repeats, size, .. } = self.sizes;
        let query = self.query.head(tile.batch, tile.first, tile.head);
        let key = self.key.head(tile.batch, 0, tile.head / repeats);
        T::gemm([tile.rows, keys, size], query, key.transposed(), out, None, None);
        soften(out, keys, self.scale, self.mask_of(tile));
    }

    /// The values' means, `(batch, queries, heads, width)`.
    pub(crate) fn forward(&self, out: &mut [T]) {
        let Sizes { queries, keys, heads, repeats, width, .. } = self.sizes;
        assert!(out.len() == self.sizes.batch * queries * heads * width);
        if out.is_empty() || keys == 0 {
            return out.fill(T::ZERO);
        }
        let (rows, step, all) = (self.sizes.rows(), heads * width, queries * heads * width);
        let start = Start::of(out);
        self.sizes.each(|batch| {
            // SAFETY: the sample's own part of the output.
            let out = unsafe { start.part(batch * all, all) };
            let mut scratch = Buffer::scratch(T::DTYPE, rows * keys);
            let scratch = scratch.slice_mut::<T>().expect("a new buffer has one owner");
            self.tiles(batch, |tile| {
                let weights = &mut scratch[..tile.rows * keys];
                self.weights(tile, weights);
                let value = self.value.head(batch, 0, tile.head / repeats);
                let (size, weights) = ([tile.rows, width, keys], Matrix::of_rows(weights, keys));
                let out = &mut out[tile.first * step + tile.head * width..];
                T::gemm_apart(size, weights, value, out, step);
            });
        });
    }

    /// The gradients by query, key and value, each of its input's shape, from that by the output,
    /// `(batch, queries, heads, width)`.
    pub(crate) fn backward(&self, g: Heads<'_, T>, out: [&mut [T]; 3]) {
        let Sizes { queries, keys, heads, repeats, size, width, .. } = self.sizes;
        let groups = heads / repeats;
        let all = [queries * heads * size, keys * groups * size, keys * groups * width];
        for (out, all) in out.iter().zip(all) {
            assert!(out.len() == self.sizes.batch * all);
        }
        let starts = out.map(Start::of);
        self.sizes.each(|batch| {
            let part = |i: usize| {
                // SAFETY: the sample's own part of each output, taken once.
                unsafe { starts[i].part(batch * all[i], all[i]) }
            };
            self.sample(batch, g, [part(0), part(1), part(2)]);
        });
    }

    /// The gradients of one sample.
    fn sample(&self, batch: usize, g: Heads<'_, T>, [dq, dk, dv]: [&mut [T]; 3]) {
        let Sizes { queries, keys, heads, repeats, size, width, .. } = self.sizes;
        if queries * keys == 0 {
            return [dq, dk, dv].into_iter().for_each(|d| d.fill(T::ZERO));
        }
        let (rows, groups) = (self.sizes.rows(), heads / repeats);
        let room = keys * size.max(width);
        let mut scratch = Buffer::scratch(T::DTYPE, 2 * rows * keys + room);
        let scratch = scratch.slice_mut::<T>().expect("a new buffer has one owner");
        self.tiles(batch, |tile| {
            let n = tile.rows * keys;
            let (weights, rest) = scratch.split_at_mut(n);
            let (slopes, part) = rest.split_at_mut(n);
            let group = tile.head / repeats;
            let [key, value] = [&self.key, &self.value].map(|x| x.head(batch, 0, group));
            let query = self.query.head(batch, tile.first, tile.head);
            let g = g.head(batch, tile.first, tile.head);
            self.weights(tile, weights);
            T::gemm([tile.rows, keys, width], g, value.transposed(), slopes, None, None);
            let fresh = tile.first == 0 && tile.head % repeats == 0;
            let mut sum = |x: Matrix<'_, T>, y, len: usize, out: &mut [T]| {
                if len == 0 {
                    return;
                }
                let (out, step) = (&mut out[group * len..], groups * len);
                let size = [keys, len, tile.rows];
                if fresh {
                    return T::gemm_apart(size, x.transposed(), y, out, step);
                }
                let part = &mut part[..keys * len];
                T::gemm(size, x.transposed(), y, part, None, None);
                add_rows(part, len, out, step);
            };
            sum(Matrix::of_rows(weights, keys), g, width, &mut *dv);
            harden(weights, slopes, keys, self.scale, self.mask_of(tile));
            sum(Matrix::of_rows(slopes, keys), query, size, &mut *dk);
            if size == 0 {
                return;
            }
            let (slopes, step) = (Matrix::of_rows(slopes, keys), heads * size);
            let dq = &mut dq[tile.first * step + tile.head * size..];
            T::gemm_apart([tile.rows, size, keys], slopes, key, dq, step);
        });
    }
}
