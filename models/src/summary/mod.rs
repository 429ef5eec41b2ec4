//! A model as a table: layers, output shapes, numbers of parameters.

mod boxed;
mod classic;
mod rows;
mod table;

use std::fmt;
use std::io::{self, Write};

pub(crate) use rows::call_index;
use rows::{Row, Totals};

use crate::model::Model;

/// How a [`Summary`] looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SummaryStyle {
    /// Rules of `=` and `_`, as Keras drew them for many years.
    #[default]
    Classic,
    /// A table of boxes and the memory that weights take, as Keras 3 draws them.
    Boxed,
}

/// What [`Model::summary`] gives: a table that prints itself.
///
/// Names that are too long for their column go on in the next line, and those that are too long
/// for a line are cut, which `…` shows.
///
/// ```
/// use cornu_layers::{Dense, LayerOptions};
/// use cornu_models::{Sequential, SummaryStyle};
/// let mut model = Sequential::new();
/// model.add(Dense::new(10).input_dim(2).activation("tanh"))?;
/// model.add(Dense::new(1))?;
/// println!("{}", model.summary());
/// let boxed = model.summary().style(SummaryStyle::Boxed).line_length(80).to_string();
/// assert!(boxed.contains("│ dense_1 (Dense)                   │ (None, 1)                │"));
/// # Ok::<(), cornu_models::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a summary does nothing until it is printed: `println!(\"{}\", model.summary())`"]
pub struct Summary {
    name: String,
    rows: Vec<Row>,
    totals: Totals,
    /// Whether layers are connected otherwise than each to the one before.
    branched: bool,
    style: SummaryStyle,
    line_length: Option<usize>,
    expand_nested: bool,
    show_trainable: bool,
}

impl Summary {
    /// Chooses how it looks.
    pub fn style(mut self, style: SummaryStyle) -> Summary {
        self.style = style;
        self
    }

    /// Characters in a line, at least 40. Unless set, 65 in the classic style and 98 if the
    /// layers form no chain, 88 and 108 in the boxed one, and 11 or 12 more for the column
    /// `Trainable`. (Keras 3 also shortens lines to the width of the terminal.)
    pub fn line_length(mut self, characters: usize) -> Summary {
        self.line_length = Some(characters.max(40));
        self
    }

    /// Lists the layers of models that are used as layers, too.
    pub fn expand_nested(mut self, expand: bool) -> Summary {
        self.expand_nested = expand;
        self
    }

    /// Adds a column that says which layers training changes.
    pub fn show_trainable(mut self, show: bool) -> Summary {
        self.show_trainable = show;
        self
    }

    /// Writes the table to a file or whatever else takes bytes.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn write_to(&self, mut out: impl Write) -> io::Result<()> {
        writeln!(out, "{self}")
    }

    /// The rows to show.
    fn shown(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| self.expand_nested || row.depth == 0)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.style {
            SummaryStyle::Classic => classic::draw(self),
            SummaryStyle::Boxed => boxed::draw(self),
        };
        f.write_str(text.trim_end())
    }
}

impl Model {
    /// The table of the model's layers: print it with `println!("{}", model.summary())` or
    /// [`print_summary`](Model::print_summary). Before the shape of the input is known, shapes
    /// are `?` and layers `(unbuilt)`.
    pub fn summary(&self) -> Summary {
        let (rows, branched) = rows::rows(&self.layers, self.graph.as_deref());
        Summary {
            name: self.name().to_owned(),
            rows,
            totals: Totals::of(self),
            branched,
            style: SummaryStyle::default(),
            line_length: None,
            expand_nested: false,
            show_trainable: false,
        }
    }

    /// Prints [`summary`](Model::summary) to standard output.
    pub fn print_summary(&self) {
        println!("{}", self.summary());
    }
}

/// A number in groups of three digits: `1,234,567`.
fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
