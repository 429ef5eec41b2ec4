//! Files that are replaced whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};

/// Writes a file so that whoever reads it finds what was there before or what `fill` writes,
/// never a part of it, whenever the process is killed or the power fails.
///
/// The content goes to a temporary file beside it, is flushed to the disk, and takes the place
/// of the old one by renaming, which is flushed too. If anything fails, the temporary file is
/// removed and the old one stays; a process that is killed may leave `.NAME.….tmp` behind.
///
/// ```
/// # let folder = std::env::temp_dir();
/// # let path = folder.join(format!("cornu-atomic-{}", std::process::id()));
/// cornu_models::saving::write_file(&path, |file| file.write_all(b"whole"))?;
/// assert_eq!(std::fs::read(&path).unwrap(), b"whole");
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), cornu_models::Error>(())
/// ```
///
/// # Errors
/// When the folder can't be written to, the disk is full, the path is that of something other
/// than a file, or `fill` fails.
pub fn write_file(
    path: impl AsRef<Path>,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    let path = path.as_ref();
    let failed = |e: io::Error| Error::file(path, "the file can't be written", e);
    let target = target_of(path)?;
    let (temporary, file) = Temporary::beside(&target).map_err(failed)?;
    let mut writer = BufWriter::with_capacity(1 << 16, file);
    fill(&mut writer).map_err(failed)?;
    let file = writer.into_inner().map_err(|e| failed(e.into_error()))?;
    if let Ok(old) = fs::metadata(&target) {
        file.set_permissions(old.permissions()).map_err(failed)?;
    }
    file.sync_all().map_err(failed)?;
    drop(file); // Windows renames no open file.
    temporary.rename(&target).map_err(failed)?;
    sync_folder(&target).map_err(failed)
}

/// Makes the folder of a file, and those that it is in.
pub(crate) fn create_folder(path: &Path) -> Result<()> {
    let folder = folder_of(path);
    fs::create_dir_all(folder).map_err(|e| Error::file(folder, "the folder can't be made", e))
}

/// The file itself, where the path is a link to one: the link stays.
fn target_of(path: &Path) -> Result<PathBuf> {
    if path.file_name().is_none() {
        return Err(Error::file(path, "the path must end in a file name", "none"));
    }
    match fs::metadata(path) {
        Ok(found) if found.is_file() => {
            fs::canonicalize(path).map_err(|e| Error::file(path, "the file can't be found", e))
        }
        Ok(found) => {
            let got = if found.is_dir() { "a folder" } else { "a device or the like" };
            Err(Error::file(path, "only a file can be replaced by a file", got))
        }
        Err(_) => Ok(path.to_owned()),
    }
}

/// Makes the renaming itself last.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    // A folder that may be written but not read can't be opened; its file system will do it.
    match File::open(folder_of(path)) {
        Ok(folder) => match folder.sync_all() {
            Err(e) if e.kind() == io::ErrorKind::InvalidInput => Ok(()), // some network disks
            result => result,
        },
        Err(_) => Ok(()),
    }
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file that is removed unless it is renamed.
struct Temporary {
    path: PathBuf,
    renamed: bool,
}

impl Temporary {
    fn beside(target: &Path) -> io::Result<(Temporary, File)> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let own = format!(".{name}.{}-{count}.tmp", process::id());
            let path = folder_of(target).join(own);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((Temporary { path, renamed: false }, file)),
                // Left behind by a process that had this number before.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
    }

    fn rename(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            let _ = fs::remove_file(&self.path);
        }
    }
}
