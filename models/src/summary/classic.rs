//! The table as Keras drew it before version 3.

use cornu_layers::{SymbolicShape, shape_text};

use super::rows::Row;
use super::table::{length, lines, widths, wrap};
use super::{Summary, grouped};

pub(super) fn draw(summary: &Summary) -> String {
    let (default, ends): (usize, &[f64]) = match summary.branched {
        false => (65, &[0.45, 0.85, 1.0]),
        true => (98, &[0.33, 0.55, 0.67, 1.0]),
    };
    let mut width = summary.line_length.unwrap_or(default);
    let mut columns = widths(ends, width);
    let mut header = vec!["Layer (type)", "Output Shape", "Param #"];
    if summary.branched {
        header.push("Connected to");
    }
    if summary.show_trainable {
        header.push("Trainable");
        columns.push(11);
        width += 11;
    }
    let (thin, thick) = ("_".repeat(width) + "\n", "=".repeat(width) + "\n");
    let header: Vec<Vec<String>> = header.iter().map(|h| vec![(*h).to_owned()]).collect();
    let mut text = format!("Model: \"{}\"\n{thin}", summary.name);
    text += &row(&header, &columns);
    text += &thick;
    let rows: Vec<String> =
        summary.shown().map(|r| row(&cells(r, summary, &columns), &columns)).collect();
    text += &rows.join(&thin);
    text += &thick;
    let totals = &summary.totals;
    let all = totals.trainable.plus(totals.fixed);
    text += &format!("Total params: {}\n", grouped(all.params));
    text += &format!("Trainable params: {}\n", grouped(totals.trainable.params));
    text += &format!("Non-trainable params: {}\n", grouped(totals.fixed.params));
    text + &thin
}

/// The lines of each column of a row; a space stays free between columns.
fn cells(row: &Row, summary: &Summary, columns: &[usize]) -> Vec<Vec<String>> {
    let fit = |text: &str, column: usize| wrap(text, columns[column] - 1);
    let indent = "   ".repeat(row.depth) + if row.depth > 0 { "└ " } else { "" };
    let mut cells = vec![
        fit(&format!("{indent}{} ({})", row.name, row.class), 0),
        fit(&shapes(row), 1),
        fit(&row.params.map_or("(unbuilt)".into(), grouped), 2),
    ];
    if summary.branched {
        cells.push(row.connections.iter().flat_map(|c| fit(c, 3)).collect());
    }
    if summary.show_trainable {
        let shown = row.trainable.map_or("-", |t| if t { "Y" } else { "N" });
        cells.push(vec![shown.to_owned()]);
    }
    cells
}

fn shapes(row: &Row) -> String {
    let text = |shape: &Option<SymbolicShape>| {
        shape.as_ref().map_or("?".to_owned(), |shape| shape_text(shape))
    };
    match row.shapes.as_slice() {
        [] => "?".into(),
        [one] => text(one),
        several => format!("[{}]", several.iter().map(text).collect::<Vec<_>>().join(", ")),
    }
}

fn row(cells: &[Vec<String>], columns: &[usize]) -> String {
    let mut text = String::new();
    for line in lines(cells) {
        let mut out = String::new();
        for (cell, &width) in line.iter().zip(columns) {
            out += cell;
            out += &" ".repeat(width.saturating_sub(length(cell)));
        }
        text += out.trim_end();
        text.push('\n');
    }
    text
}
