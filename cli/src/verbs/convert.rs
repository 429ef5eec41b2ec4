//! `cornu convert`

use cornu_models::Model;
use cornu_models::saving::write_file;

use crate::Failure;
use crate::arguments::Convert;
use crate::models::is_json;

/// What the output's name may end in.
const ENDINGS: [&str; 6] = [".keras", ".weights.h5", ".safetensors", ".npz", ".json", ".weights"];

pub(crate) fn run(arguments: &Convert) -> Result<(), Failure> {
    let output = &arguments.output;
    let name = output.file_name().unwrap_or_default().to_string_lossy();
    if !ENDINGS.iter().any(|end| name.ends_with(end)) {
        let rule = format!("the file's name must end in one of `{}`", ENDINGS.join("`, `"));
        return Err(format!("convert: {rule}; got `{name}`").into());
    }
    let keeps_training = is_json(output) || output.extension().is_some_and(|end| end == "keras");
    // What a model was compiled for may be unknown here, and is no part of its weights.
    let model = Model::load(&arguments.model).or_else(|error| match keeps_training {
        true => Err(error),
        false => Model::load_uncompiled(&arguments.model),
    })?;
    if is_json(output) {
        let text = model.to_json()? + "\n";
        return Ok(write_file(output, |out| out.write_all(text.as_bytes()))?);
    }
    if output.extension().is_some_and(|end| end == "keras") {
        return Ok(model.save(output)?);
    }
    Ok(model.save_weights(output)?)
}
