//! Files written here, opened by real Keras where there is one.

use std::process::Command;

use cornu_autodiff::Tensor;
use cornu_models::callbacks::Verbose;
use cornu_models::{Fit, Model};
use serde_json::{Map, Value, json};

use crate::golden::cases;
use crate::{file, temporary, tensors};

/// A Python that has Keras: the one that `CORNU_PYTHON` names, or the first of the path.
fn python() -> Result<String, String> {
    let python = std::env::var("CORNU_PYTHON").unwrap_or_else(|_| "python3".into());
    match Command::new(&python).env("KERAS_BACKEND", "jax").args(["-c", "import keras"]).output() {
        Err(e) => Err(format!("`{python}` can't be run: {e}")),
        Ok(ran) if ran.status.success() => Ok(python),
        Ok(_) => Err(format!("`{python}` has no Keras with JAX; set CORNU_PYTHON to one that has")),
    }
}

fn array(x: &Tensor) -> Value {
    json!({ "shape": x.dims(), "dtype": x.dtype().name(), "values": x.to_f64_vec().unwrap() })
}

#[test]
fn keras_opens_what_is_written_here() {
    let python = match python() {
        Ok(python) => python,
        Err(reason) => return eprintln!("skipped: {reason}"),
    };
    let folder = temporary("opened");
    std::fs::create_dir_all(&folder).unwrap();
    for case in cases("files") {
        let name = case["name"].as_str().unwrap();
        let mut model = Model::load(file(&format!("{name}.keras"))).unwrap();
        let (x, y) = (tensors(&case["x"]), tensors(&case["y"]));
        let fit = || Fit::new().batch_size(4).shuffle(false).verbose(Verbose::Silent);
        model.fit(x.clone(), y.clone(), fit()).unwrap();
        model.save(folder.join(format!("{name}.keras"))).unwrap();
        model.save_weights(folder.join(format!("{name}.weights.h5"))).unwrap();
        let weights = model.weights().iter();
        let weights = weights.map(|w| json!({ "path": w.path(), "array": array(&w.value()) }));
        let weights: Vec<Value> = weights.collect();
        let predict: Vec<Value> = model.call(&x).unwrap().iter().map(array).collect();
        let iterations = model.optimizer().unwrap().iterations();
        let history = model.fit(x, y, fit()).unwrap();
        let history: Map<String, Value> =
            history.series().map(|(key, values)| (key.to_owned(), json!(values))).collect();
        let wanted = json!({
            "x": case["x"], "y": case["y"], "predict": predict, "weights": weights,
            "iterations": iterations, "history": history,
        });
        std::fs::write(folder.join(format!("{name}.json")), wanted.to_string()).unwrap();
    }
    let script = format!("{}/../tests/keras/open_files.py", env!("CARGO_MANIFEST_DIR"));
    let ran = Command::new(python).arg(script).arg(&folder).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{}{said}", String::from_utf8_lossy(&ran.stdout));
    std::fs::remove_dir_all(folder).unwrap();
}
