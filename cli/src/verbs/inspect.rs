//! `cornu inspect`

use std::io::{self, Write};

use cornu_models::saving::inspect;

use crate::Failure;
use crate::arguments::Inspect;

pub(crate) fn run(arguments: &Inspect) -> Result<(), Failure> {
    let found = inspect(&arguments.file)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", found.format)?;
    for (what, value) in &found.facts {
        writeln!(out, "{what}: {value}")?;
    }
    let widest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let shapes: Vec<String> = found.arrays.iter().map(|a| shape_text(&a.shape)).collect();
    let names = widest(&mut found.arrays.iter().map(|a| a.name.chars().count()));
    let kinds = widest(&mut found.arrays.iter().map(|a| a.dtype.len()));
    let widths = widest(&mut shapes.iter().map(String::len));
    for (array, shape) in found.arrays.iter().zip(&shapes) {
        let (name, dtype, bytes) = (&array.name, &array.dtype, array.bytes);
        writeln!(out, "{name:names$}  {dtype:kinds$}  {shape:widths$}  {bytes} bytes")?;
    }
    let total: u64 = found.arrays.iter().map(|a| a.bytes).fold(0, u64::saturating_add);
    Ok(writeln!(out, "{} arrays, {total} bytes", found.arrays.len())?)
}

fn shape_text(shape: &[u64]) -> String {
    let axes: Vec<String> = shape.iter().map(u64::to_string).collect();
    format!("({}{})", axes.join(", "), if axes.len() == 1 { "," } else { "" })
}
