//! Parts of a tensor, as Python's `x[1:3, ..., -1]` takes them.

use cornu_autodiff::ops::{Slice, StridedSlice};
use cornu_autodiff::{Tensor, apply};
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::setting::Setting;

/// A slice in Keras's JSON.
pub(super) fn slice(start: Option<isize>, stop: Option<isize>) -> Value {
    json!({
        "class_name": "__slice__",
        "config": { "start": start, "stop": stop, "step": null },
    })
}

/// The part of `x` that Keras's JSON says: slices, positions, `...` and new axes.
pub(super) fn take(x: &Tensor, item: &Value) -> Result<Tensor> {
    let items = match item {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let is_rest = |item: &&Value| item["class_name"] == "__ellipsis__";
    let new = items.iter().filter(|item| item.is_null()).count();
    let rests = items.iter().filter(is_rest).count();
    let named = items.len() - new - rests;
    if rests > 1 || named > x.rank() {
        let rule = format!("it must name {} axes or fewer, and `...` once", x.rank());
        return Err(Error::setting("item", rule, item));
    }
    let mut slices = StridedSlice { slices: Default::default() };
    let mut dims: Vec<Option<usize>> = Vec::new(); // of the result: an axis of `x`, or a new one
    for item in items {
        let axis = slices.slices.len();
        match item {
            Value::Null => dims.push(None),
            rest if is_rest(&rest) => {
                for axis in axis..axis + x.rank() - named {
                    slices.slices.push(Slice::ALL);
                    dims.push(Some(axis));
                }
            }
            Value::Object(_) => {
                slices.slices.push(slice_of(item)?);
                dims.push(Some(axis));
            }
            position => slices.slices.push(one(isize::from_json(position)?, x, axis)?),
        }
    }
    dims.extend((slices.slices.len()..x.rank()).map(Some));
    let part = apply(slices, &[x])?;
    let size = |axis: &Option<usize>| axis.map_or(1, |axis| part.dims()[axis] as isize);
    let dims: Vec<isize> = dims.iter().map(size).collect();
    Ok(part.try_reshape(&dims)?)
}

fn slice_of(item: &Value) -> Result<Slice> {
    let config = &item["config"];
    let end = |key: &str| -> Result<Option<isize>> { Option::from_json(&config[key]) };
    let step = end("step")?.unwrap_or(1);
    Ok(Slice::new(end("start")?, end("stop")?, step))
}

/// One position of an axis.
fn one(position: isize, x: &Tensor, axis: usize) -> Result<Slice> {
    let n = x.dims()[axis] as isize;
    if !(-n..n).contains(&position) {
        let rule = format!("axis {axis} has positions {}..{n}", -n);
        return Err(Error::setting("item", rule, position));
    }
    let stop = Some(position + 1).filter(|&stop| stop != 0);
    Ok(Slice::new(position, stop, 1))
}
