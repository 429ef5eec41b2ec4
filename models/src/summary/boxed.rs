//! The table as Keras 3 draws it.

use super::rows::{Amount, Row};
use super::table::{Side, lines, widths, wrap};
use super::{Summary, grouped};

pub(super) fn draw(summary: &Summary) -> String {
    let mut columns =
        vec![("Layer (type)", Side::Left), ("Output Shape", Side::Left), ("Param #", Side::Right)];
    let (mut length, mut ends) = (88, vec![0.45, 0.8, 1.0]);
    if summary.branched {
        columns.push(("Connected to", Side::Left));
        (length, ends) = (108, vec![0.3, 0.56, 0.74, 1.0]);
    }
    if summary.show_trainable {
        columns.push(("Trainable", Side::Center));
        length += 12;
        ends = ends.iter().map(|end| end * 0.9).chain([1.0]).collect();
    }
    let length = summary.line_length.unwrap_or(length);
    let sides: Vec<Side> = columns.iter().map(|(_, side)| *side).collect();
    let inner = inner_widths(&widths(&ends, length), length);
    let table = Table { sides, inner };
    let header: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut text = format!("Model: \"{}\"\n", summary.name);
    text += &table.rule("┏━┳┓");
    text += &table.row(&header, '┃');
    text += &table.rule("┡━╇┩");
    let rows: Vec<String> =
        summary.shown().map(|row| table.row(&cells(row, summary), '│')).collect();
    text += &rows.join(&table.rule("├─┼┤"));
    text += &table.rule("└─┴┘");
    text + &totals(summary)
}

/// Widths without borders: each column gives an equal part of what borders and padding take.
fn inner_widths(columns: &[usize], length: usize) -> Vec<usize> {
    let room = length - (columns.len() + 1);
    let mut excess = columns.iter().map(|w| w + 2).sum::<usize>().saturating_sub(room);
    let mut inner = Vec::new();
    for (i, width) in columns.iter().enumerate() {
        let left = (columns.len() - i) as f64;
        let part = ((excess as f64 / left).round_ties_even() as usize).min(width + 2);
        excess -= part;
        inner.push(width + 2 - part);
    }
    inner
}

struct Table {
    sides: Vec<Side>,
    /// With a space of padding on each side.
    inner: Vec<usize>,
}

impl Table {
    /// A rule of four characters: left end, line, crossing, right end.
    fn rule(&self, characters: &str) -> String {
        let mut c = characters.chars();
        let mut next = || c.next().unwrap_or(' ');
        let (left, line, crossing, right) = (next(), next(), next(), next());
        let parts: Vec<String> = self.inner.iter().map(|w| line.to_string().repeat(*w)).collect();
        format!("{left}{}{right}\n", parts.join(&crossing.to_string()))
    }

    fn row(&self, cells: &[String], border: char) -> String {
        let widths = || self.inner.iter().map(|w| w.saturating_sub(2));
        let cells: Vec<Vec<String>> = cells.iter().zip(widths()).map(|(c, w)| wrap(c, w)).collect();
        let mut text = String::new();
        for line in lines(&cells) {
            text.push(border);
            for ((cell, side), width) in line.iter().zip(&self.sides).zip(widths()) {
                text += &format!(" {} {border}", side.pad(cell, width));
            }
            text.push('\n');
        }
        text
    }
}

fn cells(row: &Row, summary: &Summary) -> Vec<String> {
    let indent = "   ".repeat(row.depth) + if row.depth > 0 { "└ " } else { "" };
    let mut cells = vec![
        format!("{indent}{} ({})", row.name, row.class),
        shapes(row),
        row.params.map_or("0 (unbuilt)".into(), grouped),
    ];
    if summary.branched {
        // Those of an inner model are not part of the graph that is shown.
        let shown = row.depth == 0 && !row.connections.is_empty();
        cells.push(if shown { row.connections.join(", ") } else { "-".into() });
    }
    if summary.show_trainable {
        cells.push(row.trainable.map_or("-", |t| if t { "Y" } else { "N" }).into());
    }
    cells
}

fn shapes(row: &Row) -> String {
    let text = |shape: &Option<Vec<Option<usize>>>| match shape {
        None => "?".to_owned(),
        Some(shape) => {
            let axis = |d: &Option<usize>| d.map_or("None".into(), |d: usize| d.to_string());
            format!("({})", shape.iter().map(axis).collect::<Vec<_>>().join(", "))
        }
    };
    match row.shapes.as_slice() {
        [] => "?".into(),
        [one] => text(one),
        several => format!("[{}]", several.iter().map(text).collect::<Vec<_>>().join(", ")),
    }
}

fn totals(summary: &Summary) -> String {
    let totals = &summary.totals;
    let all = totals.trainable.plus(totals.fixed).plus(totals.optimizer.unwrap_or_default());
    let line = |what: &str, amount: Amount| {
        format!(" {what} params: {} ({})\n", grouped(amount.params), memory(amount.bytes))
    };
    let mut text = line("Total", all);
    text += &line("Trainable", totals.trainable);
    text += &line("Non-trainable", totals.fixed);
    totals.optimizer.map_or(text.clone(), |amount| text + &line("Optimizer", amount))
}

/// Bytes as Keras writes them: `19.54 KB`.
fn memory(bytes: u128) -> String {
    let mut size = bytes as f64;
    let units = ["B", "KB", "MB", "GB", "TB", "PB"];
    for unit in units {
        if size < 1024.0 {
            return format!("{size:.2} {unit}");
        }
        size /= 1024.0;
    }
    format!("{size:.2} PB")
}
