//! Setting part of the samples aside for validation.

use std::collections::BTreeMap;

use cornu_autodiff::{Generator, Tensor};

use crate::data::{Batch, Samples, rows_of};
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

/// Rows that are kept to learn from, and rows that are held out.
pub(crate) type Rows = (Vec<usize>, Vec<usize>);

impl Split {
    fn fraction(self) -> f64 {
        match self {
            Split::Tail(f) | Split::Shuffled(f) | Split::Stratified(f) => f,
        }
    }

    /// The rows of `count` samples on each side, random ones in random order. `classes` gives the
    /// class of each, if that matters.
    pub(crate) fn rows(
        self,
        place: &str,
        count: usize,
        classes: impl FnOnce() -> Result<Vec<i64>>,
        generator: &Generator,
    ) -> Result<Rows> {
        // Keras's formula, with its rounding.
        let kept = (count as f64 * (1.0 - self.fraction())).floor() as usize;
        if !(self.fraction() > 0.0 && self.fraction() < 1.0) || kept == 0 || kept == count {
            let rule = "the part that is held out must be a share between 0 and 1 that leaves \
                        both parts a sample";
            let got = format!("{} of {count} samples", self.fraction());
            return Err(Error::value(place, rule, got));
        }
        match self {
            Split::Tail(_) => Ok(((0..kept).collect(), (kept..count).collect())),
            Split::Shuffled(_) => {
                let mut held = generator.permutation(count);
                let kept = held.split_off(count - kept);
                Ok((kept, held))
            }
            Split::Stratified(_) => stratified(place, &classes()?, count - kept, generator),
        }
    }

    /// The samples to train on and those to validate with.
    pub(crate) fn apply(
        self,
        samples: &Samples,
        generator: &Generator,
    ) -> Result<(Samples, Samples)> {
        let place = "fit: `validation_split`";
        let count = samples.count("fit")?;
        let of_samples = || match samples.y.as_slice() {
            [y] => classes(place, y),
            several => Err(unclear(place, format!("{} targets", several.len()))),
        };
        let (kept, held) = self.rows(place, count, of_samples, generator)?;
        if let Split::Tail(_) = self {
            warn_if_class_missing(samples, kept.len());
            let of = |b: Batch| Samples { x: b.x, y: b.y, sample_weight: b.sample_weight };
            let (kept, held) = (samples.range(0, kept.len()), samples.range(kept.len(), count));
            return Ok((of(kept), of(held)));
        }
        let pick = |mut rows: Vec<usize>| {
            rows.sort_unstable();
            samples.pick(&Tensor::from(rows_of(rows)))
        };
        Ok((pick(kept), pick(held)))
    }
}

fn unclear(place: &str, got: String) -> Error {
    let rule = "a stratified split needs one target of class numbers or one-hot rows";
    Error::value(place, rule, got)
}

/// The class of each sample, from class numbers or one-hot rows.
pub(crate) fn classes(place: &str, y: &Tensor) -> Result<Vec<i64>> {
    let labels = match y.dims() {
        [_] | [_, 1] => y.reshape([-1]),
        [_, _] => y.argmax(-1),
        _ => return Err(unclear(place, format!("a target of shape {}", y.shape()))),
    };
    let values = labels.to_f64_vec()?;
    match values.iter().find(|v| v.fract() != 0.0) {
        None => Ok(values.iter().map(|&v| v as i64).collect()),
        Some(value) => Err(unclear(place, value.to_string())),
    }
}

/// Rows of which `held` are held out, with its share of each class on both sides.
fn stratified(place: &str, classes: &[i64], held: usize, generator: &Generator) -> Result<Rows> {
    let mut by_class = BTreeMap::<i64, Vec<usize>>::new();
    for (row, &class) in classes.iter().enumerate() {
        by_class.entry(class).or_default().push(row);
    }
    let shares = shares(place, &by_class, classes.len(), held)?;
    let shuffled = |rows: &[usize]| -> Vec<usize> {
        generator.permutation(rows.len()).into_iter().map(|at| rows[at]).collect()
    };
    let (mut kept_rows, mut held_rows) = (Vec::new(), Vec::new());
    for (rows, share) in by_class.values().zip(shares) {
        let rows = shuffled(rows);
        held_rows.extend_from_slice(&rows[..share]);
        kept_rows.extend_from_slice(&rows[share..]);
    }
    Ok((shuffled(&kept_rows), shuffled(&held_rows)))
}

/// How many rows of each class are held out: each class's exact share rounded down, then
/// one more for those with the largest remainders, at least one and never all.
fn shares(
    place: &str,
    classes: &BTreeMap<i64, Vec<usize>>,
    n: usize,
    test: usize,
) -> Result<Vec<usize>> {
    let sizes: Vec<usize> = classes.values().map(Vec::len).collect();
    if let Some((label, _)) = classes.iter().find(|(_, rows)| rows.len() < 2) {
        let rule = "a stratified split needs two samples or more of each class";
        return Err(Error::value(place, rule, format!("one of class {label}")));
    }
    if test < sizes.len() || n - test < sizes.len() {
        let rule = format!("both parts must have room for each of the {} classes", sizes.len());
        let got = format!("{} and {test} samples", n - test);
        return Err(Error::value(place, rule, got));
    }
    let mut shares: Vec<usize> =
        sizes.iter().map(|&size| (size * test / n).clamp(1, size - 1)).collect();
    // What the exact share of a class exceeds its present one by, in n-ths.
    let excess = |shares: &[usize], i: usize| (sizes[i] * test) as i128 - (shares[i] * n) as i128;
    while shares.iter().sum::<usize>() < test {
        let open = (0..sizes.len()).filter(|&i| shares[i] + 1 < sizes[i]);
        let most = open.rev().max_by_key(|&i| excess(&shares, i));
        shares[most.expect("the train part has more rows than classes")] += 1;
    }
    while shares.iter().sum::<usize>() > test {
        let open = (0..sizes.len()).filter(|&i| shares[i] > 1);
        let least = open.min_by_key(|&i| excess(&shares, i));
        shares[least.expect("the test part has more rows than classes")] -= 1;
    }
    Ok(shares)
}

/// Tells, on stderr, of a class that is only in the tail: what Keras's users stumble over.
fn warn_if_class_missing(samples: &Samples, kept: usize) {
    let [y] = samples.y.as_slice() else { return };
    let Ok(classes) = classes("fit", y) else { return };
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
}
