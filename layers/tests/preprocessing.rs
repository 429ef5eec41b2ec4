//! Layers that take texts or learn from data, against real Keras on TensorFlow.

mod support;

use cornu_autodiff::{DType, Tensor};
use cornu_layers::{
    Context, Discretization, Feature, HashedCrossing, Hashing, Inputs, IntegerLookup, IntoLayer,
    LayerRef, Normalization, StringLookup, TextVectorization, layer_from_json,
};
use serde_json::{Value, json};
use support::{assert_agree, cases, name, tensor};

/// Texts, or numbers.
enum Data {
    Texts(Vec<String>, Vec<usize>),
    Numbers(Tensor),
}

fn data(value: &Value) -> Data {
    let Some(texts) = value["texts"].as_array() else { return Data::Numbers(tensor(value)) };
    let shape = value["shape"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize);
    let texts = texts.iter().map(|text| text.as_str().unwrap().to_owned());
    Data::Texts(texts.collect(), shape.collect())
}

fn revived(case: &Value) -> LayerRef {
    let json = json!({ "class_name": case["class_name"], "config": case["config"] });
    layer_from_json(&json).unwrap_or_else(|e| panic!("{}: {e}", name(case)))
}

/// The options of the case's layer.
fn options<L: Clone + 'static>(case: &Value) -> L {
    revived(case).downcast::<L>().expect("the class is known").clone()
}

fn run(layer: impl IntoLayer, x: &[Tensor]) -> Tensor {
    let layer = layer.into_layer();
    let specs: Vec<_> = x.iter().map(|x| *x.spec()).collect();
    layer.build(&specs).unwrap_or_else(|e| panic!("{e}"));
    let (y, _) = layer.call(&Inputs::new(x), &mut Context::inference()).unwrap();
    let symbolic: Vec<Tensor> = x.iter().map(|x| Tensor::symbolic(*x.spec())).collect();
    let (shape, _) = layer.call(&Inputs::new(&symbolic), &mut Context::inference()).unwrap();
    assert_eq!(shape[0].spec(), y[0].spec(), "shapes without values are those with values");
    y[0].clone()
}

fn integers(x: &Value) -> Tensor {
    tensor(x).cast(DType::I64)
}

/// The output of the case's layer and, if it has one, its vocabulary as JSON.
fn answer(case: &Value) -> (Data, Option<Value>) {
    let inputs: Vec<Data> = case["inputs"].as_array().unwrap().iter().map(data).collect();
    let adapt = case.get("adapt").map(data);
    match case["class_name"].as_str().unwrap() {
        "Hashing" => (Data::Numbers(hashed(&options(case), &inputs[0])), None),
        "HashedCrossing" => (Data::Numbers(crossed(&options(case), &inputs)), None),
        "IntegerLookup" => {
            let mut layer: IntegerLookup = options(case);
            if adapt.is_some() {
                layer.adapt(&integers(&case["adapt"])).unwrap();
            }
            let vocabulary = json!(layer.get_vocabulary(true).unwrap());
            (Data::Numbers(run(layer, &[integers(&case["inputs"][0])])), Some(vocabulary))
        }
        "StringLookup" => {
            let mut layer: StringLookup = options(case);
            if let Some(Data::Texts(texts, _)) = &adapt {
                layer.adapt(texts).unwrap();
            }
            let vocabulary = json!(layer.get_vocabulary(true).unwrap());
            let output = match &inputs[0] {
                Data::Texts(texts, shape) => {
                    Data::Numbers(layer.call_strings(texts, shape.as_slice()).unwrap())
                }
                Data::Numbers(x) => Data::Texts(layer.call_indices(x).unwrap(), x.dims().to_vec()),
            };
            (output, Some(vocabulary))
        }
        "TextVectorization" => {
            let mut layer: TextVectorization = options(case);
            if let Some(Data::Texts(texts, _)) = &adapt {
                layer.adapt(texts).unwrap();
            }
            let Data::Texts(texts, _) = &inputs[0] else { panic!("texts") };
            let vocabulary = json!(layer.get_vocabulary(true).unwrap());
            (Data::Numbers(layer.call_strings(texts).unwrap()), Some(vocabulary))
        }
        "Discretization" => {
            let mut layer: Discretization = options(case);
            layer.adapt(&tensor(&case["adapt"])).unwrap();
            let found = Tensor::from(layer.bin_boundaries.clone().unwrap());
            assert_agree(name(case), &found, &tensor(&case["bin_boundaries"]), 1e-6);
            (Data::Numbers(run(layer, &[tensor(&case["inputs"][0])])), None)
        }
        "Normalization" => {
            let mut layer: Normalization = options(case);
            layer.adapt(&tensor(&case["adapt"])).unwrap();
            (Data::Numbers(run(layer, &[tensor(&case["inputs"][0])])), None)
        }
        other => panic!("{other} has no answer here"),
    }
}

fn hashed(layer: &Hashing, input: &Data) -> Tensor {
    match input {
        Data::Texts(texts, shape) => layer.call_strings(texts, shape.as_slice()).unwrap(),
        Data::Numbers(x) => run(layer.clone(), &[x.cast(DType::I64)]),
    }
}

fn crossed(layer: &HashedCrossing, inputs: &[Data]) -> Tensor {
    let texts: Vec<Vec<&str>> = inputs
        .iter()
        .map(|x| match x {
            Data::Texts(texts, _) => texts.iter().map(String::as_str).collect(),
            Data::Numbers(_) => Vec::new(),
        })
        .collect();
    let numbers: Vec<Vec<i64>> = inputs
        .iter()
        .map(|x| match x {
            Data::Texts(..) => Vec::new(),
            Data::Numbers(x) => x.cast(DType::I64).to_vec().unwrap(),
        })
        .collect();
    let feature = |i: usize| match &inputs[i] {
        Data::Texts(..) => Feature::Texts(&texts[i]),
        Data::Numbers(_) => Feature::Ints(&numbers[i]),
    };
    let features: Vec<Feature<'_>> = (0..inputs.len()).map(feature).collect();
    let y = layer.call_features(&features).unwrap();
    if inputs.iter().all(|x| matches!(x, Data::Numbers(_))) {
        let columns: Vec<Tensor> = numbers.into_iter().map(Tensor::from).collect();
        assert_agree("in a model", &run(layer.clone(), &columns), &y, 0.0);
    }
    y
}

#[test]
fn texts_become_the_numbers_that_keras_gives_them() {
    for case in cases("lookups") {
        let (output, vocabulary) = answer(&case);
        match (output, data(&case["output"])) {
            (Data::Numbers(ours), Data::Numbers(keras)) => {
                assert_agree(name(&case), &ours, &keras, 1e-5);
            }
            (Data::Texts(ours, shape), Data::Texts(keras, expected)) => {
                assert_eq!((ours, shape), (keras, expected), "{}", name(&case));
            }
            _ => panic!("{}: texts for numbers", name(&case)),
        }
        if let Some(ours) = vocabulary {
            let keras = &case["vocabulary"];
            let keras = keras.get("texts").unwrap_or(&keras["values"]);
            assert_eq!(&ours, keras, "{}: vocabulary", name(&case));
        }
    }
}

#[test]
fn configs_of_lookups_are_written_as_keras_writes_them() {
    for case in cases("lookups").iter().filter(|case| case.get("adapt").is_none()) {
        let written = revived(case).to_json();
        let again = layer_from_json(&written).unwrap().to_json();
        for config in [&written["config"], &again["config"]] {
            let plain = |config: &Value| {
                let mut plain = config.clone();
                let dtype = config["dtype"]["config"]["name"].as_str();
                plain["dtype"] = json!(dtype.or(config["dtype"].as_str()));
                plain.as_object_mut().unwrap().sort_keys();
                plain
            };
            support::assert_same_json(name(case), &plain(config), &plain(&case["config"]));
        }
    }
}

#[test]
fn an_array_of_numpy_in_a_config_is_a_list() {
    let list = json!([1.0, 2.0, 3.0]);
    let array =
        json!({ "class_name": "__numpy__", "config": { "value": list, "dtype": "float64" } });
    let [one, other] = [list, array].map(|scale| {
        let config = json!({ "name": "rescaling", "scale": scale });
        layer_from_json(&json!({ "class_name": "Rescaling", "config": config })).unwrap().to_json()
    });
    assert_eq!(one, other);
}
