//! Zip files as Keras writes them: members as they are, none compressed, sizes told in front.

use std::io::{self, Write};

use crate::saving::checksum::Crc;

/// Writes the content of a member; it must give the same bytes each time.
pub(super) type Fill<'a> = &'a dyn Fn(&mut dyn Write) -> io::Result<()>;

/// 1 January 1980, the first day that zip knows; `metadata.json` tells when it was.
const DATE: u16 = 0x21;

/// A member: what its local and central headers say.
struct Member<'a> {
    name: &'a str,
    crc: u32,
    size: u64,
    offset: u64,
}

/// Writes a zip file from front to back. Each member is made twice: once to be measured.
pub(super) fn write_zip(out: &mut dyn Write, members: &[(&str, Fill<'_>)]) -> io::Result<()> {
    let mut written = Vec::new();
    let mut offset = 0;
    for &(name, fill) in members {
        let mut measured = Measured { crc: Crc::new(), size: 0 };
        fill(&mut measured)?;
        let member = Member { name, crc: measured.crc.value(), size: measured.size, offset };
        let head = member.local();
        out.write_all(&head)?;
        fill(out)?;
        offset += head.len() as u64 + member.size;
        written.push(member);
    }
    let directory: Vec<u8> = written.iter().flat_map(Member::central).collect();
    out.write_all(&directory)?;
    out.write_all(&end(written.len() as u64, directory.len() as u64, offset))
}

impl Member<'_> {
    /// Sizes that don't fit into four bytes are told in an extra field.
    fn is_large(&self) -> bool {
        self.size >= u64::from(u32::MAX) || self.offset >= u64::from(u32::MAX)
    }

    /// What both headers have: version needed, UTF-8 names, stored, date, checksum, sizes,
    /// length of the name.
    fn common(&self) -> Vec<u8> {
        let version: u16 = if self.is_large() { 45 } else { 20 };
        let mut out = Vec::new();
        for number in [version, 1 << 11, 0, 0, DATE] {
            out.extend(number.to_le_bytes());
        }
        let size = if self.is_large() { u32::MAX } else { self.size as u32 };
        for number in [self.crc, size, size] {
            out.extend(number.to_le_bytes());
        }
        out.extend((self.name.len() as u16).to_le_bytes());
        out
    }

    /// The extra field with large numbers.
    fn extra(&self, numbers: &[u64]) -> Vec<u8> {
        if !self.is_large() {
            return Vec::new();
        }
        let mut out = vec![1, 0];
        out.extend((8 * numbers.len() as u16).to_le_bytes());
        numbers.iter().for_each(|n| out.extend(n.to_le_bytes()));
        out
    }

    fn local(&self) -> Vec<u8> {
        let extra = self.extra(&[self.size, self.size]);
        let mut out = b"PK\x03\x04".to_vec();
        out.extend(self.common());
        out.extend((extra.len() as u16).to_le_bytes());
        out.extend(self.name.as_bytes());
        out.extend(extra);
        out
    }

    fn central(&self) -> Vec<u8> {
        let extra = self.extra(&[self.size, self.size, self.offset]);
        let offset = if self.is_large() { u32::MAX } else { self.offset as u32 };
        let mut out = b"PK\x01\x02".to_vec();
        // Made by Unix, so that the rights below are read.
        out.extend([45, 3]);
        out.extend(self.common());
        // Lengths of the extra field and the comment, disk, kind of content.
        for number in [extra.len() as u16, 0, 0, 0] {
            out.extend(number.to_le_bytes());
        }
        // A file that its owner may read and write, others read.
        out.extend((0o100_644_u32 << 16).to_le_bytes());
        out.extend(offset.to_le_bytes());
        out.extend(self.name.as_bytes());
        out.extend(extra);
        out
    }
}

/// What ends a zip file, with the record of large numbers before it if one is needed.
fn end(count: u64, size: u64, offset: u64) -> Vec<u8> {
    let mut out = Vec::new();
    if offset >= u64::from(u32::MAX) {
        out.extend(b"PK\x06\x06");
        // Size of what follows, versions made by and needed, this and the first disk.
        out.extend(44u64.to_le_bytes());
        out.extend([45, 3, 45, 0]);
        out.extend([0; 8]);
        for number in [count, count, size, offset] {
            out.extend(number.to_le_bytes());
        }
        out.extend(b"PK\x06\x07");
        out.extend([0; 4]);
        out.extend((offset + size).to_le_bytes());
        out.extend(1u32.to_le_bytes());
    }
    out.extend(b"PK\x05\x06");
    out.extend([0; 4]);
    for _ in 0..2 {
        out.extend((count.min(u64::from(u16::MAX)) as u16).to_le_bytes());
    }
    for number in [size, offset] {
        out.extend((number.min(u64::from(u32::MAX)) as u32).to_le_bytes());
    }
    out.extend([0; 2]);
    out
}

/// A writer that only sums up and counts.
struct Measured {
    crc: Crc,
    size: u64,
}

impl Write for Measured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.crc.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
