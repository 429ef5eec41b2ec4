//! Axes whose size is unknown stay unknown through every layer.

use cornu_layers::Symbol;
use cornu_layers::prelude::*;

/// The shape of a layer's output for samples of this shape.
fn shape(sample: &[Option<usize>], layer: impl IntoLayer) -> Vec<Option<usize>> {
    let x: Symbol = Input::new(sample.to_vec()).symbol();
    layer.apply(x).unwrap_or_else(|error| panic!("{error}")).shape().to_vec()
}

#[test]
fn a_window_does_not_make_an_unknown_axis_known_whatever_its_strides() {
    for strides in 1..300 {
        let unknown = [None, None, Some(2)];
        let sequence = [None, Some(3)];
        let conv = Conv1D::new(2, 3).strides(strides);
        assert_eq!(shape(&sequence, conv), unknown, "Conv1D, strides {strides}");
        let pool = AveragePooling1D::new(strides);
        assert_eq!(shape(&[None, Some(2)], pool), unknown, "AveragePooling1D {strides}");
        let conv = Conv1D::new(2, 2).strides(strides).padding("same");
        assert_eq!(shape(&sequence, conv), unknown, "Conv1D, same, strides {strides}");
    }
}

#[test]
fn everything_but_the_channels_of_a_volume_may_be_unknown() {
    let volume = [None, None, None, Some(512)];
    let unknown = |channels| [None, None, None, None, Some(channels)];
    assert_eq!(shape(&volume, Conv3D::new(512, 3)), unknown(512));
    assert_eq!(shape(&volume, Conv3DTranspose::new(64, 4).strides(4)), unknown(64));
    assert_eq!(shape(&volume, MaxPooling3D::new(2)), unknown(512));
    assert_eq!(shape(&volume, GlobalAveragePooling3D::new()), [None, Some(512)]);
    assert_eq!(shape(&volume, BatchNormalization::new()), unknown(512));
}

#[test]
fn half_of_an_unknown_axis_is_unknown() {
    let glu = Activation::GluOver { axis: 1 };
    assert_eq!(shape(&[None, Some(3)], glu), [None, None, Some(3)]);
    assert_eq!(shape(&[Some(4), None], Activation::new("glu")), [None, Some(4), None]);
}
