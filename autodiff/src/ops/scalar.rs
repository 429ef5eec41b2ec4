//! A tensor and one number.

use crate::dtype::{DType, Element};
use crate::each_number;
use crate::error::{Error, Result};
use crate::kernels::elementwise::map1;
use crate::op::{Call, Gradients, Op, Saves, apply};
use crate::shape::Spec;
use crate::tensor::Tensor;

/// `x · factor`
#[derive(Clone, Copy, Debug)]
pub struct Scale(pub f64);

/// `x + summand`
#[derive(Clone, Copy, Debug)]
pub struct Shift(pub f64);

/// The number must be one of the tensor's type.
pub(crate) fn representable(op: &dyn Op, x: &[&Spec], number: f64) -> Result<Spec> {
    let dtype = x[0].dtype;
    let fits = match dtype {
        DType::F32 | DType::F64 => true,
        DType::Bool => false,
        whole => each_number!(whole, T => T::from_f64(number).to_f64() == number),
    };
    if fits {
        return Ok(*x[0]);
    }
    let rule =
        format!("the number must be a value of the tensor's dtype, {dtype}; `cast` it first");
    Err(Error::value(op.name(), rule, number.to_string()))
}

impl Op for Scale {
    fn name(&self) -> &'static str {
        "scale"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        representable(self, x, self.0)
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        Ok(match out.dtype {
            DType::F32 => {
                let factor = self.0 as f32;
                map1(x[0], 1, |x: f32| x * factor)
            }
            DType::F64 => map1(x[0], 1, |x: f64| x * self.0),
            DType::I32 => map1(x[0], 1, |x: i32| x.wrapping_mul(self.0 as i32)),
            DType::I64 => map1(x[0], 1, |x: i64| x.wrapping_mul(self.0 as i64)),
            DType::U8 => map1(x[0], 1, |x: u8| x.wrapping_mul(self.0 as u8)),
            DType::Bool => unreachable!("`infer` refuses bool"),
        })
    }
    fn saves(&self) -> Saves {
        Saves::Nothing
    }
    fn vjp(&self, _: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        into.add(0, || g * self.0);
    }
}

impl Op for Shift {
    fn name(&self) -> &'static str {
        "shift"
    }
    fn infer(&self, x: &[&Spec]) -> Result<Spec> {
        representable(self, x, self.0)
    }
    fn forward(&self, x: &[&Tensor], out: &Spec) -> Result<Tensor> {
        Ok(match out.dtype {
            DType::F32 => {
                let summand = self.0 as f32;
                map1(x[0], 1, |x: f32| x + summand)
            }
            DType::F64 => map1(x[0], 1, |x: f64| x + self.0),
            DType::I32 => map1(x[0], 1, |x: i32| x.wrapping_add(self.0 as i32)),
            DType::I64 => map1(x[0], 1, |x: i64| x.wrapping_add(self.0 as i64)),
            DType::U8 => map1(x[0], 1, |x: u8| x.wrapping_add(self.0 as u8)),
            DType::Bool => unreachable!("`infer` refuses bool"),
        })
    }
    fn saves(&self) -> Saves {
        Saves::Nothing
    }
    fn vjp(&self, _: &Call<'_>, g: &Tensor, into: &mut Gradients<'_>) {
        into.add(0, || g.clone());
    }
}

/// `x · factor`
///
/// # Errors
/// When `x` holds whole numbers and `factor` is not one of their type.
pub fn scale(x: &Tensor, factor: f64) -> Result<Tensor> {
    apply(Scale(factor), &[x])
}

/// `x + summand`
///
/// # Errors
/// As [`scale`].
pub fn shift(x: &Tensor, summand: f64) -> Result<Tensor> {
    apply(Shift(summand), &[x])
}
