//! House rules that a reader relies on.

use std::fs;
use std::path::{Path, PathBuf};

/// A file is read in one sitting.
const MOST_LINES: usize = 400;

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of the repository can be read");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "rs"))
        .collect()
}

#[test]
fn no_source_file_is_longer_than_400_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = ["autodiff", "benches", "cli", "examples", "layers", "models", "src", "tests"];
    let files: Vec<PathBuf> = folders.iter().flat_map(|name| sources(&root.join(name))).collect();
    assert!(files.len() > 300, "{} files were found", files.len());
    for file in files {
        let lines = fs::read_to_string(&file).expect("text").lines().count();
        assert!(lines <= MOST_LINES, "{}: {lines} lines", file.display());
    }
}
