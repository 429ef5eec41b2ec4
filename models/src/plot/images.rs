//! Samples side by side, with captions.

use std::path::Path;

use cornu_autodiff::{DType, Tensor};

use super::picture::{ALARM, Anchor, Color, INK, Picture, Shape};
use super::{file, font, layout, svg};
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
    pixels: Vec<Color>,
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
const MARGIN: f64 = 16.0;
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
        let (title, fail) = (title.into(), |rule: String| {
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
        self.captions = captions.iter().map(ToString::to_string).collect();
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
    /// written whole or not at all.
    ///
    /// # Errors
    /// When the suffix is neither `.png` nor `.svg`, captions or marks are not as many as the
    /// images, `columns` is 0, the picture would be larger than 6000 nominal pixels, or the file
    /// can't be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        file::save(|| self.picture(), path.as_ref())
    }

    /// The images as an SVG document.
    ///
    /// # Errors
    /// As [`Images::save`], save for the file.
    pub fn to_svg(&self) -> Result<String> {
        Ok(svg::svg(&self.picture()?))
    }

    fn picture(&self) -> Result<Picture> {
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
        let widest =
            self.captions.iter().map(|text| font::width(text, CAPTION)).fold(0.0, f64::max);
        let room = (widest + 10.0).clamp(1.15 * width, 1.6 * width).max(44.0);
        // Whole nominal pixels, so that the seams between pixels of an image stay invisible.
        let step = (room.round(), (height * 1.08 + caption + 4.0).round());
        let down = if across == 0 { 0 } else { n.div_ceil(across) };
        let total = |step: f64, count: usize| step * count as f64 + 2.0 * MARGIN;
        let (wide, high) = (total(step.0, across), total(step.1, down) + 25.0);
        if across == 0 || wide.max(high) > 6000.0 {
            let rule = "`columns` must give a picture of 6000 by 6000 nominal pixels at most";
            return Err(Error::value(format!("images `{}`", self.title), rule, across));
        }
        let mut picture = Picture::new(wide.max(360.0), high);
        let top = layout::title(&mut picture, &self.title).round();
        picture.height -= MARGIN + 25.0 - top;
        let left = ((picture.width - step.0 * across as f64) / 2.0).round();
        for image in 0..n {
            let corner = (
                left + step.0 * (image % across) as f64 + ((step.0 - width) / 2.0).round(),
                top + step.1 * (image / across) as f64 + caption,
            );
            self.caption(&mut picture, image, (corner.0 + width / 2.0, corner.1 - 6.0), step.0);
            self.image(&mut picture, image, corner, pixel as f64);
        }
        Ok(picture)
    }

    fn caption(&self, picture: &mut Picture, image: usize, at: (f64, f64), room: f64) {
        let Some(text) = self.captions.get(image).cloned() else { return };
        let color = if self.marked.get(image) == Some(&true) { ALARM } else { INK };
        let size = layout::fitting(&text, CAPTION, room - 4.0);
        let (anchor, upright) = (Anchor::Middle, false);
        picture.shapes.push(Shape::Text { at, size, anchor, upright, color, text });
    }

    /// Draws each run of equal pixels as one rectangle.
    fn image(&self, picture: &mut Picture, image: usize, corner: (f64, f64), pixel: f64) {
        let [_, rows, columns] = self.dims;
        let image = &self.pixels[image * rows * columns..(image + 1) * rows * columns];
        for (row, pixels) in image.chunks_exact(columns).enumerate() {
            let mut column = 0;
            for run in pixels.chunk_by(PartialEq::eq) {
                let at = (corner.0 + column as f64 * pixel, corner.1 + row as f64 * pixel);
                picture.rectangle(at, (run.len() as f64 * pixel, pixel), run[0]);
                column += run.len();
            }
        }
    }
}

/// Columns that make the picture wider than high and leave few cells of the last row empty.
fn even_columns(n: usize) -> usize {
    let around = |ratio: f64| ((ratio * n as f64).sqrt().round() as usize).clamp(1, n);
    let empty = |columns: &usize| n.next_multiple_of(*columns) - n;
    (around(1.2)..=around(2.6)).min_by_key(empty).unwrap_or(n)
}

/// The smallest value as a very light grey, so that an image is seen on paper, the largest as ink.
fn greys(values: &[f64]) -> Vec<Color> {
    const LIGHT: f64 = 244.0;
    const DARK: f64 = 16.0;
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Halves, as the difference of two large numbers may be infinite.
    let span = (high / 2.0 - low / 2.0).max(f64::MIN_POSITIVE);
    let grey = |v: &f64| LIGHT + (DARK - LIGHT) * ((v / 2.0 - low / 2.0) / span);
    values.iter().map(|v| [grey(v).round() as u8; 3]).collect()
}

fn colors(values: &[f64], dtype: DType) -> Result<Vec<Color>> {
    let largest = if dtype == DType::U8 { 255.0 } else { 1.0 };
    if let Some(v) = values.iter().find(|v| !(0.0..=largest).contains(*v)) {
        let rule = format!("a colour of {dtype} must be in 0..={largest}");
        return Err(Error::value("images", rule, v));
    }
    let channel = |v: f64| (v / largest * 255.0).round() as u8;
    Ok(values.chunks_exact(3).map(|v| [channel(v[0]), channel(v[1]), channel(v[2])]).collect())
}
