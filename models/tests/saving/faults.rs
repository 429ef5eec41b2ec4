//! JSON that is wrong, and what the errors say.

use serde_json::{Value, json};

use crate::{case, read};

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
        "layer `add` (Add): config of Add: cornu has no option `trainable`, so only the default is \
         accepted; got true",
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
