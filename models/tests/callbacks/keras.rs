//! Callbacks beside Keras's on the same script: when they stop, what they save and restore, what
//! learning rates follow.

use std::path::{Path, PathBuf};

use cornu_autodiff::{DType, Tensor};
use cornu_models::callbacks::{
    CSVLogger, Callback, EarlyStopping, LearningRateScheduler, Mode, ModelCheckpoint,
    ReduceLROnPlateau,
};
use cornu_models::{History, Model, Sequential};
use serde_json::Value;

use crate::golden::{assert_values, cases};
use crate::{Script, one_weight, quiet};

/// Numbers of float32 that went through a learning rate or two.
const TOLERANCE: f64 = 1e-6;

fn script(case: &Value) -> Script {
    let scores = case["scores"].as_array().expect("scores").iter();
    Script { scores: scores.map(|s| s.as_f64().expect("a score")).collect(), epoch: 0 }
}

/// Three batches an epoch, on nothing but zeros, as the golden's runs.
fn run(case: &Value, callback: impl Callback) -> (Sequential, History) {
    let mut model = one_weight(0.5);
    let script = script(case);
    let options = quiet().epochs(script.scores.len()).batch_size(1).shuffle(false);
    let x = Tensor::zeros([3, 1], DType::F32);
    let history = model.fit(&x, &x, options.callback(script).callback(callback)).expect("training");
    (model, history)
}

fn of_kind(kind: &str) -> Vec<Value> {
    let found: Vec<Value> = cases("callbacks").into_iter().filter(|c| c["kind"] == kind).collect();
    assert!(!found.is_empty(), "no case of {kind}");
    found
}

fn name(case: &Value) -> &str {
    case["name"].as_str().expect("name")
}

fn mode(options: &Value) -> Mode {
    match options["mode"].as_str() {
        Some("min") => Mode::Min,
        Some("max") => Mode::Max,
        _ => Mode::Auto,
    }
}

/// What is the same for all kinds: the epochs that ran, the weight, and the rates in the history.
fn assert_ran(case: &Value, model: &Model, history: &History) {
    let name = name(case);
    assert_eq!(history.epochs().len() as u64, case["epochs"].as_u64().expect(name), "{name}");
    let keys: Vec<&str> = history.series().map(|(key, _)| key).filter(|k| *k != "mae").collect();
    assert_eq!(serde_json::json!(keys), case["keys"], "{name}");
    let weight = model.get_weights()[0].to_f64_vec().expect(name);
    assert_values(name, &weight, &[case["weight"].as_f64().expect(name)], 0.0, 0.0);
    if let Some(rates) = case["learning_rates"].as_array() {
        let rates: Vec<f64> = rates.iter().map(|r| r.as_f64().expect(name)).collect();
        let ours = history.get("learning_rate").expect(name);
        assert_values(name, ours, &rates, 0.0, TOLERANCE);
        let last = model.optimizer().expect(name).learning_rate();
        assert_values(
            name,
            &[last],
            &[case["learning_rate"].as_f64().expect(name)],
            0.0,
            TOLERANCE,
        );
    }
}

#[test]
fn early_stopping_stops_and_restores_as_keras_does() {
    for case in of_kind("early_stopping") {
        let options = &case["options"];
        let number = |key: &str| options[key].as_u64().unwrap_or(0) as usize;
        let mut stop = EarlyStopping::new("score")
            .mode(mode(options))
            .patience(number("patience"))
            .start_from_epoch(number("start_from_epoch"))
            .min_delta(options["min_delta"].as_f64().unwrap_or(0.0))
            .restore_best_weights(options["restore_best_weights"] == true);
        if let Some(baseline) = options["baseline"].as_f64() {
            stop = stop.baseline(baseline);
        }
        let (model, history) = run(&case, &mut stop);
        assert_ran(&case, &model, &history);
        assert_eq!(stop.best(), case["best"].as_f64(), "{}", name(&case));
        let best_epoch = stop.best_epoch().map(|epoch| epoch as u64);
        assert_eq!(best_epoch, case["best_epoch"].as_u64(), "{}", name(&case));
        // Keras says 0 where it has not stopped.
        let stopped = stop.stopped_epoch().unwrap_or(0) as u64;
        assert_eq!(Some(stopped), case["stopped_epoch"].as_u64(), "{}", name(&case));
    }
}

#[test]
fn a_plateau_lowers_the_learning_rate_when_keras_lowers_it() {
    for case in of_kind("reduce_lr_on_plateau") {
        let options = &case["options"];
        let number = |key: &str| options[key].as_u64().unwrap_or(0) as usize;
        let mut reduce = ReduceLROnPlateau::new("score")
            .mode(mode(options))
            .patience(number("patience"))
            .cooldown(number("cooldown"))
            .factor(options["factor"].as_f64().expect("a factor"))
            .min_lr(options["min_lr"].as_f64().unwrap_or(0.0));
        if let Some(delta) = options["min_delta"].as_f64() {
            reduce = reduce.min_delta(delta);
        }
        let (model, history) = run(&case, reduce);
        assert_ran(&case, &model, &history);
    }
}

#[test]
fn a_schedule_by_epochs_sets_the_learning_rates_that_keras_sets() {
    type Schedule = fn(usize, f64) -> f64;
    let schedules: [(&str, Schedule); 2] = [
        ("halves_from_epoch_2", |epoch, rate| if epoch < 2 { rate } else { rate / 2.0 }),
        ("by_epoch", |epoch, _| 1.0 / (1.0 + epoch as f64)),
    ];
    for case in of_kind("learning_rate_scheduler") {
        let ours = schedules.iter().find(|(own, _)| name(&case).ends_with(own)).expect("known");
        let (model, history) = run(&case, LearningRateScheduler::new(ours.1));
        assert_ran(&case, &model, &history);
    }
}

/// A folder of this test's own, empty.
fn folder(name: &str) -> PathBuf {
    let folder =
        std::env::temp_dir().join(format!("cornu-callbacks-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|file| file.expect("a file").file_name().into_string().expect("text"))
        .collect();
    names.sort();
    names
}

#[test]
fn checkpoints_are_written_when_and_where_keras_writes_them() {
    for case in of_kind("model_checkpoint") {
        let folder = folder(name(&case));
        let options = &case["options"];
        for suffix in ["cornu", "weights"] {
            let path =
                format!("{}/{}.{suffix}", folder.display(), case["path"].as_str().expect("a path"));
            let mut save = ModelCheckpoint::new(path)
                .mode(mode(options))
                .save_weights_only(suffix == "weights")
                .save_best_only(options["save_best_only"] == true);
            if let Some(monitor) = options["monitor"].as_str() {
                save = save.monitor(monitor);
            }
            if let Some(batches) = options["save_freq"].as_u64() {
                save = save.save_freq(batches as usize);
            }
            let (model, history) = run(&case, save);
            assert_ran(&case, &model, &history);
        }
        let keras =
            case["files"].as_array().expect("files").iter().map(|f| f.as_str().expect("text"));
        let mut both: Vec<String> =
            keras.flat_map(|file| [format!("{file}.cornu"), format!("{file}.weights")]).collect();
        both.sort();
        assert_eq!(files(&folder), both, "{}", name(&case));
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}

#[test]
fn a_checkpoint_of_every_epoch_holds_the_weights_of_its_epoch() {
    let case = &of_kind("model_checkpoint")[0];
    let folder = folder("weights_of_epochs");
    let inner = folder.join("made/on/the/way");
    let (_, _) = run(case, ModelCheckpoint::new(format!("{}/{{epoch}}.cornu", inner.display())));
    for epoch in 0..3 {
        let model =
            Model::load_checkpoint(inner.join(format!("{}.cornu", epoch + 1))).expect("read");
        assert_eq!(model.get_weights()[0].to_f64_vec().expect("a weight"), [f64::from(epoch)]);
    }
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[test]
fn a_csv_file_holds_what_keras_writes() {
    for case in of_kind("csv_logger") {
        let name = name(&case);
        let path = folder(name).join("log.csv");
        let kind = name.trim_start_matches("csv_logger_");
        let later = matches!(kind, "written_anew" | "appended");
        for (first, epochs) in [(0, if kind == "semicolons" { 1 } else { 2 }), (2, 3)] {
            if first > 0 && !later {
                continue;
            }
            let mut model = one_weight(0.0);
            model.set_weights(&[Tensor::from([[2.0f32]])]).expect("a weight");
            let mut logger = CSVLogger::new(&path).append(kind == "appended");
            let mut options = quiet().initial_epoch(first).epochs(epochs);
            if kind == "semicolons" {
                logger = logger.separator(';');
            }
            if kind.starts_with("validation") {
                options = options.validation_data([[1.5f32], [1.5]], [[1.5f32], [1.5]]);
            }
            if kind.ends_with("every_other_epoch") {
                options = options.validation_freq(2);
            }
            if kind == "learning_rate" {
                options = options.callback(LearningRateScheduler::new(|_, _| 0.25));
            }
            let x = [[0.5f32], [0.5]];
            model.fit(x, x, options.callback(logger)).expect("training");
        }
        let ours = std::fs::read_to_string(&path).expect("a file");
        assert_eq!(ours, without_missing(case["text"].as_str().expect("text")), "{name}");
    }
}

/// Keras's file without columns in which nothing was ever measured, which it writes where there is
/// no validation, and with line feeds.
fn without_missing(text: &str) -> String {
    let separator = if text.contains(';') { ";" } else { "," };
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(separator).collect()).collect();
    let measured = |column: &usize| rows[1..].iter().any(|row| row[*column] != "NA");
    let columns: Vec<usize> = (0..rows[0].len()).filter(measured).collect();
    let line = |row: &Vec<&str>| {
        let cells: Vec<&str> = columns.iter().map(|&column| row[column]).collect();
        cells.join(separator) + "\n"
    };
    rows.iter().map(line).collect()
}
