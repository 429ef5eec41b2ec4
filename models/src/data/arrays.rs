//! Data in memory: one tensor or several, by position or by name.

use cornu_autodiff::{Element, Tensor};
use ndarray::{ArrayBase, Data as ArrayData, Dimension};

use crate::error::{Error, Result};

/// The inputs of a model, or its targets: a tensor for each, in order or by name.
///
/// Made by `into` from a tensor, an `ndarray` array, a list of tensors, or a list of names and
/// tensors.
///
/// ```
/// use cornu_autodiff::Tensor;
/// use cornu_models::Data;
/// let x = Tensor::from([[0.0f32, 1.0]]);
/// let one: Data = (&x).into();
/// let named: Data = [("image", &x), ("age", &x)].into();
/// assert_eq!((one.len(), named.len()), (1, 2));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Data {
    parts: Vec<(Option<String>, Tensor)>,
}

impl Data {
    /// No data: for a fit without validation, or a model without targets.
    pub fn none() -> Data {
        Data::default()
    }

    /// Number of tensors.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether there is no tensor.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The tensors for inputs or outputs of these names, in their order.
    pub(crate) fn arrange(&self, place: &str, names: &[String]) -> Result<Vec<Tensor>> {
        if self.parts.iter().all(|(name, _)| name.is_none()) {
            return Ok(self.parts.iter().map(|(_, x)| x.clone()).collect());
        }
        for (name, _) in &self.parts {
            match name {
                Some(name) if names.contains(name) => {}
                Some(name) => {
                    return Err(cornu_autodiff::Error::unknown(place, name, names).into());
                }
                None => {
                    let rule = "either all tensors have names or none has";
                    return Err(Error::value(place, rule, "both"));
                }
            }
        }
        let find = |wanted: &String| {
            let mut found = self.parts.iter().filter(|(name, _)| name.as_ref() == Some(wanted));
            match (found.next(), found.next()) {
                (Some((_, x)), None) => Ok(x.clone()),
                (None, _) => {
                    let rule = format!("there must be a tensor named `{wanted}`");
                    Err(Error::value(place, rule, "none"))
                }
                _ => {
                    let rule = format!("there must be one tensor named `{wanted}`");
                    Err(Error::value(place, rule, "several"))
                }
            }
        };
        names.iter().map(find).collect()
    }
}

impl From<&Tensor> for Data {
    fn from(x: &Tensor) -> Data {
        Data { parts: vec![(None, x.clone())] }
    }
}

impl From<Tensor> for Data {
    fn from(x: Tensor) -> Data {
        Data { parts: vec![(None, x)] }
    }
}

impl From<&Data> for Data {
    fn from(data: &Data) -> Data {
        data.clone()
    }
}

impl<const N: usize> From<[&Tensor; N]> for Data {
    fn from(tensors: [&Tensor; N]) -> Data {
        Data { parts: tensors.into_iter().map(|x| (None, x.clone())).collect() }
    }
}

impl From<&[Tensor]> for Data {
    fn from(tensors: &[Tensor]) -> Data {
        Data { parts: tensors.iter().map(|x| (None, x.clone())).collect() }
    }
}

impl From<Vec<Tensor>> for Data {
    fn from(tensors: Vec<Tensor>) -> Data {
        Data { parts: tensors.into_iter().map(|x| (None, x)).collect() }
    }
}

impl From<&Vec<Tensor>> for Data {
    fn from(tensors: &Vec<Tensor>) -> Data {
        tensors.as_slice().into()
    }
}

impl<const N: usize> From<[(&str, &Tensor); N]> for Data {
    fn from(parts: [(&str, &Tensor); N]) -> Data {
        Data { parts: parts.into_iter().map(|(n, x)| (Some(n.to_owned()), x.clone())).collect() }
    }
}

impl From<Vec<(String, Tensor)>> for Data {
    fn from(parts: Vec<(String, Tensor)>) -> Data {
        Data { parts: parts.into_iter().map(|(name, x)| (Some(name), x)).collect() }
    }
}

impl<T: Element, S: ArrayData<Elem = T>, D: Dimension> From<&ArrayBase<S, D>> for Data {
    /// Copies the elements once.
    fn from(array: &ArrayBase<S, D>) -> Data {
        Tensor::from(array.view()).into()
    }
}

macro_rules! from_literals {
    ($($type:ty),*) => {$(
        impl<const A: usize> From<[$type; A]> for Data {
            fn from(values: [$type; A]) -> Data {
                Tensor::from(values).into()
            }
        }
        impl<const A: usize, const B: usize> From<[[$type; B]; A]> for Data {
            fn from(values: [[$type; B]; A]) -> Data {
                Tensor::from(values).into()
            }
        }
    )*};
}
from_literals!(f32, f64, i32, i64, u8, bool);
