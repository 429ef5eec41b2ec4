//! Elements of HDF5 arrays as elements of tensors.

use cornu_autodiff::Tensor;
use hdf5_reader::{ByteOrder, Dataset, Datatype};

use crate::error::{Error, Result};
use crate::saving::elements::{Kind, tensor_of};

/// The values of an array, in the dtype that holds them all.
pub(super) fn decode(place: &str, dataset: &Dataset) -> Result<Tensor> {
    let unread =
        |e: hdf5_reader::error::Error| Error::value(place, "its values must be readable", e);
    let dims: Option<Vec<usize>> =
        dataset.shape().iter().map(|&d| usize::try_from(d).ok()).collect();
    let Some(dims) = dims else {
        let got = format!("{:?}", dataset.shape());
        return Err(Error::value(place, "its shape must fit into memory", got));
    };
    let Some((kind, big)) = kind_of(dataset) else {
        let rule = "its elements must be numbers of 1, 2, 4 or 8 bytes, all of which int64 or \
                    float64 can hold";
        return Err(Error::value(place, rule, format!("{:?}", dataset.dtype())));
    };
    if kind == Kind::F32 && !big {
        // The most frequent kind is read in place.
        let count = dims.iter().product();
        let mut values: Vec<f32> = Vec::new();
        let room = values.try_reserve_exact(count);
        room.map_err(|e| Error::value(place, "its values must fit into memory", e))?;
        values.resize(count, 0.0);
        dataset.read_into(&mut values).map_err(unread)?;
        return Ok(Tensor::new(values, &dims[..])?);
    }
    tensor_of(place, kind, big, &dims, &dataset.read_raw_bytes().map_err(unread)?)
}

/// The type of an array's elements, and whether their highest byte comes first.
fn kind_of(dataset: &Dataset) -> Option<(Kind, bool)> {
    use Datatype as T;
    let (kind, order) = match dataset.dtype() {
        T::FloatingPoint { size: 4, byte_order } => (Kind::F32, byte_order),
        T::FloatingPoint { size: 8, byte_order } => (Kind::F64, byte_order),
        T::FloatingPoint { size: 2, byte_order } => {
            let kind = match exponent_bits(dataset)? {
                5 => Kind::F16,
                8 => Kind::BF16,
                _ => return None,
            };
            (kind, byte_order)
        }
        T::FixedPoint { size, signed, byte_order } => {
            let kind = match (size, signed) {
                (1, false) => Kind::U8,
                (1, true) => Kind::I8,
                (2, false) => Kind::U16,
                (2, true) => Kind::I16,
                (4, false) => Kind::U32,
                (4, true) => Kind::I32,
                (8, true) => Kind::I64,
                _ => return None,
            };
            (kind, byte_order)
        }
        // As Keras keeps bfloat16.
        T::Opaque { size: 2, .. } => return Some((Kind::BF16, false)),
        _ => return None,
    };
    Some((kind, *order == ByteOrder::BigEndian))
}

/// The type of an array's elements, for people.
pub(super) fn name(dataset: &Dataset) -> &'static str {
    match (kind_of(dataset), dataset.dtype()) {
        (Some((kind, _)), _) => kind.name(),
        (None, Datatype::String { .. } | Datatype::VarLen { .. }) => "text",
        (None, _) => "other",
    }
}

/// Bits of the exponent of a floating-point type; the reader doesn't tell.
fn exponent_bits(dataset: &Dataset) -> Option<u8> {
    // Class and flags, size, bit offset, precision, then where and how long the exponent is.
    dataset.raw_datatype().ok()?.get(13).copied()
}
