//! Pictures of training and of predictions, as PNG and SVG, without any system library.
//!
//! - [`lines`] draws named series with one call.
//! - [`Chart`] is for the rest: points, a logarithmic axis, series of different kinds.
//! - [`Images`] shows samples side by side with captions.
//!
//! The suffix of the file decides the format: `.png`, at twice the nominal size for sharp screens,
//! or `.svg`. A file is written whole or not at all, and missing folders are made. The typeface,
//! DejaVu Sans, is part of the program; [plotters](https://docs.rs/plotters) draws.
//!
//! ```
//! use cornu_models::plot::{Chart, lines};
//! # let directory = std::env::temp_dir().join(format!("cornu-plot-{}", std::process::id()));
//! # let (loss_png, fit_svg) = (directory.join("loss.png"), directory.join("fit.svg"));
//! let epochs = [1.0, 2.0, 3.0, 4.0];
//! let (train, validation) = ([0.7, 0.4, 0.3, 0.2], [0.7, 0.5, 0.4, 0.4]);
//! lines(
//!     loss_png,
//!     "Loss of the XOR network",
//!     "epoch",
//!     "loss",
//!     &[("train", &epochs, &train), ("validation", &epochs, &validation)],
//! )?;
//!
//! Chart::new("A line through points")
//!     .points("data", &[0.0, 0.5, 1.0], &[0.1, 0.4, 1.1])
//!     .line("fit", &[0.0, 1.0], &[0.0, 1.0])
//!     .save(fit_svg)?;
//! # std::fs::remove_dir_all(&directory)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod axis;
mod canvas;
mod chart;
mod draw;
mod file;
mod images;

use std::path::Path;

pub use chart::Chart;
pub use images::Images;

use crate::error::Result;

/// Draws each `(name, x, y)` as a line and saves the picture.
///
/// # Errors
/// As [`Chart::save`].
pub fn lines(
    path: impl AsRef<Path>,
    title: &str,
    x_label: &str,
    y_label: &str,
    series: &[(&str, &[f64], &[f64])],
) -> Result<()> {
    let chart = Chart::new(title).x_label(x_label).y_label(y_label);
    series.iter().fold(chart, |chart, (name, x, y)| chart.line(*name, x, y)).save(path)
}
