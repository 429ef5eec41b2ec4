//! Every way in which a data set fails to load.

use std::io;
use std::path::{Path, PathBuf};

/// `Result` with this module's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a data set could not be loaded or split.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Files of a set that are not where they were looked for.
    #[error(
        "{set}: its four IDX files must lie in `{}`, plain or with `.gz`; missing are {}; {hint}",
        .directory.display(), .missing.join(", ")
    )]
    Missing {
        /// The set.
        set: &'static str,
        /// Where its files were looked for.
        directory: PathBuf,
        /// The files that are not there.
        missing: Vec<String>,
        /// Where to get them.
        hint: &'static str,
    },
    /// A file that could not be opened or read.
    #[error("`{}`: the file must be readable; got: {error}", .file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A file that does not hold what it should.
    #[error("`{}`: {rule}; got {got}", .file.display())]
    Content {
        /// The file.
        file: PathBuf,
        /// What must hold.
        rule: String,
        /// What was found.
        got: String,
    },
    /// A well-formed file that is not the original one.
    #[error(
        "`{}`: the content must be that of {set}, with CRC-32 {expected:08x}; got {got:08x}; \
         fetch the file again, or read your own data in this format with `load_unchecked`",
        .file.display()
    )]
    Checksum {
        /// The file.
        file: PathBuf,
        /// The set.
        set: &'static str,
        /// CRC-32 of the original, decompressed.
        expected: u32,
        /// CRC-32 of the file, decompressed.
        got: u32,
    },
    /// Arguments that don't fit the data.
    #[error(transparent)]
    Tensor(#[from] cornu_autodiff::Error),
}

impl Error {
    pub(crate) fn content(
        file: &Path,
        rule: impl Into<String>,
        got: impl std::fmt::Display,
    ) -> Error {
        Error::Content { file: file.to_path_buf(), rule: rule.into(), got: got.to_string() }
    }

    pub(crate) fn io(file: &Path, error: io::Error) -> Error {
        Error::Io { file: file.to_path_buf(), error }
    }
}
