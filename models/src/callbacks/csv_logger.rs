//! The epochs' values in a file.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::{Callback, Run};
use crate::error::{Error, Result};
use crate::history::{LogNames, Logs};

/// Writes a line an epoch to a CSV file: the epoch, counted from 0, then every value of the
/// logs, under a line of names. Each line is in the file before the next epoch begins.
///
/// Unlike Keras's, it has no columns of validation where there is no validation, and lines end
/// with a line feed alone.
///
/// ```
/// use cornu_models::callbacks::CSVLogger;
/// let log = CSVLogger::new("training.csv").append(true);
/// ```
#[derive(Debug)]
pub struct CSVLogger {
    path: PathBuf,
    separator: char,
    append: bool,
    file: Option<File>,
    names: Vec<String>,
}

impl CSVLogger {
    /// Writes to this file, from the beginning.
    pub fn new(path: impl Into<PathBuf>) -> CSVLogger {
        let path = path.into();
        CSVLogger { path, separator: ',', append: false, file: None, names: Vec::new() }
    }

    /// What stands between values; a comma unless set.
    #[must_use]
    pub fn separator(mut self, separator: char) -> CSVLogger {
        self.separator = separator;
        self
    }

    /// Whether lines are added to what the file holds.
    #[must_use]
    pub fn append(mut self, append: bool) -> CSVLogger {
        self.append = append;
        self
    }

    fn line(&mut self, cells: &[String]) -> Result<()> {
        let line = cells.join(&self.separator.to_string()) + "\n";
        let Some(file) = &mut self.file else { return Ok(()) };
        let written = file.write_all(line.as_bytes()).and_then(|()| file.flush());
        written.map_err(|e| Error::file(&self.path, "it must be writable", e))
    }
}

impl Callback for CSVLogger {
    fn name(&self) -> &str {
        "csv_logger"
    }

    fn check(&mut self, names: &LogNames) -> Result<()> {
        self.names = names.iter().map(str::to_owned).collect();
        Ok(())
    }

    fn on_train_begin(&mut self, _: &mut Run<'_>) -> Result<()> {
        let wrong = |e| Error::file(&self.path, "it must be writable", e);
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(!self.append)
            .open(&self.path)
            .map_err(wrong)?;
        let empty = file.seek(SeekFrom::End(0)).map_err(wrong)? == 0;
        self.file = Some(file);
        if empty {
            let header: Vec<String> =
                std::iter::once("epoch".to_owned()).chain(self.names.clone()).collect();
            self.line(&header)?;
        }
        Ok(())
    }

    fn on_epoch_end(&mut self, _: &mut Run<'_>, epoch: usize, logs: &Logs) -> Result<()> {
        // An epoch without validation has `NA` there, as Keras writes.
        let value = |name: &String| logs.get(name).map_or("NA".to_owned(), |v| v.to_string());
        let cells: Vec<String> =
            std::iter::once(epoch.to_string()).chain(self.names.iter().map(value)).collect();
        self.line(&cells)
    }

    fn on_train_end(&mut self, _: &mut Run<'_>) -> Result<()> {
        self.file = None;
        Ok(())
    }
}
