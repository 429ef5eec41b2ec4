//! Where the rows of a convolution find their factors and leave their sums.

use super::lanes::Vectors;
use super::simd::Level;
use super::tiles::RowProducts;
use super::window::{Place, Tap};

/// What windows slide over.
pub(super) struct Source<'a, T> {
    pub(super) values: &'a [T],
    /// Between where neighbours begin.
    pub(super) step: usize,
}

impl<T> Source<'_, T> {
    /// Where the first of `count` neighbours finds `len` elements; each of the others finds as
    /// many, a step behind.
    pub(super) fn rows(&self, found: usize, count: usize, len: usize) -> *const T {
        let end = found + (count - 1) * self.step + len;
        assert!(end <= self.values.len(), "windows lie in what they slide over");
        self.values[found..].as_ptr()
    }

    /// Windows of `len` elements in the sample that begins with element `sample`.
    pub(super) fn windows<'b>(
        &self,
        sample: usize,
        bases: &'b [usize],
        len: usize,
    ) -> Windows<'b, T> {
        let end = sample + bases.last().map_or(0, |last| last + len);
        assert!(end <= self.values.len(), "windows lie in what they slide over");
        Windows { first: self.values[sample..].as_ptr(), bases }
    }
}

/// Windows that lie inside a sample.
pub(super) struct Windows<'a, T> {
    /// Where the sample begins.
    first: *const T,
    /// Where each window does, from there, in ascending order.
    bases: &'a [usize],
}

/// Neighbouring rows that meet the same taps.
pub(super) struct RowRun<T> {
    /// The first one's.
    pub(super) place: Place,
    pub(super) count: usize,
    /// Where the first one's sums go, and how far behind them the next one's.
    pub(super) out: *mut T,
    pub(super) apart: usize,
}

/// How windows find their factors: from one pointer for each tap, or from one for all.
pub(super) struct Way {
    /// Pointers.
    pub(super) taps: usize,
    /// Where the factors of each are.
    pub(super) offsets: Vec<usize>,
}

impl Way {
    /// That of windows of which padding may hide a part, and that of those that lie inside.
    pub(super) fn both(taps: &[Tap], depth: usize) -> [Way; 2] {
        let mut window = Vec::with_capacity(taps.len() * depth);
        for tap in taps {
            window.extend((0..depth).map(|c| tap.offset as usize + c));
        }
        [Way { taps: taps.len(), offsets: (0..depth).collect() }, Way { taps: 1, offsets: window }]
    }
}

/// Where the rows of each phase find their factors and leave their sums.
pub(super) struct Tables<'a, T> {
    /// For each phase, those for windows of which padding may hide a part, and for the others.
    pub(super) all: Vec<Table<'a, T>>,
    /// Rows of a tile.
    rows: usize,
    /// What padding points to.
    zeros: Vec<T>,
    /// Runs of which padding hides a part.
    others: Vec<RowRun<T>>,
    /// Their order: what they see, and their number.
    order: Vec<(u64, usize)>,
    /// Where a run's first row finds its factors, how far behind that the next one does, and
    /// whether they aren't all zeros.
    begin: Vec<(*const T, usize, bool)>,
}

/// Rows whose factors are found in one way.
pub(super) struct Table<'a, T> {
    pub(super) way: &'a Way,
    /// For each tile, each pointer and each row.
    pub(super) factors: Vec<*const T>,
    /// For each tile, a bit for each pointer that some row has other factors than zeros at.
    pub(super) seen: Vec<u64>,
    /// For each tile and each row.
    pub(super) out: Vec<*mut T>,
    /// Rows in the last tile.
    filled: usize,
}

impl<T> Table<'_, T> {
    /// Adds rows that have one pointer each.
    #[inline(always)]
    #[allow(clippy::needless_range_loop)] // See `Tables::push`.
    fn push(&mut self, count: usize, from: impl Fn(usize) -> *const T, out: *mut T, apart: usize) {
        let at = self.out.len();
        self.factors.resize(at + count, std::ptr::null());
        self.out.resize(at + count, out);
        let (factors, outs) = (&mut self.factors[at..], &mut self.out[at..]);
        for i in 0..count {
            factors[i] = from(i);
            outs[i] = out.wrapping_add(i * apart);
        }
    }
}

impl<'a, T: Vectors> Tables<'a, T> {
    /// For about so many positions at a time. Padding shows as `zeros` zeros.
    pub(super) fn new(
        level: Level,
        ways: &'a [Way],
        positions: usize,
        zeros: usize,
    ) -> Tables<'a, T> {
        let rows = T::tile(level).0;
        // Of most windows, padding hides nothing: they have one pointer each.
        let room = positions.next_multiple_of(rows) / ways.len().div_ceil(2).max(1);
        let table = |way: &'a Way| {
            let room = if way.taps == 1 { room } else { 0 };
            Table {
                way,
                factors: Vec::with_capacity(room),
                seen: Vec::with_capacity(room / rows),
                out: Vec::with_capacity(room),
                filled: rows,
            }
        };
        Tables {
            all: ways.iter().map(table).collect(),
            rows,
            zeros: vec![T::ZERO; zeros],
            others: Vec::new(),
            order: Vec::new(),
            begin: Vec::new(),
        }
    }

    pub(super) fn clear(&mut self) {
        for table in &mut self.all {
            table.factors.clear();
            table.seen.clear();
            table.out.clear();
            table.filled = self.rows;
        }
    }

    /// Adds windows that lie inside. The rows of their sums lie `apart` elements behind one
    /// another.
    pub(super) fn push_insides(&mut self, from: Windows<'_, T>, out: *mut T, apart: usize) {
        let Windows { first, bases } = from;
        self.all[1].push(bases.len(), |i| first.wrapping_add(bases[i]), out, apart);
    }

    /// Keeps a run for [`push_others`](Tables::push_others).
    pub(super) fn put_off(&mut self, run: RowRun<T>) {
        self.order.push((run.place.sees, self.others.len()));
        self.others.push(run);
    }

    /// Adds the runs that were put off, those together that see the same: a tile passes over taps
    /// that none of its rows sees.
    pub(super) fn push_others<'b>(
        &mut self,
        taps: impl Fn(&Place) -> &'b Vec<Tap>,
        source: &Source<'_, T>,
    ) {
        let others = std::mem::take(&mut self.others);
        self.order.sort_unstable();
        for i in 0..self.order.len() {
            let run = &others[self.order[i].1];
            self.push(run, taps(&run.place), source);
        }
        self.order.clear();
        self.others = others;
        self.others.clear();
    }

    /// Adds rows to their phase.
    #[allow(clippy::needless_range_loop)]
    pub(super) fn push(&mut self, run: &RowRun<T>, taps: &[Tap], source: &Source<'_, T>) {
        let &RowRun { ref place, count, out, apart } = run;
        let (rows, zeros, channels) = (self.rows, self.zeros.as_ptr(), self.zeros.len());
        let table = &mut self.all[2 * place.phase + usize::from(place.inside)];
        if place.inside {
            // One pointer for each row: tiles lie one behind the other.
            let (from, step) = match taps.last() {
                None => (zeros, 0),
                Some(last) => {
                    let len = last.offset as usize + channels;
                    (source.rows(place.base as usize, count, len), source.step)
                }
            };
            return table.push(count, |i| from.wrapping_add(i * step), out, apart);
        }
        self.begin.clear();
        // These loops count, since setting up iterators would take as long as they do.
        let pointers = table.way.taps;
        for tap in &taps[..pointers] {
            self.begin.push(match place.find(tap) {
                Some(found) => (source.rows(found, count, channels), source.step, true),
                None => (zeros, 0, false),
            });
        }
        let mut done = 0;
        while done < count {
            if table.filled == rows {
                table.factors.resize(table.factors.len() + pointers * rows, zeros);
                table.seen.push(0);
                table.filled = 0;
            }
            let (at, now) = (table.filled, (rows - table.filled).min(count - done));
            let tile = table.factors.len() - pointers * rows;
            let seen = table.seen.last_mut().expect("the tile was just made");
            for i in 0..pointers {
                let (from, step, visible) = self.begin[i];
                *seen |= u64::from(visible) << i.min(RowProducts::<T>::LAST_BIT);
                let factors = &mut table.factors[tile + i * rows + at..][..now];
                for j in 0..now {
                    factors[j] = from.wrapping_add((done + j) * step);
                }
            }
            for j in done..done + now {
                table.out.push(out.wrapping_add(j * apart));
            }
            table.filled += now;
            done += now;
        }
    }

    /// Repeats the last row of each table until its last tile is full: its sums are the same, and
    /// are written to the same place.
    pub(super) fn fill_up(&mut self) {
        let rows = self.rows;
        for (number, table) in self.all.iter_mut().enumerate() {
            let Some(&out) = table.out.last() else { continue };
            let tiles = table.out.len().div_ceil(rows);
            table.out.resize(tiles * rows, out);
            if number % 2 == 1 {
                let last = *table.factors.last().expect("as many as of `out`");
                table.factors.resize(tiles * rows, last);
                table.seen.resize(tiles, 1);
                continue;
            }
            let tile = table.factors.len() / tiles * (tiles - 1);
            for factors in table.factors[tile..].chunks_exact_mut(rows) {
                let repeated = factors[table.filled - 1];
                factors[table.filled..].fill(repeated);
            }
        }
    }
}
