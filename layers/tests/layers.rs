//! Every layer against real Keras: config, value, gradients, losses, weights, masks, shapes.

mod support;

use std::collections::BTreeSet;

use cornu_autodiff::{Generator, Spec, Tape, Tensor};
use cornu_layers::{
    Apply, Context, Input, Inputs, Lambda, LayerRef, Parameter, layer_classes, layer_from_json,
};
use serde_json::{Value, json};
use support::{assert_agree, assert_same_json, cases, name, tensor, tensors, unbuilt};

/// Cases whose input is a single sample, without a batch axis.
const SINGLE: &[&str] = &["resizing_one", "center_crop_one", "mel_spectrogram_one"];

/// Cases in which Keras is wrong, and why.
const WRONG: &[(&str, &str)] = &[(
    "activation_sparsemax",
    "Keras 3.15.1 adds up all partial sums instead of taking the last, so that rows with several \
     positive elements don't sum to one",
)];

fn layer_cases() -> Vec<Value> {
    Lambda::register("scaled_square", |x, arguments| {
        let factor = arguments.get("factor").and_then(Value::as_f64).unwrap_or(1.0);
        Ok(x.only()?.square() * factor)
    });
    Lambda::register("golden>difference", |x, _| Ok(&x.tensors[0] - &x.tensors[1]));
    let left_out = |case: &Value| WRONG.iter().any(|(wrong, _)| *wrong == name(case));
    support::layer_cases().into_iter().filter(|case| !left_out(case)).collect()
}

/// The layer of a case, built, with the case's weights.
fn built(case: &Value, inputs: &[Tensor]) -> LayerRef {
    let json = json!({
        "module": "keras.layers",
        "class_name": case["class_name"],
        "config": case["config"],
        "registered_name": null,
        "inbound_nodes": [{ "kwargs": case["call"] }],
    });
    let layer = layer_from_json(&json).unwrap_or_else(|e| panic!("{}: {e}", name(case)));
    let specs: Vec<Spec> = inputs.iter().map(|x| *x.spec()).collect();
    layer.build(&specs).unwrap_or_else(|e| panic!("{}: {e}", name(case)));
    let weights = case["weights"].as_array().unwrap();
    let names: Vec<&str> = layer.weights().iter().map(Parameter::name).collect();
    let keras: Vec<&str> = weights.iter().map(|w| w["name"].as_str().unwrap()).collect();
    assert_eq!(names, keras, "{}: weights, in this order", name(case));
    for (own, path) in layer.weights().iter().zip(case["paths"].as_array().into_iter().flatten()) {
        assert_eq!(own.local_path(), path, "{}", name(case));
    }
    for (own, state) in layer.states().iter().zip(tensors(&case["states"])) {
        own.set(state).unwrap_or_else(|e| panic!("{}: {e}", name(case)));
    }
    for (own, keras) in layer.weights().iter().zip(weights) {
        let what = format!("{}: weight `{}`", name(case), own.name());
        own.set(tensor(&keras["array"])).unwrap_or_else(|e| panic!("{what}: {e}"));
    }
    layer
}

/// The masks of the inputs, as far as they have any.
fn masks(case: &Value) -> Vec<Option<Tensor>> {
    let call = &case["call"];
    match (call.get("mask"), call["masks"].as_array()) {
        (Some(mask), _) => vec![Some(tensor(mask))],
        (None, Some(masks)) => masks.iter().map(|m| (!m.is_null()).then(|| tensor(m))).collect(),
        (None, None) => Vec::new(),
    }
}

/// One array or a list of them.
fn one_or_more(case: &Value, one: &str, more: &str) -> Vec<Tensor> {
    case.get(one)
        .filter(|x| x.is_object())
        .map_or_else(|| tensors(&case[more]), |x| vec![tensor(x)])
}

fn outputs(case: &Value) -> Vec<Tensor> {
    one_or_more(case, "output", "outputs")
}

#[test]
fn layers_compute_what_keras_computes() {
    for case in layer_cases() {
        let inputs = tensors(&case["inputs"]);
        let layer = built(&case, &inputs);
        let generator = Generator::new(1);
        let mut context = match case["call"]["training"].as_bool() {
            Some(true) => Context::training(&generator),
            _ => Context::inference(),
        };
        let tape = Tape::new();
        let masks = masks(&case);
        let call = Inputs { tensors: &inputs, masks: &masks };
        let (ours, mask) =
            layer.call(&call, &mut context).unwrap_or_else(|e| panic!("{}: {e}", name(&case)));
        check_gradients(&case, tape, &ours, &inputs, &layer);
        let keras = outputs(&case);
        assert_eq!(ours.len(), keras.len(), "{}: number of outputs", name(&case));
        for (ours, keras) in ours.iter().zip(&keras) {
            assert_agree(name(&case), ours, keras, 1e-5);
        }
        match (mask, case.get("output_mask")) {
            (Some(ours), Some(keras)) => {
                assert_agree(&format!("{}: mask", name(&case)), &ours, &tensor(keras), 0.0);
            }
            (None, None) => {}
            (ours, keras) => panic!("{}: mask {ours:?}, Keras {keras:?}", name(&case)),
        }
        check_losses(&case, &mut context, &layer);
        check_updates(&case, &mut context, &layer);
    }
}

fn check_gradients(
    case: &Value,
    tape: Tape,
    outputs: &[Tensor],
    inputs: &[Tensor],
    layer: &LayerRef,
) {
    if !outputs[0].dtype().is_float() {
        return;
    }
    let keras = &case["gradients"];
    let trainable = layer.weights().iter().filter(|w| w.is_trainable());
    let weights: Vec<Tensor> = trainable.map(Parameter::value).collect();
    let sources: Vec<&Tensor> = inputs.iter().chain(&weights).collect();
    let coefficients = one_or_more(keras, "coefficients", "coefficients");
    let found = match (outputs, coefficients.as_slice()) {
        ([y], [by]) => tape.vjp_options(y, by, &sources),
        _ => {
            let products = outputs.iter().zip(&coefficients).map(|(y, by)| (y * by).sum(.., false));
            let total = products.reduce(|a, b| a + b).unwrap();
            tape.gradient_options(&total, &sources)
        }
    };
    let found = found.unwrap();
    let expected = keras["inputs"].as_array().unwrap().iter();
    let expected: Vec<&Value> =
        expected.chain(keras["trainable_weights"].as_array().unwrap()).collect();
    assert_eq!(expected.len(), sources.len(), "{}: number of gradients", name(case));
    for (i, (ours, keras)) in found.iter().zip(expected).enumerate() {
        let what = format!("{}: gradient {i}", name(case));
        match ours {
            _ if keras.is_null() => {}
            Some(ours) => assert_agree(&what, ours, &tensor(keras), 1e-4),
            None => assert_agree(&what, &sources[i].zeros_like(), &tensor(keras), 0.0),
        }
    }
}

fn check_losses(case: &Value, context: &mut Context<'_>, layer: &LayerRef) {
    let mut losses = context.take_losses();
    for weight in layer.weights().iter().filter(|w| w.is_trainable()) {
        losses.extend(weight.regularizer().map(|r| r.penalty(&context.used(weight)).unwrap()));
    }
    let keras = case.get("losses").map_or_else(Vec::new, tensors);
    assert_eq!(losses.len(), keras.len(), "{}: number of losses", name(case));
    for (ours, keras) in losses.iter().zip(&keras) {
        assert_agree(&format!("{}: loss", name(case)), ours, keras, 1e-5);
    }
}

fn check_updates(case: &Value, context: &mut Context<'_>, layer: &LayerRef) {
    for (weight, value) in context.take_updates() {
        weight.set(value).unwrap_or_else(|e| panic!("{}: {e}", name(case)));
    }
    let keras =
        case["weights_after"].as_array().unwrap_or_else(|| case["weights"].as_array().unwrap());
    for (ours, keras) in layer.weights().iter().zip(keras) {
        let what = format!("{}: `{}` afterwards", name(case), ours.name());
        assert_agree(&what, &ours.value(), &tensor(&keras["array"]), 1e-5);
    }
    let states = tensors(&case["states_after"]);
    assert_eq!(layer.states().len(), states.len(), "{}: number of states", name(case));
    for (ours, keras) in layer.states().iter().zip(&states) {
        assert_agree(&format!("{}: state afterwards", name(case)), &ours.value(), keras, 1e-5);
    }
}

/// A config without what every layer has.
fn own(config: &Value) -> Value {
    let mut own = config.clone();
    for key in ["name", "trainable", "dtype"] {
        own.as_object_mut().unwrap().shift_remove(key);
    }
    own
}

#[test]
fn configs_are_written_as_keras_writes_them() {
    for case in layer_cases() {
        let (what, keras) = (name(&case), &case["config"]);
        let written = built(&case, &tensors(&case["inputs"])).to_json();
        let again = layer_from_json(&written).unwrap().to_json();
        assert_same_json(what, &own(&written["config"]), &own(keras));
        assert_same_json(what, &unbuilt(&own(&again["config"])), &unbuilt(&own(keras)));
        for config in [&written["config"], &again["config"]] {
            assert_eq!(config["name"], keras["name"], "{what}");
            assert_eq!(config.get("trainable"), keras.get("trainable"), "{what}");
            // Spatial dropouts are written with a bare name.
            let dtype = keras["dtype"]["config"]["name"].as_str().or(keras["dtype"].as_str());
            let ours = config["dtype"]["config"]["name"].as_str();
            assert!(ours == dtype || dtype.is_none() && ours == Some("float32"), "{what}");
        }
        assert_eq!(written["class_name"], case["class_name"], "{what}");
        // Keras doesn't look at the inputs of layers that would take texts.
        if case["build_config"] != json!({ "input_shape": null }) {
            assert_eq!(written.get("build_config"), case.get("build_config"), "{what}");
        }
    }
}

#[test]
fn shapes_without_values_are_those_with_values() {
    for case in layer_cases() {
        let inputs = tensors(&case["inputs"]);
        let expected = outputs(&case);
        let layer = built(&case, &inputs);
        let symbolic: Vec<Tensor> = inputs.iter().map(|x| Tensor::symbolic(*x.spec())).collect();
        let masks: Vec<Option<Tensor>> = masks(&case)
            .iter()
            .map(|mask| mask.as_ref().map(|mask| Tensor::symbolic(*mask.spec())))
            .collect();
        let call = Inputs { tensors: &symbolic, masks: &masks };
        for mut context in [Context::inference(), Context::training(&Generator::new(1))] {
            let (outputs, _) = layer.call(&call, &mut context).unwrap();
            assert_eq!(outputs.len(), expected.len(), "{}", name(&case));
            for (y, expected) in outputs.iter().zip(&expected) {
                assert_eq!(y.spec(), expected.spec(), "{}", name(&case));
            }
        }
        if inputs.iter().any(|x| x.rank() == 0) || SINGLE.contains(&name(&case)) {
            continue;
        }
        let symbols: Vec<_> =
            inputs.iter().map(|x| Input::new(&x.dims()[1..]).dtype(x.dtype()).symbol()).collect();
        if case.get("states").is_some() {
            continue; // such a layer must know the batch axis
        }
        let ys = layer.apply_all(symbols).unwrap_or_else(|e| panic!("{}: {e}", name(&case)));
        for (y, expected) in ys.iter().zip(&expected) {
            let known: Vec<Option<usize>> = expected.dims()[1..].iter().map(|&d| Some(d)).collect();
            assert_eq!(y.shape()[0], None, "{}: the batch axis is unknown", name(&case));
            assert_eq!(y.shape()[1..], known, "{}: shape of a sample", name(&case));
            assert_eq!(y.dtype(), expected.dtype(), "{}", name(&case));
        }
    }
}

/// Sets the dtype of a layer and of those within it.
fn set_dtype(config: &mut Value, dtype: &str) {
    match config {
        Value::Object(map) => {
            for (key, value) in map {
                if key == "dtype" {
                    *value = json!(dtype);
                } else {
                    set_dtype(value, dtype);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| set_dtype(value, dtype)),
        _ => {}
    }
}

#[test]
fn layers_compute_the_same_in_float64() {
    for case in layer_cases().iter_mut() {
        if !case["config"]["reverse_dtype"].is_null() {
            continue;
        }
        set_dtype(&mut case["config"], "float64");
        case.as_object_mut().unwrap().shift_remove("states");
        let stateful = case.as_object_mut().unwrap().shift_remove("states_after").is_some();
        let inputs: Vec<Tensor> =
            tensors(&case["inputs"])
                .iter()
                .map(|x| {
                    if x.dtype().is_float() {
                        x.cast("float64".parse().unwrap())
                    } else {
                        x.clone()
                    }
                })
                .collect();
        let weights = case["weights"].as_array_mut().unwrap().iter_mut();
        for array in weights.filter(|array| array["array"]["dtype"] == "float32") {
            array["array"]["dtype"] = json!("float64");
        }
        let layer = built(case, &inputs);
        let generator = Generator::new(1);
        let mut context = match case["call"]["training"].as_bool() {
            Some(true) => Context::training(&generator),
            _ => Context::inference(),
        };
        let masks = masks(case);
        let call = Inputs { tensors: &inputs, masks: &masks };
        let (ours, _) = layer.call(&call, &mut context).unwrap();
        for (y, keras) in ours.iter().zip(&outputs(case)) {
            let float = keras.dtype().is_float();
            assert_eq!(y.dtype().name(), if float { "float64" } else { keras.dtype().name() });
            if !stateful {
                assert_agree(name(case), y, keras, 1e-5);
            }
        }
    }
}

#[test]
fn every_class_has_a_golden_and_every_golden_a_class() {
    let cases = [support::layer_cases(), cases("lookups")].concat();
    let goldens: BTreeSet<&str> =
        cases.iter().map(|case| case["class_name"].as_str().unwrap()).collect();
    let classes = layer_classes();
    let classes: BTreeSet<&str> =
        classes.iter().map(String::as_str).filter(|c| *c != "InputLayer").collect();
    assert_eq!(classes, goldens);
}
