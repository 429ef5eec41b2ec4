//! The IDX format: the file format of MNIST and of the many sets that copy it.
//!
//! Two zero bytes, a byte for the element type, a byte for the number of axes, the axes as
//! big-endian 32-bit numbers, then the elements, big-endian, in row-major order (Yann LeCun,
//! Corinna Cortes and Christopher J. C. Burges, *The MNIST database of handwritten digits*).

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use cornu_autodiff::{MAX_RANK, Tensor};
use flate2::Crc;
use flate2::read::MultiGzDecoder;

use crate::error::{Error, Result};

/// What must hold of a file before anything else.
const READABLE: &str = "the file must be readable";
/// First bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The most bytes that one byte of DEFLATE data can stand for.
const LARGEST_RATIO: u64 = 1032;
/// Memory set aside before the elements are read; more is taken as they come.
const FIRST_RESERVE: u64 = 64 << 20;

/// The tensor in an IDX file, plain or gzipped; which of the two is seen by its first bytes.
///
/// uint8, int32, float32 and float64 keep their types; int8 and int16 become int32.
/// The file must hold exactly the elements that its header declares, and no memory is set aside
/// for what the file is too small to hold.
///
/// # Errors
/// When the file can't be read, or is not a whole IDX file.
pub fn read(path: impl AsRef<Path>) -> Result<Tensor> {
    Ok(read_with_checksum(path.as_ref())?.0)
}

/// The tensor, and the CRC-32 of the decompressed file.
pub(super) fn read_with_checksum(path: &Path) -> Result<(Tensor, u32)> {
    let (mut reader, limit) = open(path)?;
    let mut checksum = Crc::new();
    let mut bytes = |buffer: &mut [u8]| {
        reader.read_exact(buffer).map_err(|e| unreadable(path, "a whole IDX header", e))?;
        checksum.update(buffer);
        Ok::<_, Error>(())
    };
    let mut magic = [0; 4];
    bytes(&mut magic)?;
    let (element, rank) = element(path, magic)?;
    let mut header = vec![0; 4 * rank];
    bytes(&mut header)?;
    let (axes, _) = header.as_chunks::<4>();
    let dims: Vec<usize> = axes.iter().map(|&axis| u32::from_be_bytes(axis) as usize).collect();
    let limit = limit.saturating_sub((magic.len() + header.len()) as u64);
    let values = elements(path, &mut reader, limit, &dims, element.size)?;
    checksum.update(&values);
    let tensor = (element.decode)(values, dims);
    let tensor = tensor.map_err(|e| Error::file(path, "the axes must make a tensor", e))?;
    Ok((tensor, checksum.sum()))
}

/// The decompressed bytes of a file, and the most there can be of them.
fn open(path: &Path) -> Result<(Box<dyn Read>, u64)> {
    let io = |e| Error::file(path, READABLE, e);
    let mut file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    let mut start = Vec::new();
    file.by_ref().take(GZIP.len() as u64).read_to_end(&mut start).map_err(io)?;
    file.rewind().map_err(io)?;
    let file = BufReader::new(file);
    if start == GZIP {
        let limit = length.saturating_mul(LARGEST_RATIO);
        return Ok((Box::new(MultiGzDecoder::new(file)), limit));
    }
    Ok((Box::new(file), length))
}

/// How the elements of one type are stored.
struct Element {
    size: usize,
    decode: fn(Vec<u8>, Vec<usize>) -> Result<Tensor, cornu_autodiff::Error>,
}

/// What the first four bytes say: element type and number of axes.
fn element(path: &Path, magic: [u8; 4]) -> Result<(Element, usize)> {
    macro_rules! numbers {
        ($from:ty, $to:ty) => {
            Element {
                size: size_of::<$from>(),
                decode: |bytes, dims| {
                    let (numbers, _) = bytes.as_chunks::<{ size_of::<$from>() }>();
                    let number = |&n| <$to>::from(<$from>::from_be_bytes(n));
                    Tensor::new(numbers.iter().map(number).collect(), dims)
                },
            }
        };
    }
    let element = match magic {
        [0, 0, 0x08, _] => Element { size: 1, decode: |bytes, dims| Tensor::new(bytes, dims) },
        [0, 0, 0x09, _] => numbers!(i8, i32),
        [0, 0, 0x0b, _] => numbers!(i16, i32),
        [0, 0, 0x0c, _] => numbers!(i32, i32),
        [0, 0, 0x0d, _] => numbers!(f32, f32),
        [0, 0, 0x0e, _] => numbers!(f64, f64),
        _ => {
            let rule = "an IDX file must begin with 00 00, a type in 08 09 0b 0c 0d 0e, and the \
                        number of axes";
            let [a, b, c, d] = magic;
            return Err(Error::file(path, rule, format!("{a:02x} {b:02x} {c:02x} {d:02x}")));
        }
    };
    let rank = usize::from(magic[3]);
    if rank > MAX_RANK {
        let rule = format!("a tensor has at most {MAX_RANK} axes");
        return Err(Error::file(path, rule, rank));
    }
    Ok((element, rank))
}

/// The bytes of the elements: exactly as many as the header declares.
fn elements(
    path: &Path,
    reader: &mut dyn Read,
    limit: u64,
    dims: &[usize],
    size: usize,
) -> Result<Vec<u8>> {
    let declared = dims.iter().try_fold(size as u64, |n, &dim| n.checked_mul(dim as u64));
    let wants = |n: u64| format!("a header with axes {dims:?} must be followed by {n} bytes");
    let Some(declared) = declared.filter(|&n| n < u64::MAX) else {
        let rule = "the number of elements must fit in 64 bits";
        return Err(Error::file(path, rule, format!("axes {dims:?}")));
    };
    if declared > limit {
        let got = format!("a file that has room for {limit}");
        return Err(Error::file(path, wants(declared), got));
    }
    let mut values = Vec::with_capacity(declared.min(FIRST_RESERVE) as usize);
    // One byte more than declared, to see whether there is more.
    let read = reader.take(declared + 1).read_to_end(&mut values);
    if let Err(e) = read {
        let got = values.len();
        return Err(unreadable(path, &format!("{} ({got} came)", wants(declared)), e));
    }
    match values.len() as u64 {
        n if n == declared => Ok(values),
        n if n < declared => Err(Error::file(path, wants(declared), n)),
        _ => Err(Error::file(path, wants(declared), "more")),
    }
}

/// A failed read: of the content when it ends early or gzip finds it damaged, else of the system.
fn unreadable(path: &Path, rule: &str, error: std::io::Error) -> Error {
    use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match error.kind() {
        UnexpectedEof => Error::file(path, rule, "the end of the file"),
        InvalidData | InvalidInput => {
            Error::file(path, rule, format!("damaged gzip data: {error}"))
        }
        _ => Error::file(path, READABLE, error),
    }
}
