//! Setting part of the samples aside for validation.

use cornu_autodiff::{Generator, Tensor};

use crate::data::{Samples, rows_of};
use crate::error::{Error, Result};

/// Which samples are set aside for validation.
///
/// Keras takes the last ones, silently, and so a whole class if the samples are sorted. Here a
/// choice must be made; the random ones follow the model's seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Split {
    /// The last part, in order: what Keras does.
    Tail(f64),
    /// A random part.
    Shuffled(f64),
    /// A random part of each class: the targets, one column of whole numbers or one-hot rows,
    /// tell the class.
    Stratified(f64),
}

impl Split {
    fn fraction(self) -> f64 {
        match self {
            Split::Tail(f) | Split::Shuffled(f) | Split::Stratified(f) => f,
        }
    }

    /// The samples to train on and those to validate with.
    pub(crate) fn apply(
        self,
        samples: &Samples,
        generator: &Generator,
    ) -> Result<(Samples, Samples)> {
        let count = samples.count("fit")?;
        let fraction = self.fraction();
        let kept = (count as f64 * (1.0 - fraction)).floor() as usize;
        if !(fraction > 0.0 && fraction < 1.0) || kept == 0 || kept == count {
            let rule =
                format!("`validation_split` must leave some of {count} samples on each side");
            return Err(Error::value("fit", rule, fraction));
        }
        let (train, held) = match self {
            Split::Tail(_) => {
                let parts = (samples.range(0, kept), samples.range(kept, count));
                warn_if_class_missing(samples, kept)?;
                let of = |b: crate::data::Batch| Samples {
                    x: b.x,
                    y: b.y,
                    sample_weight: b.sample_weight,
                };
                return Ok((of(parts.0), of(parts.1)));
            }
            Split::Shuffled(_) => {
                let order = rows_of(generator.permutation(count));
                (order[..kept].to_vec(), order[kept..].to_vec())
            }
            Split::Stratified(_) => stratified(&classes(samples)?, fraction, generator),
        };
        let pick = |mut rows: Vec<i64>| {
            rows.sort_unstable();
            samples.pick(&Tensor::from(rows))
        };
        Ok((pick(train), pick(held)))
    }
}

/// The class of each sample.
fn classes(samples: &Samples) -> Result<Vec<i64>> {
    let unclear = |got: String| {
        let rule = "a stratified split needs one target of class numbers or one-hot rows";
        Error::value("fit", rule, got)
    };
    let [y] = samples.y.as_slice() else {
        return Err(unclear(format!("{} targets", samples.y.len())));
    };
    let labels = match y.dims() {
        [_] | [_, 1] => y.reshape([-1]),
        [_, _] => y.argmax(-1),
        _ => return Err(unclear(format!("a target of shape {}", y.shape()))),
    };
    let values = labels.to_f64_vec()?;
    if values.iter().any(|v| v.fract() != 0.0) {
        return Err(unclear("a target of numbers that are not whole".into()));
    }
    Ok(values.iter().map(|&v| v as i64).collect())
}

/// A random `fraction` of each class set aside; the first of each pair is for training.
fn stratified(classes: &[i64], fraction: f64, generator: &Generator) -> (Vec<i64>, Vec<i64>) {
    let mut known = classes.to_vec();
    known.sort_unstable();
    known.dedup();
    let (mut train, mut held) = (Vec::new(), Vec::new());
    for class in known {
        let rows: Vec<usize> = (0..classes.len()).filter(|&i| classes[i] == class).collect();
        let kept = rows.len() - (rows.len() as f64 * fraction).round() as usize;
        for (i, at) in generator.permutation(rows.len()).into_iter().enumerate() {
            let row = rows[at] as i64;
            if i < kept { train.push(row) } else { held.push(row) }
        }
    }
    (train, held)
}

/// Tells, on stderr, of a class that is only in the tail: what Keras's users stumble over.
fn warn_if_class_missing(samples: &Samples, kept: usize) -> Result<()> {
    let Ok(classes) = classes(samples) else { return Ok(()) };
    let mut seen: Vec<i64> = classes[..kept].to_vec();
    seen.sort_unstable();
    let missing = classes[kept..].iter().find(|c| seen.binary_search(c).is_err());
    // Few classes: otherwise the targets are numbers to predict, not classes.
    seen.dedup();
    if let Some(class) = missing
        && seen.len() <= 100
        && seen.len() * 4 < kept
    {
        eprintln!(
            "fit: class {class} is only in the validation part; the samples seem sorted: use \
             `Split::Stratified` or `Split::Shuffled`"
        );
    }
    Ok(())
}
