//! Random orthogonal matrices.

use cornu_autodiff::{DType, Generator, Shape, Tensor};

use crate::error::{Error, Result};

/// A matrix of shape `(product of all axes but the last, last axis)` whose rows or columns,
/// whichever are fewer, are orthonormal, times `gain`; brought into `shape`.
///
/// It is the Q of the QR decomposition of normally distributed numbers whose R has a positive
/// diagonal, which makes it uniformly distributed (Stewart 1980).
pub(super) fn sample(shape: &Shape, gain: f64, dtype: DType, from: &Generator) -> Result<Tensor> {
    let [rows @ .., columns] = shape.dims() else {
        return Err(too_few_axes(shape));
    };
    if rows.is_empty() {
        return Err(too_few_axes(shape));
    }
    let rows: usize = rows.iter().product();
    let (long, short) = (rows.max(*columns), rows.min(*columns));
    let mut vectors = from.normal([short, long], 0.0, 1.0, DType::F64)?.to_vec::<f64>()?;
    orthonormalize(&mut vectors, long);
    let vectors = Tensor::new(vectors, [short, long])? * gain;
    let matrix = if rows < *columns { vectors } else { vectors.t() };
    let dims: Vec<isize> = shape.iter().map(|&d| d as isize).collect();
    Ok(matrix.try_reshape(&dims)?.cast(dtype))
}

fn too_few_axes(shape: &Shape) -> Error {
    Error::setting("initializer `Orthogonal`", "the weight must have two axes or more", shape)
}

/// Makes rows of `length` orthonormal, one after the other, by the modified Gram-Schmidt method.
/// Each row is cleared of the earlier ones twice, which is enough (Giraud et al. 2005).
fn orthonormalize(rows: &mut [f64], length: usize) {
    if length == 0 {
        return;
    }
    for i in 0..rows.len() / length {
        let (done, rest) = rows.split_at_mut(i * length);
        let row = &mut rest[..length];
        for _ in 0..2 {
            for earlier in done.chunks_exact(length) {
                let part = dot(earlier, row);
                row.iter_mut().zip(earlier).for_each(|(x, e)| *x -= part * e);
            }
        }
        let norm = dot(row, row).sqrt();
        row.iter_mut().for_each(|x| *x /= norm);
    }
}

/// In eight sums at once, so that it needn't wait for each addition.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a_blocks, a_rest) = a.as_chunks::<8>();
    let (b_blocks, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}
