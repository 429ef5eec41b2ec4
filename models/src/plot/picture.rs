//! What is drawn before it is known how: shapes in nominal pixels, y downwards.

/// Red, green and blue.
pub(super) type Color = [u8; 3];

/// Text and axes.
pub(super) const INK: Color = [0x26, 0x26, 0x26];
/// Lines that lead the eye from a tick.
pub(super) const GRID: Color = [0xe2, 0xe2, 0xe2];
/// Lines between ticks of a logarithmic axis.
pub(super) const FAINT: Color = [0xf1, 0xf1, 0xf1];
/// Behind everything.
pub(super) const PAPER: Color = [0xff; 3];
/// What needs attention.
pub(super) const ALARM: Color = [0xc6, 0x1a, 0x09];

/// The end or middle of a text that lies on its position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Clone, Debug)]
pub(super) enum Shape {
    Rectangle {
        left: f64,
        top: f64,
        width: f64,
        height: f64,
        color: Color,
    },
    Line {
        points: Vec<(f64, f64)>,
        width: f64,
        color: Color,
    },
    Disc {
        center: (f64, f64),
        radius: f64,
        color: Color,
    },
    /// `at` is on the baseline; upright text runs from the bottom to the top.
    Text {
        at: (f64, f64),
        size: f64,
        anchor: Anchor,
        upright: bool,
        color: Color,
        text: String,
    },
}

/// Shapes on paper, later ones over earlier ones.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) shapes: Vec<Shape>,
}

impl Picture {
    pub(super) fn new(width: f64, height: f64) -> Picture {
        Picture { width, height, shapes: Vec::new() }
    }

    pub(super) fn rectangle(&mut self, corner: (f64, f64), size: (f64, f64), color: Color) {
        let ((left, top), (width, height)) = (corner, size);
        self.shapes.push(Shape::Rectangle { left, top, width, height, color });
    }

    pub(super) fn line(&mut self, points: Vec<(f64, f64)>, width: f64, color: Color) {
        self.shapes.push(Shape::Line { points, width, color });
    }

    pub(super) fn disc(&mut self, center: (f64, f64), radius: f64, color: Color) {
        self.shapes.push(Shape::Disc { center, radius, color });
    }

    pub(super) fn text(&mut self, at: (f64, f64), size: f64, anchor: Anchor, text: &str) {
        let (upright, color, text) = (false, INK, text.to_string());
        self.shapes.push(Shape::Text { at, size, anchor, upright, color, text });
    }

    pub(super) fn upright_text(&mut self, at: (f64, f64), size: f64, text: &str) {
        let (anchor, upright, color, text) = (Anchor::Middle, true, INK, text.to_string());
        self.shapes.push(Shape::Text { at, size, anchor, upright, color, text });
    }
}
