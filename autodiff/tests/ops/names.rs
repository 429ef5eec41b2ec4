//! The rows are the ops: names are read from the source, so that none can be forgotten.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::table;

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder of ops can be read");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect()
}

/// Names of the ops that a file of source defines: literal ones, constants of what a generic op
/// is made for, and rows of its tables.
fn names(source: &str) -> Vec<String> {
    let lines: Vec<&str> = source.lines().collect();
    let mut names = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        if line.trim() == "fn name(&self) -> &'static str {" {
            let value = lines[i + 1].trim();
            if let Some(name) = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) {
                names.push(name.to_string());
            }
        }
    }
    let ops = lines.iter().filter(|line| line.starts_with("impl Op for ")).count();
    assert_eq!(names.len(), ops, "`fn name` of an op must be one literal, on a line of its own");
    let constants = lines.iter().filter(|line| line.contains("NAME: &'static str = \""));
    names.extend(constants.filter_map(|line| line.split('"').nth(1)).map(str::to_string));
    for table in tables(&lines) {
        let before = names.len();
        for (i, line) in lines.iter().enumerate() {
            if *line == format!("{table}! {{") {
                let rows = lines[i + 1..].iter().take_while(|line| **line != "}");
                names.extend(rows.filter_map(|line| row(line)));
            } else if line.starts_with(&format!("{table}!(")) {
                names.extend(line.split('"').nth(1).map(str::to_string));
            }
        }
        assert!(names.len() > before, "`{table}!` is not used in a way that this test can read");
    }
    names
}

/// Macros that implement `Op`.
fn tables<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let mut tables = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let Some(name) = line.strip_prefix("macro_rules! ").and_then(|l| l.split(' ').next())
        else {
            continue;
        };
        let mut body = lines[i..].iter().take_while(|line| **line != "}");
        if body.any(|line| line.contains("impl Op for $")) {
            tables.push(name);
        }
    }
    tables
}

/// `    Tanh tanh, …` -> `tanh`
fn row(line: &str) -> Option<String> {
    let mut words = line.strip_prefix("    ")?.split(' ');
    let (op, name) = (words.next()?, words.next()?);
    let is_type = op.starts_with(|c: char| c.is_ascii_uppercase())
        && op.chars().all(|c| c.is_ascii_alphanumeric());
    let name = name.trim_end_matches([',', ':']);
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    (is_type && is_name).then(|| name.to_string())
}

#[test]
fn the_rows_are_the_ops() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ops");
    let mut found = BTreeSet::new();
    for path in sources(&folder) {
        let source = fs::read_to_string(&path).expect("a source file can be read");
        for name in names(&source) {
            assert!(found.insert(name.clone()), "two ops are called `{name}`");
        }
    }
    let rows: BTreeSet<String> =
        table::cases().iter().filter(|c| c.is_op).map(|c| c.name.to_string()).collect();
    let missing: Vec<_> = found.difference(&rows).collect();
    let unknown: Vec<_> = rows.difference(&found).collect();
    assert!(missing.is_empty(), "ops without a row in the table: {missing:?}");
    assert!(unknown.is_empty(), "rows without an op in `src/ops`: {unknown:?}");
}

#[test]
fn names_are_read_from_both_kinds_of_source() {
    let literal =
        "impl Op for A {\n    fn name(&self) -> &'static str {\n        \"a\"\n    }\n}\n";
    let table = "macro_rules! t {\n    impl Op for $Op {\n}\nt! {\n    /// B.\n    B b, on x;\n}\n";
    let call = "macro_rules! u {\n    impl Op for $Op {\n}\nu!(C, \"c\", |x| x);\n";
    let constant = "impl PairLoss for D {\n    const NAME: &'static str = \"d\";\n}\n";
    assert_eq!(names(&format!("{literal}{constant}{table}{call}")), ["a", "d", "b", "c"]);
}
