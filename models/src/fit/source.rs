//! Where training gets its batches.

use cornu_autodiff::Generator;

use crate::data::{ArrayBatches, Batch, Batches, Samples};
use crate::error::{Error, Result};
use crate::fit::Progress;

/// Where an epoch's batches come from.
pub(super) enum Source<'s, 'b> {
    Memory(Memory<'s>),
    Stream(&'s mut Batches<'b>),
}

/// Samples in memory, over which one pass follows another. An epoch is a pass unless it was
/// given another number of steps; then epochs go on where the last one ended.
pub(super) struct Memory<'s> {
    pub(super) samples: &'s Samples,
    pub(super) count: usize,
    pub(super) batch_size: usize,
    /// Whether each pass takes them in an order of its own.
    pub(super) shuffled: bool,
    pub(super) pass: Option<ArrayBatches<'s>>,
}

impl Memory<'_> {
    /// Batches in one pass.
    pub(super) fn batches(&self) -> usize {
        self.count.div_ceil(self.batch_size)
    }

    /// The next batch; behind the last one of a pass, the first of a new one. The order of each
    /// pass follows from its number, so that one that was broken off can be gone on with.
    fn next(&mut self, progress: &mut Progress, shuffle: &Generator) -> Batch {
        if progress.position == 0 || progress.position >= self.batches() {
            progress.position = 0;
            progress.shuffles += 1;
            self.pass = None;
        }
        let (samples, count, size) = (self.samples, self.count, self.batch_size);
        let pass = self.pass.get_or_insert_with(|| {
            let shuffle = shuffle.split_index(progress.shuffles - 1);
            let mut pass =
                ArrayBatches::new(samples, count, size, self.shuffled.then_some(&shuffle));
            pass.skip_batches(progress.position);
            pass
        });
        pass.next().expect("the position is within the pass")
    }
}

/// One epoch's batches.
pub(super) enum Epoch<'e, 's, 'b> {
    Memory(&'e mut Memory<'s>),
    Stream(Box<dyn Iterator<Item = Result<Batch>> + 'b>),
}

impl<'s, 'b> Source<'s, 'b> {
    /// The batches of an epoch, counted from 0, of which `done` have been trained on.
    pub(super) fn epoch(&mut self, epoch: usize, done: usize) -> Result<Epoch<'_, 's, 'b>> {
        match self {
            Source::Memory(memory) => Ok(Epoch::Memory(memory)),
            Source::Stream(stream) => {
                let mut batches = stream.epoch(epoch);
                for _ in 0..done {
                    batches.next().transpose()?;
                }
                Ok(Epoch::Stream(batches))
            }
        }
    }
}

impl Epoch<'_, '_, '_> {
    /// The next batch; `None` at the end of a stream.
    pub(super) fn next(
        &mut self,
        progress: &mut Progress,
        shuffle: &Generator,
    ) -> Result<Option<Batch>> {
        match self {
            Epoch::Memory(memory) => Ok(Some(memory.next(progress, shuffle))),
            Epoch::Stream(batches) => batches.next().transpose(),
        }
    }
}

/// A stream that ended early.
pub(super) fn too_few(trained: usize, steps: Option<usize>) -> Error {
    match steps {
        Some(steps) => {
            let rule = format!("the stream must give the {steps} batches of `steps_per_epoch`");
            Error::value("fit", rule, trained)
        }
        None => Error::value("fit", "an epoch must have at least one batch", "none"),
    }
}
