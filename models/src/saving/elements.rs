//! Elements as files hold them: the types that tensors have, and others that fit into these.

use cornu_autodiff::{DType, Element, Tensor};

use crate::error::{Error, Result};

/// The type of elements in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    U8,
    U16,
    U32,
    I8,
    I16,
    I32,
    I64,
    F16,
    BF16,
    F32,
    F64,
}

impl Kind {
    /// The type that a tensor's elements are written as.
    pub(crate) fn of(dtype: DType) -> Kind {
        match dtype {
            DType::Bool => Kind::Bool,
            DType::U8 => Kind::U8,
            DType::I32 => Kind::I32,
            DType::I64 => Kind::I64,
            DType::F32 => Kind::F32,
            DType::F64 => Kind::F64,
        }
    }

    /// Bytes of one element.
    pub(crate) fn size(self) -> usize {
        match self {
            Kind::Bool | Kind::U8 | Kind::I8 => 1,
            Kind::U16 | Kind::I16 | Kind::F16 | Kind::BF16 => 2,
            Kind::U32 | Kind::I32 | Kind::F32 => 4,
            Kind::I64 | Kind::F64 => 8,
        }
    }

    /// NumPy's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Bool => "bool",
            Kind::U8 => "uint8",
            Kind::U16 => "uint16",
            Kind::U32 => "uint32",
            Kind::I8 => "int8",
            Kind::I16 => "int16",
            Kind::I32 => "int32",
            Kind::I64 => "int64",
            Kind::F16 => "float16",
            Kind::BF16 => "bfloat16",
            Kind::F32 => "float32",
            Kind::F64 => "float64",
        }
    }
}

/// A tensor of elements in row-major order, the lowest byte of each first unless `big`. Types
/// that tensors haven't are widened to the next that they have.
pub(crate) fn tensor_of(
    place: &str,
    kind: Kind,
    big: bool,
    dims: &[usize],
    bytes: &[u8],
) -> Result<Tensor> {
    let size = dims.iter().try_fold(kind.size(), |n, &d| n.checked_mul(d));
    if size != Some(bytes.len()) {
        let rule = format!("an array of shape {dims:?} must have as many bytes");
        return Err(Error::value(place, rule, bytes.len()));
    }
    fn read<const N: usize, T: Element>(
        bytes: &[u8],
        dims: &[usize],
        big: bool,
        element: impl Fn([u8; N]) -> T,
    ) -> cornu_autodiff::Result<Tensor> {
        let (chunks, _) = bytes.as_chunks::<N>();
        let turned = |chunk: &[u8; N]| {
            let mut chunk = *chunk;
            chunk.reverse();
            element(chunk)
        };
        let values: Vec<T> = match big {
            true => chunks.iter().map(turned).collect(),
            false => chunks.iter().map(|chunk| element(*chunk)).collect(),
        };
        Tensor::new(values, dims)
    }
    let made = match kind {
        Kind::Bool => read(bytes, dims, big, |[b]: [u8; 1]| b != 0),
        Kind::U8 => read(bytes, dims, big, |[b]: [u8; 1]| b),
        Kind::I8 => read(bytes, dims, big, |b| i32::from(i8::from_le_bytes(b))),
        Kind::U16 => read(bytes, dims, big, |b| i32::from(u16::from_le_bytes(b))),
        Kind::I16 => read(bytes, dims, big, |b| i32::from(i16::from_le_bytes(b))),
        Kind::U32 => read(bytes, dims, big, |b| i64::from(u32::from_le_bytes(b))),
        Kind::I32 => read(bytes, dims, big, i32::from_le_bytes),
        Kind::I64 => read(bytes, dims, big, i64::from_le_bytes),
        Kind::F16 => read(bytes, dims, big, |b| binary16(u16::from_le_bytes(b))),
        Kind::BF16 => read(bytes, dims, big, |b| bfloat16(u16::from_le_bytes(b))),
        Kind::F32 => read(bytes, dims, big, f32::from_le_bytes),
        Kind::F64 => read(bytes, dims, big, f64::from_le_bytes),
    };
    made.map_err(|e| Error::value(place, "it must be a tensor", e))
}

fn bfloat16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// IEEE 754's half precision.
fn binary16(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let (exponent, fraction) = (u32::from(bits >> 10 & 31), u32::from(bits & 1023));
    match exponent {
        0 => {
            let value = fraction as f32 * 2f32.powi(-24);
            f32::from_bits(sign | value.to_bits())
        }
        31 => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, bfloat16, binary16, tensor_of};

    #[test]
    fn halves_are_the_numbers_that_ieee_says() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0400, 6.103_515_6e-5),
            (0x0001, 5.960_464_5e-8),
            (0x3555, 0.333_251_95),
            (0x7c00, f32::INFINITY),
        ] {
            assert_eq!(binary16(bits), value);
        }
        assert!(binary16(0x7e00).is_nan());
        assert!(binary16(0x8000).is_sign_negative());
        assert_eq!((bfloat16(0x3f80), bfloat16(0xc040)), (1.0, -3.0));
    }

    #[test]
    fn the_highest_byte_may_come_first() {
        let x = tensor_of("test", Kind::I16, true, &[2], &[0, 1, 255, 254]).unwrap();
        assert_eq!(x.to_vec::<i32>().unwrap(), [1, -2]);
        assert!(tensor_of("test", Kind::F32, false, &[2, usize::MAX], &[0; 8]).is_err());
    }
}
