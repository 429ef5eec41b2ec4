//! Matrix products.
//!
//! Every element of the output is one sum of fused products in the order of the inner axis,
//! whatever the sizes, the layouts, the instructions and the number of threads: a row of a batch
//! has the bits that it has alone. (On processors without fused multiply-add products are
//! rounded first, everywhere alike.)
//!
//! Products where packing would cost more than the product run as plain loops, `small`, or by
//! vectors of a `row`; the others in tiles, `piece`.

mod piece;
mod row;
mod small;

use super::lanes::Vectors;
use super::parallel;
use super::simd::Level;
use crate::dtype::Element;
use crate::storage::Buffer;
pub(super) use piece::Tile;
use piece::{BLOCK, PANEL, Piece};
use small::Small;

/// A matrix in a slice: where it begins and how far rows and columns lie apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix<'a, T> {
    pub(crate) values: &'a [T],
    pub(crate) offset: usize,
    pub(crate) row: isize,
    pub(crate) column: isize,
}

impl<'a, T: Copy> Matrix<'a, T> {
    /// Rows of `columns` elements, one behind the other.
    pub(crate) fn of_rows(values: &'a [T], columns: usize) -> Matrix<'a, T> {
        Matrix { values, offset: 0, row: columns as isize, column: 1 }
    }

    /// Columns for rows.
    pub(crate) fn transposed(self) -> Matrix<'a, T> {
        Matrix { row: self.column, column: self.row, ..self }
    }

    /// An element.
    #[inline]
    pub(crate) fn at(&self, i: usize, j: usize) -> T {
        self.values[self.position(i, j) as usize]
    }

    #[inline(always)]
    fn position(&self, i: usize, j: usize) -> isize {
        self.offset as isize + i as isize * self.row + j as isize * self.column
    }

    /// Where an element lies. May be handed around even if there is none.
    #[inline(always)]
    fn pointer(&self, i: usize, j: usize) -> *const T {
        self.values.as_ptr().wrapping_offset(self.position(i, j))
    }

    /// Whether every element of an `rows × columns` matrix lies inside the slice.
    fn holds(&self, rows: usize, columns: usize) -> bool {
        if rows == 0 || columns == 0 {
            return true;
        }
        let (r, c) = ((rows - 1) as isize * self.row, (columns - 1) as isize * self.column);
        let (low, high) = (r.min(0) + c.min(0), r.max(0) + c.max(0));
        self.offset as isize + low >= 0 && self.offset as isize + high < self.values.len() as isize
    }
}

/// What is done with runs of finished elements of the output, on any thread.
pub(crate) type Finish<'a, T> = Option<&'a (dyn Fn(&mut [T]) + Sync)>;

/// Element types that have matrix products.
pub(crate) trait Gemm: Vectors + Element {
    /// `out = finish(begin + a · b)`; `a` is `(m, k)`, `b` is `(k, n)`, `out` row-major `(m, n)`,
    /// `begin` a row for all rows, of zeros if there is none.
    #[inline]
    fn gemm(
        size: [usize; 3],
        a: Matrix<'_, Self>,
        b: Matrix<'_, Self>,
        out: &mut [Self],
        begin: Option<&[Self]>,
        finish: Finish<'_, Self>,
    ) {
        Product { size, a, b, stride: size[1], begin, finish }.run(Level::best(), out);
    }

    /// `out = a · b`, whose rows lie `stride` elements apart in `out`.
    fn gemm_apart(
        size: [usize; 3],
        a: Matrix<'_, Self>,
        b: Matrix<'_, Self>,
        out: &mut [Self],
        stride: usize,
    ) {
        Product { size, a, b, stride, begin: None, finish: None }.run(Level::best(), out);
    }
}

impl Gemm for f32 {}
impl Gemm for f64 {}

/// Multiply-adds under which plain loops win.
const SMALL: usize = 4096;

/// Multiply-adds that are worth handing to another thread.
const WORTH_A_THREAD: usize = 1 << 19;
/// Pieces for each thread, so that none waits long for one that is slower; fewer where both factors
/// are copied for each piece.
const PIECES: usize = 4;
const PIECES_OF_COPIES: usize = 2;
/// Columns and rows that a piece has at least, where the output has them: so many rows pay for
/// copying a panel of columns.
const FEWEST: usize = 64;

/// Rows that lie a multiple of so many elements apart fall on one another in the caches: such a
/// first factor, or one whose rows are not runs, is copied if it is read for many columns.
const SLOW_STRIDE: usize = 1024;

/// A product to be made; see [`Gemm::gemm`].
#[derive(Clone, Copy)]
struct Product<'a, T> {
    size: [usize; 3],
    a: Matrix<'a, T>,
    b: Matrix<'a, T>,
    /// Between rows of the output.
    stride: usize,
    begin: Option<&'a [T]>,
    finish: Finish<'a, T>,
}

#[allow(unsafe_code)]
impl<T: Gemm> Product<'_, T> {
    fn run(self, level: Level, out: &mut [T]) {
        let Product { size: [m, n, k], a, b, stride, begin, finish } = self;
        if m * n == 0 {
            return;
        }
        assert!(stride >= n && out.len() >= (m - 1) * stride + n, "the output holds the product");
        assert!(a.holds(m, k) && b.holds(k, n), "factors lie inside their slices");
        if let Some(row) = begin {
            assert!(row.len() == n, "the row is as long as the output's");
        }
        if m * n * k <= SMALL {
            if stride != n && m > 1 {
                for i in 0..m {
                    let a = Matrix { offset: a.position(i, 0) as usize, ..a };
                    let row = Product { size: [1, n, k], a, ..self };
                    row.run(level, &mut out[i * stride..][..n]);
                }
                return;
            }
            let out = &mut out[..m * n];
            // SAFETY: both factors hold the product, as just seen.
            return unsafe { Small { a, b, depth: k, columns: n, out, begin, finish }.run(level) };
        }
        if m == 1 && b.column == 1 {
            return row::product(self, level, &mut out[..n]);
        }
        self.large(level, out);
    }

    /// A product that is worth copying factors for, and threads.
    fn large(self, level: Level, out: &mut [T]) {
        let Product { size: [m, n, k], a, b, stride, begin, finish } = self;
        let (tile, vector) = T::tile(level);
        let work = m.next_multiple_of(tile) * n.next_multiple_of(vector) * k;
        let far = a.row != 0 && a.row.unsigned_abs().is_multiple_of(SLOW_STRIDE);
        let often = if a.column != 1 { n > 2 * FEWEST } else { far && n > 4 * FEWEST };
        let copies = often && m > 2 * FEWEST;
        let each = if copies { PIECES_OF_COPIES } else { PIECES };
        let wanted = match parallel::threads() {
            1 => 1,
            threads => (each * threads).min(work / WORTH_A_THREAD).max(1),
        };
        let [down, across] = cut([m, n], wanted, copies);
        let width = n.div_ceil(across).next_multiple_of(FEWEST);
        let height = m.div_ceil(down).next_multiple_of(tile);
        let across = n.div_ceil(width);
        let out = parallel::Start::of(out);
        parallel::each(m.div_ceil(height) * across, &|i| {
            let (row, column) = (i / across * height, i % across * width);
            let mut panel = Buffer::scratch(T::DTYPE, PANEL);
            let mut block = copies.then(|| Buffer::scratch(T::DTYPE, BLOCK));
            let mut piece = Piece {
                a,
                b,
                depth: k,
                rows: row..m.min(row + height),
                columns: column..n.min(column + width),
                out: out.pointer(),
                stride,
                begin,
                finish,
                panel: panel.slice_mut::<T>().expect("a new buffer has one owner"),
                block: block.as_mut().map_or(&mut [], |block| {
                    block.slice_mut::<T>().expect("a new buffer has one owner")
                }),
            };
            // SAFETY: `product` has seen that the factors lie inside their slices and that the
            // output holds all pieces, which share none of its elements.
            unsafe { T::dispatch(level, &mut piece) };
        });
    }
}

/// Into how many pieces rows and columns are cut, about `wanted` in all, such that little is
/// copied: each piece copies its part of the second factor and reads its part of the first, which
/// costs about half, or as much if that is copied, too.
fn cut([m, n]: [usize; 2], wanted: usize, copies: bool) -> [usize; 2] {
    let most = [m.div_ceil(FEWEST), n.div_ceil(FEWEST)];
    let cuts =
        (1..=wanted.min(most[1])).map(|across| [(wanted / across).clamp(1, most[0]), across]);
    let pieces = |[down, across]: [usize; 2]| down * across;
    let full = cuts.clone().map(pieces).max().unwrap_or(1);
    let cost = |[down, across]: [usize; 2]| 2 * n * down + if copies { 2 * m } else { m } * across;
    cuts.filter(|&cut| pieces(cut) == full).min_by_key(|&cut| cost(cut)).unwrap_or([1, 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [[usize; 3]; 11] = [
        [4, 10, 2],
        [4, 1, 10],
        [1, 7, 33],
        [5, 3, 20],
        [3, 4, 0],
        [30, 17, 40],
        [1, 40, 130],
        [1, 213, 40],
        [3, 20, 80],
        [2, 100, 90],
        [13, 70, 300],
    ];

    /// Numbers that factors are made of, and what a product stays below. Miri takes a thousand times
    /// as long.
    const COUNT: usize = if cfg!(miri) { 4_000 } else { 160_000 };
    const MOST: usize = if cfg!(miri) { 5_000 } else { usize::MAX };

    /// The sizes of products with fewer multiply-adds.
    fn sizes(most: usize) -> impl Iterator<Item = [usize; 3]> {
        SIZES.into_iter().filter(move |size| size.iter().product::<usize>() < most)
    }

    /// Row-major, column-major, with gaps, reversed.
    fn layouts<T>(values: &[T], rows: usize, columns: usize) -> [Matrix<'_, T>; 4] {
        let (r, c) = (rows as isize, columns as isize);
        let matrix = |row, column, offset| Matrix { values, offset, row, column };
        [matrix(c, 1, 3), matrix(1, r, 0), matrix(2 * c, 2, 1), matrix(-c, -1, COUNT / 2)]
    }

    #[test]
    fn products_of_every_size_layout_and_level_agree_with_plain_loops() {
        let values: Vec<f64> = (0..COUNT).map(|i| (i as f64 * 0.7).sin()).collect();
        for [m, n, k] in sizes(MOST / 5) {
            let bias: Vec<f64> = values[7..7 + n].to_vec();
            for (a, b) in layouts(&values, m, k)
                .iter()
                .flat_map(|a| layouts(&values, k, n).into_iter().map(move |b| (*a, b)))
            {
                for (begin, level) in [None, Some(&bias[..])]
                    .into_iter()
                    .flat_map(|begin| Level::all().map(move |level| (begin, level)))
                {
                    let mut out = vec![1.0; m * n];
                    let double = |run: &mut [f64]| run.iter_mut().for_each(|y| *y *= 2.0);
                    Product { size: [m, n, k], a, b, stride: n, begin, finish: Some(&double) }
                        .run(level, &mut out);
                    for (index, y) in out.iter().enumerate() {
                        let (i, j) = (index / n, index % n);
                        let sum: f64 = (0..k).map(|p| a.at(i, p) * b.at(p, j)).sum();
                        let start = begin.map_or(0.0, |row| row[j]);
                        let exact = 2.0 * (start + sum);
                        assert!((y - exact).abs() <= 1e-12, "{m} {n} {k}: {y} {exact}");
                    }
                }
            }
        }
    }

    fn plain<'a>(size: [usize; 3], a: Matrix<'a, f32>, b: Matrix<'a, f32>) -> Product<'a, f32> {
        Product { size, a, b, stride: size[1], begin: None, finish: None }
    }

    #[test]
    fn rows_that_lie_apart_hold_the_same_and_nothing_is_written_between_them() {
        let values: Vec<f32> = (0..COUNT).map(|i| (i as f32 * 0.7).sin()).collect();
        for [m, n, k] in sizes(MOST) {
            let (a, b) = (Matrix::of_rows(&values, k), Matrix::of_rows(&values[9..], n));
            let (mut whole, stride) = (vec![0.0; m * n], n + 5);
            let mut apart = vec![7.0; m * stride];
            f32::gemm([m, n, k], a, b, &mut whole, None, None);
            f32::gemm_apart([m, n, k], a, b, &mut apart, stride);
            for (row, apart) in whole.chunks(n).zip(apart.chunks(stride)) {
                assert_eq!(row, &apart[..n], "{m} {n} {k}");
                assert_eq!(apart[n..], [7.0; 5], "{m} {n} {k}");
            }
        }
    }

    /// The same matrix, column after column.
    fn turned(x: Matrix<'_, f32>, [rows, columns]: [usize; 2]) -> Vec<f32> {
        (0..rows * columns).map(|at| x.at(at % rows, at / rows)).collect()
    }

    #[test]
    fn an_element_has_the_same_bits_in_any_product_layout_and_number_of_rows() {
        let values: Vec<f32> = (0..COUNT).map(|i| (i as f32 * 0.7).sin()).collect();
        // The first factor of the second is copied; a row of the third takes two turns.
        let large = vec![[13, 70, 300], [150, 257, 256], [3, 520, 300]];
        let sizes = if cfg!(miri) { vec![[3, 20, 80]] } else { large };
        for ([m, n, k], level) in
            sizes.into_iter().flat_map(|size| Level::all().map(move |level| (size, level)))
        {
            let ([a, ..], [b, ..]) = (layouts(&values, m, k), layouts(&values, k, n));
            let mut whole = vec![0.0; m * n];
            plain([m, n, k], a, b).run(level, &mut whole);
            for (i, row) in whole.chunks(n).enumerate() {
                let a = Matrix { offset: a.offset + i * k, ..a };
                for n in [n, 3] {
                    let mut alone = vec![0.0; n];
                    plain([1, n, k], a, b).run(level, &mut alone);
                    assert_eq!(alone, row[..n], "{n} elements of row {i} at {level:?}");
                }
            }
            let (a_turned, b_turned) = (turned(a, [m, k]), turned(b, [k, n]));
            let columns = |values, rows| Matrix { values, offset: 0, row: 1, column: rows };
            let a_turned = columns(&a_turned[..], m as isize);
            let b_turned = columns(&b_turned[..], k as isize);
            for (a, b) in [(a, b_turned), (a_turned, b), (a_turned, b_turned)] {
                let mut other = vec![0.0; m * n];
                plain([m, n, k], a, b).run(level, &mut other);
                assert_eq!(other, whole, "{level:?}");
            }
        }
    }
}
