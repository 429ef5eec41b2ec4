//! Models in files: Keras's JSON, weights, and checkpoints.

#[path = "../../layers/tests/support/mod.rs"]
mod support;

use std::path::PathBuf;

use cornu_autodiff::{DType, GeneratorState, Tensor};
use cornu_layers::{layer_classes, prelude::*};
use cornu_models::callbacks::{EarlyStopping, ModelCheckpoint, Verbose};
use cornu_models::saving::{Checkpoint, write_file};
use cornu_models::{Compile, Fit, History, Model, Sequential, Split};
use serde_json::{Value, json};
use support::{assert_agree, assert_same_json, cases, name, tensor, tensors};

/// Models of layers that exist so far.
fn models() -> Vec<Value> {
    let known = layer_classes();
    let later = ["Conv2D", "MaxPooling2D", "BatchNormalization", "Embedding", "Concatenate", "Dot"];
    let missing = later.iter().filter(|class| !known.iter().any(|k| k == *class));
    let missing: Vec<String> = missing.map(|class| format!("\"{class}\"")).collect();
    let readable = |case: &Value| {
        let text = case["json"].to_string();
        !missing.iter().any(|class| text.contains(class))
    };
    cases("models").into_iter().filter(readable).collect()
}

fn case(wanted: &str) -> Value {
    cases("models").into_iter().find(|case| name(case) == wanted).unwrap()
}

fn read(json: &Value) -> Result<Model, String> {
    Model::from_json(&json.to_string()).map_err(|e| e.to_string())
}

/// A path of this test's own, and nothing there.
fn temporary(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("cornu-saving-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    let _ = std::fs::remove_file(&path);
    path
}

#[test]
fn models_of_keras_are_read_and_compute_the_same() {
    for case in models() {
        let model = read(&case["json"]).unwrap();
        let what = name(&case);
        let names: Vec<String> = model.layers().iter().map(|layer| layer.name()).collect();
        assert_eq!(json!(names), case["layer_names"], "{what}");
        let Some(weights) = case["weights"].as_array() else { continue };
        let paths: Vec<&str> = model.weights().iter().map(|w| w.path()).collect();
        let keras: Vec<&str> = weights.iter().map(|w| w["path"].as_str().unwrap()).collect();
        assert_eq!(paths, keras, "{what}");
        let trainable = model.weights().iter().map(|w| json!(w.is_trainable()));
        assert!(trainable.eq(weights.iter().map(|w| w["trainable"].clone())), "{what}");
        let values: Vec<Tensor> = weights.iter().map(|w| tensor(&w["array"])).collect();
        model.set_weights(&values).unwrap();
        let outputs = model.call(&tensors(&case["inputs"])).unwrap();
        let keras = tensors(&case["outputs"]);
        assert_eq!(outputs.len(), keras.len(), "{what}");
        for (own, keras) in outputs.iter().zip(&keras) {
            assert_agree(what, own, keras, 1e-5);
        }
    }
}

#[test]
fn json_is_written_as_keras_wrote_it() {
    for case in models() {
        let text = read(&case["json"]).unwrap().to_json().unwrap();
        let mut written: Value = serde_json::from_str(&text).unwrap();
        let again = Model::from_json(&text).unwrap().to_json().unwrap();
        assert_eq!(again, text, "{}", name(&case));
        let mut keras = case["json"].clone();
        for json in [&mut written, &mut keras] {
            // What it was compiled for may be said in several ways.
            json.as_object_mut().unwrap().remove("compile_config");
        }
        assert_same_json(name(&case), &written, &keras);
    }
}

#[test]
fn what_a_model_is_compiled_for_is_written_as_keras_wrote_it() {
    let (one, two) =
        (case("compiled")["json"].clone(), case("compiled_two_outputs")["json"].clone());
    let written = |json: &Value| -> Value {
        let text = read(json).unwrap().to_json().unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["compile_config"].clone()
    };
    let mut keras = one["compile_config"].clone();
    keras["jit_compile"] = json!(false); // there is nothing to compile
    assert_same_json("one output", &written(&one), &keras);
    // By output, as lists: Keras reads either.
    let mut keras = two["compile_config"].clone();
    keras["jit_compile"] = json!(false);
    for key in ["loss", "loss_weights", "metrics", "weighted_metrics"] {
        keras[key] = json!([keras[key]["score"], keras[key]["kind"]]);
    }
    assert_same_json("two outputs", &written(&two), &keras);
}

#[test]
fn json_and_weights_together_give_the_same_model_bit_for_bit() {
    for case in models() {
        let first = read(&case["json"]).unwrap();
        if case["inputs"].is_null() {
            continue;
        }
        let path = temporary("whole.weights");
        first.save_weights(&path).unwrap();
        let second = Model::from_json(&first.to_json().unwrap()).unwrap();
        second.load_weights(&path).unwrap();
        let inputs = tensors(&case["inputs"]);
        let (a, b) = (first.call(&inputs).unwrap(), second.call(&inputs).unwrap());
        for (a, b) in a.iter().zip(&b) {
            assert_eq!(bits(a), bits(b), "{}", name(&case));
        }
    }
}

fn bits(x: &Tensor) -> Vec<u64> {
    x.to_f64_vec().unwrap().into_iter().map(f64::to_bits).collect()
}

#[test]
fn one_seed_draws_all_weights_of_a_model_that_was_read() {
    let text = case("nested_deep")["json"].to_string();
    let values = |seed| {
        let model = Model::from_json(&text).unwrap().seed(seed).unwrap();
        model.get_weights().iter().flat_map(bits).collect::<Vec<_>>()
    };
    assert_eq!(values(1), values(1));
    assert_ne!(values(1), values(2));
}

/// What is done to the JSON of a model, and what the error says.
type Fault = (&'static str, fn(&mut Value), &'static str);

const FAULTS: &[Fault] = &[
    ("xor", |j| *j = json!(3), "config of model: the key `class_name` must be a string; got 3"),
    ("xor", |j| j["class_name"] = json!("Dense"), "unknown model class `Dense`"),
    ("xor", |j| j["config"] = json!(null), "config of model: the key `config` must be an object"),
    (
        "xor",
        |j| j["config"]["layers"] = json!({}),
        "config of model `sequential`: the key `layers`",
    ),
    ("xor", |j| j["config"]["name"] = json!(1), "config of model: the key `name` must be a string"),
    (
        "xor",
        |j| j["config"]["trainable"] = json!("yes"),
        "the key `trainable` must be true or false; got \"yes\"",
    ),
    (
        "xor",
        |j| j["config"]["build_input_shape"] = json!([null, -2]),
        "the key `build_input_shape` must be a shape; got [null,-2]",
    ),
    (
        "xor",
        |j| j["config"]["layers"][1]["config"]["units"] = json!("ten"),
        "layer `dense` (Dense): config of Dense: `units`",
    ),
    (
        "xor",
        |j| j["config"]["layers"][1]["config"]["units"] = json!(0),
        "layer `dense` (Dense): `units`",
    ),
    (
        "xor",
        |j| drop(j["config"]["layers"][1]["config"].as_object_mut().unwrap().remove("units")),
        "layer `dense` (Dense): config of Dense: the key `units` must be there",
    ),
    (
        "xor",
        |j| j["config"]["layers"][2]["config"]["activation"] = json!("tann"),
        "did you mean `tanh`?",
    ),
    (
        "xor",
        |j| j["config"]["layers"][3]["class_name"] = json!(null),
        "the key `class_name` must be a string",
    ),
    (
        "xor",
        |j| j["config"]["layers"][0]["config"]["batch_shape"] = json!([null, "two"]),
        "layer `input_layer` (InputLayer): value: it must be a whole number",
    ),
    (
        "xor",
        |j| j["config"]["layers"][3]["config"]["name"] = json!("dense"),
        "every layer must have a name of its own; got `dense` again",
    ),
    (
        "xor",
        |j| j["config"]["layers"][1]["config"]["units"] = json!(1u64 << 44),
        "the weights must fit into memory",
    ),
    (
        "residual",
        |j| {
            j["config"]["layers"][2]["inbound_nodes"][0]["args"][0][0]["config"]["keras_history"]
                [0] = json!("dence")
        },
        "unknown layer, which from_json: model `functional`: layer `add` names `dence`; did you mean `dense`?",
    ),
    (
        "residual",
        |j| {
            j["config"]["layers"][1]["inbound_nodes"][0]["args"][0]["config"]["keras_history"][0] =
                json!("add_1")
        },
        "no layer may depend on its own output; got a cycle at or before `dense`, `add`, `dense_1`, `add_1`",
    ),
    (
        "residual",
        |j| {
            j["config"]["layers"][2]["inbound_nodes"][0]["args"][0][0]["config"]["keras_history"]
                [1] = json!(7)
        },
        "layer `add`: layer `dense` has 1 calls; got its call 7, counted from 0",
    ),
    (
        "residual",
        |j| {
            j["config"]["layers"][2]["inbound_nodes"][0]["args"][0][0]["config"]["keras_history"]
                [2] = json!(1)
        },
        "layer `add`: layer `dense` has 1 outputs; got its output 1, counted from 0",
    ),
    (
        "residual",
        |j| {
            j["config"]["layers"][2]["inbound_nodes"][0]["args"][0][0]["config"]["shape"] =
                json!([null, 5])
        },
        "layer `add`: the output of layer `dense` has shape (None, 4); got (None, 5)",
    ),
    (
        "residual",
        |j| {
            j["config"]["layers"][2]["inbound_nodes"][0]["args"][0][0]["config"]["keras_history"] =
                json!("dense")
        },
        "layer `add` (Add): a tensor must be named by [layer, call, output]; got \"dense\"",
    ),
    (
        "residual",
        |j| j["config"]["layers"][2]["inbound_nodes"][0]["args"] = json!([1.5]),
        "layer `add` (Add): a layer must be called on tensors, by position; got 1.5",
    ),
    (
        "residual",
        |j| j["config"]["layers"][2]["inbound_nodes"][0]["kwargs"] = json!({"axis": 2}),
        "layer `add` (Add): cornu does not know the call's argument `axis`; got 2",
    ),
    (
        "residual",
        |j| j["config"]["layers"][2]["inbound_nodes"] = json!([]),
        "an `InputLayer` must be called on nothing, every other layer on something; got layer `add`",
    ),
    (
        "residual",
        |j| j["config"]["layers"][2]["inbound_nodes"] = json!("none"),
        "layer `add` (Add): the key `inbound_nodes` must be a list; got \"none\"",
    ),
    (
        "residual",
        |j| j["config"]["layers"][2]["module"] = json!("keras.src.ops.numpy"),
        "layer `add` (Add): it is an operation outside of a layer",
    ),
    (
        "residual",
        |j| j["config"]["layers"][2]["name"] = json!("sum"),
        "the names beside and within `config` must be equal; got add",
    ),
    (
        "residual",
        |j| j["config"]["output_layers"] = json!(["add", 0, 0]),
        "every layer must lie between the inputs and the outputs; got layer `dense_1`",
    ),
    (
        "residual",
        |j| j["config"]["output_layers"] = json!([]),
        "`input_layers` and `output_layers` must not be empty; got none",
    ),
    (
        "residual",
        |j| j["config"]["input_layers"] = json!(["dense", 0, 0]),
        "every input must be an `InputLayer`; got layer `dense`",
    ),
    (
        "residual",
        |j| j["config"]["input_layers"] = json!(null),
        "model `functional`: `input_layers`: it must be a list; got null",
    ),
    (
        "residual",
        |j| {
            let twice = j["config"]["layers"][3].clone();
            j["config"]["layers"].as_array_mut().unwrap().push(twice);
        },
        "every layer must have a name of its own; got `dense_1` twice",
    ),
];

#[test]
fn an_error_in_json_names_its_place() {
    for (model, fault, message) in FAULTS {
        let mut json = case(model)["json"].clone();
        fault(&mut json);
        let error = read(&json).err().unwrap_or_else(|| panic!("read in spite of: {message}"));
        assert!(error.contains(message), "{error}\ndoes not say\n{message}");
    }
}

#[test]
fn one_error_lists_every_unknown_class_and_option() {
    let mut json = case("xor")["json"].clone();
    let layers = &mut json["config"]["layers"];
    layers[1]["class_name"] = json!("Dence");
    layers[2]["config"]["speed"] = json!(3);
    layers[2]["config"]["colour"] = json!("red");
    layers[3]["class_name"] = json!("Foo");
    let error = read(&json).unwrap_err();
    assert!(error.contains("from_json: everything in it must be known; got 3 faults:"), "{error}");
    for part in ["`Dence`; did you mean `Dense`?", "`speed`, `colour`", "`Foo`"] {
        assert!(error.contains(part), "{part} in {error}");
    }
}

#[test]
fn models_within_models_have_a_limit() {
    let mut json = case("xor")["json"].clone();
    for _ in 0..20 {
        let mut outer = case("xor")["json"].clone();
        outer["config"]["layers"][1] = json;
        json = outer;
    }
    let error = read(&json).unwrap_err();
    assert!(error.contains("at most 16 models may lie within each other"), "{error}");
}

#[test]
fn the_json_of_keras_2_is_read() {
    let mut json = case("residual")["json"].clone();
    json["class_name"] = json!("Model");
    for layer in json["config"]["layers"].as_array_mut().unwrap() {
        let object = layer.as_object_mut().unwrap();
        object.remove("module");
        let nodes = layer["inbound_nodes"].as_array().unwrap().iter();
        let history = |x: &Value| {
            let mut history = x["config"]["keras_history"].as_array().unwrap().clone();
            history.push(json!({}));
            json!(history)
        };
        layer["inbound_nodes"] = nodes
            .map(|node| match &node["args"][0] {
                Value::Array(list) => list.iter().map(history).collect::<Value>(),
                one => json!([history(one)]),
            })
            .collect();
    }
    json["config"]["input_layers"] = json!([["input_layer", 0, 0]]);
    let model = read(&json).unwrap();
    let text = model.to_json().unwrap();
    assert_same_json("residual", &serde_json::from_str(&text).unwrap(), &case("residual")["json"]);
}

/// All dtypes, and values that a careless writer loses.
fn strange() -> Vec<(String, Tensor)> {
    let nan = f32::from_bits(0x7fc1_2345);
    vec![
        (
            "f32".into(),
            Tensor::new(vec![nan, -0.0, f32::MIN_POSITIVE / 2.0, 1e-45], [2, 2]).unwrap(),
        ),
        ("f64".into(), Tensor::new(vec![f64::NEG_INFINITY, 0.1], [2]).unwrap()),
        ("i32".into(), Tensor::scalar(i32::MIN)),
        ("i64".into(), Tensor::new(vec![i64::MAX, -1], [1, 2, 1]).unwrap()),
        ("u8".into(), Tensor::new(vec![0u8, 255], [2]).unwrap()),
        ("bool".into(), Tensor::new(vec![true, false, true], [3]).unwrap()),
        ("empty".into(), Tensor::zeros([0, 3], DType::F32)),
    ]
}

fn checkpoint() -> Checkpoint {
    Checkpoint {
        model: r#"{"class_name":"Sequential","ü":1}"#.into(),
        weights: strange(),
        optimizer: vec![("sgd/iteration".into(), Tensor::scalar(12i64))],
        optimized: vec![0, 6],
        generator: GeneratorState { seed: u64::MAX, counter: 3 },
        step: 5,
        shuffles: 6,
        position: 8,
        epoch: 7,
        batch: 9,
        epochs: vec![0, 1],
        history: vec![("loss".into(), vec![0.5, f64::NAN]), ("val".into(), vec![1.0, 2.0])],
        callbacks: vec![(
            "early_stopping".into(),
            r#"{"wait":2}"#.into(),
            vec![Tensor::from([1.5f32, 2.5])],
        )],
    }
}

fn exact(x: &Tensor) -> (DType, Vec<usize>, Vec<u64>) {
    let bits = match x.dtype() {
        DType::F32 => x.to_vec::<f32>().unwrap().iter().map(|v| u64::from(v.to_bits())).collect(),
        DType::I64 => x.to_vec::<i64>().unwrap().iter().map(|v| *v as u64).collect(),
        _ => bits(x),
    };
    (x.dtype(), x.dims().to_vec(), bits)
}

#[test]
fn a_checkpoint_comes_back_bit_for_bit() {
    let (first, path) = (checkpoint(), temporary("run.checkpoint"));
    first.write(&path).unwrap();
    let second = Checkpoint::read(&path).unwrap();
    for (a, b) in [(&first.weights, &second.weights), (&first.optimizer, &second.optimizer)] {
        let all = |list: &[(String, Tensor)]| -> Vec<_> {
            list.iter().map(|(name, x)| (name.clone(), exact(x))).collect()
        };
        assert_eq!(all(a), all(b));
    }
    let rest = |c: &Checkpoint| {
        let numbers =
            (c.optimized.clone(), c.generator, c.step, c.shuffles, c.position, c.batch, c.epoch);
        let bits = |v: &[f64]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        let history: Vec<_> = c.history.iter().map(|(n, v)| (n.clone(), bits(v))).collect();
        let callbacks: Vec<_> = c.callbacks.iter().map(|(n, v, t)| (n, v, exact(&t[0]))).collect();
        (c.model.clone(), numbers, c.epochs.clone(), history, format!("{callbacks:?}"))
    };
    assert_eq!(rest(&first), rest(&second));
}

#[test]
fn a_checkpoint_that_was_cut_off_or_altered_anywhere_is_an_error() {
    let bytes = checkpoint().to_bytes().unwrap();
    for length in 0..bytes.len() {
        assert!(Checkpoint::from_bytes(&bytes[..length]).is_err(), "cut to {length}");
    }
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut altered = bytes.clone();
            altered[at] ^= 1 << bit;
            assert!(Checkpoint::from_bytes(&altered).is_err(), "bit {bit} of byte {at}");
        }
    }
    let longer = [bytes.as_slice(), b"x"].concat();
    assert!(Checkpoint::from_bytes(&longer).is_err());
}

#[test]
fn a_file_that_is_no_checkpoint_says_what_it_is() {
    let path = temporary("other.checkpoint");
    std::fs::write(&path, "not a checkpoint at all").unwrap();
    let error = Checkpoint::read(&path).unwrap_err().to_string();
    let said = "it must be a checkpoint written by cornu; got 23 bytes that begin with `not a ch`";
    assert!(error.contains(said) && error.contains("other.checkpoint"), "{error}");
    let error = Checkpoint::read(temporary("missing")).unwrap_err().to_string();
    assert!(error.contains("the file can't be read"), "{error}");
}

fn two_layers() -> Sequential {
    let mut model = Sequential::new();
    model.add(Dense::new(3).input_dim(2)).unwrap();
    model.add(Dense::new(1)).unwrap();
    model
}

#[test]
fn weights_that_are_not_those_of_the_model_are_an_error_that_names_them() {
    let path = temporary("other.weights");
    let mut other = Sequential::new();
    other.add(Dense::new(4).input_dim(2)).unwrap();
    other.add(Dense::new(1).name("last")).unwrap();
    other.save_weights(&path).unwrap();
    let model = two_layers();
    let before: Vec<_> = model.get_weights().iter().flat_map(bits).collect();
    let error = model.load_weights(&path).unwrap_err().to_string();
    for part in [
        "other.weights: the weights must be those of the model; got",
        "`dense/kernel` as float32 (2, 4), which is float32 (2, 3) in the model",
        "no `dense_1/kernel`, which the model has",
        "`last/bias`, which the model does not have",
    ] {
        assert!(error.contains(part), "{part} in {error}");
    }
    let after: Vec<_> = model.get_weights().iter().flat_map(bits).collect();
    assert_eq!(before, after);
}

#[test]
fn weights_do_not_depend_on_the_name_of_the_model() {
    let path = temporary("named.weights");
    let model = two_layers();
    model.save_weights(&path).unwrap();
    let mut named = Sequential::new().with_name("another");
    named.add(Dense::new(3).input_dim(2)).unwrap();
    named.add(Dense::new(1)).unwrap();
    named.load_weights(&path).unwrap();
    let part = model.submodel("dense").unwrap();
    part.save_weights(&path).unwrap();
    Model::from_json(&part.to_json().unwrap()).unwrap().load_weights(&path).unwrap();
}

#[test]
fn weights_need_a_name_and_a_model_that_have_them() {
    let model = two_layers();
    let error = model.save_weights("x.weights.xyz").unwrap_err().to_string();
    let said = "save_weights: the file's name must end in `.weights`; got `x.weights.xyz`";
    assert_eq!(error, said);
    let mut unbuilt = Sequential::new();
    unbuilt.add(Dense::new(1)).unwrap();
    let error = unbuilt.save_weights("x.weights").unwrap_err().to_string();
    assert!(
        error.starts_with("save_weights: the shape of the input must be known first"),
        "{error}"
    );
}

#[test]
fn a_writer_that_fails_leaves_the_old_file_and_no_other() {
    let folder = temporary("failing");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("file");
    write_file(&path, |out| out.write_all(b"old")).unwrap();
    let failed = write_file(&path, |out| {
        out.write_all(b"new")?;
        Err(std::io::Error::other("no more space"))
    });
    assert!(failed.unwrap_err().to_string().ends_with("; got no more space"));
    let panicked = std::panic::catch_unwind(|| write_file(&path, |_| panic!("in the middle")));
    assert!(panicked.is_err());
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    let error = write_file(&folder, |_| Ok(())).unwrap_err().to_string();
    assert!(error.ends_with("only a file can be replaced by a file; got a folder"), "{error}");
    let error = write_file(folder.join("no/such"), |_| Ok(())).unwrap_err().to_string();
    assert!(error.contains("the file can't be written"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (path, link) = (temporary("linked"), temporary("link"));
    write_file(&path, |out| out.write_all(b"old")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&path, &link).unwrap();
    write_file(&link, |out| out.write_all(b"new")).unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}

/// Points and whether they lie inside a circle.
fn circle() -> (Tensor, Tensor) {
    let points = (0..40).map(|i| (f64::from(i) * 0.7).sin() * f64::from(i % 7) / 4.0);
    let points: Vec<f32> = points.map(|v| v as f32).collect();
    let inside = points.chunks(2).map(|p| f32::from(p[0] * p[0] + p[1] * p[1] < 0.5)).collect();
    (Tensor::new(points, [20, 2]).unwrap(), Tensor::new(inside, [20, 1]).unwrap())
}

fn fitted(optimizer: &str) -> Sequential {
    let mut model = Sequential::new().seed(3);
    model.add(Dense::new(8).input_dim(2).activation("relu")).unwrap();
    model.add(Dropout::new(0.3)).unwrap();
    model.add(BatchNormalization::new()).unwrap();
    model.add(Dense::new(1).activation("sigmoid")).unwrap();
    let compile = Compile::new().loss("binary_crossentropy").metrics(["accuracy"]);
    model.compile(compile.optimizer(optimizer)).unwrap();
    model
}

fn train(model: &mut Model, epochs: usize) -> History {
    let (x, y) = circle();
    let stopping = EarlyStopping::new("val_loss").patience(100).restore_best_weights(true);
    let options = Fit::new()
        .epochs(epochs)
        .batch_size(4)
        .validation_split(Split::Shuffled(0.2))
        .callback(stopping)
        .verbose(Verbose::Silent)
        .resume();
    model.fit(x, y, options).unwrap()
}

#[test]
fn a_run_that_was_stopped_goes_on_bit_for_bit() {
    for optimizer in ["sgd", "adam", "rmsprop"] {
        let path = temporary("stopped.checkpoint");
        let mut whole = fitted(optimizer);
        let history = train(&mut whole, 6);
        let mut first = fitted(optimizer);
        train_without_best(&mut first, 3, &path);
        let mut second = Model::load_checkpoint(&path).unwrap();
        let resumed = train(&mut second, 6);
        let all = |history: &History| -> Vec<(String, Vec<u64>)> {
            let bits = |v: &[f64]| v.iter().map(|x| x.to_bits()).collect();
            history.series().map(|(name, v)| (name.to_owned(), bits(v))).collect()
        };
        assert_eq!(all(&history), all(&resumed), "{optimizer}");
        let weights = |m: &Model| m.get_weights().iter().flat_map(bits).collect::<Vec<_>>();
        assert_eq!(weights(&whole), weights(&second), "{optimizer}");
        let state = |m: &Model| -> Vec<_> {
            m.optimizer().unwrap().state().iter().map(|(_, x)| exact(x)).collect()
        };
        assert_eq!(state(&whole), state(&second), "{optimizer}");
    }
}

/// Trains as [`train`] does, and keeps the checkpoint of the last epoch: what a run that is
/// killed leaves behind.
fn train_without_best(model: &mut Model, epochs: usize, path: &std::path::Path) {
    let (x, y) = circle();
    let stopping = EarlyStopping::new("val_loss").patience(100).restore_best_weights(true);
    let options = Fit::new()
        .epochs(epochs)
        .batch_size(4)
        .validation_split(Split::Shuffled(0.2))
        .callback(stopping)
        .callback(ModelCheckpoint::new(path.to_str().unwrap()))
        .verbose(Verbose::Silent);
    model.fit(x, y, options).unwrap();
}

#[test]
fn a_checkpoint_of_another_model_is_an_error() {
    let path = temporary("another.checkpoint");
    fitted("adam").save_checkpoint(&path).unwrap();
    let error = two_layers().restore_checkpoint(&path).unwrap_err().to_string();
    assert!(error.contains("the checkpoint is of a compiled model"), "{error}");
    let mut sgd = fitted("sgd");
    let (x, y) = circle();
    let mut adam = fitted("adam");
    adam.fit(x, y, Fit::new().verbose(Verbose::Silent)).unwrap();
    adam.save_checkpoint(&path).unwrap();
    let error = sgd.restore_checkpoint(&path).unwrap_err().to_string();
    assert!(error.contains("there must be as many tensors as the optimizer has"), "{error}");
    fitted("adam").restore_checkpoint(&path).unwrap();
}
