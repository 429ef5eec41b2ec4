//! The command as scripts run it.

use std::path::PathBuf;
use std::process::{Command, Output};

use cornu_autodiff::{DType, Tensor};
use cornu_models::Model;
use cornu_models::saving::{read_npy, read_npz, write_npy, write_npz};
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
}

#[test]
fn each_option_of_fit_takes_the_place_of_what_the_file_says() {
    let place = Place::new("options", "sequential");
    let (x, y) = (place.path("x.npz"), place.path("y.npz"));
    let (out, table) = (place.path("out.keras"), place.path("history.csv"));
    let fit = |model: &str, y: &str, options: &[&str]| {
        let data = ["fit", model, "--x", &x, "--y", y, "--epochs", "2", "--output", &out];
        said(&[&data[..], options].concat());
        Model::load(&out).unwrap()
    };
    let header = || std::fs::read_to_string(&table).unwrap().lines().next().unwrap().to_owned();
    let compiled = |model: &Model| -> Value {
        serde_json::from_str::<Value>(&model.to_json().unwrap()).unwrap()["compile_config"].clone()
    };
    // Alone, each leaves the others as they are, and what the optimizer remembers.
    let before = Model::load(place.model()).unwrap().optimizer().unwrap().iterations();
    let steps = 2 * read_npz(&x).unwrap()[0].1.dims()[0].div_ceil(4) as u64;
    let model = fit(&place.model(), &y, &["--batch-size", "4", "--learning-rate", "0.5"]);
    let optimizer = model.optimizer().unwrap();
    assert_eq!((optimizer.class_name(), optimizer.learning_rate()), ("Adam", 0.5));
    assert_eq!(optimizer.iterations(), before + steps);
    let model =
        fit(&place.model(), &y, &["--batch-size", "4", "--metrics", "acc", "--history", &table]);
    assert_eq!(header(), "epoch,acc,loss");
    assert_eq!(model.optimizer().unwrap().iterations(), before + steps);
    assert_eq!(compiled(&model)["loss"], "sparse_categorical_crossentropy");
    let model = fit(&place.model(), &y, &["--optimizer", "sgd", "--history", &table]);
    assert_eq!(header(), "epoch,accuracy,loss");
    assert_eq!(model.optimizer().unwrap().class_name(), "SGD");
    // All together.
    let targets = place.path("x2.npz");
    let columns = read_npz(&x).unwrap()[0].1.slice(1, 0..3);
    write_npz(&targets, &[("x0".into(), columns)]).unwrap();
    let options = [
        ["--loss", "mse", "--optimizer", "rmsprop", "--learning-rate", "0.1"],
        ["--metrics", "mae,mape", "--seed", "3", "--validation-split", "0.25"],
    ];
    let history = ["--history", &table];
    let model = fit(&place.model(), &targets, &[&options.concat()[..], &history].concat());
    assert_eq!(header(), "epoch,loss,mae,mape,val_loss,val_mae,val_mape");
    assert_eq!(std::fs::read_to_string(&table).unwrap().lines().count(), 3);
    assert_eq!(model.optimizer().unwrap().learning_rate(), 0.1);
    // One seed, one order of samples, one result; another without.
    let weights = |options: &[&str]| {
        let model = fit(&place.model(), &y, options);
        model.get_weights().iter().map(|w| w.to_f64_vec().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(weights(&["--seed", "5"]), weights(&["--seed", "5"]));
    assert_ne!(weights(&["--seed", "5"]), weights(&["--seed", "6"]));
    assert_ne!(weights(&["--seed", "5"]), weights(&["--no-shuffle"]));
}

#[test]
fn a_model_that_is_not_compiled_or_has_several_outputs_trains_for_what_the_options_say() {
    let place = Place::new("told", "shared_nested");
    let (x, out) = (place.path("x.npz"), place.path("out.keras"));
    let (json, history) = (place.path("model.json"), place.path("history.json"));
    let mut model: Value =
        serde_json::from_str(&Model::load(place.model()).unwrap().to_json().unwrap()).unwrap();
    model.as_object_mut().unwrap().remove("compile_config");
    std::fs::write(&json, model.to_string()).unwrap();
    // The targets under the names of the outputs.
    let y = place.path("named.npz");
    let score = tensor(&place.case["y"][0]);
    let kind = Tensor::zeros([score.dims()[0], 3], DType::F32);
    write_npz(&y, &[("kind".into(), kind), ("score".into(), score)]).unwrap();
    let data = ["fit", &json, "--x", &x, "--y", &y, "--epochs", "1", "--output", &out];
    let error = refused(&data);
    let rule = "the file doesn't say what the model is trained for; give a `--loss`";
    assert!(error.contains(rule), "{error}");
    said(&[&data[..], &["--loss", "mse", "--metrics", "mae", "--history", &history]].concat());
    let lists: Value = serde_json::from_str(&std::fs::read_to_string(&history).unwrap()).unwrap();
    let keys: Vec<&str> = lists.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["kind_loss", "kind_mae", "loss", "score_loss", "score_mae"]);
    assert_eq!(Model::load(&out).unwrap().optimizer().unwrap().class_name(), "RMSprop");
}

#[test]
fn one_array_goes_in_and_out_as_npy_or_csv_with_the_same_numbers() {
    let place = Place::new("single", "sequential");
    let model = place.model();
    for key in ["x", "y"] {
        let array = tensor(&place.case[key][0]);
        write_npy(place.path(&format!("{key}.npy")), &array).unwrap();
        let columns = array.dims().get(1).copied().unwrap_or(1);
        let cells: Vec<String> =
            array.to_f64_vec().unwrap().iter().map(|v| (*v as f32).to_string()).collect();
        let rows: Vec<String> = cells.chunks(columns).map(|row| row.join(",")).collect();
        std::fs::write(place.path(&format!("{key}.csv")), rows.join("\n")).unwrap();
    }
    let path = |key: &str, end: &str| place.path(&format!("{key}.{end}"));
    let mut results = Vec::new();
    for end in ["npz", "npy", "csv"] {
        let (x, y) = (path("x", end), path("y", end));
        let evaluated = said(&["evaluate", &model, "--x", &x, "--y", &y, "--json"]);
        let out = path("out", "keras");
        let data = ["fit", &model, "--x", &x, "--y", &y, "--epochs", "1", "--no-shuffle"];
        said(&[&data[..], &["--output", &out]].concat());
        let weights: Vec<Vec<f64>> = Model::load(&out)
            .unwrap()
            .get_weights()
            .iter()
            .map(|w| w.to_f64_vec().unwrap())
            .collect();
        let predicted: Vec<Vec<f64>> = ["npz", "npy", "csv"]
            .iter()
            .map(|to| {
                let out = path("p", to);
                said(&["predict", &model, "--input", &x, "--output", &out]);
                match *to {
                    "npz" => read_npz(&out).unwrap()[0].1.to_f64_vec().unwrap(),
                    "npy" => read_npy(&out).unwrap().to_f64_vec().unwrap(),
                    _ => std::fs::read_to_string(&out)
                        .unwrap()
                        .split(['\n', ','])
                        .filter_map(|cell| cell.parse().ok())
                        .collect(),
                }
            })
            .collect();
        results.push((evaluated, weights, predicted));
    }
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
    let predicted = &results[0].2;
    assert_eq!(predicted[0], predicted[1]);
    assert_eq!(predicted[0], predicted[2]);
    let theirs = tensor(&place.case["predict"][0]).to_f64_vec().unwrap();
    near(&predicted[0], &theirs, 1e-5);
}

#[test]
fn a_model_is_converted_to_every_form_and_looked_into_there() {
    let place = Place::new("convert", "sequential");
    let model = Model::load(place.model()).unwrap();
    for end in ["keras", "weights.h5", "safetensors", "npz", "json"] {
        let out = place.path(&format!("out.{end}"));
        said(&["convert", &place.model(), &out]);
        if end == "json" {
            let found = said(&["inspect", &out]);
            assert!(found.starts_with("structure of a model\nclass: Sequential\n"), "{found}");
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
    let (npy, csv) = (place.path("x.npy"), place.path("x.csv"));
    let two = format!("{ROOT}/files/shared_nested.keras");
    write_npy(&npy, &tensor(&place.case["x"][0])).unwrap();
    std::fs::write(&csv, "1,2\n").unwrap();
    let predict = |model: &str, input: &str, output: &str| {
        refused(&["predict", model, "--input", input, "--output", output])
    };
    let evaluate = |x: &str, y: &str| refused(&["evaluate", &model, "--x", x, "--y", y]);
    for (error, said) in [
        (refused(&["summary", &missing]), "the file can't be read"),
        (refused(&["summary", &x]), "must end in `.keras`, `.h5` or `.hdf5`"),
        (predict(&model, &x, "y.txt"), "must end in `.npz`"),
        (predict(&model, &csv, "y.npz"), "input `input_layer` takes shape (None, 5)"),
        (predict(&two, &npy, "y.npz"), "there must be 2 arrays, for `left`, `right`; got 1"),
        (evaluate(&x, &missing), "the file's name must end in `.npz`, `.npy` or `.csv`"),
        (evaluate(&x, "no.npz"), "the file can't be read"),
        (evaluate("no.csv", &x), "the file can't be read"),
        (refused(&["convert", &model, "m.onnx"]), "one of `.keras`, `.weights.h5`, "),
        (refused(&["inspect", &csv]), "x.csv"),
        (refused(&["inspect", &missing]), "the file can't be read"),
        (refused(&["explain"]), "unrecognized subcommand"),
    ] {
        assert!(error.contains("error: ") && error.contains(said), "{error}");
    }
}

#[test]
fn what_fit_cannot_do_is_said_before_it_begins() {
    let place = Place::new("unfit", "sequential");
    let (model, x, y) = (place.model(), place.path("x.npz"), place.path("y.npz"));
    for (output, options, said) in [
        ("m.h5", ["--seed", "1"], "--output: the file's name must end in `.keras`"),
        ("m.keras", ["--history", "h.txt"], "must end in `.json` or `.csv`; got `h.txt`"),
        ("m.keras", ["--optimizer", "adm"], "unknown optimizer `adm`; did you mean `Adam`?"),
        ("m.keras", ["--loss", "msee"], "unknown loss `msee`; did you mean `mse`?"),
        ("m.keras", ["--metrics", "acuracy"], "unknown metric `acuracy`; did you mean"),
        ("m.keras", ["--learning-rate", "nan"], "`learning_rate`"),
        ("m.keras", ["--batch-size", "0"], "`batch_size` must be in 1..=12"),
        ("m.keras", ["--validation-split", "1.5"], "`validation_split`"),
    ] {
        let output = place.path(output);
        let data = ["fit", &model, "--x", &x, "--y", &y, "--epochs", "1", "--output", &output];
        let error = refused(&[&data[..], &options].concat());
        assert!(error.contains("error: ") && error.contains(said), "{error}");
        assert!(!std::path::Path::new(&output).exists());
    }
}
