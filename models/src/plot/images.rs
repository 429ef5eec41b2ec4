//! Samples side by side, with captions.

use std::path::Path;

use cornu_autodiff::{DType, Tensor};

use plotters::prelude::{Color as _, DrawingBackend, RGBColor, Rectangle};
use plotters::style::text_anchor::HPos;

use super::canvas::{self, ALARM, Canvas, Drawing, Drawn, INK, MARGIN, printable, units};
use super::file;
use crate::error::{Error, Result};

/// Images side by side, each with a caption: samples, or what a model makes of them.
///
/// Grey images are drawn dark on light: the smallest value of all is paper, the largest is ink.
/// Colours are drawn as they are.
///
/// ```
/// use cornu_autodiff::{DType, Tensor};
/// use cornu_models::plot::Images;
/// let x = Tensor::arange(3 * 8 * 8, DType::F32).reshape([3, 8, 8]);
/// let svg = Images::new("What the model saw", &x)?
///     .captions(&["4", "7", "1 (is 7)"])
///     .marked(&[false, false, true])
///     .to_svg()?;
/// assert!(svg.contains("1 (is 7)"));
/// # Ok::<(), cornu_models::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "images are drawn by `save`"]
pub struct Images {
    title: String,
    /// Colours of the pixels, image after image, row after row.
    pixels: Vec<RGBColor>,
    /// Number of images, then their rows and columns.
    dims: [usize; 3],
    captions: Vec<String>,
    marked: Vec<bool>,
    columns: Option<usize>,
}

/// The most images in one picture.
const MOST: usize = 400;
/// The most rows or columns of an image.
const LARGEST: usize = 1024;
/// Nominal pixels that a small image is enlarged to.
const SIDE: usize = 72;
/// The most nominal pixels on a side of a picture.
const LARGEST_PICTURE: f64 = 3000.0;
/// Height of the title with the space below it.
const TITLE_ROW: f64 = 26.0;
const CAPTION: f64 = 13.0;
/// Height of a caption with the space around it.
const CAPTION_ROW: f64 = 22.0;

impl Images {
    /// The images in `x`: `(n, rows, columns)`, or `(n, rows, columns, channels)` with 1 channel
    /// for grey or 3 for red, green and blue. Colours are `0..=255` as uint8, `0..=1` otherwise.
    ///
    /// # Errors
    /// When `x` has other axes, no image, more than 400 of them, a side of more than 1024, a
    /// value that is NaN or infinite, or a colour outside its range.
    pub fn new(title: impl Into<String>, x: &Tensor) -> Result<Images> {
        let (title, fail) = (printable(title), |rule: String| {
            Err(Error::value("images", rule, format!("{:?}", x.spec())))
        });
        let (dims, channels) = match *x.dims() {
            [n, rows, columns] => ([n, rows, columns], 1),
            [n, rows, columns, channels @ (1 | 3)] => ([n, rows, columns], channels),
            _ => {
                return fail(
                    "`x` must be (n, rows, columns), with or without 1 or 3 channels".into(),
                );
            }
        };
        if !(1..=MOST).contains(&dims[0]) {
            return fail(format!("there must be 1 to {MOST} images"));
        }
        if !dims[1..].iter().all(|side| (1..=LARGEST).contains(side)) {
            return fail(format!("rows and columns must be 1 to {LARGEST}"));
        }
        let values = x.to_f64_vec()?;
        if let Some(v) = values.iter().find(|v| !v.is_finite()) {
            return Err(Error::value("images", "every value must be finite", v));
        }
        let pixels = if channels == 1 { greys(&values) } else { colors(&values, x.dtype())? };
        Ok(Images { title, pixels, dims, captions: vec![], marked: vec![], columns: None })
    }

    /// Writes a caption above each image.
    pub fn captions<S: ToString>(mut self, captions: &[S]) -> Images {
        self.captions = captions.iter().map(|caption| printable(caption.to_string())).collect();
        self
    }

    /// Writes the captions of the images that are `true` in red, as for a wrong prediction.
    pub fn marked(mut self, marked: &[bool]) -> Images {
        self.marked = marked.to_vec();
        self
    }

    /// Images in a row; otherwise as many as make the picture wider than high.
    pub fn columns(mut self, columns: usize) -> Images {
        self.columns = Some(columns);
        self
    }

    /// Draws the images and writes them to `path`, as PNG or SVG by its suffix. The file is
    /// written whole or not at all, in folders that are made where they are absent.
    ///
    /// # Errors
    /// When the suffix is neither `.png` nor `.svg`, captions or marks are not as many as the
    /// images, `columns` is 0, the picture would be larger than 3000 nominal pixels, or the file
    /// can't be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        file::save(|| self.grid(), path.as_ref())
    }

    /// The images as an SVG document.
    ///
    /// # Errors
    /// As [`Images::save`], save for the file.
    pub fn to_svg(&self) -> Result<String> {
        canvas::svg(&self.grid()?)
    }

    fn grid(&self) -> Result<Grid<'_>> {
        let [n, rows, columns] = self.dims;
        for (what, count) in [("captions", self.captions.len()), ("marks", self.marked.len())] {
            if count != 0 && count != n {
                let rule = format!("there must be {n} {what}, as many as images");
                return Err(Error::value(format!("images `{}`", self.title), rule, count));
            }
        }
        let across = self.columns.unwrap_or_else(|| even_columns(n)).min(n);
        let pixel = (SIDE / rows.max(columns)).max(1);
        let (width, height) = ((columns * pixel) as f64, (rows * pixel) as f64);
        let caption = if self.captions.is_empty() { 0.0 } else { CAPTION_ROW };
        // A cell makes room for its caption within reason; longer ones are written smaller.
        let widths = self.captions.iter().map(|text| canvas::width(text, CAPTION));
        let widest = widths.fold(0.0, f64::max);
        let room = (widest + 10.0).clamp(1.15 * width, 1.6 * width).max(44.0);
        // Whole nominal pixels, so that the seams between pixels of an image stay invisible.
        let step = (room.round(), (height * 1.08 + caption + 4.0).round());
        let down = if across == 0 { 0 } else { n.div_ceil(across) };
        let title = if self.title.is_empty() { 0.0 } else { TITLE_ROW };
        let wide = step.0 * across as f64 + 2.0 * MARGIN;
        let size = (wide.max(360.0), step.1 * down as f64 + 2.0 * MARGIN + title);
        if across == 0 || size.0.max(size.1) > LARGEST_PICTURE {
            let rule = format!(
                "`columns` must give a picture of {LARGEST_PICTURE} by {LARGEST_PICTURE} nominal \
                 pixels at most"
            );
            return Err(Error::value(format!("images `{}`", self.title), rule, across));
        }
        let left = ((size.0 - wide) / 2.0 + MARGIN + (step.0 - width) / 2.0).round();
        Ok(Grid { images: self, across, pixel, left, step, caption, size })
    }
}

/// Where the images go, in nominal pixels.
struct Grid<'a> {
    images: &'a Images,
    across: usize,
    /// Side of a pixel of an image.
    pixel: usize,
    /// Where the first image begins.
    left: f64,
    /// From one image to the next, to the right and down.
    step: (f64, f64),
    /// Height of a caption.
    caption: f64,
    size: (f64, f64),
}

impl Drawing for Grid<'_> {
    /// Without seams between the pixels.
    const SHAPES: &'static str = "shape-rendering=\"crispEdges\"";

    fn size(&self) -> (u32, u32) {
        (self.size.0 as u32, self.size.1 as u32)
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Drawn<B> {
        let top = canvas.title(&self.images.title, self.size.0)?.round() + self.caption;
        for image in 0..self.images.dims[0] {
            let (row, column) = (image / self.across, image % self.across);
            let corner = (self.left + self.step.0 * column as f64, top + self.step.1 * row as f64);
            self.caption(canvas, image, corner)?;
            self.image(canvas, image, corner)?;
        }
        Ok(())
    }
}

impl Grid<'_> {
    fn caption<B: DrawingBackend>(
        &self,
        canvas: &Canvas<B>,
        image: usize,
        (x, y): (f64, f64),
    ) -> Drawn<B> {
        let Some(text) = self.images.captions.get(image) else { return Ok(()) };
        let color = if self.images.marked.get(image) == Some(&true) { ALARM } else { INK };
        let size = canvas::fitting(text, CAPTION, self.step.0 - 4.0);
        let middle = x + (self.images.dims[2] * self.pixel) as f64 / 2.0;
        canvas.text(text, size, color, HPos::Center, (middle, y - self.caption / 2.0))
    }

    /// Draws each run of equal pixels as one rectangle.
    fn image<B: DrawingBackend>(
        &self,
        canvas: &Canvas<B>,
        image: usize,
        (x, y): (f64, f64),
    ) -> Drawn<B> {
        let [_, rows, columns] = self.images.dims;
        let pixels = &self.images.pixels[image * rows * columns..(image + 1) * rows * columns];
        let place = |column: usize, row: usize| {
            (units(x + (column * self.pixel) as f64), units(y + (row * self.pixel) as f64))
        };
        for (row, pixels) in pixels.chunks_exact(columns).enumerate() {
            let mut column = 0;
            for run in pixels.chunk_by(PartialEq::eq) {
                let end = column + run.len();
                let corners = [place(column, row), place(end, row + 1)];
                canvas.area.draw(&Rectangle::new(corners, run[0].filled()))?;
                column = end;
            }
        }
        Ok(())
    }
}

/// Columns that make the picture wider than high and leave few cells of the last row empty.
fn even_columns(n: usize) -> usize {
    let around = |ratio: f64| ((ratio * n as f64).sqrt().round() as usize).clamp(1, n);
    let empty = |columns: &usize| n.next_multiple_of(*columns) - n;
    (around(1.2)..=around(2.6)).min_by_key(empty).unwrap_or(n)
}

/// The smallest value as a very light grey, so that an image is seen on paper, the largest as ink.
fn greys(values: &[f64]) -> Vec<RGBColor> {
    const LIGHT: f64 = 244.0;
    const DARK: f64 = 16.0;
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Halves, as the difference of two large numbers may be infinite.
    let span = (high / 2.0 - low / 2.0).max(f64::MIN_POSITIVE);
    let grey = |v: &f64| LIGHT + (DARK - LIGHT) * ((v / 2.0 - low / 2.0) / span);
    let color = |v| {
        let level = grey(v).round() as u8;
        RGBColor(level, level, level)
    };
    values.iter().map(color).collect()
}

fn colors(values: &[f64], dtype: DType) -> Result<Vec<RGBColor>> {
    let largest = if dtype == DType::U8 { 255.0 } else { 1.0 };
    if let Some(v) = values.iter().find(|v| !(0.0..=largest).contains(*v)) {
        let rule = format!("a colour of {dtype} must be in 0..={largest}");
        return Err(Error::value("images", rule, v));
    }
    let channel = |v: f64| (v / largest * 255.0).round() as u8;
    let color = |v: &[f64]| RGBColor(channel(v[0]), channel(v[1]), channel(v[2]));
    Ok(values.chunks_exact(3).map(color).collect())
}
