//! HDF5 files as Keras can read them: superblock 2, groups with their links in the header,
//! contiguous arrays (HDF5 File Format Specification 3.0). All sizes follow from names and
//! shapes, so that a file is written from front to back.

use std::collections::BTreeMap;
use std::io::{self, Write};

use cornu_autodiff::{DType, Tensor};

use super::lookup3::checksum;
use crate::error::{Error, Result};
use crate::saving::codec::element_bytes;

/// An address of nothing.
const UNDEFINED: u64 = u64::MAX;
const SUPERBLOCK: u64 = 48;
const LONGEST_NAME: usize = 1 << 12;

/// What a file will hold.
#[derive(Debug, Default)]
pub(in super::super) struct Draft {
    root: Node,
}

#[derive(Debug)]
enum Node {
    Group(BTreeMap<String, Node>),
    Array(Tensor),
}

impl Default for Node {
    fn default() -> Node {
        Node::Group(BTreeMap::new())
    }
}

impl Draft {
    /// Adds a group, unless it is there.
    pub(in super::super) fn group(&mut self, path: &str) -> Result<()> {
        self.place(path).map(|_| ())
    }

    /// Adds an array at a path that is free.
    pub(in super::super) fn array(&mut self, path: &str, value: &Tensor) -> Result<()> {
        let (groups, name) = path.rsplit_once('/').unwrap_or(("", path));
        let taken = self.place(groups)?.insert(name.to_owned(), Node::Array(value.clone()));
        match taken {
            None => Ok(()),
            Some(_) => Err(wrong("every array must have a path of its own", path)),
        }
    }

    fn place(&mut self, path: &str) -> Result<&mut BTreeMap<String, Node>> {
        let mut node = &mut self.root;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            if name.len() > LONGEST_NAME {
                let rule = format!("a name may have {LONGEST_NAME} bytes");
                return Err(wrong(&rule, name.len()));
            }
            node = match node {
                Node::Group(members) => members.entry(name.to_owned()).or_default(),
                Node::Array(_) => break,
            };
        }
        match node {
            Node::Group(members) => Ok(members),
            Node::Array(_) => Err(wrong("what has members must be a group", path)),
        }
    }

    /// Writes the file; the same bytes each time.
    pub(in super::super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut objects = Vec::new();
        flatten(&self.root, &mut objects);
        let headers: u64 = objects.iter().map(|o| header_size(o)).sum();
        let mut starts = Vec::new();
        let (mut header, mut data) = (SUPERBLOCK, aligned(SUPERBLOCK + headers));
        let first = data;
        for object in &objects {
            starts.push((header, data));
            header += header_size(object);
            data += aligned(data_size(object));
        }
        out.write_all(&superblock(SUPERBLOCK, data))?;
        for (object, &(_, data)) in objects.iter().zip(&starts) {
            out.write_all(&header_of(object, data, &starts))?;
        }
        pad(out, first - header)?;
        for object in &objects {
            if let Object::Array(value) = object {
                let bytes = element_bytes(value).map_err(io::Error::other)?;
                out.write_all(&bytes)?;
                pad(out, aligned(bytes.len() as u64) - bytes.len() as u64)?;
            }
        }
        Ok(())
    }
}

/// A group with the names and numbers of its members, or an array.
enum Object<'a> {
    Group(Vec<(&'a str, usize)>),
    Array(&'a Tensor),
}

/// Numbers a node and all below it; gives its number.
fn flatten<'a>(node: &'a Node, objects: &mut Vec<Object<'a>>) -> usize {
    let own = objects.len();
    match node {
        Node::Array(value) => objects.push(Object::Array(value)),
        Node::Group(members) => {
            objects.push(Object::Group(Vec::new()));
            let link = |(name, member)| (String::as_str(name), flatten(member, objects));
            let links = members.iter().map(link).collect();
            objects[own] = Object::Group(links);
        }
    }
    own
}

fn aligned(size: u64) -> u64 {
    size.next_multiple_of(8)
}

fn pad(out: &mut dyn Write, count: u64) -> io::Result<()> {
    out.write_all(&[0; 8][..count as usize])
}

fn data_size(object: &Object<'_>) -> u64 {
    match object {
        Object::Group(_) => 0,
        Object::Array(value) => (value.size() * value.dtype().size()) as u64,
    }
}

fn superblock(root: u64, end: u64) -> Vec<u8> {
    let mut bytes = b"\x89HDF\r\n\x1a\n".to_vec();
    // Version, bytes of an address and of a length, flags.
    bytes.extend([2, 8, 8, 0]);
    for address in [0, UNDEFINED, end, root] {
        bytes.extend(address.to_le_bytes());
    }
    seal(bytes)
}

/// Bytes with their checksum behind them.
fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = checksum(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// Bytes of an object header: the same for every address.
fn header_size(object: &Object<'_>) -> u64 {
    header_of(object, 0, &[]).len() as u64
}

/// An object header, version 2, with one chunk whose size takes four bytes.
fn header_of(object: &Object<'_>, data: u64, starts: &[(u64, u64)]) -> Vec<u8> {
    let messages = match object {
        Object::Group(links) => {
            let address = |at: usize| starts.get(at).map_or(0, |(header, _)| *header);
            group_messages(links.iter().map(|(name, at)| (*name, address(*at))))
        }
        Object::Array(value) => array_messages(value, data),
    };
    let mut bytes = b"OHDR".to_vec();
    bytes.extend([2, 2]);
    bytes.extend((messages.len() as u32).to_le_bytes());
    bytes.extend(messages);
    seal(bytes)
}

/// Appends a header message: its type, size, no flags.
fn message(out: &mut Vec<u8>, kind: u8, body: &[u8]) {
    out.push(kind);
    out.extend((body.len() as u16).to_le_bytes());
    out.push(0);
    out.extend(body);
}

fn group_messages<'a>(links: impl Iterator<Item = (&'a str, u64)>) -> Vec<u8> {
    let mut out = Vec::new();
    // Link info: version, flags, no heap and no index elsewhere.
    let mut info = vec![0, 0];
    info.extend([0xff; 16]);
    message(&mut out, 2, &info);
    // Group info: version, flags.
    message(&mut out, 10, &[0, 0]);
    for (name, address) in links {
        // Version, flags (a name's length in two bytes, its charset told), UTF-8; a hard link.
        let mut link = vec![1, 0b1_0001, 1];
        link.extend((name.len() as u16).to_le_bytes());
        link.extend(name.as_bytes());
        link.extend(address.to_le_bytes());
        message(&mut out, 6, &link);
    }
    out
}

fn array_messages(value: &Tensor, address: u64) -> Vec<u8> {
    let mut out = Vec::new();
    // Dataspace: version, rank, no largest sizes, scalar or simple; then the sizes.
    let rank = value.rank() as u8;
    let mut space = vec![2, rank, 0, u8::from(rank > 0)];
    value.dims().iter().for_each(|&d| space.extend((d as u64).to_le_bytes()));
    message(&mut out, 1, &space);
    message(&mut out, 3, &datatype(value.dtype()));
    // Fill value: version; room is made late, nothing is filled in unless it is set.
    message(&mut out, 5, &[3, 0x0a]);
    let size = (value.size() * value.dtype().size()) as u64;
    let mut layout = vec![3, 1];
    layout.extend(if size == 0 { UNDEFINED } else { address }.to_le_bytes());
    layout.extend(size.to_le_bytes());
    message(&mut out, 8, &layout);
    out
}

/// A datatype, version 1, lowest byte first.
fn datatype(dtype: DType) -> Vec<u8> {
    let size = dtype.size() as u8;
    let bits = size * 8;
    if dtype.is_float() {
        // Where the exponent is, bits of it, bits of the fraction, bias.
        let (at, exponent, fraction, bias) =
            if size == 4 { (23, 8, 23, 127u32) } else { (52, 11, 52, 1023) };
        // The highest bit of the fraction is not stored; the sign is the highest of all.
        let mut out = vec![0x11, 0x20, bits - 1, 0, size, 0, 0, 0];
        out.extend([0, 0, bits, 0, at, exponent, 0, fraction]);
        out.extend(bias.to_le_bytes());
        return out;
    }
    let signed = if matches!(dtype, DType::I32 | DType::I64) { 8 } else { 0 };
    vec![0x10, signed, 0, 0, size, 0, 0, 0, 0, 0, bits, 0]
}

fn wrong(rule: &str, got: impl ToString) -> Error {
    Error::value("hdf5", rule, got)
}
