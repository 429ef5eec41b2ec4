//! What cornu's own binary files have in common: a head, a bincode body, a checksum.
//!
//! `magic (8 bytes) · version (u32) · body · CRC-32 of all before it (u32)`, little-endian.

use std::io::{self, Read, Write};

use bincode::config::{Configuration, Fixint, LittleEndian, standard};
use cornu_autodiff::{DType, Tensor};
use serde::{Deserialize, Serialize, Serializer};

use crate::error::{Error, Result};
use crate::saving::checksum::{Crc, number};

/// A kind of file.
#[derive(Debug)]
pub(crate) struct Format {
    /// What errors call it.
    pub(crate) name: &'static str,
    pub(crate) magic: [u8; 8],
    /// The only version there is so far.
    pub(crate) version: u32,
}

const HEAD: usize = 12;
const CHECKSUM: usize = 4;

fn layout() -> Configuration<LittleEndian, Fixint> {
    standard().with_fixed_int_encoding()
}

impl Format {
    /// Writes a file of this kind.
    pub(crate) fn write(&self, out: &mut dyn Write, body: &impl Serialize) -> io::Result<()> {
        let mut out = Checked { inner: out, crc: Crc::new() };
        out.write_all(&self.magic)?;
        out.write_all(&self.version.to_le_bytes())?;
        bincode::serde::encode_into_std_write(body, &mut out, layout())
            .map_err(io::Error::other)?;
        let crc = out.crc.value();
        out.inner.write_all(&crc.to_le_bytes())
    }

    /// The body of a file of this kind. Strings and bytes in it are borrowed from `bytes`, so
    /// that a length which lies allocates nothing.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&self, bytes: &'a [u8]) -> Result<T> {
        let wrong = |rule: &str, got: String| Err(Error::value(self.name, rule, got));
        if bytes.len() < HEAD + CHECKSUM || !bytes.starts_with(&self.magic) {
            let start = &bytes[..bytes.len().min(8)];
            let got = format!("{} bytes that begin with `{}`", bytes.len(), start.escape_ascii());
            return wrong(&format!("it must be a {} written by cornu", self.name), got);
        }
        let (content, crc) = bytes.split_at(bytes.len() - CHECKSUM);
        let version = number(&content[self.magic.len()..HEAD]);
        if version != self.version {
            let rule = format!("this cornu reads version {}", self.version);
            return wrong(&rule, format!("version {version}"));
        }
        let mut check = Crc::new();
        check.update(content);
        if check.value() != number(crc) {
            let rule = "the checksum must be right; the file was cut off or altered";
            return wrong(rule, format!("{:08x}, not {:08x}", check.value(), number(crc)));
        }
        match bincode::serde::borrow_decode_from_slice(&content[HEAD..], layout()) {
            Ok((body, used)) if used == content.len() - HEAD => Ok(body),
            Ok((_, used)) => {
                let rest = content.len() - HEAD - used;
                wrong("nothing must follow the content", format!("{rest} more bytes"))
            }
            Err(e) => wrong("the content must be whole", e.to_string()),
        }
    }
}

/// Writes and reads a struct as its fields, one after the other. (Deriving it would add a second and
/// a half to each cold build, for two structs.)
macro_rules! in_order {
    ($Name:ident { $($field:ident),* $(,)? }) => {
        impl<D: serde::Serialize> serde::Serialize for $Name<'_, D> {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                ($(&self.$field,)*).serialize(to)
            }
        }
        impl<'a, D: serde::Deserialize<'a>> serde::Deserialize<'a> for $Name<'a, D> {
            fn deserialize<F: serde::Deserializer<'a>>(from: F) -> Result<Self, F::Error> {
                let ($($field,)*) = serde::Deserialize::deserialize(from)?;
                Ok($Name { $($field),* })
            }
        }
    };
}
pub(super) use in_order;

/// A named tensor in a file; `D` is how its elements are held.
#[derive(Debug)]
pub(crate) struct Entry<'a, D> {
    pub(crate) name: &'a str,
    pub(crate) dtype: &'a str,
    pub(crate) shape: Vec<usize>,
    pub(crate) data: D,
}

in_order!(Entry { name, dtype, shape, data });

/// To be written.
pub(crate) type OutEntry<'a> = Entry<'a, Elements<'a>>;
/// As it was read.
pub(crate) type InEntry<'a> = Entry<'a, &'a [u8]>;

impl<'a> OutEntry<'a> {
    pub(crate) fn new(name: &'a str, value: &'a Tensor) -> OutEntry<'a> {
        let (dtype, shape) = (value.dtype().name(), value.dims().to_vec());
        Entry { name, dtype, shape, data: Elements(value) }
    }
}

impl InEntry<'_> {
    /// The tensor, if its dtype and shape are those of so many bytes.
    pub(crate) fn tensor(&self, place: &str) -> Result<Tensor> {
        let dtype: DType = self.dtype.parse()?;
        let size = self.shape.iter().try_fold(dtype.size(), |n, &d| n.checked_mul(d));
        if size != Some(self.data.len()) {
            let rule = format!("`{}` of shape {:?} must have as many bytes", self.name, self.shape);
            return Err(Error::value(place, rule, self.data.len()));
        }
        from_bytes(dtype, &self.shape, self.data)
            .map_err(|e| Error::value(place, format!("`{}` must be a tensor", self.name), e))
    }
}

/// Serializes as the elements' bytes, made only when they are written.
#[derive(Debug)]
pub(crate) struct Elements<'a>(&'a Tensor);

impl Serialize for Elements<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = element_bytes(self.0).map_err(serde::ser::Error::custom)?;
        serializer.serialize_bytes(&bytes)
    }
}

macro_rules! numbers {
    ($($DType:ident $type:ty),*) => {
        /// A tensor's elements in order, the lowest byte of each first.
        pub(crate) fn element_bytes(x: &Tensor) -> cornu_autodiff::Result<Vec<u8>> {
            match x.dtype() {
                $(DType::$DType => x.with_slice(|v: &[$type]| {
                    let mut bytes = Vec::with_capacity(size_of_val(v));
                    v.iter().for_each(|e| bytes.extend_from_slice(&e.to_le_bytes()));
                    bytes
                }),)*
                DType::Bool => x.with_slice(|v: &[bool]| v.iter().map(|&b| u8::from(b)).collect()),
            }
        }

        /// A tensor of such elements.
        pub(crate) fn from_bytes(dtype: DType, shape: &[usize], bytes: &[u8]) -> cornu_autodiff::Result<Tensor> {
            match dtype {
                $(DType::$DType => {
                    const SIZE: usize = size_of::<$type>();
                    let element = |b: &[u8]| {
                        <$type>::from_le_bytes(b.try_into().expect("chunks have this size"))
                    };
                    let values: Vec<$type> = bytes.chunks_exact(SIZE).map(element).collect();
                    Tensor::new(values, shape)
                })*
                DType::Bool => {
                    let values: Vec<bool> = bytes.iter().map(|&b| b != 0).collect();
                    Tensor::new(values, shape)
                }
            }
        }
    };
}
numbers!(F32 f32, F64 f64, I32 i32, I64 i64, U8 u8);

/// A whole file.
///
/// # Errors
/// When it can't be read.
pub(crate) fn read_file(path: &std::path::Path) -> Result<Vec<u8>> {
    let failed = |e: io::Error| Error::file(path, "the file can't be read", e);
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// An error of a file's content, as one of the file.
pub(crate) fn in_file(path: &std::path::Path) -> impl FnOnce(Error) -> Error {
    move |error| match error {
        Error::Value { rule, got, .. } => Error::file(path, rule, got),
        other => Error::file(path, "the content must be understood", other),
    }
}

/// A writer that sums up what passes through it.
struct Checked<'a> {
    inner: &'a mut dyn Write,
    crc: Crc,
}

impl Write for Checked<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.crc.update(&bytes[..written]);
        Ok(written)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
