//! NumPy's arrays in files: `.npy`, and `.npz`, a zip file of them.

use std::io::{self, Write};
use std::path::Path;

use cornu_autodiff::Tensor;

use super::archive::Archive;
use super::zip::{Fill, write_zip};
use crate::error::{Error, Result};
use crate::saving::codec::{element_bytes, in_file, read_file};
use crate::saving::elements::{Kind, tensor_of};
use crate::saving::write_file;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Letters and sizes of NumPy's types, as in `<f4`.
const KINDS: &[(&str, Kind)] = &[
    ("b1", Kind::Bool),
    ("u1", Kind::U8),
    ("u2", Kind::U16),
    ("u4", Kind::U32),
    ("i1", Kind::I8),
    ("i2", Kind::I16),
    ("i4", Kind::I32),
    ("i8", Kind::I64),
    ("f2", Kind::F16),
    ("f4", Kind::F32),
    ("f8", Kind::F64),
];

/// The arrays of a `.npz` file by name, in its order. Needs the feature `keras-files`.
///
/// ```
/// use cornu_autodiff::Tensor;
/// use cornu_models::saving::{read_npz, write_npz};
/// # let path = std::env::temp_dir().join(format!("doc-{}.npz", std::process::id()));
/// write_npz(&path, &[("x".into(), Tensor::from([1.5f32, 2.0]))])?;
/// let read = read_npz(&path)?;
/// assert_eq!((read[0].0.as_str(), read[0].1.to_vec::<f32>()?), ("x", vec![1.5, 2.0]));
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), cornu_models::Error>(())
/// ```
///
/// # Errors
/// When the file can't be read, was cut off or altered, or holds Python objects or numbers that
/// no tensor can hold.
pub fn read_npz(path: impl AsRef<Path>) -> Result<Vec<(String, Tensor)>> {
    let path = path.as_ref();
    parse_npz(read_file(path)?).map_err(in_file(path))
}

/// The arrays in the bytes of a `.npz` file.
pub(crate) fn parse_npz(bytes: Vec<u8>) -> Result<Vec<(String, Tensor)>> {
    let mut left = (bytes.len() as u64).saturating_mul(64).saturating_add(16 << 20);
    let mut archive = Archive::open(bytes.into())?;
    let mut arrays = Vec::new();
    for member in archive.names() {
        let name = member.strip_suffix(".npy").unwrap_or(&member).to_owned();
        let Some(bytes) = archive.read(&member, left)? else { continue };
        left -= bytes.as_ref().len() as u64;
        arrays.push((name, parse_npy(&member, bytes.as_ref())?));
    }
    Ok(arrays)
}

/// The array of a `.npy` file. Needs the feature `keras-files`.
///
/// # Errors
/// As [`read_npz`].
pub fn read_npy(path: impl AsRef<Path>) -> Result<Tensor> {
    let path = path.as_ref();
    parse_npy("npy", &read_file(path)?).map_err(in_file(path))
}

/// Writes arrays to a `.npz` file, bit for bit, as `numpy.savez` does; it is replaced whole.
/// Needs the feature `keras-files`.
///
/// # Errors
/// When a tensor has no value, two have one name, or the file can't be written.
pub fn write_npz(path: impl AsRef<Path>, arrays: &[(String, Tensor)]) -> Result<()> {
    let path = path.as_ref();
    for (at, (name, _)) in arrays.iter().enumerate() {
        if name.len() > 60_000 || arrays[..at].iter().any(|(other, _)| other == name) {
            let rule = "every array must have a short name of its own";
            return Err(Error::file(path, rule, format!("`{name}`")));
        }
    }
    let names: Vec<String> = arrays.iter().map(|(name, _)| format!("{name}.npy")).collect();
    let fills: Vec<_> = arrays
        .iter()
        .map(|(_, value)| move |out: &mut dyn Write| write_array(out, value))
        .collect();
    let members = names.iter().zip(&fills).map(|(name, fill)| (name.as_str(), fill as Fill<'_>));
    let members: Vec<(&str, Fill<'_>)> = members.collect();
    write_file(path, |out| write_zip(out, &members))
}

/// Writes an array to a `.npy` file, bit for bit; it is replaced whole. Needs the feature
/// `keras-files`.
///
/// # Errors
/// When the tensor has no value, or the file can't be written.
pub fn write_npy(path: impl AsRef<Path>, array: &Tensor) -> Result<()> {
    write_file(path, |out| write_array(out, array))
}

fn write_array(out: &mut dyn Write, value: &Tensor) -> io::Result<()> {
    let kind = Kind::of(value.dtype());
    let code = KINDS.iter().find(|(_, k)| *k == kind).map_or("f4", |(code, _)| code);
    let order = if kind.size() == 1 { '|' } else { '<' };
    let axes: Vec<String> = value.dims().iter().map(|d| format!("{d},")).collect();
    let mut header = format!(
        "{{'descr': '{order}{code}', 'fortran_order': False, 'shape': ({}), }}",
        axes.join(" ").trim_end_matches(if axes.len() > 1 { ',' } else { ' ' })
    );
    // The elements begin at a multiple of 64.
    let whole = (MAGIC.len() + 4 + header.len() + 1).next_multiple_of(64);
    header.push_str(&" ".repeat(whole - MAGIC.len() - 4 - header.len() - 1));
    header.push('\n');
    out.write_all(MAGIC)?;
    out.write_all(&[1, 0])?;
    out.write_all(&(header.len() as u16).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    out.write_all(&element_bytes(value).map_err(io::Error::other)?)
}

/// The array in the bytes of a `.npy` file.
pub(crate) fn parse_npy(place: &str, bytes: &[u8]) -> Result<Tensor> {
    let wrong = |rule: &str, got: String| Error::value(place, rule, got);
    let parts = bytes.strip_prefix(MAGIC).and_then(|rest| {
        let (version, rest) = rest.split_first_chunk::<2>()?;
        let (length, rest) = match version[0] {
            1 => {
                let (length, rest) = rest.split_first_chunk::<2>()?;
                (usize::from(u16::from_le_bytes(*length)), rest)
            }
            _ => {
                let (length, rest) = rest.split_first_chunk::<4>()?;
                (u32::from_le_bytes(*length) as usize, rest)
            }
        };
        rest.split_at_checked(length)
    });
    let Some((header, data)) = parts else {
        let got = format!("{} bytes", bytes.len());
        return Err(wrong("it must be an array written by NumPy", got));
    };
    let header = String::from_utf8_lossy(header);
    let Some(Header { kind, big, fortran, dims }) = header_of(&header) else {
        let rule = "the header must name numbers of 1 to 8 bytes, the order, and a shape";
        return Err(wrong(rule, header.chars().take(200).collect()));
    };
    if !fortran {
        return tensor_of(place, kind, big, &dims, data);
    }
    // Columns first: the array with its axes turned around.
    let turned: Vec<usize> = dims.iter().rev().copied().collect();
    let axes: Vec<isize> = (0..dims.len() as isize).rev().collect();
    Ok(tensor_of(place, kind, big, &turned, data)?.permute(axes))
}

struct Header {
    kind: Kind,
    big: bool,
    fortran: bool,
    dims: Vec<usize>,
}

/// What a Python dictionary says of an array.
fn header_of(text: &str) -> Option<Header> {
    let after = |key: &str| {
        let (_, rest) = text.split_once(&format!("'{key}'"))?;
        Some(rest.trim_start().strip_prefix(':')?.trim_start())
    };
    let descr = after("descr")?.strip_prefix('\'')?;
    let (descr, _) = descr.split_once('\'')?;
    let (order, code) = (descr.chars().next()?, descr.get(1..)?);
    let kind = KINDS.iter().find(|(known, _)| *known == code)?.1;
    if !['<', '>', '|', '='].contains(&order) {
        return None;
    }
    let fortran = after("fortran_order")?.starts_with("True");
    let (shape, _) = after("shape")?.strip_prefix('(')?.split_once(')')?;
    let axes = shape.split(',').map(str::trim).filter(|axis| !axis.is_empty());
    let dims = axes.map(|axis| axis.parse().ok()).collect::<Option<Vec<usize>>>()?;
    Some(Header { kind, big: order == '>', fortran, dims })
}

#[cfg(test)]
mod tests {
    use cornu_autodiff::{DType, Tensor};

    use super::{parse_npy, write_array};

    fn bytes(value: &Tensor) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_array(&mut bytes, value).unwrap();
        bytes
    }

    #[test]
    fn arrays_are_written_as_numpy_does() {
        for (value, shape) in [
            (Tensor::scalar(1.5f32), "()"),
            (Tensor::from([1i64, 2]), "(2,)"),
            (Tensor::zeros([2, 0, 3], DType::F64), "(2, 0, 3)"),
            (Tensor::from([[true, false]]), "(1, 2)"),
        ] {
            let bytes = bytes(&value);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            assert!(text.contains(&format!("'shape': {shape}, }}")), "{text}");
            let again = parse_npy("test", &bytes).unwrap();
            assert_eq!(again.spec(), value.spec());
            assert_eq!(again.to_f64_vec().unwrap(), value.to_f64_vec().unwrap());
        }
    }

    #[test]
    fn columns_may_come_first() {
        let rows = bytes(&Tensor::from([[1.0f32, 2.0], [3.0, 4.0], [5.0, 6.0]]));
        let at = rows.windows(5).position(|w| w == b"False").unwrap();
        let mut columns = rows.clone();
        columns[at..at + 5].copy_from_slice(b"True ");
        let x = parse_npy("test", &columns).unwrap();
        assert_eq!(x.dims(), [3, 2]);
        assert_eq!(x.to_vec::<f32>().unwrap(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }

    #[test]
    fn an_array_that_was_cut_off_or_lies_about_its_shape_is_an_error() {
        let whole = bytes(&Tensor::from([1.0f32, 2.0]));
        for length in 0..whole.len() {
            assert!(parse_npy("test", &whole[..length]).is_err(), "{length}");
        }
        let text = String::from_utf8_lossy(&whole).replace("(2,)", "(9999999999,)");
        assert!(parse_npy("test", text.as_bytes()).is_err());
    }
}
