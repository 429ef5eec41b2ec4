//! What layers do with one image or a batch of them.

use cornu_autodiff::{Shape, Spec, Tensor, apply, ops};

use crate::choice::DataFormat;
use crate::error::{Error, Result};

/// Where an image, or a batch of images, has its rows; columns come behind.
pub(super) fn rows(x: &Shape, format: &DataFormat) -> usize {
    if *format == DataFormat::ChannelsFirst { x.rank() - 2 } else { x.rank() - 3 }
}

/// Refuses what isn't an image or a batch of images.
pub(super) fn check(inputs: &[Spec]) -> Result<&Spec> {
    match inputs {
        [x] if x.shape.rank() == 3 || x.shape.rank() == 4 => Ok(x),
        _ => {
            let shapes: Vec<_> = inputs.iter().map(|x| &x.shape).collect();
            Err(Error::input(
                "the layer takes one input of rank 4, or of rank 3 for one image",
                &shapes,
            ))
        }
    }
}

/// The part of each image of `size` rows and columns that begins at `start`.
pub(super) fn crop(x: &Tensor, rows: usize, start: [usize; 2], size: [usize; 2]) -> Result<Tensor> {
    let mut slices = vec![ops::Slice::ALL; rows];
    slices.extend([0, 1].map(|i| ops::Slice::from(start[i]..start[i] + size[i])));
    Ok(apply(ops::StridedSlice { slices: slices.into() }, &[x])?)
}

/// The largest part in the middle of each image that has the proportions of `target`.
pub(super) fn crop_to(x: &Tensor, rows: usize, target: [usize; 2]) -> Result<Tensor> {
    let [height, width] = [x.dims()[rows], x.dims()[rows + 1]];
    let scaled = |n: usize, up: usize, down: usize| (n as f64 * up as f64 / down as f64) as usize;
    let tall = scaled(width, target[0], target[1]).min(height).max(1);
    let wide = scaled(height, target[1], target[0]).min(width).max(1);
    crop(x, rows, [(height - tall) / 2, (width - wide) / 2], [tall, wide])
}

/// Each image with a border above and below, or left and right, so that it has the proportions
/// of `target`.
pub(super) fn pad_to(x: &Tensor, rows: usize, target: [usize; 2], value: f64) -> Result<Tensor> {
    let [height, width] = [x.dims()[rows], x.dims()[rows + 1]];
    let scaled = |n: usize, up: usize, down: usize| (n as f64 * up as f64 / down as f64) as usize;
    let tall = scaled(width, target[0], target[1]).max(height);
    let wide = scaled(height, target[1], target[0]).max(width);
    let (above, left) = ((tall - height) / 2, (wide - width) / 2);
    let mut widths = vec![(0, 0); x.rank()];
    if above > 0 {
        widths[rows] = (above, above);
    } else {
        widths[rows + 1] = (left, left);
    }
    Ok(apply(ops::Pad { widths: widths.into(), value }, &[x])?)
}
