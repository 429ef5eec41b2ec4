//! The command as scripts run it.

use std::path::PathBuf;
use std::process::{Command, Output};

use cornu_autodiff::{DType, Tensor};
use cornu_models::Model;
use cornu_models::saving::{read_npz, write_npz};
use serde_json::Value;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/keras");

/// A folder of one test's own, with the data of a golden case in it.
struct Place {
    folder: PathBuf,
    case: Value,
}

impl Place {
    fn new(test: &str, case: &str) -> Place {
        let folder = std::env::temp_dir().join(format!("cornu-cli-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let text = std::fs::read_to_string(format!("{ROOT}/goldens/files.json")).unwrap();
        let cases: Value = serde_json::from_str(&text).unwrap();
        let found = cases["cases"].as_array().unwrap().iter().find(|c| c["name"] == case).unwrap();
        let place = Place { folder, case: found.clone() };
        for key in ["x", "y"] {
            let arrays: Vec<(String, Tensor)> = place.case[key]
                .as_array()
                .unwrap()
                .iter()
                .enumerate()
                .map(|(at, array)| (format!("{key}{at}"), tensor(array)))
                .collect();
            write_npz(place.path(&format!("{key}.npz")), &arrays).unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    fn model(&self) -> String {
        format!("{ROOT}/files/{}.keras", self.case["name"].as_str().unwrap())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn tensor(array: &Value) -> Tensor {
    let shape: Vec<usize> =
        array["shape"].as_array().unwrap().iter().map(|d| d.as_u64().unwrap() as usize).collect();
    let values: Vec<f64> =
        array["values"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    let dtype: DType = array["dtype"].as_str().unwrap().parse().unwrap();
    Tensor::new(values, shape).unwrap().cast(dtype)
}

fn near(ours: &[f64], theirs: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), theirs.len());
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{a} against {b}");
    }
}

fn cornu(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cornu")).args(arguments).output().unwrap()
}

/// What the command prints, if it succeeds.
#[track_caller]
fn said(arguments: &[&str]) -> String {
    let ran = cornu(arguments);
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(ran.stdout).unwrap()
}

/// What the command says is wrong.
#[track_caller]
fn refused(arguments: &[&str]) -> String {
    let ran = cornu(arguments);
    assert!(!ran.status.success(), "{arguments:?}");
    assert!(ran.stdout.is_empty(), "{arguments:?}: errors belong on stderr");
    String::from_utf8(ran.stderr).unwrap()
}

#[test]
fn every_verb_has_help_with_an_example() {
    for verb in ["summary", "predict", "evaluate", "fit", "convert", "inspect"] {
        let help = said(&[verb, "--help"]);
        assert!(help.contains(&format!("Example: cornu {verb} ")), "{help}");
    }
    assert!(said(&["--version"]).starts_with("cornu "));
}

#[test]
fn a_summary_is_that_of_the_model() {
    let place = Place::new("summary", "sequential");
    let model = Model::load(place.model()).unwrap();
    assert_eq!(said(&["summary", &place.model()]), format!("{}\n", model.summary()));
    assert!(said(&["summary", &place.model(), "--style", "boxed"]).contains('┃'));
}

#[test]
fn predictions_are_those_of_keras() {
    for name in ["sequential", "shared_nested"] {
        let place = Place::new("predict", name);
        let (x, y) = (place.path("x.npz"), place.path("out.npz"));
        said(&["predict", &place.model(), "--input", &x, "--output", &y, "--batch-size", "5"]);
        let theirs = place.case["predict"].as_array().unwrap();
        let ours = read_npz(&y).unwrap();
        assert_eq!(ours.len(), theirs.len());
        for (at, ((name, ours), theirs)) in ours.iter().zip(theirs).enumerate() {
            assert_eq!(name, &format!("y{at}"));
            near(&ours.to_f64_vec().unwrap(), &tensor(theirs).to_f64_vec().unwrap(), 1e-5);
        }
    }
}

#[test]
fn tables_of_numbers_go_in_and_out() {
    let place = Place::new("tables", "sequential");
    let x = tensor(&place.case["x"][0]);
    let rows: Vec<String> = x
        .to_f64_vec()
        .unwrap()
        .chunks(x.dims()[1])
        .map(|row| row.iter().map(f64::to_string).collect::<Vec<_>>().join(","))
        .collect();
    std::fs::write(place.path("x.csv"), rows.join("\n")).unwrap();
    let (x, y) = (place.path("x.csv"), place.path("y.csv"));
    said(&["predict", &place.model(), "--input", &x, "--output", &y]);
    let text = std::fs::read_to_string(&y).unwrap();
    let ours: Vec<f64> = text.split(['\n', ',']).filter_map(|v| v.parse().ok()).collect();
    near(&ours, &tensor(&place.case["predict"][0]).to_f64_vec().unwrap(), 1e-5);
}

#[test]
fn an_evaluation_prints_what_keras_computes() {
    let place = Place::new("evaluate", "shared_nested");
    let (x, y) = (place.path("x.npz"), place.path("y.npz"));
    let data = ["evaluate", &place.model(), "--x", &x, "--y", &y, "--batch-size", "4"];
    let ours: Value = serde_json::from_str(&said(&[&data[..], &["--json"]].concat())).unwrap();
    let theirs = place.case["evaluate"].as_array().unwrap();
    assert_eq!(ours.as_object().unwrap().len(), theirs.len());
    for entry in theirs {
        let key = entry["key"].as_str().unwrap();
        near(&[ours[key].as_f64().unwrap()], &[entry["value"].as_f64().unwrap()], 1e-4);
    }
    assert!(said(&data).lines().any(|line| line.starts_with("loss: ")));
}

#[test]
fn training_goes_on_as_in_keras_and_writes_model_and_history() {
    let place = Place::new("fit", "sequential");
    let (x, y) = (place.path("x.npz"), place.path("y.npz"));
    let (out, history) = (place.path("out.keras"), place.path("history.json"));
    let data = ["fit", &place.model(), "--x", &x, "--y", &y, "--epochs", "2", "--output", &out];
    let options = ["--batch-size", "4", "--no-shuffle", "--history", &history];
    said(&[&data[..], &options].concat());
    let ours: Value = serde_json::from_str(&std::fs::read_to_string(&history).unwrap()).unwrap();
    for entry in place.case["history"].as_array().unwrap() {
        let list = |v: &Value| -> Vec<f64> {
            v.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
        };
        near(&list(&ours[entry["key"].as_str().unwrap()]), &list(&entry["values"]), 1e-3);
    }
    let trained = Model::load(&out).unwrap();
    let theirs = place.case["weights_after"].as_array().unwrap();
    for (ours, theirs) in trained.get_weights().iter().zip(theirs) {
        near(&ours.to_f64_vec().unwrap(), &tensor(&theirs["array"]).to_f64_vec().unwrap(), 1e-3);
    }
    let table = place.path("history.csv");
    let options =
        ["--loss", "mse", "--optimizer", "sgd", "--learning-rate", "0.1", "--metrics", "mae"];
    let more = ["--seed", "3", "--validation-split", "0.25", "--history", &table];
    let (x2, out2) = (place.path("x2.npz"), place.path("out2.keras"));
    let pair: Vec<(String, Tensor)> = read_npz(place.path("x.npz")).unwrap();
    write_npz(&x2, &[("x0".into(), pair[0].1.slice(1, 0..3))]).unwrap();
    let data = ["fit", &out, "--x", &x, "--y", &x2, "--epochs", "2", "--output", &out2];
    said(&[&data[..], &options, &more].concat());
    let text = std::fs::read_to_string(&table).unwrap();
    assert_eq!(text.lines().next().unwrap(), "epoch,loss,mae,val_loss,val_mae");
    assert_eq!(Model::load(&out2).unwrap().optimizer().unwrap().learning_rate(), 0.1);
}

#[test]
fn a_model_is_converted_to_every_form_and_looked_into_there() {
    let place = Place::new("convert", "sequential");
    let model = Model::load(place.model()).unwrap();
    for end in ["keras", "weights.h5", "safetensors", "npz", "json"] {
        let out = place.path(&format!("out.{end}"));
        said(&["convert", &place.model(), &out]);
        if end == "json" {
            assert_eq!(std::fs::read_to_string(&out).unwrap().trim(), model.to_json().unwrap());
            continue;
        }
        let again = Model::from_json(&model.to_json().unwrap()).unwrap();
        again.load_weights(&out).unwrap();
        for (a, b) in again.get_weights().iter().zip(model.get_weights()) {
            assert_eq!(a.to_f64_vec().unwrap(), b.to_f64_vec().unwrap(), "{end}");
        }
        let found = said(&["inspect", &out]);
        assert!(found.contains("float32") && found.contains("(5, 4)"), "{found}");
    }
    let found = said(&["inspect", &place.model()]);
    for said in ["model of Keras 3", "Keras: 3.15.1", "class: Sequential", "layers/dense/vars/0"] {
        assert!(found.contains(said), "{found}");
    }
}

#[test]
fn what_is_wrong_is_said_on_stderr_with_another_exit_code() {
    let place = Place::new("wrong", "sequential");
    let model = place.model();
    let (x, missing) = (place.path("x.npz"), place.path("missing.keras"));
    for (arguments, said) in [
        (vec!["summary", &missing], "the file can't be read"),
        (vec!["summary", &x], "must end in `.keras`, `.h5` or `.hdf5`"),
        (vec!["predict", &model, "--input", &x, "--output", "y.txt"], "must end in `.npz`"),
        (vec!["convert", &model, "m.onnx"], "the file's name must end in"),
        (
            vec!["fit", &model, "--x", &x, "--y", &x, "--epochs", "1", "--output", "m.h5"],
            "--output: the file's name must end in `.keras`",
        ),
        (
            vec![
                "fit",
                &model,
                "--x",
                &x,
                "--y",
                &x,
                "--epochs",
                "1",
                "--output",
                "m.keras",
                "--optimizer",
                "sgd",
            ],
            "`--optimizer` and `--metrics` need a `--loss`",
        ),
        (vec!["explain"], "unrecognized subcommand"),
    ] {
        let error = refused(&arguments);
        assert!(error.contains("error: ") && error.contains(said), "{error}");
    }
}
