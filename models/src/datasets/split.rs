//! A set cut in two: one part to learn from, one to be tested on.

use cornu_autodiff::{Generator, Tensor};

use super::{Dataset, TrainTest};
use crate::data::{Split, classes, rows_of};
use crate::error::Result;

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
    /// a whole-numbered label or a one-hot row, or a class can't be in both parts.
    #[doc(alias = "train_test_split")]
    pub fn split(&self, how: Split, seed: u64) -> Result<TrainTest> {
        let classes = || classes("split", &self.y);
        let (train, test) = how.rows("split", self.len(), classes, &Generator::new(seed))?;
        let rows = |rows: Vec<usize>| {
            let rows = Tensor::from(rows_of(rows));
            (self.x.take(&rows, 0), self.y.take(&rows, 0))
        };
        Ok((rows(train), rows(test)))
    }
}
