//! A set cut in two: one part to learn from, one to be tested on.

use std::collections::BTreeMap;

use cornu_autodiff::{Generator, Tensor};

use super::{Dataset, TrainTest};
use crate::data::Split;
use crate::error::{Error, Result};

impl Dataset {
    /// `((x_train, y_train), (x_test, y_test))` with the share in `how` of the samples, rounded
    /// up, in the test part. Random parts follow `seed` and come out shuffled; a stratified one
    /// gives each class its share in both parts.
    ///
    /// Differs from scikit-learn's `train_test_split` only in the rows that a seed draws.
    ///
    /// ```
    /// use cornu_autodiff::Tensor;
    /// use cornu_models::{Split, datasets::Dataset};
    /// let x = Tensor::from([[1.0f32], [2.0], [3.0], [4.0]]);
    /// let data = Dataset::new(x, Tensor::from([0i32, 1, 0, 1]))?;
    /// let (_, (x_test, y_test)) = data.split(Split::Tail(0.25), 0)?;
    /// assert_eq!(x_test.to_vec::<f32>()?, [4.0]);
    /// assert_eq!(y_test.to_vec::<i32>()?, [1]);
    /// # Ok::<(), cornu_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// When either part would be empty; for [`Split::Stratified`] also when a sample has not
    /// exactly one whole-numbered label, or a class can't be in both parts.
    #[doc(alias = "train_test_split")]
    pub fn split(&self, how: Split, seed: u64) -> Result<TrainTest> {
        let (n, generator) = (self.len(), Generator::new(seed));
        let (train, test) = match how {
            Split::Tail(share) => {
                let train = n - self.test_rows(share)?;
                ((0..train).collect(), (train..n).collect())
            }
            Split::Shuffled(share) => {
                let mut test = generator.permutation(n);
                let train = test.split_off(self.test_rows(share)?);
                (train, test)
            }
            Split::Stratified(share) => self.stratified(self.test_rows(share)?, &generator)?,
        };
        let rows = |rows: Vec<usize>| {
            let rows = Tensor::from(rows.into_iter().map(|row| row as i64).collect::<Vec<_>>());
            (self.x.take(&rows, 0), self.y.take(&rows, 0))
        };
        Ok((rows(train), rows(test)))
    }

    /// Number of rows in the test part.
    fn test_rows(&self, share: f64) -> Result<usize> {
        let n = self.len();
        // A hair less, so that 0.07 of 100 is 7 although the product is 7.000000000000001.
        let test = (share * n as f64 - 1e-9).ceil();
        if test >= 1.0 && test < n as f64 {
            return Ok(test as usize);
        }
        let rule = "the test part must be a share between 0 and 1 that leaves both parts a sample";
        Err(Error::value("split", rule, format!("{share} of {n} samples")))
    }

    /// Train rows and test rows in which each class has its share.
    fn stratified(&self, test: usize, generator: &Generator) -> Result<(Vec<usize>, Vec<usize>)> {
        let classes = self.classes()?;
        let shares = shares(&classes, self.len(), test)?;
        let shuffled = |rows: &[usize]| -> Vec<usize> {
            generator.permutation(rows.len()).into_iter().map(|at| rows[at]).collect()
        };
        let (mut train_rows, mut test_rows) = (Vec::new(), Vec::new());
        for (rows, share) in classes.values().zip(shares) {
            let rows = shuffled(rows);
            test_rows.extend_from_slice(&rows[..share]);
            train_rows.extend_from_slice(&rows[share..]);
        }
        Ok((shuffled(&train_rows), shuffled(&test_rows)))
    }

    /// The rows of each class, in the order of the labels.
    fn classes(&self) -> Result<BTreeMap<i64, Vec<usize>>> {
        let labels = self.y.to_f64_vec()?;
        if labels.len() != self.len() || !labels.iter().all(|v| v.fract() == 0.0) {
            let rule = "a stratified split needs one whole number a sample in `y`";
            return Err(Error::value("split", rule, format!("{:?}", self.y.spec())));
        }
        let mut classes = BTreeMap::<i64, Vec<usize>>::new();
        for (row, &label) in labels.iter().enumerate() {
            classes.entry(label as i64).or_default().push(row);
        }
        Ok(classes)
    }
}

/// How many rows of each class go to the test part: each class's exact share rounded down, then
/// one more for those with the largest remainders, at least one and never all.
fn shares(classes: &BTreeMap<i64, Vec<usize>>, n: usize, test: usize) -> Result<Vec<usize>> {
    let sizes: Vec<usize> = classes.values().map(Vec::len).collect();
    if let Some((label, _)) = classes.iter().find(|(_, rows)| rows.len() < 2) {
        let rule = "a stratified split needs two samples or more of each class";
        return Err(Error::value("split", rule, format!("one of class {label}")));
    }
    if test < sizes.len() || n - test < sizes.len() {
        let rule = format!("both parts must have room for each of the {} classes", sizes.len());
        let got = format!("{} and {test} samples", n - test);
        return Err(Error::value("split", rule, got));
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
