//! A picture as PNG: anti-aliased by exact coverage, compressed by DEFLATE.

use std::f64::consts::{FRAC_PI_2, PI, TAU};
use std::io::{self, Write};

use ab_glyph_rasterizer::{Point, Rasterizer, point};
use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use ttf_parser::OutlineBuilder;

use super::font;
use super::picture::{Anchor, Color, PAPER, Picture, Shape};

/// Pixels for a nominal one, along each axis.
const SCALE: f64 = 2.0;
/// Bytes of a pixel: red, green, blue.
const CHANNELS: usize = 3;

/// The whole PNG file.
pub(super) fn png(picture: &Picture) -> io::Result<Vec<u8>> {
    let mut bitmap = Bitmap::new(picture);
    picture.shapes.iter().for_each(|shape| bitmap.draw(shape));
    bitmap.encode()
}

struct Bitmap {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Bitmap {
    fn new(picture: &Picture) -> Bitmap {
        let side = |length: f64| (length * SCALE).ceil() as usize;
        let (width, height) = (side(picture.width), side(picture.height));
        Bitmap { width, height, pixels: PAPER.repeat(width * height) }
    }

    fn draw(&mut self, shape: &Shape) {
        let mut outline = Outline::default();
        let color = match shape {
            Shape::Rectangle { left, top, width, height, color } => {
                let (right, bottom) = (left + width, top + height);
                outline.polygon(&[(*left, *top), (right, *top), (right, bottom), (*left, bottom)]);
                color
            }
            Shape::Line { points, width, color } => {
                outline.stroke(points, *width);
                color
            }
            Shape::Disc { center, radius, color } => {
                outline.disc(*center, *radius);
                color
            }
            Shape::Text { at, size, anchor, upright, color, text } => {
                let start = match anchor {
                    Anchor::Start => 0.0,
                    Anchor::Middle => -0.5 * font::width(text, *size),
                    Anchor::End => -font::width(text, *size),
                };
                let mut letters = Letters::new(&mut outline, *at, *size, start, *upright);
                font::outline(text, &mut letters);
                color
            }
        };
        self.fill(&outline, *color);
    }

    /// Paints what lies within the outline, pixels on its border in proportion.
    fn fill(&mut self, outline: &Outline, color: Color) {
        let points = || outline.lines.iter().flatten();
        let bound = |size: usize, axis: fn(&Point) -> f32| {
            let low = points().map(axis).fold(f32::INFINITY, f32::min).floor().max(0.0) as usize;
            let high = points().map(axis).fold(0.0, f32::max).ceil() as usize;
            low.min(size)..high.min(size)
        };
        let (columns, rows) = (bound(self.width, |p| p.x), bound(self.height, |p| p.y));
        if columns.is_empty() || rows.is_empty() {
            return;
        }
        // The column on the right takes up what rounding leaves of a shape's far side.
        let mut coverage = Rasterizer::new(columns.len() + 1, rows.len());
        let corner = point(columns.start as f32, rows.start as f32);
        outline.lines.iter().for_each(|[a, b]| coverage.draw_line(*a - corner, *b - corner));
        coverage.for_each_pixel_2d(|x, y, alpha| {
            let (x, y) = (columns.start + x as usize, rows.start + y as usize);
            if alpha > 1.0 / 512.0 && x < self.width {
                let at = (y * self.width + x) * CHANNELS;
                let alpha = alpha.min(1.0);
                for (pixel, channel) in self.pixels[at..at + CHANNELS].iter_mut().zip(color) {
                    let (old, new) = (f32::from(*pixel), f32::from(channel));
                    *pixel = (old + alpha * (new - old)).round() as u8;
                }
            }
        });
    }

    /// Portable Network Graphics, 8-bit RGB, each row stored as its difference from the one above.
    fn encode(&self) -> io::Result<Vec<u8>> {
        let stride = self.width * CHANNELS;
        let mut data = ZlibEncoder::new(Vec::new(), Compression::default());
        let mut above = vec![0; stride];
        for row in self.pixels.chunks_exact(stride) {
            const UP: u8 = 2;
            let differences = row.iter().zip(&above).map(|(pixel, up)| pixel.wrapping_sub(*up));
            data.write_all(&std::iter::once(UP).chain(differences).collect::<Vec<u8>>())?;
            above.copy_from_slice(row);
        }
        let side = |pixels: usize| (pixels as u32).to_be_bytes();
        const EIGHT_BIT_RGB: [u8; 5] = [8, 2, 0, 0, 0];
        let header = [&side(self.width)[..], &side(self.height), &EIGHT_BIT_RGB].concat();
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        for (kind, content) in [(b"IHDR", header), (b"IDAT", data.finish()?), (b"IEND", vec![])] {
            png.extend((content.len() as u32).to_be_bytes());
            let mut checksum = Crc::new();
            for part in [&kind[..], &content] {
                checksum.update(part);
                png.extend_from_slice(part);
            }
            png.extend(checksum.sum().to_be_bytes());
        }
        Ok(png)
    }
}

/// Closed curves as directed lines, in pixels. All shapes run the same way round, so that the
/// coverage of overlapping ones adds up instead of cancelling.
#[derive(Default)]
struct Outline {
    lines: Vec<[Point; 2]>,
}

impl Outline {
    fn polygon(&mut self, corners: &[(f64, f64)]) {
        let sides = || corners.iter().zip(corners.iter().cycle().skip(1));
        let turns: f64 = sides().map(|((x0, y0), (x1, y1))| x0 * y1 - x1 * y0).sum();
        let pixel = |&(x, y): &(f64, f64)| point((x * SCALE) as f32, (y * SCALE) as f32);
        for (from, to) in sides() {
            let (from, to) = if turns < 0.0 { (to, from) } else { (from, to) };
            self.lines.push([pixel(from), pixel(to)]);
        }
    }

    fn disc(&mut self, (x, y): (f64, f64), radius: f64) {
        let sides = (8.0 + 6.0 * radius * SCALE).min(90.0);
        let angles = (0..sides as usize).map(|i| i as f64 / sides.floor() * TAU);
        let corners: Vec<(f64, f64)> =
            angles.map(|a| (x + radius * a.cos(), y + radius * a.sin())).collect();
        self.polygon(&corners);
    }

    /// A rectangle for each step, a wedge where two meet, and round ends; a level or upright line
    /// ends where it should.
    fn stroke(&mut self, points: &[(f64, f64)], width: f64) {
        let mut points = points.to_vec();
        points.dedup();
        let half = width / 2.0;
        let angles: Vec<f64> =
            points.windows(2).map(|p| (p[1].1 - p[0].1).atan2(p[1].0 - p[0].0)).collect();
        for (pair, angle) in points.windows(2).zip(&angles) {
            let [(x0, y0), (x1, y1)] = [pair[0], pair[1]];
            let (dx, dy) = (half * angle.sin(), -half * angle.cos());
            let far = [(x1 - dx, y1 - dy), (x0 - dx, y0 - dy)];
            self.polygon(&[(x0 + dx, y0 + dy), (x1 + dx, y1 + dy), far[0], far[1]]);
        }
        for (&at, pair) in points[1.min(points.len())..].iter().zip(angles.windows(2)) {
            self.wedge(at, half, pair[0], pair[1]);
        }
        let straight = |angle: &f64| angle.sin() * angle.cos() == 0.0 || angle.cos().abs() < 1e-9;
        if !(angles.len() == 1 && straight(&angles[0])) {
            let ends = [points.first(), points.last()];
            ends.into_iter().flatten().for_each(|&at| self.disc(at, half));
        }
    }

    /// Fills the outer side of a corner where a line turns from one angle to another.
    fn wedge(&mut self, (x, y): (f64, f64), radius: f64, from: f64, to: f64) {
        let turn = (to - from + PI).rem_euclid(TAU) - PI;
        let outer = from - FRAC_PI_2.copysign(turn);
        let steps = (turn.abs() / 0.3).ceil().max(1.0);
        let mut corners = vec![(x, y)];
        for step in 0..=steps as usize {
            let angle = outer + turn * step as f64 / steps;
            corners.push((x + radius * angle.cos(), y + radius * angle.sin()));
        }
        self.polygon(&corners);
    }
}

/// Turns the outlines of letters, in ems with y upwards, into lines in pixels.
struct Letters<'a> {
    outline: &'a mut Outline,
    at: (f64, f64),
    size: f64,
    /// Where the text starts on its baseline.
    start: f64,
    upright: bool,
    first: Point,
    last: Point,
}

/// Lines that a curve of a letter is drawn with.
const CURVE_STEPS: usize = 6;

impl<'a> Letters<'a> {
    fn new(
        outline: &'a mut Outline,
        at: (f64, f64),
        size: f64,
        start: f64,
        upright: bool,
    ) -> Letters<'a> {
        let origin = point(0.0, 0.0);
        Letters { outline, at, size, start, upright, first: origin, last: origin }
    }

    fn pixel(&self, x: f32, y: f32) -> Point {
        let (along, up) = (self.start + f64::from(x) * self.size, f64::from(y) * self.size);
        let (x, y) = match self.upright {
            false => (self.at.0 + along, self.at.1 - up),
            true => (self.at.0 - up, self.at.1 - along),
        };
        point((x * SCALE) as f32, (y * SCALE) as f32)
    }

    fn line(&mut self, to: Point) {
        self.outline.lines.push([self.last, to]);
        self.last = to;
    }

    /// A Bézier curve, by de Casteljau's algorithm.
    fn curve<const N: usize>(&mut self, points: [Point; N]) {
        for step in 1..=CURVE_STEPS {
            let t = step as f32 / CURVE_STEPS as f32;
            let mut points = points;
            for n in (1..N).rev() {
                for i in 0..n {
                    let (a, b) = (points[i], points[i + 1]);
                    points[i] = point(a.x + t * (b.x - a.x), a.y + t * (b.y - a.y));
                }
            }
            self.line(points[0]);
        }
    }
}

impl OutlineBuilder for Letters<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        self.first = self.pixel(x, y);
        self.last = self.first;
    }
    fn line_to(&mut self, x: f32, y: f32) {
        self.line(self.pixel(x, y));
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.curve([self.last, self.pixel(x1, y1), self.pixel(x, y)]);
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.curve([self.last, self.pixel(x1, y1), self.pixel(x2, y2), self.pixel(x, y)]);
    }
    fn close(&mut self) {
        self.line(self.first);
    }
}
