//! Which array is which input or output.

use std::path::Path;

use cornu_autodiff::Tensor;

use crate::Failure;

/// The arrays for inputs or outputs of these names: those that are so called, or else all in
/// natural order, `x2` before `x10`.
pub(crate) fn in_order(
    path: &Path,
    mut arrays: Vec<(String, Tensor)>,
    names: &[String],
) -> Result<Vec<Tensor>, Failure> {
    let named = |name: &String| arrays.iter().find(|(other, _)| other == name);
    let found: Option<Vec<Tensor>> =
        names.iter().map(|name| Some(named(name)?.1.clone())).collect();
    if let Some(found) = found {
        return Ok(found);
    }
    if arrays.len() == names.len() {
        arrays.sort_by_cached_key(|(name, _)| natural(name));
        return Ok(arrays.into_iter().map(|(_, array)| array).collect());
    }
    let (wanted, count) = (names.join("`, `"), names.len());
    let rule = format!("there must be {count} arrays, for `{wanted}`");
    let got: Vec<&str> = arrays.iter().map(|(name, _)| name.as_str()).collect();
    let got = format!("{}, `{}`", arrays.len(), got.join("`, `"));
    Err(format!("{}: {rule}; got {got}", path.display()).into())
}

/// The arrays for those of a model's outputs that have targets; there may be some for all.
pub(crate) fn targets(
    path: &Path,
    arrays: Vec<(String, Tensor)>,
    outputs: &[(String, bool)],
) -> Result<Vec<Tensor>, Failure> {
    let some: Vec<String> = outputs.iter().filter(|(_, has)| *has).map(|o| o.0.clone()).collect();
    if arrays.len() != outputs.len() {
        return in_order(path, arrays, &some);
    }
    let all: Vec<String> = outputs.iter().map(|(name, _)| name.clone()).collect();
    let arrays = in_order(path, arrays, &all)?.into_iter().zip(outputs);
    Ok(arrays.filter(|(_, (_, has))| *has).map(|(array, _)| array).collect())
}

/// A name's text, and the number at its end.
fn natural(name: &str) -> (String, u64, String) {
    let text = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = name[text.len()..].parse().unwrap_or(0);
    (text.to_owned(), number, name.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use cornu_autodiff::Tensor;

    use super::{in_order, targets};

    fn order(arrays: &[&str], names: &[&str]) -> Result<Vec<f64>, String> {
        let numbered = |(at, name): (usize, &&str)| ((*name).to_owned(), Tensor::scalar(at as f64));
        let arrays = arrays.iter().enumerate().map(numbered).collect();
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let found = in_order(Path::new("a.npz"), arrays, &names).map_err(|e| e.to_string())?;
        Ok(found.iter().map(|x| x.item::<f64>().unwrap()).collect())
    }

    #[test]
    fn an_output_without_a_loss_needs_no_target() {
        let outputs = [("a".to_owned(), true), ("b".into(), false), ("c".into(), true)];
        let arrays = |names: &[&str]| -> Vec<(String, Tensor)> {
            let numbered =
                |(at, name): (usize, &&str)| (name.to_string(), Tensor::scalar(at as f64));
            names.iter().enumerate().map(numbered).collect()
        };
        let got = |names: &[&str]| -> Result<Vec<f64>, String> {
            let found = targets(Path::new("y.npz"), arrays(names), &outputs);
            let found = found.map_err(|e| e.to_string())?;
            Ok(found.iter().map(|x| x.item::<f64>().unwrap()).collect())
        };
        assert_eq!(got(&["y0", "y1", "y2"]).unwrap(), [0.0, 2.0]);
        assert_eq!(got(&["y2", "y0"]).unwrap(), [1.0, 0.0]);
        assert_eq!(got(&["c", "b", "a"]).unwrap(), [2.0, 0.0]);
        let error = got(&["y0"]).unwrap_err();
        assert_eq!(error, "y.npz: there must be 2 arrays, for `a`, `c`; got 1, `y0`");
    }

    #[test]
    fn arrays_are_found_by_name_or_else_in_natural_order() {
        assert_eq!(order(&["b", "c", "a"], &["a", "b"]).unwrap(), [2.0, 0.0]);
        assert_eq!(order(&["x10", "x2"], &["a", "b"]).unwrap(), [1.0, 0.0]);
        assert_eq!(order(&[""], &["a"]).unwrap(), [0.0]);
        let error = order(&["x0"], &["a", "b"]).unwrap_err();
        assert_eq!(error, "a.npz: there must be 2 arrays, for `a`, `b`; got 1, `x0`");
    }
}
