//! Tensors from and to Rust's and `ndarray`'s arrays.

use cornu_autodiff::{DType, Result, Tensor};
use ndarray::{Array, ArrayD, ShapeBuilder, arr0, s};

fn values(x: &Tensor) -> Vec<i32> {
    x.to_vec::<i32>().expect("int32")
}

#[test]
fn arrays_of_any_layout_keep_their_elements() {
    let x = Array::from_iter(0..6).into_shape_with_order((2, 3)).expect("six elements");
    assert_eq!(values(&Tensor::from(x.clone())), [0, 1, 2, 3, 4, 5]);
    assert_eq!(values(&Tensor::from(x.t())), [0, 3, 1, 4, 2, 5]);
    assert_eq!(values(&Tensor::from(x.slice(s![.., ..;-2]))), [2, 0, 5, 3]);
    assert_eq!(values(&Tensor::from(x.clone().slice_move(s![1.., ..]))), [3, 4, 5]);
    assert_eq!(values(&Tensor::from(x.clone().slice_move(s![..1, ..]))), [0, 1, 2]);
    assert_eq!(values(&Tensor::from(x.broadcast((2, 2, 3)).expect("it fits"))).len(), 12);
    let columns = Array::from_shape_vec((2, 3).f(), (0..6).collect()).expect("six elements");
    assert_eq!(values(&Tensor::from(columns)), [0, 2, 4, 1, 3, 5]);
    assert_eq!(Tensor::from(arr0(7)).dims(), []);
    assert_eq!(Tensor::from(Array::<f32, _>::zeros((0, 3))).dims(), [0, 3]);
}

#[test]
fn tensors_of_any_layout_become_arrays() -> Result<()> {
    let x = Tensor::arange(6, DType::F64).reshape([2, 3]).t().flip(0);
    let array: ArrayD<f64> = (&x).try_into()?;
    assert_eq!(array, ndarray::array![[2.0, 5.0], [1.0, 4.0], [0.0, 3.0]].into_dyn());
    let wrong: Result<ArrayD<f32>> = (&x).try_into();
    assert!(wrong.is_err());
    Ok(())
}

#[test]
fn nested_arrays_and_vectors_become_tensors() {
    assert_eq!(Tensor::from([[[[1u8; 5]; 4]; 3]; 2]).dims(), [2, 3, 4, 5]);
    assert_eq!(Tensor::from([[1, 2], [3, 4], [5, 6]]).dims(), [3, 2]);
    assert_eq!(values(&Tensor::from(vec![1, 2])), [1, 2]);
    assert_eq!(values(&Tensor::from(&[1, 2][..])), [1, 2]);
    assert_eq!(Tensor::from(true).to_vec::<bool>().expect("bool"), [true]);
    assert_eq!(Tensor::from(Vec::<f32>::new()).dims(), [0]);
}
