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

    use super::in_order;

    fn order(arrays: &[&str], names: &[&str]) -> Result<Vec<f64>, String> {
        let numbered = |(at, name): (usize, &&str)| ((*name).to_owned(), Tensor::scalar(at as f64));
        let arrays = arrays.iter().enumerate().map(numbered).collect();
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let found = in_order(Path::new("a.npz"), arrays, &names).map_err(|e| e.to_string())?;
        Ok(found.iter().map(|x| x.item::<f64>().unwrap()).collect())
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
