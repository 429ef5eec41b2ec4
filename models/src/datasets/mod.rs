//! Data sets to learn from, as `keras.datasets` has them.
//!
//! | module | samples | `x` | `y` | where it comes from |
//! |---|---|---|---|---|
//! | [`digits`] | 1,797 | float32 `(n, 8, 8)` in `0..=16` | int64 `(n,)` | built into the program |
//! | [`mnist`] | 60,000 + 10,000 | uint8 `(n, 28, 28)` | uint8 `(n,)` | files in a directory you name |
//! | [`fashion_mnist`] | 60,000 + 10,000 | uint8 `(n, 28, 28)` | uint8 `(n,)` | files in a directory you name |
//! | [`idx`] | any | any | any | one IDX file |
//!
//! Nothing is ever fetched from a network: a set that isn't built in is read from files, checked
//! against the checksums of the originals, and an error tells how to get the files.
//!
//! ```
//! use cornu_models::{Split, datasets::digits};
//! let digits = digits::load()?;
//! let ((x_train, y_train), (x_test, y_test)) = digits.split(Split::Stratified(0.2), 7)?;
//! assert_eq!(x_train.dims(), [1437, 8, 8]);
//! assert_eq!(y_test.dims(), [360]);
//! # let _ = (y_train, x_test);
//! # Ok::<(), cornu_models::Error>(())
//! ```

pub mod digits;
pub mod fashion_mnist;
pub mod idx;
pub mod mnist;
mod original;
mod split;

use cornu_autodiff::Tensor;

use crate::error::{Error, Result};

/// `((x_train, y_train), (x_test, y_test))`, in the order in which Keras's `load_data` has them.
pub type TrainTest = ((Tensor, Tensor), (Tensor, Tensor));

/// Samples and their labels: as many rows of `x` as of `y`.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// Samples, one a row of the first axis.
    pub x: Tensor,
    /// Labels, one a row of the first axis.
    pub y: Tensor,
}

impl Dataset {
    /// Samples `x` with labels `y`.
    ///
    /// # Errors
    /// When the first axes differ or either has none.
    pub fn new(x: Tensor, y: Tensor) -> Result<Dataset> {
        match (x.dims(), y.dims()) {
            ([n, ..], [m, ..]) if n == m => Ok(Dataset { x, y }),
            _ => {
                let rule = "`x` and `y` must have the same number of rows";
                Err(Error::value("dataset", rule, format!("{} and {}", x.shape(), y.shape())))
            }
        }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.x.dims().first().copied().unwrap_or(0)
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
