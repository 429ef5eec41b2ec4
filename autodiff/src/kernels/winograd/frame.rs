//! What slides over what, and how it is cut into tiles.

use std::ops::Range;

use crate::kernels::conv::Sizes;
use crate::kernels::window::Axis;

/// Channels are a multiple of this: vectors of any level are whole then.
pub(super) const CHANNELS: usize = 16;
/// Elements of the source that a row of tiles has at most: its transformed squares, sixteen
/// quarters of them, are to stay in a cache.
const LONGEST: usize = 1 << 16;
/// The fewest tiles of a sample for which it is worth it to transform the kernel.
const FEWEST: usize = 9;
/// Tiles that are worked on at a time, about.
const TILES: usize = 96;

/// Windows of 3×3 that slide by one over a source `(batch, height, width, depth)`.
#[derive(Clone, Debug)]
pub(in crate::kernels) struct Frame {
    pub(super) batch: usize,
    /// Height and width of the source.
    pub(super) from: [usize; 2],
    /// Of the output.
    pub(super) to: [usize; 2],
    /// How far the first window begins before the source.
    pub(super) before: [isize; 2],
    /// Channels of the source, and of the output.
    pub(super) depth: usize,
    pub(super) columns: usize,
}

impl Frame {
    /// The windows of a convolution, where this way pays. Whether it does depends on sizes of a
    /// sample alone, so that it has the same bits in any batch. Only element types that are
    /// [hot](crate::kernels::simd::is_hot) go this way.
    pub(in crate::kernels) fn of_output(sizes: &Sizes) -> Option<Frame> {
        let [rows, columns] = sizes.axes.as_slice() else { return None };
        let slides = |a: &Axis| a.size == 3 && a.stride == 1 && a.dilation == 1;
        let fits = |channels: usize| channels > 0 && channels.is_multiple_of(CHANNELS);
        let tiles = rows.output.div_ceil(2) * columns.output.div_ceil(2);
        let pays = sizes.groups == 1
            && slides(rows)
            && slides(columns)
            && fits(sizes.inputs)
            && fits(sizes.filters)
            && tiles >= FEWEST
            && columns.output.max(columns.input) * sizes.inputs.max(sizes.filters) <= LONGEST;
        pays.then_some(Frame {
            batch: sizes.batch,
            from: [rows.input, columns.input],
            to: [rows.output, columns.output],
            before: [rows.before as isize, columns.before as isize],
            depth: sizes.inputs,
            columns: sizes.filters,
        })
    }

    /// The windows of its gradient by the input, over that by the output.
    pub(super) fn turned(self) -> Frame {
        let Frame { batch, from, to, before, depth, columns } = self;
        let before = before.map(|before| 2 - before);
        Frame { batch, from: to, to: from, before, depth: columns, columns: depth }
    }

    /// Rows of tiles in a sample, and tiles in a row.
    pub(super) fn tiles(&self) -> [usize; 2] {
        self.to.map(|len| len.div_ceil(2))
    }

    /// Rows of tiles in all samples.
    pub(super) fn bands(&self) -> usize {
        self.batch * self.tiles()[0]
    }

    /// In which sample a row of tiles is, and with which row it begins.
    pub(super) fn begin(&self, band: usize) -> (usize, usize) {
        let rows = self.tiles()[0];
        (band / rows, 2 * (band % rows))
    }

    /// The elements of the output in some rows of tiles.
    pub(super) fn elements(&self, bands: &Range<usize>) -> Range<usize> {
        let at = |band| {
            let (sample, row) = self.begin(band);
            (sample * self.to[0] + row) * self.to[1] * self.columns
        };
        at(bands.start)..at(bands.end)
    }

    /// Rows of tiles to be worked on at a time: of about [`TILES`], those that leave the least of
    /// the last `rows` tiles unused.
    pub(super) fn at_once(&self, rows: usize) -> usize {
        let tiles = self.tiles()[1];
        let unused = |bands: usize| {
            let count = bands * tiles;
            (count.next_multiple_of(rows) - count) * TILES / count
        };
        (1..=(TILES / tiles).max(1)).rev().min_by_key(|&bands| unused(bands)).unwrap_or(1)
    }
}
