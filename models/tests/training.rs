//! Whole training runs, beside the same runs in Keras.

mod golden;

use cornu_models::callbacks::Verbose;
use cornu_models::{ClassWeight, Data, Fit, Model, Split};
use golden::{assert_near, assert_values, cases, optional, tensor};
use serde_json::Value;

/// Some hundred float32 operations lie between first weights and last.
const ABSOLUTE: f64 = 2e-5;
const RELATIVE: f64 = 2e-4;

/// One tensor, a list of tensors, or a map of tensors by name.
fn data(value: &Value) -> Data {
    match value {
        Value::Null => Data::none(),
        Value::Array(list) => list.iter().map(tensor).collect::<Vec<_>>().into(),
        Value::Object(map) if map.contains_key("values") => tensor(value).into(),
        Value::Object(map) => {
            map.iter().map(|(name, v)| (name.clone(), tensor(v))).collect::<Vec<_>>().into()
        }
        other => panic!("no data: {other}"),
    }
}

fn options<'a>(fit: &Value) -> Fit<'a> {
    let number = |key: &str| fit[key].as_u64().map(|n| n as usize);
    let mut options = Fit::new().shuffle(false).verbose(Verbose::Silent);
    options = options.epochs(number("epochs").expect("epochs"));
    if let Some(size) = number("batch_size") {
        options = options.batch_size(size);
    }
    if let Some(split) = fit["validation_split"].as_f64() {
        options = options.validation_split(Split::Tail(split));
    }
    if let Some(parts) = fit["validation_data"].as_array() {
        let weights = parts.get(2).map_or_else(Data::none, data);
        options = options.weighted_validation_data(data(&parts[0]), data(&parts[1]), weights);
    }
    if let Some(weights) = fit["class_weight"].as_object() {
        let weight = |(class, w): (&String, &Value)| {
            (class.parse().expect("a class"), w.as_f64().expect("a weight"))
        };
        options = options.class_weight(ClassWeight::from(
            weights.iter().map(weight).collect::<Vec<(i64, f64)>>(),
        ));
    }
    if let Some(weights) = optional(&fit["sample_weight"]) {
        options = options.sample_weight(weights);
    }
    options
}

/// Metrics of training in which Keras, on JAX, counts steps that are masked: the mask is lost on
/// the way, though `evaluate` has it.
const UNMASKED: &[(&str, &str)] = &[("masked_steps", "mae"), ("masked_steps", "mse")];

fn run(case: &Value) {
    let name = case["name"].as_str().expect("name");
    let mut model = Model::from_json(&case["json"].to_string()).expect(name);
    let first: Vec<_> =
        case["weights"].as_array().expect(name).iter().map(|w| tensor(&w["array"])).collect();
    model.set_weights(&first).expect(name);
    model.compile_from_json(&case["compile"]).expect(name);
    let (x, y) = (data(&case["x"]), data(&case["y"]));
    let history = model.fit(&x, &y, options(&case["fit"])).expect(name);

    let ours: Vec<&str> = history.series().map(|(key, _)| key).collect();
    let entries = case["history"].as_array().expect(name);
    let theirs: Vec<&str> = entries.iter().map(|e| e["key"].as_str().expect(name)).collect();
    assert_eq!(ours, theirs, "{name}: keys of the history, in order");
    for entry in entries {
        let key = entry["key"].as_str().expect(name);
        let values: Vec<f64> = entry["values"]
            .as_array()
            .expect(name)
            .iter()
            .map(|v| v.as_f64().expect(name))
            .collect();
        if UNMASKED.contains(&(name, key)) {
            continue; // compared after the run, in what `evaluate` finds
        }
        let place = format!("{name}: {key}");
        assert_values(&place, history.get(key).expect(name), &values, ABSOLUTE, RELATIVE);
    }
    let after = case["weights_after"].as_array().expect(name);
    for (weight, theirs) in model.weights().iter().zip(after) {
        let place = format!("{name}: `{}`", weight.path());
        assert_eq!(weight.path(), theirs["path"].as_str().expect(name), "{name}");
        assert_near(&place, &weight.value(), &theirs["array"], ABSOLUTE, RELATIVE);
    }
    let predictions = case["predict"].as_array().expect(name);
    for (ours, theirs) in model.predict_all(&x).expect(name).iter().zip(predictions) {
        assert_near(&format!("{name}: predict"), ours, theirs, ABSOLUTE, RELATIVE);
    }
    let weights = data(&case["fit"]["sample_weight"]);
    let size = case["fit"]["batch_size"].as_u64().unwrap_or(32) as usize;
    let scores = model.evaluate_weighted(&x, &y, weights, size).expect(name);
    for score in case["evaluate"].as_array().expect(name) {
        let key = score["key"].as_str().expect(name);
        let place = format!("{name}: evaluate {key}");
        let ours = scores.get(key).unwrap_or(f64::NAN);
        let theirs = score["value"].as_f64().expect(name);
        assert_values(&place, &[ours], &[theirs], ABSOLUTE, RELATIVE);
    }
}

#[test]
fn every_run_goes_as_in_keras() {
    let mut failures = Vec::new();
    for case in [cases("training"), cases("training_layers")].concat() {
        let name = case["name"].as_str().expect("name").to_owned();
        if std::panic::catch_unwind(|| run(&case)).is_err() {
            failures.push(name);
        }
    }
    assert!(failures.is_empty(), "runs that differ: {failures:?}");
}
