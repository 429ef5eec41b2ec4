//! Where the parts of a chart go. Nothing covers anything: the title is on top, the legend below
//! it, then the plot with its ticks outside.

use super::axis::{Axis, Tick};
use super::chart::{Chart, Kind, Series};
use super::font;
use super::picture::{Anchor, Color, FAINT, GRID, INK, Picture};
use crate::error::Result;

/// Colours that stay apart for the colour-blind (Okabe and Ito 2008, *Color Universal Design*),
/// without those too light for thin lines.
const COLORS: [Color; 7] = [
    [0x00, 0x72, 0xb2],
    [0xd5, 0x5e, 0x00],
    [0x00, 0x9e, 0x73],
    [0xcc, 0x79, 0xa7],
    [0xe6, 0x9f, 0x00],
    [0x56, 0xb4, 0xe9],
    [0x5a, 0x5a, 0x5a],
];

const MARGIN: f64 = 16.0;
const TITLE: f64 = 18.0;
const LABEL: f64 = 14.0;
const TICK: f64 = 12.0;
const LEGEND: f64 = 13.0;
/// Between a text and what it belongs to.
const GAP: f64 = 7.0;
/// Height of a row of the legend.
const ROW: f64 = 20.0;
/// Width of the sample of a series in the legend.
const SAMPLE: f64 = 24.0;
/// Nominal pixels between ticks: more where labels are wide.
const BETWEEN: (f64, f64) = (70.0, 45.0);
/// Part of the plot that stays free beyond the values, at each end.
const PAD: f64 = 0.04;

/// The plot: its corners and axes.
struct Plot {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
    x: Axis,
    y: Axis,
}

impl Plot {
    fn column(&self, at: f64) -> f64 {
        self.left + at * (self.right - self.left)
    }

    fn row(&self, at: f64) -> f64 {
        self.bottom - at * (self.bottom - self.top)
    }
}

/// The whole chart.
pub(super) fn picture(chart: &Chart) -> Result<Picture> {
    let (x, y) = chart.spreads()?;
    let (width, height) = (f64::from(chart.size.0), f64::from(chart.size.1));
    let mut picture = Picture::new(width, height);
    let top = title(&mut picture, &chart.title);
    let label = |label: &str| if label.is_empty() { 0.0 } else { LABEL + GAP };
    let bottom = height - MARGIN - label(&chart.x_label) - TICK - GAP;
    // The legend's height depends on the width of the ticks, their number on the height left.
    let y_axis = |top: f64| Axis::new(y, chart.log_y, PAD, count(bottom - top, BETWEEN.1));
    let left = MARGIN + label(&chart.y_label) + widest(&y_axis(top).ticks) + GAP;
    let pad = if chart.series.iter().all(|s| s.kind == Kind::Line) { 0.0 } else { PAD };
    let x_axis = |right, room| Axis::new(x, chart.log_x, pad, count(right - left, room));
    let label = widest(&x_axis(width, BETWEEN.0).ticks);
    let right = width - MARGIN - (label / 2.0).max(GAP);
    let x = x_axis(right, BETWEEN.0.max(label + 3.0 * GAP));
    let top = legend(&mut picture, chart, left, right, top) + GAP;
    let plot = Plot { left, top, right, bottom, x, y: y_axis(top) };
    axes(&mut picture, &plot);
    labels(&mut picture, chart, &plot);
    for (series, color) in chart.series.iter().zip(COLORS.into_iter().cycle()) {
        draw(&mut picture, series, color, &plot);
    }
    Ok(picture)
}

fn widest(ticks: &[Tick]) -> f64 {
    ticks.iter().map(|tick| font::width(&tick.label, TICK)).fold(0.0, f64::max)
}

/// How many ticks stand well on a length when each has `room`.
fn count(length: f64, room: f64) -> usize {
    (length / room).max(2.0) as usize
}

/// Writes a title at the top, smaller if it is too long, and returns where the rest begins.
pub(super) fn title(picture: &mut Picture, title: &str) -> f64 {
    if title.is_empty() {
        return MARGIN;
    }
    let size = fitting(title, TITLE, picture.width - 2.0 * MARGIN);
    picture.text((picture.width / 2.0, MARGIN + TITLE * 0.8), size, Anchor::Middle, title);
    MARGIN + TITLE + GAP
}

/// The size, `size` at most, at which a text is no wider than `width`.
pub(super) fn fitting(text: &str, size: f64, width: f64) -> f64 {
    size * (width / font::width(text, size).max(1e-9)).min(1.0)
}

/// Draws the legend in rows from `left` to `right` and returns where it ends.
fn legend(picture: &mut Picture, chart: &Chart, left: f64, right: f64, top: f64) -> f64 {
    let (mut x, mut y) = (left, top);
    let named = chart.series.iter().zip(COLORS.into_iter().cycle());
    for (series, color) in named.filter(|(series, _)| !series.name.is_empty()) {
        let room = right - left - SAMPLE - GAP;
        let size = fitting(&series.name, LEGEND, room);
        let width = SAMPLE + GAP + font::width(&series.name, size);
        if x > left && x + width > right {
            (x, y) = (left, y + ROW);
        }
        let middle = y + ROW / 2.0;
        match series.kind {
            Kind::Line => picture.line(vec![(x, middle), (x + SAMPLE, middle)], 2.0, color),
            Kind::Points => picture.disc((x + SAMPLE / 2.0, middle), radius(series), color),
        }
        let baseline = middle + 0.5 * font::DIGIT_HEIGHT * size;
        picture.text((x + SAMPLE + GAP, baseline), size, Anchor::Start, &series.name);
        x += width + 3.0 * GAP;
    }
    if x > left { y + ROW } else { y }
}

fn axes(picture: &mut Picture, plot: &Plot) {
    let color = |tick: &Tick| if tick.label.is_empty() { FAINT } else { GRID };
    for tick in &plot.x.ticks {
        let x = plot.column(tick.at);
        picture.line(vec![(x, plot.top), (x, plot.bottom)], 1.0, color(tick));
        picture.text((x, plot.bottom + GAP + 0.8 * TICK), TICK, Anchor::Middle, &tick.label);
    }
    for tick in &plot.y.ticks {
        let y = plot.row(tick.at);
        picture.line(vec![(plot.left, y), (plot.right, y)], 1.0, color(tick));
        let baseline = y + 0.5 * font::DIGIT_HEIGHT * TICK;
        picture.text((plot.left - GAP, baseline), TICK, Anchor::End, &tick.label);
    }
    let corner = (plot.left, plot.bottom);
    picture.line(vec![(plot.left, plot.top), corner], 1.0, INK);
    picture.line(vec![corner, (plot.right, plot.bottom)], 1.0, INK);
}

fn labels(picture: &mut Picture, chart: &Chart, plot: &Plot) {
    let size = fitting(&chart.x_label, LABEL, plot.right - plot.left);
    let at = ((plot.left + plot.right) / 2.0, picture.height - MARGIN);
    picture.text(at, size, Anchor::Middle, &chart.x_label);
    let size = fitting(&chart.y_label, LABEL, plot.bottom - plot.top);
    let at = (MARGIN + 0.8 * LABEL, (plot.top + plot.bottom) / 2.0);
    picture.upright_text(at, size, &chart.y_label);
}

/// Many points are drawn small.
fn radius(series: &Series) -> f64 {
    if series.x.len() > 300 { 2.0 } else { 4.0 }
}

/// A line that goes up and down within a pixel or two is drawn thin.
fn stroke(series: &Series) -> f64 {
    if series.x.len() > 500 { 1.2 } else { 2.0 }
}

fn draw(picture: &mut Picture, series: &Series, color: Color, plot: &Plot) {
    let place = |(x, y)| (plot.column(plot.x.position(x)), plot.row(plot.y.position(y)));
    let values: Vec<_> = series.values().map(|value| value.map(place)).collect();
    for run in values.split(Option::is_none) {
        let run: Vec<(f64, f64)> = run.iter().copied().flatten().collect();
        match (series.kind, &run[..]) {
            (_, []) => {}
            (Kind::Line, [only]) => picture.disc(*only, radius(series), color),
            (Kind::Line, _) => picture.line(run, stroke(series), color),
            (Kind::Points, run) => {
                run.iter().for_each(|&at| picture.disc(at, radius(series), color));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::picture::Shape;
    use super::*;

    /// Left, top, right and bottom of a text.
    fn extent(shape: &Shape) -> Option<([f64; 4], &str)> {
        let Shape::Text { at: (x, y), size, anchor, upright, text, .. } = shape else {
            return None;
        };
        let width = font::width(text, *size);
        let start = match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -width / 2.0,
            Anchor::End => -width,
        };
        let (above, below) = (0.76 * size, 0.24 * size);
        Some(match upright {
            false => ([x + start, y - above, x + start + width, y + below], text),
            true => ([x - above, y - start - width, x + below, y - start], text),
        })
    }

    fn charts() -> Vec<Chart> {
        let x: Vec<f64> = (0..50).map(f64::from).collect();
        let scaled = |by: f64| x.iter().map(|v| (v - 20.0) * by).collect::<Vec<f64>>();
        let title = "A title that is so long that it could never stand on one line of the picture \
                     if it were not written smaller than others";
        let mut charts: Vec<Chart> = [1e-8, 1e-3, 1.0, 12.5, 1e4, 1e9, 1e100]
            .into_iter()
            .map(|by| Chart::new("").line("line", &scaled(by), &scaled(by)))
            .collect();
        charts.push(Chart::new(title).x_label(title).y_label(title).points(title, &x, &x));
        charts.push(Chart::new("t").size(200, 200).x_label("x").y_label("y").curve("c", &x));
        charts.push(Chart::new("one").points("", &[3.0], &[4.0]).log_x().log_y());
        let decades: Vec<f64> = (0..20).map(|i| 10f64.powi(i - 12)).collect();
        charts.push(Chart::new("log").log_x().log_y().line("decades", &decades, &decades));
        charts.push((0..12).fold(Chart::new("many"), |c, i| c.curve(format!("series {i}"), &x)));
        charts
    }

    #[test]
    fn no_text_leaves_the_picture_or_covers_another_or_the_data() {
        for chart in charts() {
            let picture = picture(&chart).unwrap();
            let texts: Vec<_> = picture.shapes.iter().filter_map(extent).collect();
            let apart = |a: &[f64; 4], b: &[f64; 4]| {
                a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1]
            };
            for (i, (a, text)) in texts.iter().enumerate().filter(|(_, (_, t))| !t.is_empty()) {
                let inside = a[0] >= 0.0 && a[1] >= 0.0;
                let inside = inside && a[2] <= picture.width && a[3] <= picture.height;
                assert!(inside, "`{text}` at {a:?} leaves {}", chart.title);
                for (b, other) in texts[..i].iter().filter(|(_, t)| !t.is_empty()) {
                    assert!(apart(a, b), "`{text}` covers `{other}` in {}", chart.title);
                }
            }
            // The last shapes are the data.
            let Some(Shape::Line { points, .. }) = picture.shapes.last() else { continue };
            for &(x, y) in points {
                let point = [x - 1.0, y - 1.0, x + 1.0, y + 1.0];
                let covered = texts.iter().find(|(a, t)| !t.is_empty() && !apart(a, &point));
                assert!(covered.is_none(), "{covered:?} covers the data of {}", chart.title);
            }
        }
    }
}
