//! The typeface: how wide a text is, and the outlines of its letters.

use std::sync::OnceLock;

use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// How an SVG viewer finds the typeface, or one with letters as wide.
pub(super) const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";
/// Height of a digit, in ems.
pub(super) const DIGIT_HEIGHT: f64 = 0.729;

fn face() -> &'static Face<'static> {
    static FACE: OnceLock<Face<'static>> = OnceLock::new();
    FACE.get_or_init(|| {
        Face::parse(include_bytes!("assets/DejaVuSans.ttf"), 0).expect("the built-in font is whole")
    })
}

/// The letters of a text: what stands in for one the typeface lacks is its box, number 0.
fn glyphs(text: &str) -> impl Iterator<Item = GlyphId> {
    text.chars().map(|c| face().glyph_index(c).unwrap_or(GlyphId(0)))
}

/// Width of a text whose em is `size`.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let units: f64 = glyphs(text).map(advance).sum();
    units * size / f64::from(face().units_per_em())
}

fn advance(glyph: GlyphId) -> f64 {
    f64::from(face().glyph_hor_advance(glyph).unwrap_or(0))
}

/// Sends the outlines to `builder`, in ems with y upwards, from the origin to the right.
pub(super) fn outline(text: &str, builder: &mut dyn OutlineBuilder) {
    let em = 1.0 / f32::from(face().units_per_em());
    let mut x = 0.0;
    for glyph in glyphs(text) {
        face().outline_glyph(glyph, &mut Placed { builder: &mut *builder, x: x as f32, em });
        x += advance(glyph);
    }
}

/// Scales font units to ems after moving them right.
struct Placed<'a> {
    builder: &'a mut dyn OutlineBuilder,
    x: f32,
    em: f32,
}

impl Placed<'_> {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        ((x + self.x) * self.em, y * self.em)
    }
}

impl OutlineBuilder for Placed<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.builder.move_to(x, y);
    }
    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.builder.line_to(x, y);
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.builder.quad_to(x1, y1, x, y);
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.builder.curve_to(x1, y1, x2, y2, x, y);
    }
    fn close(&mut self) {
        self.builder.close();
    }
}
