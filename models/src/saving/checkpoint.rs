//! All that is needed to go on with a stopped run bit for bit.

use std::path::Path;

use cornu_autodiff::{GeneratorState, Tensor};

use crate::error::Result;
use crate::saving::atomic::write_file;
use crate::saving::codec::{Format, InEntry, OutEntry, in_file, in_order, read_file};

const CHECKPOINT: Format = Format { name: "checkpoint", magic: *b"CORNU\r\nC", version: 1 };

/// What a checkpoint file holds.
///
/// ```
/// use cornu_autodiff::{GeneratorState, Tensor};
/// use cornu_models::saving::Checkpoint;
/// let checkpoint = Checkpoint {
///     epoch: 3,
///     weights: vec![("dense/kernel".into(), Tensor::scalar(0.5f32))],
///     generator: GeneratorState { seed: 42, counter: 7 },
///     ..Checkpoint::default()
/// };
/// let bytes = checkpoint.to_bytes()?;
/// assert_eq!(Checkpoint::from_bytes(&bytes)?.epoch, 3);
/// assert!(Checkpoint::from_bytes(&bytes[1..]).is_err());
/// # Ok::<(), cornu_models::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// The model in Keras's JSON, with what it was compiled for.
    pub model: String,
    /// The weights' names and values.
    pub weights: Vec<(String, Tensor)>,
    /// What the optimizer remembers.
    pub optimizer: Vec<(String, Tensor)>,
    /// Which weights, counted from 0, the optimizer remembers something of.
    pub optimized: Vec<u64>,
    /// Where the model's randomness stands.
    pub generator: GeneratorState,
    /// Batches trained on since the model was compiled.
    pub step: u64,
    /// Passes over the data begun since the model was compiled.
    pub shuffles: u64,
    /// Batches taken from the last of them; 0 if it has come to its end.
    pub position: u64,
    /// Epochs completed.
    pub epoch: u64,
    /// Batches trained on in the epoch after those.
    pub batch: u64,
    /// The epochs of the history, counted from 0.
    pub epochs: Vec<u64>,
    /// The values of the history by name.
    pub history: Vec<(String, Vec<f64>)>,
    /// What each callback remembers, by its name: JSON, and tensors.
    pub callbacks: Vec<(String, String, Vec<Tensor>)>,
}

impl Default for Checkpoint {
    fn default() -> Checkpoint {
        Checkpoint {
            model: String::new(),
            weights: Vec::new(),
            optimizer: Vec::new(),
            optimized: Vec::new(),
            generator: GeneratorState { seed: 0, counter: 0 },
            step: 0,
            shuffles: 0,
            position: 0,
            epoch: 0,
            batch: 0,
            epochs: Vec::new(),
            history: Vec::new(),
            callbacks: Vec::new(),
        }
    }
}

/// As it lies in the file.
struct Body<'a, E> {
    model: &'a str,
    weights: Vec<E>,
    optimizer: Vec<E>,
    optimized: Vec<u64>,
    seed: u64,
    counter: u64,
    step: u64,
    shuffles: u64,
    position: u64,
    epoch: u64,
    batch: u64,
    epochs: Vec<u64>,
    history: Vec<(&'a str, Vec<f64>)>,
    callbacks: Vec<(&'a str, &'a str, Vec<E>)>,
}

in_order!(Body {
    model,
    weights,
    optimizer,
    optimized,
    seed,
    counter,
    step,
    shuffles,
    position,
    epoch,
    batch,
    epochs,
    history,
    callbacks,
});

impl Checkpoint {
    /// Writes a file; it is replaced whole, so that stopping at any moment leaves the old
    /// checkpoint or the new one.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        write_file(path, |out| CHECKPOINT.write(out, &self.body()))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When the file can't be read, is no checkpoint, or was cut off or altered.
    pub fn read(path: impl AsRef<Path>) -> Result<Checkpoint> {
        let path = path.as_ref();
        Checkpoint::from_bytes(&read_file(path)?).map_err(in_file(path))
    }

    /// The content of a file.
    ///
    /// # Errors
    /// When a tensor has no value.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        CHECKPOINT
            .write(&mut bytes, &self.body())
            .map_err(|e| crate::Error::value("checkpoint", "every tensor must have a value", e))?;
        Ok(bytes)
    }

    /// A checkpoint from the content of a file.
    ///
    /// # Errors
    /// When it is no checkpoint, or was cut off or altered.
    pub fn from_bytes(bytes: &[u8]) -> Result<Checkpoint> {
        let body: Body<'_, InEntry<'_>> = CHECKPOINT.read(bytes)?;
        let tensors = |entries: &[InEntry<'_>]| -> Result<Vec<(String, Tensor)>> {
            let tensor = |e: &InEntry<'_>| Ok((e.name.to_owned(), e.tensor("checkpoint")?));
            entries.iter().map(tensor).collect()
        };
        Ok(Checkpoint {
            model: body.model.to_owned(),
            weights: tensors(&body.weights)?,
            optimizer: tensors(&body.optimizer)?,
            optimized: body.optimized,
            generator: GeneratorState { seed: body.seed, counter: body.counter },
            step: body.step,
            shuffles: body.shuffles,
            position: body.position,
            epoch: body.epoch,
            batch: body.batch,
            epochs: body.epochs,
            history: body.history.into_iter().map(|(n, v)| (n.to_owned(), v)).collect(),
            callbacks: body
                .callbacks
                .into_iter()
                .map(|(name, values, entries)| {
                    let tensors = tensors(&entries)?.into_iter().map(|(_, value)| value);
                    Ok((name.to_owned(), values.to_owned(), tensors.collect()))
                })
                .collect::<Result<_>>()?,
        })
    }

    fn body(&self) -> Body<'_, OutEntry<'_>> {
        fn entries(tensors: &[(String, Tensor)]) -> Vec<OutEntry<'_>> {
            tensors.iter().map(|(name, value)| OutEntry::new(name, value)).collect()
        }
        type State<'a> = (&'a str, &'a str, Vec<OutEntry<'a>>);
        fn callback((name, values, tensors): &(String, String, Vec<Tensor>)) -> State<'_> {
            (name, values, tensors.iter().map(|value| OutEntry::new("", value)).collect())
        }
        Body {
            model: &self.model,
            weights: entries(&self.weights),
            optimizer: entries(&self.optimizer),
            optimized: self.optimized.clone(),
            seed: self.generator.seed,
            counter: self.generator.counter,
            step: self.step,
            shuffles: self.shuffles,
            position: self.position,
            epoch: self.epoch,
            batch: self.batch,
            epochs: self.epochs.clone(),
            history: self.history.iter().map(|(n, v)| (n.as_str(), v.clone())).collect(),
            callbacks: self.callbacks.iter().map(callback).collect(),
        }
    }
}
