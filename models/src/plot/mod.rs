//! Pictures of training and of predictions, as PNG and SVG, without any system library.
//!
//! - [`Chart`] draws lines and points, on linear and logarithmic axes.
//! - [`Images`] shows samples side by side with captions.
//!
//! The suffix of the file decides the format: `.png`, at twice the nominal size for sharp screens,
//! or `.svg`. A file is written whole or not at all, and missing folders are made. The typeface,
//! DejaVu Sans, is part of the program; [plotters](https://docs.rs/plotters) draws.
//!
//! ```
//! use cornu_models::plot::Chart;
//! # let directory = std::env::temp_dir().join(format!("cornu-plot-{}", std::process::id()));
//! # let (loss_png, fit_svg) = (directory.join("loss.png"), directory.join("fit.svg"));
//! Chart::new("Loss of the XOR network")
//!     .x_label("epoch")
//!     .y_label("loss")
//!     .curve("training", &[0.7, 0.4, 0.3, 0.2])
//!     .curve("validation", &[0.7, 0.5, 0.4, 0.4])
//!     .save(loss_png)?;
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

pub use chart::Chart;
pub use images::Images;
