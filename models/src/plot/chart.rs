//! Lines and points between two axes.

use std::path::Path;

use super::axis::Spread;
use super::canvas::{self, printable};
use super::draw::Checked;
use super::file;
use crate::error::{Error, Result};

/// Lines and points between two axes, with a title, a legend and ticks.
///
/// Series are told apart by colour, in the order in which they were added; one with an empty name
/// is left out of the legend. A value that is NaN or infinite leaves a gap.
///
/// ```
/// use cornu_models::plot::Chart;
/// let svg = Chart::new("Three kinds of descent")
///     .x_label("seconds")
///     .y_label("loss")
///     .log_y()
///     .line("batch", &[0.0, 0.1, 0.2], &[0.7, 0.5, 0.4])
///     .line("stochastic", &[0.0, 0.3, 0.6], &[0.7, 0.1, 0.02])
///     .to_svg()?;
/// assert!(svg.contains("Three kinds of descent"));
/// # Ok::<(), cornu_models::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a chart is drawn by `save`"]
pub struct Chart {
    pub(super) title: String,
    pub(super) x_label: String,
    pub(super) y_label: String,
    pub(super) log_x: bool,
    pub(super) log_y: bool,
    pub(super) size: (u32, u32),
    pub(super) series: Vec<Series>,
}

/// How the values of all series spread along both axes.
pub(super) type Spreads = (Spread, Spread);

/// Values with a name.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) x: Vec<f64>,
    pub(super) y: Vec<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Line,
    Points,
}

impl Series {
    /// The values that can be drawn; `None` is a gap.
    pub(super) fn values(&self) -> impl Iterator<Item = Option<(f64, f64)>> {
        let pairs = self.x.iter().zip(&self.y).map(|(&x, &y)| (x, y));
        pairs.map(|(x, y)| (x.is_finite() && y.is_finite()).then_some((x, y)))
    }
}

/// Values beyond this could not be told from infinity once they are added up.
const LARGEST: f64 = 1e150;
/// Nominal pixels of the smallest and the largest side of a chart.
const SIDES: std::ops::RangeInclusive<u32> = 200..=2000;

impl Chart {
    /// A chart without series, 800 by 500 nominal pixels.
    pub fn new(title: impl Into<String>) -> Chart {
        Chart {
            title: printable(title),
            x_label: String::new(),
            y_label: String::new(),
            log_x: false,
            log_y: false,
            size: (800, 500),
            series: Vec::new(),
        }
    }

    /// What the horizontal axis shows.
    pub fn x_label(mut self, label: impl Into<String>) -> Chart {
        self.x_label = printable(label);
        self
    }

    /// What the vertical axis shows.
    pub fn y_label(mut self, label: impl Into<String>) -> Chart {
        self.y_label = printable(label);
        self
    }

    /// Makes the horizontal axis logarithmic.
    pub fn log_x(mut self) -> Chart {
        self.log_x = true;
        self
    }

    /// Makes the vertical axis logarithmic.
    pub fn log_y(mut self) -> Chart {
        self.log_y = true;
        self
    }

    /// Width and height in nominal pixels, 200 to 2000 each.
    pub fn size(mut self, width: u32, height: u32) -> Chart {
        self.size = (width, height);
        self
    }

    /// Adds a line through the points `(x, y)`, in the order they have.
    pub fn line<X, Y>(self, name: impl Into<String>, x: &[X], y: &[Y]) -> Chart
    where
        X: Copy + Into<f64>,
        Y: Copy + Into<f64>,
    {
        self.with(Kind::Line, printable(name), x, y)
    }

    /// Adds the points `(x, y)`, not joined.
    pub fn points<X, Y>(self, name: impl Into<String>, x: &[X], y: &[Y]) -> Chart
    where
        X: Copy + Into<f64>,
        Y: Copy + Into<f64>,
    {
        self.with(Kind::Points, printable(name), x, y)
    }

    /// Adds a line through the values `y` at 1, 2, 3, …: one value an epoch.
    pub fn curve<Y: Copy + Into<f64>>(self, name: impl Into<String>, y: &[Y]) -> Chart {
        let x: Vec<f64> = (1..=y.len()).map(|epoch| epoch as f64).collect();
        self.line(name, &x, y)
    }

    fn with<X, Y>(mut self, kind: Kind, name: String, x: &[X], y: &[Y]) -> Chart
    where
        X: Copy + Into<f64>,
        Y: Copy + Into<f64>,
    {
        let x = x.iter().map(|&v| v.into()).collect();
        let y = y.iter().map(|&v| v.into()).collect();
        self.series.push(Series { name, kind, x, y });
        self
    }

    /// Draws the chart and writes it to `path`, as PNG or SVG by its suffix. The file is written
    /// whole or not at all, in folders that are made where they are absent.
    ///
    /// # Errors
    /// When the suffix is neither `.png` nor `.svg`, there is no series, a series has no finite
    /// value, its `x` and `y` differ in length, it has values that a logarithmic axis can't show,
    /// or the file can't be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        file::save(|| self.checked(), path.as_ref())
    }

    /// The chart as an SVG document.
    ///
    /// # Errors
    /// As [`Chart::save`], save for the file.
    pub fn to_svg(&self) -> Result<String> {
        canvas::svg(&self.checked()?)
    }

    fn checked(&self) -> Result<Checked<'_>> {
        let place = format!("chart `{}`", self.title);
        let (width, height) = self.size;
        if !SIDES.contains(&width) || !SIDES.contains(&height) {
            let rule = format!("width and height must be in {SIDES:?}");
            return Err(Error::value(place, rule, format!("{width} and {height}")));
        }
        for series in &self.series {
            self.check(series)?;
        }
        let drawn = || self.series.iter().flat_map(Series::values).flatten();
        let (x, y) = (Spread::of(drawn().map(|(x, _)| x)), Spread::of(drawn().map(|(_, y)| y)));
        // Epochs are counted, losses and accuracies are not, even where they are 0 or 1.
        let y = y.map(|y| Spread { whole: false, ..y });
        let spreads = x.zip(y);
        let spreads =
            spreads.ok_or_else(|| Error::value(place, "there must be a series to draw", "none"))?;
        Ok(Checked { chart: self, spreads })
    }

    fn check(&self, series: &Series) -> Result<()> {
        let fail = |rule: &str, got: String| {
            let place = format!("chart `{}`: series `{}`", self.title, series.name);
            Err(Error::value(place, rule, got))
        };
        let (x, y) = (series.x.len(), series.y.len());
        if x != y {
            return fail("`x` and `y` must be of equal length", format!("{x} and {y}"));
        }
        let drawn = || series.values().flatten();
        if drawn().next().is_none() {
            let got = if x == 0 { "none".into() } else { format!("{x} NaN or infinite ones") };
            return fail("there must be a finite value", got);
        }
        let beyond = |v: f64| v.abs() > LARGEST;
        if let Some((x, y)) = drawn().find(|&(x, y)| beyond(x) || beyond(y)) {
            return fail("values must lie within ±1e150", format!("({x:e}, {y:e})"));
        }
        let not_positive = |v: &f64| *v < f64::MIN_POSITIVE;
        let x = drawn().map(|(x, _)| x).find(|x| self.log_x && not_positive(x));
        let y = drawn().map(|(_, y)| y).find(|y| self.log_y && not_positive(y));
        for (axis, value) in [("x", x), ("y", y)] {
            if let Some(v) = value {
                let rule = format!("`{axis}` must be positive on a logarithmic axis");
                return fail(&rule, v.to_string());
            }
        }
        Ok(())
    }
}
