//! Batches: cut from arrays, or handed in one by one.

use cornu_autodiff::{Generator, Tensor};

use crate::data::Data;
use crate::error::{Error, Result};

/// A few samples with their targets.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// A tensor for each input.
    pub x: Vec<Tensor>,
    /// A tensor for each output that has a loss.
    pub y: Vec<Tensor>,
    /// A weight for each sample, for all outputs (one tensor) or for each.
    pub sample_weight: Vec<Tensor>,
    /// What was given by name, until a model says in which order it wants it.
    pub(crate) named: Option<Box<(Data, Data)>>,
}

impl Batch {
    /// A batch without weights. With names, `x` and `y` are put in order when a model takes it.
    pub fn new(x: impl Into<Data>, y: impl Into<Data>) -> Batch {
        let (x, y): (Data, Data) = (x.into(), y.into());
        match (x.arrange("batch", &[]), y.arrange("batch", &[])) {
            (Ok(x), Ok(y)) => Batch { x, y, ..Batch::default() },
            _ => Batch { named: Some(Box::new((x, y))), ..Batch::default() },
        }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.x.first().or(self.y.first()).map_or(0, |x| x.dims().first().copied().unwrap_or(1))
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Refuses a batch without samples, or with more of one part than of another.
    pub(crate) fn check(&self, place: &str) -> Result<()> {
        count(place, &self.x, &self.y, &self.sample_weight).map(|_| ())
    }
}

/// Where `fit` gets its batches if not from arrays: data larger than memory, or made on the
/// fly. Any iterator of `Result<Batch>` can be made one with [`Batches::from_epochs`].
pub struct Batches<'a> {
    #[allow(clippy::type_complexity)]
    make: Box<dyn FnMut(usize) -> Box<dyn Iterator<Item = Result<Batch>> + 'a> + 'a>,
}

impl<'a> Batches<'a> {
    /// `make` gives each epoch's batches; it is told the epoch, counted from 0. An error in the
    /// middle ends `fit` with that error.
    pub fn from_epochs<I>(mut make: impl FnMut(usize) -> I + 'a) -> Batches<'a>
    where
        I: Iterator<Item = Result<Batch>> + 'a,
    {
        Batches { make: Box::new(move |epoch| Box::new(make(epoch))) }
    }

    pub(crate) fn epoch(&mut self, epoch: usize) -> Box<dyn Iterator<Item = Result<Batch>> + 'a> {
        (self.make)(epoch)
    }
}

impl std::fmt::Debug for Batches<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Batches")
    }
}

/// Samples in memory, arranged for a model.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples {
    pub(crate) x: Vec<Tensor>,
    pub(crate) y: Vec<Tensor>,
    pub(crate) sample_weight: Vec<Tensor>,
}

impl Samples {
    /// Number of samples: equal in all parts.
    pub(crate) fn count(&self, place: &str) -> Result<usize> {
        count(place, &self.x, &self.y, &self.sample_weight)
    }

    /// These samples, in this order.
    pub(crate) fn pick(&self, rows: &Tensor) -> Samples {
        let take = |tensors: &[Tensor]| tensors.iter().map(|x| x.take(rows, 0)).collect();
        Samples { x: take(&self.x), y: take(&self.y), sample_weight: take(&self.sample_weight) }
    }

    /// The samples from `start` to `end`: views, no copies.
    pub(crate) fn range(&self, start: usize, end: usize) -> Batch {
        let cut = |tensors: &[Tensor]| tensors.iter().map(|x| rows(x, start, end)).collect();
        let (x, y, sample_weight) = (cut(&self.x), cut(&self.y), cut(&self.sample_weight));
        Batch { x, y, sample_weight, named: None }
    }
}

/// Number of samples, if it is the same in all parts, and not 0.
fn count(place: &str, x: &[Tensor], y: &[Tensor], sample_weight: &[Tensor]) -> Result<usize> {
    let mut count = None;
    for (name, tensors) in [("x", x), ("y", y), ("sample_weight", sample_weight)] {
        for tensor in tensors {
            let Some(&n) = tensor.dims().first() else {
                let rule = format!("`{name}` must have a batch axis");
                return Err(Error::value(place, rule, "a scalar"));
            };
            match count {
                None => count = Some((n, name)),
                Some((known, _)) if known == n => {}
                Some((known, first)) => {
                    let rule = "all arrays must have as many samples as one another";
                    let got = format!("{known} in `{first}` and {n} in `{name}`");
                    return Err(Error::value(place, rule, got));
                }
            }
        }
    }
    match count {
        Some((0, _)) | None => {
            Err(Error::value(place, "there must be at least one sample", "none"))
        }
        Some((n, _)) => Ok(n),
    }
}

/// Row numbers as an index tensor holds them.
pub(crate) fn rows_of(order: Vec<usize>) -> Vec<i64> {
    order.into_iter().map(|row| row as i64).collect()
}

/// Rows `start..end` of a tensor, as a view; all of them are the tensor itself.
fn rows(x: &Tensor, start: usize, end: usize) -> Tensor {
    if (start, end) == (0, x.dims()[0]) {
        return x.clone();
    }
    x.slice(0, start as isize..end as isize)
}

/// One epoch's batches of samples in memory.
pub(crate) struct ArrayBatches<'a> {
    samples: &'a Samples,
    order: Option<Vec<i64>>,
    count: usize,
    batch_size: usize,
    at: usize,
}

impl<'a> ArrayBatches<'a> {
    /// In order, or shuffled by `shuffle`.
    pub(crate) fn new(
        samples: &'a Samples,
        count: usize,
        batch_size: usize,
        shuffle: Option<&Generator>,
    ) -> ArrayBatches<'a> {
        let order = shuffle.map(|g| rows_of(g.permutation(count)));
        ArrayBatches { samples, order, count, batch_size, at: 0 }
    }

    /// Leaves out the next batches.
    pub(crate) fn skip_batches(&mut self, batches: usize) {
        self.at = batches.saturating_mul(self.batch_size).saturating_add(self.at).min(self.count);
    }
}

impl Iterator for ArrayBatches<'_> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        let start = self.at;
        let end = (start + self.batch_size).min(self.count);
        if start >= end {
            return None;
        }
        self.at = end;
        Some(match &self.order {
            None => self.samples.range(start, end),
            Some(order) => {
                let picked = self.samples.pick(&Tensor::from(&order[start..end]));
                let Samples { x, y, sample_weight } = picked;
                Batch { x, y, sample_weight, named: None }
            }
        })
    }
}
