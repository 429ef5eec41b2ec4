//! JSON as Python writes it, with NaN and infinities.

use cornu_layers::{NON_FINITE, NON_FINITE_MARK};
use serde_json::Value;

use crate::error::{Error, Result};

/// The value of a JSON text. Numbers that JSON does not have become marked strings, which
/// options of layers read as numbers.
pub(crate) fn parse(place: &str, text: &str) -> Result<Value> {
    let result = match text.contains("NaN") || text.contains("Infinity") {
        true => serde_json::from_str(&marked(text)),
        false => serde_json::from_str(text),
    };
    result.map_err(|e| Error::value(place, "the text must be JSON", e))
}

/// The text of a value.
pub(crate) fn write(value: &Value) -> String {
    let mut text = value.to_string();
    if text.contains(NON_FINITE_MARK) {
        for (name, _) in NON_FINITE {
            text = text.replace(&format!("\"{NON_FINITE_MARK}{name}\""), name);
        }
    }
    text
}

/// The text with Python's names for what isn't finite as marked strings.
fn marked(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let (mut in_string, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if !in_string && let Some((name, _)) = NON_FINITE.iter().find(|(n, _)| rest.starts_with(n))
        {
            out.extend(["\"", NON_FINITE_MARK, name, "\""]);
            rest = &rest[name.len()..];
            continue;
        }
        match c {
            '"' if !escaped => in_string = !in_string,
            _ => {}
        }
        escaped = in_string && c == '\\' && !escaped;
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{parse, write};

    #[test]
    fn numbers_that_json_lacks_are_read_and_written_as_python_does() {
        for text in [
            r#"{"a":NaN,"b":[Infinity,-Infinity]}"#,
            r#"{"NaN":"Infinity","a\"NaN\\":1}"#,
            r#"["é NaN",-1.5]"#,
        ] {
            assert_eq!(write(&parse("test", text).unwrap()), text);
        }
        for text in ["NaNa", "[Inf]", "-NaN", "\"NaN", "", "+Infinity"] {
            let error = parse("test", text).unwrap_err().to_string();
            assert!(error.starts_with("test: the text must be JSON; got "), "{error}");
        }
    }

    #[test]
    fn a_text_that_is_nested_too_deep_is_an_error() {
        let deep = "[".repeat(100_000);
        assert!(parse("test", &deep).is_err());
    }
}
