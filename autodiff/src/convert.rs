//! To and from Rust arrays and `ndarray`.

use ndarray::{ArrayBase, ArrayD, Data, Dimension, IxDyn};

use crate::dtype::Element;
use crate::error::{Error, Result};
use crate::op::must;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// Copies unless the array is owned and in row-major order.
///
/// # Panics
/// When the array has more than [`MAX_RANK`](crate::MAX_RANK) axes.
impl<T: Element, S: Data<Elem = T>, D: Dimension> From<ArrayBase<S, D>> for Tensor {
    #[track_caller]
    fn from(array: ArrayBase<S, D>) -> Tensor {
        let shape = must(Shape::new(array.shape()));
        let values = if array.is_standard_layout() {
            // An array that was cut out of a larger one keeps the larger one's memory.
            let (mut values, offset) = array.into_owned().into_raw_vec_and_offset();
            values.drain(..offset.unwrap_or(0));
            values.truncate(shape.size());
            values
        } else {
            array.iter().copied().collect()
        };
        must(Tensor::new(values, shape))
    }
}

impl<T: Element> TryFrom<&Tensor> for ArrayD<T> {
    type Error = Error;

    /// A copy of the elements.
    ///
    /// # Errors
    /// When the dtype is not `T`, or the tensor is symbolic.
    fn try_from(x: &Tensor) -> Result<ArrayD<T>> {
        let values = x.to_vec::<T>()?;
        let array = ArrayD::from_shape_vec(IxDyn(x.dims()), values);
        Ok(array.expect("`to_vec` gives as many values as the shape has"))
    }
}

impl<T: Element> From<T> for Tensor {
    fn from(value: T) -> Tensor {
        Tensor::scalar(value)
    }
}

impl<T: Element> From<&[T]> for Tensor {
    fn from(values: &[T]) -> Tensor {
        Tensor::build(Shape::of(&[values.len()]), |out| out.copy_from_slice(values))
    }
}

impl<T: Element> From<Vec<T>> for Tensor {
    fn from(values: Vec<T>) -> Tensor {
        let shape = [values.len()];
        must(Tensor::new(values, shape))
    }
}

macro_rules! nested {
    ($($($n:ident)+ => $type:ty, |$x:ident| $flat:expr;)*) => {$(
        impl<T: Element, $(const $n: usize),+> From<$type> for Tensor {
            fn from($x: $type) -> Tensor {
                let flat: &[T] = $flat;
                Tensor::build(Shape::of(&[$($n),+]), |out| out.copy_from_slice(flat))
            }
        }
    )*};
}
nested! {
    A => [T; A], |x| &x;
    A B => [[T; B]; A], |x| x.as_flattened();
    A B C => [[[T; C]; B]; A], |x| x.as_flattened().as_flattened();
    A B C D => [[[[T; D]; C]; B]; A], |x| x.as_flattened().as_flattened().as_flattened();
}
