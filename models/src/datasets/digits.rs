//! Handwritten digits, small enough to be part of the program.
//!
//! The test part of *Optical Recognition of Handwritten Digits* by E. Alpaydin and C. Kaynak
//! (1998), UCI Machine Learning Repository, doi:10.24432/C50P49, under CC BY 4.0, as the
//! scikit-learn package ships it. 32x32 bitmaps written by 13 people were cut into 4x4 blocks;
//! a pixel is the number of dark dots in its block.

use std::io::Read;
use std::path::Path;

use cornu_autodiff::Tensor;
use flate2::read::GzDecoder;

use super::Dataset;
use crate::error::{Error, Result};

/// Number of samples.
const SAMPLES: usize = 1797;
/// Rows and columns of an image.
const SIDE: usize = 8;
/// The largest pixel: every dot of a 4x4 block is dark.
const DARKEST: u8 = 16;

static FILE: &[u8] = include_bytes!("assets/digits.csv.gz");

/// 1,797 images of the digits 0 to 9: `x` float32 `(1797, 8, 8)` with values `0..=16`, `y` int64
/// `(1797,)`. About 180 of each digit, in the order of the original file.
///
/// Differs from scikit-learn's `load_digits` in that `x` is float32 and keeps the image's shape.
///
/// ```
/// use cornu_models::datasets::digits;
/// let data = digits::load()?;
/// let x = &data.x / 16.0;
/// assert_eq!(x.dims(), [1797, 8, 8]);
/// assert_eq!(data.y.to_vec::<i64>()?[..5], [0, 1, 2, 3, 4]);
/// # Ok::<(), cornu_models::Error>(())
/// ```
///
/// # Errors
/// When the data inside the program are damaged.
#[doc(alias = "load_digits")]
#[doc(alias = "load_data")]
pub fn load() -> Result<Dataset> {
    parse(FILE)
}

/// Reads gzipped lines of 64 pixels and a label, separated by commas.
fn parse(file: &[u8]) -> Result<Dataset> {
    let name = Path::new("digits.csv.gz");
    let mut text = String::new();
    GzDecoder::new(file)
        .read_to_string(&mut text)
        .map_err(|e| Error::file(name, "the data must be gzip", e))?;
    let mut x = Vec::with_capacity(SAMPLES * SIDE * SIDE);
    let mut y = Vec::with_capacity(SAMPLES);
    for line in text.lines() {
        let row: Option<Vec<u8>> = line.split(',').map(|v| v.parse().ok()).collect();
        match row.as_deref().and_then(<[u8]>::split_last) {
            Some((label @ 0..=9, pixels))
                if pixels.len() == SIDE * SIDE && pixels.iter().all(|&p| p <= DARKEST) =>
            {
                x.extend(pixels.iter().map(|&p| f32::from(p)));
                y.push(i64::from(*label));
            }
            _ => {
                let rule = "a line must hold 64 numbers in 0..=16 and a digit";
                return Err(Error::file(name, rule, format!("`{line}`")));
            }
        }
    }
    let n = y.len();
    if n != SAMPLES {
        let rule = format!("there must be {SAMPLES} lines");
        return Err(Error::file(name, rule, n));
    }
    Dataset::new(Tensor::new(x, [n, SIDE, SIDE])?, Tensor::from(y))
}
