//! The two media of a picture, and text on them. Sizes and places are nominal pixels, y downwards.

use std::sync::Once;

use plotters::coord::Shift;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::*;
use plotters::style::register_font;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::error::{Error, Result};

/// Text and axes.
pub(super) const INK: RGBColor = RGBColor(0x26, 0x26, 0x26);
/// What needs attention.
pub(super) const ALARM: RGBColor = RGBColor(0xc6, 0x1a, 0x09);
/// Between a picture's edge and what is in it.
pub(super) const MARGIN: f64 = 16.0;

/// How an SVG viewer finds the typeface, or one with letters as wide.
const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";
/// The unit of drawing is a quarter of a nominal pixel, as plotters draws at whole numbers only.
const UNITS: u32 = 4;
/// Units averaged to one pixel of a PNG, along each axis: smooth edges.
const FINER: u32 = 2;
/// Bytes of a pixel: red, green, blue.
const CHANNELS: usize = 3;
/// plotters takes the height of a line for the size of a typeface, not the em.
const LINE: f64 = 1.2;
const TITLE: f64 = 18.0;

/// What plotters says of a drawing, whatever the medium.
pub(super) type Drawn<B, T = ()> =
    std::result::Result<T, DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// A picture that can be drawn on any medium.
pub(super) trait Drawing {
    /// How an SVG viewer is to draw its shapes.
    const SHAPES: &'static str;
    /// Width and height.
    fn size(&self) -> (u32, u32);
    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Drawn<B>;
}

/// The surface of a picture.
pub(super) struct Canvas<B: DrawingBackend> {
    pub(super) area: DrawingArea<B, Shift>,
    medium: Medium,
}

/// How plotters draws on an SVG or a PNG.
struct Medium {
    /// How far below its place a text must be written, in ems, to centre digits.
    lower: f64,
    /// Whether sharp corners of a line look as they should.
    corners: bool,
}

/// In units of drawing.
pub(super) fn units(length: f64) -> i32 {
    (length * f64::from(UNITS)).round() as i32
}

pub(super) fn font(size: f64) -> FontDesc<'static> {
    (FAMILY, size * LINE * f64::from(UNITS)).into_font()
}

/// Width of a text.
pub(super) fn width(text: &str, size: f64) -> f64 {
    register();
    let (width, _) = font(size).box_size(text).expect("the typeface is registered");
    f64::from(width) / f64::from(UNITS)
}

/// The size, `size` at most, at which a text is no wider than `room`.
pub(super) fn fitting(text: &str, size: f64, room: f64) -> f64 {
    size * (room / width(text, size).max(1e-9)).min(1.0)
}

fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let typeface = include_bytes!("assets/DejaVuSans.ttf");
        let registered = register_font(FAMILY, FontStyle::Normal, typeface);
        assert!(registered.is_ok(), "the typeface in the program must be whole");
    });
}

impl<B: DrawingBackend> Canvas<B> {
    fn paint(backend: B, medium: Medium, drawing: &impl Drawing) -> Drawn<B> {
        register();
        let canvas = Canvas { area: backend.into_drawing_area(), medium };
        canvas.area.fill(&WHITE)?;
        drawing.draw(&canvas)?;
        canvas.area.present()
    }

    /// The parts that a line through points must be drawn in, and whether a disc belongs on each
    /// point to join them.
    pub(super) fn parts<'a, P>(&self, points: &'a [P]) -> (impl Iterator<Item = &'a [P]>, bool) {
        let size = if self.medium.corners { points.len() } else { 2 };
        (points.windows(size), !self.medium.corners)
    }

    /// How much lower than its place a text of this size must be written to be centred there.
    pub(super) fn lower(&self, size: f64) -> f64 {
        self.medium.lower * size
    }

    /// Writes a text whose digits are centred on the height of `y`.
    pub(super) fn text(
        &self,
        text: &str,
        size: f64,
        color: RGBColor,
        side: HPos,
        (x, y): (f64, f64),
    ) -> Drawn<B> {
        let style = font(size).color(&color).pos(Pos::new(side, VPos::Center));
        self.area.draw_text(text, &style, (units(x), units(y + self.lower(size))))
    }

    /// Writes a title at the top, smaller if it is too long, and returns where the rest begins.
    pub(super) fn title(&self, title: &str, width: f64) -> Drawn<B, f64> {
        if title.is_empty() {
            return Ok(MARGIN);
        }
        let size = fitting(title, TITLE, width - 2.0 * MARGIN);
        self.text(title, size, INK, HPos::Center, (width / 2.0, MARGIN + TITLE / 2.0))?;
        Ok(MARGIN + TITLE + 8.0)
    }
}

/// Text without control characters, which no SVG may contain.
pub(super) fn printable(text: impl Into<String>) -> String {
    text.into().replace(|c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'), " ")
}

/// The whole SVG document.
pub(super) fn svg<D: Drawing>(drawing: &D) -> Result<String> {
    let (width, height) = drawing.size();
    let (wide, high) = (width * UNITS, height * UNITS);
    let mut svg = String::new();
    let medium = Medium { lower: 0.09, corners: true };
    Canvas::paint(SVGBackend::with_string(&mut svg, (wide, high)), medium, drawing)
        .map_err(fail)?;
    let header = format!("width=\"{wide}\" height=\"{high}\"");
    let nominal = format!("width=\"{width}\" height=\"{height}\" {}", D::SHAPES);
    Ok(svg.replacen(&header, &nominal, 1))
}

/// The whole PNG file.
pub(super) fn png(drawing: &impl Drawing) -> Result<Vec<u8>> {
    let (width, height) = drawing.size();
    let (wide, high) = (width * UNITS, height * UNITS);
    let mut units = vec![0; CHANNELS * wide as usize * high as usize];
    let backend = BitMapBackend::with_buffer(&mut units, (wide, high));
    let medium = Medium { lower: 0.26, corners: false };
    Canvas::paint(backend, medium, drawing).map_err(fail)?;

    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, wide / FINER, high / FINER);
    encoder.set_color(png::ColorType::Rgb);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(&smooth(&units, wide as usize))?;
        writer.finish()
    });
    written.map_err(fail)?;
    Ok(file)
}

/// The mean of each square of units.
fn smooth(units: &[u8], wide: usize) -> Vec<u8> {
    let finer = FINER as usize;
    let square = (FINER * FINER) as u16;
    let mut pixels = Vec::with_capacity(units.len() / (finer * finer));
    for rows in units.chunks_exact(finer * wide * CHANNELS) {
        for column in (0..wide * CHANNELS).step_by(finer * CHANNELS) {
            pixels.extend((column..column + CHANNELS).map(|channel| {
                let all = (0..finer * finer).map(|unit| {
                    let (row, column) = (unit / finer, unit % finer);
                    u16::from(rows[row * wide * CHANNELS + column * CHANNELS + channel])
                });
                ((all.sum::<u16>() + square / 2) / square) as u8
            }));
        }
    }
    pixels
}

fn fail(error: impl std::fmt::Display) -> Error {
    Error::value("plot", "a picture must be drawable", error)
}
