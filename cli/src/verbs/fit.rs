//! `cornu fit`

use std::path::Path;

use cornu_models::callbacks::CSVLogger;
use cornu_models::saving::write_file;
use cornu_models::{History, Model, Split, Stop};
use serde_json::{Map, Value, json};

use crate::arguments::Fit;
use crate::{Failure, arrays, matching, models};

pub(crate) fn run(arguments: &Fit) -> Result<(), Failure> {
    if arguments.output.extension().is_none_or(|end| end != "keras") {
        let got = arguments.output.display();
        return Err(format!("--output: the file's name must end in `.keras`; got `{got}`").into());
    }
    let history_kind = arguments.history.as_deref().map(history_kind).transpose()?;
    let mut model = models::load(&arguments.model)?;
    compile(&mut model, arguments)?;
    if let Some(seed) = arguments.seed {
        reseed(&mut model, seed, models::is_json(&arguments.model))?;
    }
    let (x, y) = (arrays::read(&arguments.x)?, arrays::read(&arguments.y)?);
    let x = matching::in_order(&arguments.x, x, &models::input_names(&model)?)?;
    let y = matching::targets(&arguments.y, y, &models::outputs(&model)?)?;
    let stop = Stop::on_ctrl_c()?;
    let mut options = cornu_models::Fit::new()
        .epochs(arguments.epochs)
        .shuffle(!arguments.no_shuffle)
        .stop(&stop);
    if let Some(size) = arguments.batch_size {
        options = options.batch_size(size);
    }
    if let Some(fraction) = arguments.validation_split {
        options = options.validation_split(Split::Tail(fraction));
    }
    if let (Some(path), Some(HistoryKind::Csv)) = (&arguments.history, history_kind) {
        options = options.callback(CSVLogger::new(path));
    }
    let history = model.fit(x, y, options)?;
    if let (Some(path), Some(HistoryKind::Json)) = (&arguments.history, history_kind) {
        write_history(path, &history)?;
    }
    Ok(model.save(&arguments.output)?)
}

/// Puts what the arguments say, if they say anything, in the place of what the file does. What the
/// optimizer remembers stays unless there is another.
fn compile(model: &mut Model, arguments: &Fit) -> Result<(), Failure> {
    let Fit { loss, optimizer, metrics, .. } = arguments;
    let told = model.is_compiled();
    if !told && loss.is_none() {
        let rule = "the file doesn't say what the model is trained for; give a `--loss`";
        return Err(format!("{}: {rule}", arguments.model.display()).into());
    }
    if loss.is_some() || optimizer.is_some() || metrics.is_some() {
        let kept = if told { Some(model.optimizer()?.clone()) } else { None };
        let mut model_json: Value = serde_json::from_str(&model.to_json()?)?;
        let mut config = model_json["compile_config"].take();
        if !told {
            config = json!({});
        }
        if let Some(loss) = loss {
            config["loss"] = json!(loss);
        }
        if let Some(optimizer) = optimizer {
            config["optimizer"] = json!(optimizer);
        }
        if let Some(metrics) = metrics {
            let outputs = model.outputs()?.len();
            config["metrics"] =
                if outputs > 1 { json!(vec![metrics; outputs]) } else { json!(metrics) };
            config["weighted_metrics"] = Value::Null;
        }
        model.compile_from_json(&config)?;
        if let (Some(kept), None) = (kept, optimizer) {
            *model.optimizer_mut()? = kept;
        }
    }
    if let Some(rate) = arguments.learning_rate {
        model.optimizer_mut()?.set_learning_rate(rate)?;
    }
    Ok(())
}

/// Sets what everything random follows from, but for weights that came from a file.
fn reseed(model: &mut Model, seed: u64, new: bool) -> Result<(), Failure> {
    let weights = model.get_weights();
    model.set_seed(seed)?;
    if !new {
        model.set_weights(&weights)?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum HistoryKind {
    Json,
    Csv,
}

fn history_kind(path: &Path) -> Result<HistoryKind, Failure> {
    match path.extension().and_then(|end| end.to_str()) {
        Some("json") => Ok(HistoryKind::Json),
        Some("csv") => Ok(HistoryKind::Csv),
        _ => {
            let rule = "the file's name must end in `.json` or `.csv`";
            Err(format!("--history: {rule}; got `{}`", path.display()).into())
        }
    }
}

fn write_history(path: &Path, history: &History) -> Result<(), Failure> {
    let lists: Map<String, Value> =
        history.series().map(|(name, values)| (name.to_owned(), json!(values))).collect();
    let text = Value::Object(lists).to_string() + "\n";
    Ok(write_file(path, |out| out.write_all(text.as_bytes()))?)
}
