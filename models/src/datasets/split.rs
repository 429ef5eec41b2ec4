//! A set cut in two: one part to learn from, one to be tested on.

use std::collections::BTreeMap;

use cornu_autodiff::{Error as TensorError, Tensor, each_dtype};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{Dataset, Result, TrainTest};

/// Which rows go to the test part. There is no default: a tail that isn't shuffled has fooled
/// many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// The last rows, in the order they have.
    Tail,
    /// Rows drawn with this seed; both parts come out shuffled.
    Shuffled(u64),
    /// Rows drawn with this seed such that each class has its share in both parts; both parts
    /// come out shuffled.
    Stratified(u64),
}

impl Dataset {
    /// `((x_train, y_train), (x_test, y_test))` with the share `test_size` of the samples, rounded
    /// up, in the test part. The same seed always draws the same rows.
    ///
    /// Differs from scikit-learn's `train_test_split` only in the rows that a seed draws.
    ///
    /// ```
    /// use cornu_autodiff::Tensor;
    /// use cornu_models::datasets::{Dataset, Split};
    /// let data = Dataset::new(Tensor::from([[1.0f32], [2.0], [3.0], [4.0]]), Tensor::from([0i32, 1, 0, 1]))?;
    /// let (_, (x_test, y_test)) = data.split(0.25, Split::Tail)?;
    /// assert_eq!(x_test.to_vec::<f32>()?, [4.0]);
    /// assert_eq!(y_test.to_vec::<i32>()?, [1]);
    /// # Ok::<(), cornu_models::datasets::Error>(())
    /// ```
    ///
    /// # Errors
    /// When either part would be empty; for [`Split::Stratified`] also when a sample has not
    /// exactly one whole-numbered label, or a class can't be in both parts.
    #[doc(alias = "train_test_split")]
    pub fn split(&self, test_size: f64, how: Split) -> Result<TrainTest> {
        let (n, test) = (self.len(), self.test_rows(test_size)?);
        let (train_rows, test_rows) = match how {
            Split::Tail => ((0..n - test).collect(), (n - test..n).collect()),
            Split::Shuffled(seed) => {
                let mut rows: Vec<usize> = (0..n).collect();
                rows.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
                let train = rows.split_off(test);
                (train, rows)
            }
            Split::Stratified(seed) => self.stratified(test, seed)?,
        };
        let train = (take(&self.x, &train_rows)?, take(&self.y, &train_rows)?);
        Ok((train, (take(&self.x, &test_rows)?, take(&self.y, &test_rows)?)))
    }

    /// Number of rows in the test part.
    fn test_rows(&self, test_size: f64) -> Result<usize> {
        let n = self.len();
        // A hair less, so that 0.07 of 100 is 7 although the product is 7.000000000000001.
        let test = (test_size * n as f64 - 1e-9).ceil();
        if test >= 1.0 && test < n as f64 {
            return Ok(test as usize);
        }
        let rule = "`test_size` must be a share between 0 and 1 that leaves both parts a sample";
        Err(TensorError::value("split", rule, format!("{test_size} of {n} samples")).into())
    }

    /// Train rows and test rows in which each class has its share.
    fn stratified(&self, test: usize, seed: u64) -> Result<(Vec<usize>, Vec<usize>)> {
        let classes = self.classes()?;
        let shares = shares(&classes, self.len(), test)?;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (mut train_rows, mut test_rows) = (Vec::new(), Vec::new());
        for (mut rows, share) in classes.into_values().zip(shares) {
            rows.shuffle(&mut random);
            test_rows.extend_from_slice(&rows[..share]);
            train_rows.extend_from_slice(&rows[share..]);
        }
        train_rows.shuffle(&mut random);
        test_rows.shuffle(&mut random);
        Ok((train_rows, test_rows))
    }

    /// The rows of each class, in the order of the labels.
    fn classes(&self) -> Result<BTreeMap<i64, Vec<usize>>> {
        let labels = self.y.to_f64_vec()?;
        if labels.len() != self.len() || !labels.iter().all(|v| v.fract() == 0.0) {
            let rule = "a stratified split needs one whole number a sample in `y`";
            return Err(TensorError::shape("split", rule, &[self.y.spec()]).into());
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
        return Err(TensorError::value("split", rule, format!("one of class {label}")).into());
    }
    if test < sizes.len() || n - test < sizes.len() {
        let rule = format!("both parts must have room for each of the {} classes", sizes.len());
        let got = format!("{} and {test} samples", n - test);
        return Err(TensorError::value("split", rule, got).into());
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

/// The given rows of `x`, in the given order.
fn take(x: &Tensor, rows: &[usize]) -> Result<Tensor> {
    let mut dims = x.dims().to_vec();
    let width: usize = dims[1..].iter().product();
    dims[0] = rows.len();
    let taken = each_dtype!(x.dtype(), T => x.with_slice(|values: &[T]| {
        let rows = rows.iter().map(|&row| &values[row * width..(row + 1) * width]);
        Tensor::new(rows.collect::<Vec<_>>().concat(), dims)
    })?);
    Ok(taken?)
}
