//! Models as Keras's JSON.

use cornu_autodiff::Tensor;
use cornu_models::Model;
use serde_json::{Value, json};

use crate::support::{assert_agree, assert_same_json, name, tensor, tensors};
use crate::{MASKED, bits, case, models, read};

#[test]
fn models_of_keras_are_read_and_compute_the_same() {
    for case in models() {
        let model = read(&case["json"]).unwrap();
        let what = name(&case);
        let names: Vec<String> = model.layers().iter().map(|layer| layer.name()).collect();
        let keras = case["layer_names"].as_array().unwrap().iter().map(|n| n.as_str().unwrap());
        let keras: Vec<&str> =
            keras.filter(|n| what != MASKED || names.iter().any(|own| own == n)).collect();
        assert_eq!(names, keras, "{what}");
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
    for case in models().into_iter().filter(|case| name(case) != MASKED) {
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
fn one_seed_draws_all_weights_of_a_model_that_was_read() {
    let text = case("nested_deep")["json"].to_string();
    let values = |seed| {
        let model = Model::from_json(&text).unwrap().seed(seed).unwrap();
        model.get_weights().iter().flat_map(bits).collect::<Vec<_>>()
    };
    assert_eq!(values(1), values(1));
    assert_ne!(values(1), values(2));
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
