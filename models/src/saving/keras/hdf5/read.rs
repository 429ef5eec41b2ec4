//! The arrays of an HDF5 file, which comes from strangers: what is read and how often groups
//! are visited is bounded by the file's size.

use cornu_autodiff::Tensor;
use hdf5_reader::group::Group;
use hdf5_reader::{Dataset, Hdf5File, OpenOptions};

use super::number::decode;
use crate::error::{Error, Result};

/// The most groups that may lie within each other.
const DEPTH: usize = 80;

/// All arrays together may have this many times the file's bytes: zeros compress well.
const TIMES: usize = 64;

/// What may be read of a file of any size.
const FREE: usize = 16 << 20;

/// An open file and its arrays, none of them read yet.
pub(in super::super) struct Tree {
    file: Hdf5File,
    arrays: Vec<Stored>,
    /// Bytes that may still be read.
    left: usize,
}

/// One array in a file.
pub(in super::super) struct Stored {
    /// From the root on, `layers/dense/vars/0`.
    pub(in super::super) path: String,
    dataset: Dataset,
}

impl Stored {
    /// The shape, if it can be one in memory.
    pub(in super::super) fn dims(&self) -> Option<Vec<usize>> {
        self.dataset.shape().iter().map(|&d| usize::try_from(d).ok()).collect()
    }

    /// The shape as it is stored.
    pub(in super::super) fn shape(&self) -> &[u64] {
        self.dataset.shape()
    }

    /// Bytes of its elements, without what they are compressed to.
    pub(in super::super) fn bytes(&self) -> u64 {
        self.dataset.raw_byte_len().map_or(u64::MAX, |bytes| bytes as u64)
    }

    /// The type of its elements, for people.
    pub(in super::super) fn dtype(&self) -> &'static str {
        super::number::name(&self.dataset)
    }
}

impl Tree {
    /// Opens a file and lists its arrays.
    pub(in super::super) fn open(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Tree> {
        let size = bytes.as_ref().len();
        let left = size.saturating_mul(TIMES).saturating_add(FREE);
        let options = OpenOptions::default()
            .with_max_read_bytes(left)
            .with_max_chunk_bytes(left)
            .with_max_object_header_bytes(size.min(16 << 20))
            .with_chunk_cache_bytes(0);
        let file = Hdf5File::from_owner(bytes, options)
            .map_err(|e| wrong("the file must be an HDF5 file", e))?;
        let root = file.root_group().map_err(|e| wrong("the root must be a group", e))?;
        let arrays = list(root, size)?;
        Ok(Tree { file, arrays, left })
    }

    /// The arrays, sorted by path.
    pub(in super::super) fn arrays(&self) -> &[Stored] {
        &self.arrays
    }

    /// The array at a path.
    pub(in super::super) fn find(&self, path: &str) -> Option<&Stored> {
        let at = self.arrays.binary_search_by(|stored| stored.path.as_str().cmp(path)).ok()?;
        Some(&self.arrays[at])
    }

    /// The values of array `at`, counted as they are listed.
    pub(in super::super) fn read(&mut self, path: &str) -> Result<Tensor> {
        let Some(stored) = self.find(path) else {
            return Err(wrong("there must be an array", format!("none at `{path}`")));
        };
        let place = |rule: &str, got: &dyn ToString| {
            Error::value(format!("`{path}`"), rule, got.to_string())
        };
        let bytes = stored.dataset.raw_byte_len().map_err(|e| place("it must be an array", &e))?;
        let Some(left) = self.left.checked_sub(bytes) else {
            let rule = "all arrays together may have 64 times the bytes of the file";
            return Err(place(rule, &format!("{bytes} bytes of shape {:?}", stored.shape())));
        };
        let value = decode(&format!("`{path}`"), &stored.dataset)?;
        self.left = left;
        Ok(value)
    }

    /// A text that a group has as an attribute; `None` if it has no such attribute.
    pub(in super::super) fn text(&self, group: &str, attribute: &str) -> Result<Option<String>> {
        let mut texts = self.texts(group, attribute)?;
        Ok(texts.as_mut().and_then(Vec::pop))
    }

    /// A list of names that a group has as an attribute. One that is too long for an attribute
    /// is split into several, `layer_names0`, `layer_names1`, …
    pub(in super::super) fn names(&self, group: &str, what: &str) -> Result<Option<Vec<String>>> {
        if let Some(names) = self.texts(group, what)? {
            return Ok(Some(names));
        }
        let mut names: Option<Vec<String>> = None;
        for at in 0.. {
            let Some(more) = self.texts(group, &format!("{what}{at}"))? else { break };
            names.get_or_insert_default().extend(more);
        }
        Ok(names)
    }

    /// Texts that a group has as an attribute; `None` if it has no such attribute.
    pub(in super::super) fn texts(
        &self,
        group: &str,
        attribute: &str,
    ) -> Result<Option<Vec<String>>> {
        let place = |e: hdf5_reader::error::Error| {
            let place = format!("attribute `{attribute}` of `{group}`");
            Error::value(place, "it must be readable", e)
        };
        let group = match group {
            "" => self.file.root_group(),
            path => self.file.group(path),
        };
        let Ok(group) = group else { return Ok(None) };
        let attributes = group.attributes().map_err(place)?;
        let Some(found) = attributes.iter().find(|a| a.name == attribute) else {
            return Ok(None);
        };
        if found.num_elements().map_err(place)? == 0 {
            return Ok(Some(Vec::new()));
        }
        let texts = found.read_strings().or_else(|_| found.read_string().map(|text| vec![text]));
        texts.map(Some).map_err(place)
    }
}

/// Every array below a group. A group may contain itself, so depth and number are bounded.
fn list(root: Group, size: usize) -> Result<Vec<Stored>> {
    let most = (size / 16).clamp(1 << 10, 1 << 20);
    let mut arrays: Vec<Stored> = Vec::new();
    let mut pending = vec![(root, String::new(), 0)];
    let mut seen = 0;
    while let Some((group, path, depth)) = pending.pop() {
        if depth == DEPTH {
            let rule = format!("at most {DEPTH} groups may lie within each other");
            return Err(wrong(&rule, "more; or a group that contains itself"));
        }
        let unread = |e| wrong("every group must be readable", e);
        let (groups, datasets) = group.members().map_err(unread)?;
        seen += groups.len() + datasets.len();
        if seen > most {
            let rule = format!("a file of this size may have {most} groups and arrays");
            return Err(wrong(&rule, "more; or a group that contains itself"));
        }
        let below = |name: &str| match path.is_empty() {
            true => name.to_owned(),
            false => format!("{path}/{name}"),
        };
        for dataset in datasets {
            arrays.push(Stored { path: below(dataset.name()), dataset });
        }
        for group in groups {
            let path = below(group.name());
            pending.push((group, path, depth + 1));
        }
    }
    arrays.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(arrays)
}

fn wrong(rule: &str, got: impl ToString) -> Error {
    Error::value("hdf5", rule, got)
}
