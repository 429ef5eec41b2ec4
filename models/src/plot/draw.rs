//! A chart, drawn by plotters. Nothing covers anything: the title is on top, the legend below it,
//! then the plot with its ticks outside.

use plotters::element::{Circle, PathElement};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::axis::Axis;
use super::canvas::{Canvas, Drawing, Drawn, INK, MARGIN, fitting, font, units, width};
use super::chart::{Chart, Kind, Series, Spreads};

/// Colours that stay apart for the colour-blind (Okabe and Ito 2008, *Color Universal Design*),
/// without those too light for thin lines.
const COLORS: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x5a, 0x5a, 0x5a),
];
/// Lines that lead the eye from a tick, and those between ticks of a logarithmic axis.
const GRID: RGBColor = RGBColor(0xe2, 0xe2, 0xe2);
const FAINT: RGBColor = RGBColor(0xf1, 0xf1, 0xf1);

const LABEL: f64 = 14.0;
const TICK: f64 = 12.0;
const LEGEND: f64 = 13.0;
/// Between a text and what it belongs to.
const GAP: f64 = 7.0;
/// Height of a row of the legend.
const ROW: f64 = 20.0;
/// Width of the sample of a series in the legend.
const SAMPLE: f64 = 24.0;
/// Room for a tick: more where labels are wide.
const BETWEEN: (f64, f64) = (70.0, 45.0);
/// The height of a plot that is left whatever stands above it.
const LOWEST: f64 = 40.0;
/// Part of the plot that stays free beyond the values, at each end.
const PAD: f64 = 0.04;

/// A chart that is known to be right.
pub(super) struct Checked<'a> {
    pub(super) chart: &'a Chart,
    pub(super) spreads: Spreads,
}

/// Where the plot is, and its axes.
struct Plot {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x: Axis,
    y: Axis,
}

impl Drawing for Checked<'_> {
    const SHAPES: &'static str = "stroke-linejoin=\"round\"";

    fn size(&self) -> (u32, u32) {
        self.chart.size
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Drawn<B> {
        let top = canvas.title(&self.chart.title, f64::from(self.chart.size.0))?;
        let mut plot = self.plot(top);
        let height = self.legend(canvas, &plot)?;
        plot.top = (plot.top + height + GAP).min(plot.bottom - LOWEST);
        self.series(canvas, &plot)
    }
}

impl Checked<'_> {
    fn plot(&self, top: f64) -> Plot {
        let Checked { chart, spreads: (x, y) } = self;
        let (width, height) = (f64::from(chart.size.0), f64::from(chart.size.1));
        let label = |label: &str| if label.is_empty() { 0.0 } else { LABEL + GAP };
        let bottom = height - MARGIN - label(&chart.x_label) - TICK - GAP;
        let y = Axis::new(*y, chart.log_y, PAD, count(bottom - top - ROW, BETWEEN.1));
        let left = MARGIN + label(&chart.y_label) + widest(&y) + GAP;
        let pad = if chart.series.iter().all(|s| s.kind == Kind::Line) { 0.0 } else { PAD };
        let x_axis = |right, room| Axis::new(*x, chart.log_x, pad, count(right - left, room));
        let label = widest(&x_axis(width, BETWEEN.0));
        let right = width - MARGIN - (label / 2.0).max(GAP);
        let x = x_axis(right, BETWEEN.0.max(label + 3.0 * GAP));
        Plot { left, right, top, bottom, x, y }
    }

    /// Draws the legend in rows above the plot and returns its height.
    fn legend<B: DrawingBackend>(&self, canvas: &Canvas<B>, plot: &Plot) -> Drawn<B, f64> {
        let (mut x, mut y) = (plot.left, plot.top);
        let named = self.chart.series.iter().zip(COLORS.into_iter().cycle());
        for (series, color) in named.filter(|(series, _)| !series.name.is_empty()) {
            let size = fitting(&series.name, LEGEND, plot.right - plot.left - SAMPLE - GAP);
            let width = SAMPLE + GAP + width(&series.name, size);
            if x > plot.left && x + width > plot.right {
                (x, y) = (plot.left, y + ROW);
            }
            let middle = y + ROW / 2.0;
            let at = |x: f64| (units(x), units(middle));
            match series.kind {
                Kind::Line => canvas.area.draw(&PathElement::new(
                    vec![at(x), at(x + SAMPLE)],
                    color.stroke_width(units(2.0) as u32),
                ))?,
                Kind::Points => {
                    let radius = units(series.radius());
                    canvas.area.draw(&Circle::new(at(x + SAMPLE / 2.0), radius, color.filled()))?;
                }
            }
            let start = (x + SAMPLE + GAP, middle);
            canvas.text(&series.name, size, INK, HPos::Left, start)?;
            x += width + 3.0 * GAP;
        }
        Ok(if x > plot.left { y + ROW - plot.top } else { y - plot.top })
    }

    /// Draws axes, labels and series.
    fn series<B: DrawingBackend>(&self, canvas: &Canvas<B>, plot: &Plot) -> Drawn<B> {
        let (width, height) = (f64::from(self.chart.size.0), f64::from(self.chart.size.1));
        let mut chart = ChartBuilder::on(&canvas.area)
            .margin_top(units(plot.top))
            .margin_right(units(width - plot.right))
            .margin_bottom(units(MARGIN))
            .margin_left(units(MARGIN))
            .x_label_area_size(units(height - MARGIN - plot.bottom))
            .y_label_area_size(units(plot.left - MARGIN))
            .build_cartesian_2d(plot.x.clone(), plot.y.clone())?;
        let thin = units(1.0) as u32;
        let fitted = fitting(&self.chart.x_label, LABEL, plot.right - plot.left).min(fitting(
            &self.chart.y_label,
            LABEL,
            plot.bottom - plot.top,
        ));
        let mut mesh = chart.configure_mesh();
        mesh.bold_line_style(GRID.stroke_width(thin))
            .light_line_style(FAINT.stroke_width(thin))
            .axis_style(INK.stroke_width(thin))
            .set_all_tick_mark_size(units(4.0))
            .label_style(font(TICK).color(&INK))
            .y_label_offset(units(canvas.lower(TICK)))
            .axis_desc_style(font(fitted).color(&INK));
        if !self.chart.x_label.is_empty() {
            mesh.x_desc(&self.chart.x_label);
        }
        if !self.chart.y_label.is_empty() {
            mesh.y_desc(&self.chart.y_label);
        }
        mesh.draw()?;
        for (series, color) in self.chart.series.iter().zip(COLORS.into_iter().cycle()) {
            let values: Vec<_> = series.values().collect();
            for run in values.split(Option::is_none) {
                let run: Vec<(f64, f64)> = run.iter().copied().flatten().collect();
                if series.kind == Kind::Line && run.len() > 1 {
                    let stroke = units(series.stroke());
                    let (parts, joined) = canvas.parts(&run);
                    let style = color.stroke_width(stroke as u32);
                    chart.draw_series(parts.map(|part| PathElement::new(part.to_vec(), style)))?;
                    let joint = |at: &(f64, f64)| Circle::new(*at, stroke / 2, color.filled());
                    chart.draw_series(run.iter().filter(|_| joined).map(joint))?;
                } else {
                    let point = |at| Circle::new(at, units(series.radius()), color.filled());
                    chart.draw_series(run.into_iter().map(point))?;
                }
            }
        }
        Ok(())
    }
}

impl Series {
    /// Many points are drawn small.
    fn radius(&self) -> f64 {
        if self.x.len() > 300 { 2.0 } else { 4.0 }
    }

    /// A line that goes up and down within a pixel or two is drawn thin.
    fn stroke(&self) -> f64 {
        if self.x.len() > 500 { 1.25 } else { 2.0 }
    }
}

fn widest(axis: &Axis) -> f64 {
    axis.ticks.iter().map(|(_, label)| width(label, TICK)).fold(0.0, f64::max)
}

/// How many ticks stand well on a length when each has `room`.
fn count(length: f64, room: f64) -> usize {
    (length / room).max(2.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Left, top, right and bottom of what an element of an SVG document shows, in its units.
    type Extent = [f64; 4];

    fn attribute<'a>(element: &'a str, name: &str) -> &'a str {
        let (_, rest) = element.split_once(&format!(" {name}=\"")).unwrap();
        rest.split_once('"').unwrap().0
    }

    fn extent(element: &str, text: &str) -> Extent {
        let number = |name: &str| attribute(element, name).parse::<f64>().unwrap();
        let (x, y, em) = (number("x"), number("y"), number("font-size"));
        let width = f64::from(units(width(text, em / f64::from(units(1.0)))));
        let start = match attribute(element, "text-anchor") {
            "start" => 0.0,
            "middle" => -width / 2.0,
            _ => -width,
        };
        let baseline = match attribute(element, "dy") {
            "0.76em" => 0.76 * em,
            "0.5ex" => 0.27 * em,
            _ => -0.27 * em,
        };
        let (above, below) = (0.76 * em - baseline, baseline + 0.24 * em);
        match element.contains("rotate(270") {
            false => [x + start, y - above, x + start + width, y + below],
            true => [x - above, y - start - width, x + below, y - start],
        }
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
            let svg = chart.to_svg().unwrap();
            let elements: Vec<&str> = svg.lines().collect();
            let is_text = |lines: &&[&str]| lines[0].starts_with("<text");
            let texts: Vec<(Extent, &str)> = elements
                .windows(2)
                .filter(is_text)
                .map(|lines| (extent(lines[0], lines[1]), lines[1]))
                .collect();
            assert!(texts.len() > 4, "{svg}");
            let apart = |a: &Extent, b: &Extent| {
                a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1]
            };
            let (right, bottom) = (units(chart.size.0.into()), units(chart.size.1.into()));
            for (i, (a, text)) in texts.iter().enumerate() {
                let inside = a[0] >= 0.0 && a[1] >= 0.0;
                let inside = inside && a[2] <= right.into() && a[3] <= bottom.into();
                assert!(inside, "`{text}` at {a:?} leaves {}", chart.title);
                let covered = texts[..i].iter().find(|(b, _)| !apart(a, b));
                assert!(covered.is_none(), "`{text}` covers {covered:?} in {}", chart.title);
            }
            // The last shapes are the data.
            let data = elements.iter().rfind(|element| element.starts_with("<poly")).unwrap();
            for point in attribute(data, "points").split_whitespace() {
                let (x, y) = point.split_once(',').unwrap();
                let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
                let point = [x - 4.0, y - 4.0, x + 4.0, y + 4.0];
                let covered = texts.iter().find(|(a, _)| !apart(a, &point));
                assert!(covered.is_none(), "{covered:?} covers the data of {}", chart.title);
            }
        }
    }
}
