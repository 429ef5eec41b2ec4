//! Text in columns.

/// The lines of a text in a column: broken between words, longer words cut, which `…` shows.
/// The rule is that of Python's `rich`, with which Keras 3 draws.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in words(text) {
        let bare = length(word.trim_end());
        if bare > width - used.min(width) && used > 0 {
            lines.push(String::new());
            used = 0;
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(word);
        }
        used += length(word);
    }
    lines.iter().map(|line| cut(line.trim_end(), width)).collect()
}

/// A text with as many characters as fit; `…` stands for those that don't.
fn cut(text: &str, width: usize) -> String {
    if length(text) <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

pub(super) fn length(text: &str) -> usize {
    text.chars().count()
}

/// The words with the spaces behind them; spaces in front belong to the first.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut in_word, mut after) = (0, false, false);
    for (at, c) in text.char_indices() {
        if c.is_whitespace() {
            after = in_word;
        } else {
            if after {
                words.push(&text[start..at]);
                start = at;
            }
            (in_word, after) = (true, false);
        }
    }
    if in_word {
        words.push(&text[start..]);
    }
    words
}

/// Where a cell's text stands in its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
    Center,
}

impl Side {
    /// The text with spaces to fill the column.
    pub(super) fn pad(self, text: &str, width: usize) -> String {
        match self {
            Side::Left => format!("{text:<width$}"),
            Side::Right => format!("{text:>width$}"),
            Side::Center => format!("{text:^width$}"),
        }
    }
}

/// Row by row, the lines of each row with a text for each column.
pub(super) fn lines(cells: &[Vec<String>]) -> Vec<Vec<&str>> {
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    let line = |i: usize| cells.iter().map(|c| c.get(i).map_or("", String::as_str)).collect();
    (0..height).map(line).collect()
}

/// Widths of columns that end at these parts of a line.
pub(super) fn widths(ends: &[f64], line_length: usize) -> Vec<usize> {
    let mut before = 0;
    let width = |end: &f64| {
        let end = (end * line_length as f64) as usize;
        let width = end - before;
        before = end;
        width
    };
    ends.iter().map(width).collect()
}

#[cfg(test)]
mod tests {
    use super::{widths, wrap};

    #[test]
    fn text_is_broken_between_words_and_long_words_are_cut() {
        for (text, width, lines) in [
            ("dense (Dense)", 20, vec!["dense (Dense)"]),
            ("dense (Dense)", 13, vec!["dense (Dense)"]),
            ("dense (Dense)", 12, vec!["dense", "(Dense)"]),
            ("a_very_long_name (Dense)", 10, vec!["a_very_lo…", "(Dense)"]),
            ("a[0][0], b[0][0]", 9, vec!["a[0][0],", "b[0][0]"]),
            ("   └ inner (Dense)", 30, vec!["   └ inner (Dense)"]),
            ("", 5, vec![""]),
        ] {
            assert_eq!(wrap(text, width), lines);
        }
    }

    #[test]
    fn columns_share_a_line_as_in_keras() {
        assert_eq!(widths(&[0.45, 0.85, 1.0], 65), [29, 26, 10]);
        assert_eq!(widths(&[0.3, 0.56, 0.74, 1.0], 80), [24, 20, 15, 21]);
    }
}
