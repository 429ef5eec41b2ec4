//! Arrays in files, by how the file's name ends.

use std::fs;
use std::path::Path;

use cornu_autodiff::Tensor;
use cornu_models::saving::{read_npy, read_npz, write_file, write_npy, write_npz};

use crate::Failure;

fn ending(path: &Path) -> &str {
    path.extension().and_then(|end| end.to_str()).unwrap_or_default()
}

/// The arrays of a file, with their names where they have any.
pub(crate) fn read(path: &Path) -> Result<Vec<(String, Tensor)>, Failure> {
    match ending(path) {
        "npz" => Ok(read_npz(path)?),
        "npy" => Ok(vec![(String::new(), read_npy(path)?)]),
        "csv" => {
            let text = fs::read_to_string(path)
                .map_err(|e| format!("{}: the file can't be read; got {e}", path.display()))?;
            let table = table(&text).map_err(|e| format!("{}: {e}", path.display()))?;
            Ok(vec![(String::new(), table)])
        }
        _ => Err(unknown(path)),
    }
}

/// Writes arrays as `y0`, `y1`, ….
pub(crate) fn write(path: &Path, arrays: Vec<Tensor>) -> Result<(), Failure> {
    match (ending(path), arrays.as_slice()) {
        ("npz", _) => {
            let name = |(at, array)| (format!("y{at}"), array);
            let named: Vec<(String, Tensor)> = arrays.into_iter().enumerate().map(name).collect();
            Ok(write_npz(path, &named)?)
        }
        ("npy", [one]) => Ok(write_npy(path, one)?),
        ("csv", [one]) if one.rank() <= 2 => {
            let columns = one.dims().get(1).copied().unwrap_or(1).max(1);
            let mut text = String::new();
            for row in one.to_f64_vec()?.chunks(columns) {
                let cells: Vec<String> = row.iter().map(f64::to_string).collect();
                text += &(cells.join(",") + "\n");
            }
            Ok(write_file(path, |out| out.write_all(text.as_bytes()))?)
        }
        ("npy", _) => Err(format!("{}: several outputs need an `.npz`", path.display()).into()),
        ("csv", _) => {
            let rule = "a `.csv` holds one output of two axes; use an `.npz`";
            Err(format!("{}: {rule}", path.display()).into())
        }
        _ => Err(unknown(path)),
    }
}

/// Refuses a name that `write` would refuse, before there is anything to write.
pub(crate) fn check_output(path: &Path) -> Result<(), Failure> {
    if ["npz", "npy", "csv"].contains(&ending(path)) { Ok(()) } else { Err(unknown(path)) }
}

fn unknown(path: &Path) -> Failure {
    let rule = "the file's name must end in `.npz`, `.npy` or `.csv`";
    format!("{}: {rule}; got `.{}`", path.display(), ending(path)).into()
}

/// Rows of numbers with commas between them; the first may hold the columns' names.
fn table(text: &str) -> Result<Tensor, String> {
    let mut values: Vec<f32> = Vec::new();
    let (mut rows, mut columns) = (0, 0);
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let numbers: Result<Vec<f32>, _> = cells.iter().map(|cell| cell.parse::<f32>()).collect();
        match numbers {
            Err(_) if rows == 0 && columns == 0 => {}
            Err(_) => return Err(format!("line {}: it must hold numbers; got `{line}`", at + 1)),
            Ok(_) if columns > 0 && cells.len() != columns => {
                let got = cells.len();
                return Err(format!("line {}: it must have {columns} cells; got {got}", at + 1));
            }
            Ok(numbers) => {
                values.extend(numbers);
                rows += 1;
            }
        }
        columns = cells.len();
    }
    Tensor::new(values, [rows, columns]).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn a_table_may_have_names_above_it() {
        for text in ["a,b\n1, 2\n3,4e0\n", "1,2\n\n3,4", "\"x\",y\r\n1,2\r\n3,4\r\n"] {
            let x = table(text).unwrap();
            assert_eq!(x.dims(), [2, 2]);
            assert_eq!(x.to_vec::<f32>().unwrap(), [1.0, 2.0, 3.0, 4.0]);
        }
        for (text, said) in [
            ("1,2\n3", "line 2: it must have 2 cells; got 1"),
            ("1,2\n3,x", "line 2: it must hold numbers; got `3,x`"),
        ] {
            assert_eq!(table(text).unwrap_err(), said);
        }
    }
}
