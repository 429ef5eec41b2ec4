//! The members of a zip file, which comes from strangers.

use std::io::{Cursor, Read};
use std::ops::Range;
use std::sync::Arc;

use zip::{CompressionMethod, ZipArchive};

use crate::error::{Error, Result};
use crate::saving::checksum::Crc;

/// A part of bytes that are shared, not copied.
#[derive(Clone, Debug)]
pub(super) struct Slice {
    bytes: Arc<Vec<u8>>,
    range: Range<usize>,
}

impl From<Vec<u8>> for Slice {
    fn from(bytes: Vec<u8>) -> Slice {
        let range = 0..bytes.len();
        Slice { bytes: Arc::new(bytes), range }
    }
}

impl AsRef<[u8]> for Slice {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[self.range.clone()]
    }
}

/// A zip file in memory.
pub(super) struct Archive {
    whole: Slice,
    zip: ZipArchive<Cursor<Slice>>,
}

impl Archive {
    /// Reads the directory.
    pub(super) fn open(whole: Slice) -> Result<Archive> {
        let zip = ZipArchive::new(Cursor::new(whole.clone()))
            .map_err(|e| wrong("the file must be a zip file", e))?;
        if zip.has_duplicate_names() {
            return Err(wrong("no member may be there twice", "two of one name"));
        }
        Ok(Archive { whole, zip })
    }

    /// The members' names.
    pub(super) fn names(&self) -> Vec<String> {
        self.zip.file_names_raw().map(|n| String::from_utf8_lossy(n).into_owned()).collect()
    }

    /// A member's bytes, no more than `most` of them; its checksum must be right. One that is
    /// stored as it is, as Keras does, isn't copied.
    pub(super) fn read(&mut self, name: &str, most: u64) -> Result<Option<Slice>> {
        let Some(at) = self.zip.index_for_name(name) else { return Ok(None) };
        let unread = |e: &dyn std::fmt::Display| wrong(&format!("`{name}` must be readable"), e);
        let member = self.zip.by_index(at).map_err(|e| unread(&e))?;
        if member.size() > most {
            let rule = format!("`{name}` may have {most} bytes in a file of this size");
            return Err(wrong(&rule, member.size()));
        }
        let (size, crc) = (member.size(), member.crc32());
        if member.compression() == CompressionMethod::Stored && !member.encrypted() {
            let start = member.data_start().and_then(|n| usize::try_from(n).ok());
            let range = start.and_then(|start| Some(start..start.checked_add(size as usize)?));
            let base = self.whole.range.start;
            let range = range.filter(|range| range.end <= self.whole.range.len());
            let range = range.ok_or_else(|| unread(&"a member that is cut off"))?;
            let range = base + range.start..base + range.end;
            let slice = Slice { bytes: self.whole.bytes.clone(), range };
            let mut check = Crc::new();
            check.update(slice.as_ref());
            if check.value() != crc {
                return Err(unread(&"a wrong checksum; the file was cut off or altered"));
            }
            return Ok(Some(slice));
        }
        let mut bytes = Vec::new();
        member.take(most + 1).read_to_end(&mut bytes).map_err(|e| unread(&e))?;
        if bytes.len() as u64 > most {
            let rule = format!("`{name}` may have {most} bytes in a file of this size");
            return Err(wrong(&rule, "more"));
        }
        Ok(Some(bytes.into()))
    }
}

fn wrong(rule: &str, got: impl ToString) -> Error {
    Error::value("zip", rule, got)
}
