//! Windows that slide.

use cornu_layers::prelude::*;

use crate::{assert_texts, known, on};

#[test]
fn windows_say_what_does_not_fit() {
    let image = known(&[4, 4, 3]);
    assert_texts(vec![
        (
            on(&image, Conv2D::new(2, 5)),
            "layer `conv2d` (Conv2D): `kernel_size`: it must fit the input, (None, 4, 4, 3); got \
             [5, 5]",
        ),
        (
            on(&image, Conv2D::new(2, (3, 2)).dilation_rate(2)),
            "layer `conv2d` (Conv2D): `kernel_size`: it must fit the input, (None, 4, 4, 3); got \
             [3, 2] with dilation [2, 2]",
        ),
        (
            on(&image, Conv2D::new(4, 2).groups(2)),
            "layer `conv2d` (Conv2D): `groups`: it must divide the 4 filters and the input's 3 \
             channels; got 2",
        ),
        (
            on(&image, Conv2D::new(0, 2)),
            "layer `conv2d` (Conv2D): `filters`: it must be positive; got 0",
        ),
        (
            on(&image, Conv2D::new(2, (2, 0))),
            "layer `conv2d` (Conv2D): `kernel_size`: all must be positive; got [2, 0]",
        ),
        (
            on(&image, Conv2D::new(2, 2).strides(0)),
            "layer `conv2d` (Conv2D): `strides`: all must be positive; got [0, 0]",
        ),
        (
            on(&image, Conv2D::new(2, 2).strides(2).dilation_rate(2)),
            "layer `conv2d` (Conv2D): `strides`: strides and dilation can't both be above 1; got \
             [2, 2] with dilation [2, 2]",
        ),
        (
            on(&image, Conv2D::new(2, 2).padding("causal")),
            "layer `conv2d` (Conv2D): `padding`: it must be `valid` or `same`; `causal` is for \
             `Conv1D`; got causal",
        ),
        (
            on(&known(&[4, 3]), Conv2D::new(2, 2)),
            "layer `conv2d` (Conv2D): input: the layer takes one input of rank 4; got (None, 4, 3)",
        ),
        (
            on(&[Some(4), Some(4), None], Conv2D::new(2, 2)),
            "layer `conv2d` (Conv2D): input: the size of axis -1 must be known to build the layer; \
             got (None, 4, 4, None)",
        ),
        (
            on(&image, MaxPooling2D::new(5)),
            "layer `max_pooling2d` (MaxPooling2D): `pool_size`: it must fit the input, (None, 4, \
             4, 3); got [5, 5]",
        ),
        (
            on(&known(&[4]), GlobalAveragePooling2D::new()),
            "layer `global_average_pooling2d` (GlobalAveragePooling2D): input: the layer takes one \
             input of rank 4; got (None, 4)",
        ),
    ]);
}
