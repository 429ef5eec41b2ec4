//! A number or an array of them as an option.

use cornu_autodiff::{DType, Shape, Tensor, broadcast};
use serde_json::{Value, json};

use crate::arg::Arg;
use crate::error::{Error, Result};
use crate::setting::{Setting, wrong};

/// One number, or an array of them, as Keras writes it: nested lists.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers {
    values: Vec<f64>,
    shape: Vec<usize>,
}

impl Numbers {
    /// Axes; none of one number.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements, row by row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The elements of a tensor.
    ///
    /// # Errors
    /// When it has no values.
    pub fn of(x: &Tensor) -> Result<Numbers> {
        Ok(Numbers { values: x.to_f64_vec()?, shape: x.dims().to_vec() })
    }

    /// As a tensor.
    pub(crate) fn tensor(&self, dtype: DType) -> Result<Tensor> {
        Ok(Tensor::new(self.values.clone(), self.shape.as_slice())?.cast(dtype))
    }

    /// As a tensor that doesn't change the shape of `x` when both are combined.
    pub(super) fn beside(&self, option: &str, x: &Tensor) -> Result<Tensor> {
        let own = self.tensor(x.dtype())?;
        match broadcast(own.shape(), x.shape()) {
            Some(shape) if shape == *x.shape() => Ok(own),
            _ => {
                let rule = format!("it must broadcast to the input, {}", x.shape());
                Err(Error::setting(format!("`{option}`"), rule, own.shape()))
            }
        }
    }

    fn push(&mut self, value: &Value, depth: usize) -> Result<()> {
        let Value::Array(items) = value else {
            if depth != self.shape.len() {
                return Err(wrong("a number or a list of lists of equal length", value));
            }
            self.values.push(f64::from_json(value)?);
            return Ok(());
        };
        match self.shape.get(depth) {
            None if self.values.is_empty() && depth == self.shape.len() => {
                self.shape.push(items.len());
            }
            Some(n) if *n == items.len() => {}
            _ => return Err(wrong("a list of lists of equal length", value)),
        }
        items.iter().try_for_each(|item| self.push(item, depth + 1))
    }

    fn nested(values: &[f64], shape: &[usize]) -> Value {
        match shape {
            [] => values.first().map_or(json!(null), |v| v.to_json()),
            [_, inner @ ..] => {
                let size: usize = inner.iter().product::<usize>().max(1);
                values.chunks(size).map(|part| Numbers::nested(part, inner)).collect()
            }
        }
    }
}

impl Setting for Numbers {
    fn to_json(&self) -> Value {
        Numbers::nested(&self.values, &self.shape)
    }

    /// A number, nested lists, or Keras's object for an array.
    fn from_json(value: &Value) -> Result<Numbers> {
        let inner = match value["class_name"].as_str() {
            Some("__numpy__" | "__tensor__") => &value["config"]["value"],
            _ => value,
        };
        let mut numbers = Numbers { values: Vec::new(), shape: Vec::new() };
        numbers.push(inner, 0)?;
        Ok(numbers)
    }

    fn check(&self) -> Result<()> {
        Shape::new(&self.shape)?;
        if self.values.iter().all(|v| v.is_finite()) {
            return Ok(());
        }
        Err(Error::setting("value", "all must be finite", format!("{:?}", self.values)))
    }
}

impl Arg<Numbers> for f64 {
    fn arg(self) -> Numbers {
        Numbers { values: vec![self], shape: Vec::new() }
    }
}

impl Arg<Numbers> for Vec<f64> {
    fn arg(self) -> Numbers {
        Numbers { shape: vec![self.len()], values: self }
    }
}

impl<const N: usize> Arg<Numbers> for [f64; N] {
    fn arg(self) -> Numbers {
        self.to_vec().arg()
    }
}

impl<T> Arg<Option<Numbers>> for T
where
    T: NumbersOnly + Arg<Numbers>,
{
    fn arg(self) -> Option<Numbers> {
        Some(self.arg())
    }
}

/// What stands for [`Numbers`] alone.
pub trait NumbersOnly {}
impl NumbersOnly for f64 {}
impl NumbersOnly for Vec<f64> {}
impl<const N: usize> NumbersOnly for [f64; N] {}
