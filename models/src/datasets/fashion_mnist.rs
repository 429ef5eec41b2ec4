//! Fashion-MNIST: 70,000 pictures of clothes, in the format of [`mnist`](super::mnist).
//!
//! Han Xiao, Kashif Rasul and Roland Vollgraf (Zalando Research) 2017, *Fashion-MNIST: a Novel
//! Image Dataset for Benchmarking Machine Learning Algorithms*, arXiv:1708.07747. Its four files
//! are not part of this crate: Debian's package `dataset-fashion-mnist` brings them.

use std::path::Path;

use super::TrainTest;
use super::original::Original;
use crate::error::Result;

const FASHION_MNIST: Original = Original {
    set: "Fashion-MNIST",
    hint: "Debian's package `dataset-fashion-mnist` brings the set of Zalando Research (Han Xiao, \
           Kashif Rasul and Roland Vollgraf), into `/usr/share/datasets/fashion-mnist`",
    checksums: [0xb4f2_9f28, 0x741a_4657, 0x678f_e0b1, 0x8014_2c1f],
};

/// What the labels 0 to 9 stand for.
pub const CLASSES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// `((x_train, y_train), (x_test, y_test))` from the original files in `directory`, with the
/// shapes, types and file names of [`mnist::load`](super::mnist::load).
///
/// # Errors
/// As [`mnist::load`](super::mnist::load).
#[doc(alias = "load_data")]
pub fn load(directory: impl AsRef<Path>) -> Result<TrainTest> {
    FASHION_MNIST.load(directory.as_ref(), true)
}

/// As [`load`], for your own files with the same names and format.
///
/// # Errors
/// As [`mnist::load_unchecked`](super::mnist::load_unchecked).
pub fn load_unchecked(directory: impl AsRef<Path>) -> Result<TrainTest> {
    FASHION_MNIST.load(directory.as_ref(), false)
}
