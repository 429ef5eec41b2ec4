//! `cornu summary`

use std::io;

use cornu_models::{Model, SummaryStyle};

use crate::arguments::Summary;
use crate::{Failure, models};

pub(crate) fn run(arguments: &Summary) -> Result<(), Failure> {
    // What a model was compiled for may be unknown here; its layers are drawn all the same.
    let model = models::load(&arguments.model).or_else(|error| {
        match models::is_json(&arguments.model) {
            true => Err(error),
            false => Ok(Model::load_uncompiled(&arguments.model)?),
        }
    })?;
    let style = if arguments.boxed { SummaryStyle::Boxed } else { SummaryStyle::Classic };
    Ok(model.summary().style(style).write_to(io::stdout().lock())?)
}
