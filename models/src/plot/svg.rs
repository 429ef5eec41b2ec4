//! A picture as SVG.

use std::fmt::Write;

use super::font::FAMILY;
use super::picture::{Anchor, Color, PAPER, Picture, Shape};

/// The whole document.
pub(super) fn svg(picture: &Picture) -> String {
    let (width, height) = (Number(picture.width), Number(picture.height));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"{FAMILY}\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"{}\"/>\n",
        hex(PAPER)
    );
    for shape in &picture.shapes {
        element(&mut out, shape).expect("writing to a string succeeds");
    }
    out.push_str("</svg>\n");
    out
}

fn element(out: &mut String, shape: &Shape) -> std::fmt::Result {
    match shape {
        Shape::Rectangle { left, top, width, height, color } => writeln!(
            out,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>",
            Number(*left),
            Number(*top),
            Number(*width),
            Number(*height),
            hex(*color)
        ),
        Shape::Line { points, width, color } => {
            out.push_str("<polyline points=\"");
            for (i, (x, y)) in points.iter().enumerate() {
                let space = if i == 0 { "" } else { " " };
                write!(out, "{space}{},{}", Number(*x), Number(*y))?;
            }
            writeln!(
                out,
                "\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\" \
                 stroke-linecap=\"round\"/>",
                hex(*color),
                Number(*width)
            )
        }
        Shape::Disc { center: (x, y), radius, color } => writeln!(
            out,
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"/>",
            Number(*x),
            Number(*y),
            Number(*radius),
            hex(*color)
        ),
        Shape::Text { at: (x, y), size, anchor, upright, color, text } => {
            let (x, y) = (Number(*x), Number(*y));
            let turn = match upright {
                true => format!(" transform=\"rotate(-90 {x} {y})\""),
                false => String::new(),
            };
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            let (size, color, text) = (Number(*size), hex(*color), escaped(text));
            writeln!(
                out,
                "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" text-anchor=\"{anchor}\" \
                 fill=\"{color}\"{turn}>{text}</text>"
            )
        }
    }
}

/// Prints hundredths, as few digits as they need.
struct Number(f64);

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Adding zero turns -0 into 0.
        write!(f, "{}", (self.0 * 100.0).round() / 100.0 + 0.0)
    }
}

fn hex([red, green, blue]: Color) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Text that XML allows: no markup, and no control characters, which no escape makes legal.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
