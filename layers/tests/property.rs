//! No combination of arguments and inputs makes a layer panic.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use cornu_autodiff::{DType, Generator, Tensor};
use cornu_layers::{
    Apply, Context, Input, Inputs, LayerRef, NON_FINITE_MARK, Parameter, layer_from_json,
};
use serde_json::{Value, json};
use support::{cases, layer_cases, name};

/// How often the config of each golden is varied.
const ROUNDS: u64 = 24;

/// Elements that a tensor may have for a layer to be called on it, and the largest number in a
/// config with which it is: beyond, a call would be right and take long.
const LARGEST: usize = 20_000;
const LARGEST_OPTION: f64 = 40.0;

/// Numbers drawn one after another from a seed.
struct Draw(u64);

impl Draw {
    /// In `0..n`.
    fn below(&mut self, n: usize) -> usize {
        // SplitMix64 (Steele et al. 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// Numbers and words in place of others: at the edges, in the middle, and strange ones.
#[rustfmt::skip]
const WHOLE: [i64; 20] = [
    0, 1, 1, 2, 2, 3, 4, 5, 7, -1, -2, -7, 16, 255, 2_999, 65_521, 1 << 31, 1 << 40, i64::MAX, i64::MIN,
];
const REAL: [f64; 10] = [0.0, 0.5, 1.0, -0.5, -1.0, 2.5, 1e-300, 1e300, 1e10, -0.0];
#[rustfmt::skip]
const WORDS: [&str; 16] = [
    "valid", "same", "causal", "channels_first", "channels_last", "relu", "softmax", "linear", "int",
    "one_hot", "multi_hot", "count", "bilinear", "nearest", "strange", "",
];

/// Another value in place of one, mostly of its kind.
fn varied(value: &Value, draw: &mut Draw) -> Value {
    if draw.one_in(12) {
        return draw
            .of(&[
                json!(null),
                json!(true),
                json!([]),
                json!({}),
                json!("x"),
                json!(3),
                json!([1, 2]),
            ])
            .clone();
    }
    match value {
        Value::Bool(b) => json!(!b),
        Value::Number(n) if n.is_f64() && draw.one_in(6) => {
            json!(format!("{NON_FINITE_MARK}{}", draw.of(&["NaN", "Infinity", "-Infinity"])))
        }
        Value::Number(n) if n.is_f64() => json!(draw.of(&REAL)),
        Value::Number(_) => json!(draw.of(&WHOLE)),
        Value::String(_) => json!(draw.of(&WORDS)),
        Value::Null => draw
            .of(&[json!(2), json!(0), json!(0.5), json!([1, 2]), json!("same"), json!(true)])
            .clone(),
        Value::Array(items) => varied_list(items, draw),
        Value::Object(_) => varied_object(value, 2, draw),
    }
}

fn varied_list(items: &[Value], draw: &mut Draw) -> Value {
    let mut items = items.to_vec();
    match draw.below(6) {
        0 => items.truncate(items.len().saturating_sub(1)),
        1 => items.push(json!(draw.below(4))),
        _ if items.is_empty() => items.push(json!(draw.below(4) as i64 - 1)),
        _ => {
            let at = draw.below(items.len());
            items[at] = varied(&items[at], draw);
        }
    }
    Value::Array(items)
}

/// An object with up to `most` of its values varied.
fn varied_object(value: &Value, most: usize, draw: &mut Draw) -> Value {
    let mut object = value.as_object().cloned().unwrap_or_default();
    let keys: Vec<String> = object.keys().filter(|key| *key != "name").cloned().collect();
    for _ in 0..draw.below(most + 1) {
        if keys.is_empty() {
            break;
        }
        let key = draw.of(&keys).clone();
        if draw.one_in(15) {
            object.shift_remove(&key);
        } else if let Some(old) = object.get(&key) {
            let new = varied(old, draw);
            object.insert(key, new);
        }
    }
    Value::Object(object)
}

/// The shape of an input: mostly that of the golden, or one that differs a little.
fn varied_shape(golden: &Value, draw: &mut Draw) -> Vec<usize> {
    const SIZES: [usize; 8] = [0, 1, 2, 3, 4, 5, 7, 9];
    let dims = golden["shape"].as_array().cloned().unwrap_or_default();
    let mut dims: Vec<usize> = dims.iter().map(|n| n.as_u64().unwrap_or(1) as usize).collect();
    match draw.below(8) {
        0 => dims = (0..draw.below(6)).map(|_| *draw.of(&SIZES)).collect(),
        1 => {
            dims.pop();
        }
        2 if dims.len() < 7 => dims.push(*draw.of(&SIZES)),
        3 | 4 if !dims.is_empty() => {
            let at = draw.below(dims.len());
            dims[at] = *draw.of(&SIZES);
        }
        _ => {}
    }
    dims
}

fn dtype_of(golden: &Value, draw: &mut Draw) -> DType {
    const DTYPES: [DType; 6] =
        [DType::F32, DType::F64, DType::I32, DType::I64, DType::U8, DType::Bool];
    let own = golden["dtype"].as_str().and_then(|name| name.parse().ok());
    if draw.one_in(8) { *draw.of(&DTYPES) } else { own.unwrap_or(DType::F32) }
}

fn tensor_of(shape: &[usize], dtype: DType, draw: &mut Draw) -> Tensor {
    let size: usize = shape.iter().product();
    let values: Vec<f64> = (0..size).map(|_| draw.below(9) as f64 - 2.0).collect();
    Tensor::new(values, shape).expect("as many values as elements").cast(dtype)
}

/// Whether no number in a config is so large that a call would take long.
fn is_small(config: &Value) -> bool {
    match config {
        Value::Number(n) => n.as_f64().is_none_or(|n| n.abs() <= LARGEST_OPTION),
        Value::Array(items) => items.iter().all(is_small),
        Value::Object(object) => object.values().all(is_small),
        _ => true,
    }
}

/// Takes a layer from its JSON through a graph, its own JSON, and calls on data. Errors are fine.
fn exercise(json: &Value, inputs: &[Tensor], draw: &mut Draw) -> Option<()> {
    let unknown = draw.below(4);
    let symbols = |_: usize| {
        let axes = |x: &Tensor| -> Vec<Option<usize>> {
            let sample = x.dims().get(1..).unwrap_or_default();
            sample.iter().enumerate().map(|(i, &n)| (i + 1 != unknown).then_some(n)).collect()
        };
        inputs.iter().map(|x| Input::new(axes(x)).dtype(x.dtype()).symbol()).collect::<Vec<_>>()
    };
    let graph = layer_from_json(json).ok()?;
    let _ = graph.clone().apply(symbols(0));
    layer_from_json(&graph.to_json()).expect("what was written can be read");
    let layer = layer_from_json(json).ok()?;
    let specs: Vec<_> = inputs.iter().map(|x| *x.spec()).collect();
    layer.build(&specs).ok()?;
    let weights: usize = layer.weights().iter().map(Parameter::size).fold(0, usize::saturating_add);
    if weights > LARGEST || !is_small(&json["config"]) {
        return None;
    }
    let symbolic: Vec<Tensor> = specs.iter().map(|spec| Tensor::symbolic(*spec)).collect();
    let (outputs, _) = layer.call(&Inputs::new(&symbolic), &mut Context::inference()).ok()?;
    if outputs.iter().any(|y| y.size() > LARGEST) {
        return None;
    }
    call(&layer, inputs, draw)
}

fn call(layer: &LayerRef, inputs: &[Tensor], draw: &mut Draw) -> Option<()> {
    let generator = Generator::new(1);
    for weight in layer.weights() {
        weight.initialize(&generator).ok()?;
    }
    let masked = draw.one_in(3);
    let mask = |x: &Tensor| {
        let steps = x.dims().get(..2.min(x.rank())).unwrap_or_default();
        Some(Tensor::ones(steps, DType::Bool))
    };
    let masks: Vec<Option<Tensor>> =
        if masked { inputs.iter().map(mask).collect() } else { vec![] };
    let training = draw.one_in(2);
    let mut context = if training { Context::training(&generator) } else { Context::inference() };
    let _ = layer.call(&Inputs { tensors: inputs, masks: &masks }, &mut context);
    // And on what it wasn't built for.
    let others: Vec<Tensor> = inputs
        .iter()
        .map(|x| {
            let dtype = x.dtype();
            let mut dims = x.dims().to_vec();
            if !dims.is_empty() {
                let at = draw.below(dims.len());
                dims[at] = draw.below(4);
            }
            tensor_of(&dims, dtype, draw)
        })
        .collect();
    let _ = layer.call(&Inputs::new(&others), &mut Context::inference());
    Some(())
}

#[test]
fn no_arguments_and_no_inputs_make_a_layer_panic() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut failures = Vec::new();
    let mut calls = 0;
    let all = [layer_cases(), cases("lookups")].concat();
    for (index, case) in all.into_iter().enumerate() {
        for round in 0..ROUNDS {
            let mut draw = Draw((index as u64) << 16 | round);
            let config = varied_object(&case["config"], 3, &mut draw);
            let json = json!({ "class_name": case["class_name"], "config": config });
            let goldens = case["inputs"].as_array().expect("a golden has inputs");
            let mut inputs = Vec::new();
            for golden in goldens {
                let (shape, dtype) = (varied_shape(golden, &mut draw), dtype_of(golden, &mut draw));
                inputs.push(tensor_of(&shape, dtype, &mut draw));
            }
            if draw.one_in(20) {
                inputs.pop();
            }
            let outcome = catch_unwind(AssertUnwindSafe(|| exercise(&json, &inputs, &mut draw)));
            match outcome {
                Ok(called) => calls += usize::from(called.is_some()),
                Err(panic) => {
                    let text = panic.downcast_ref::<String>().cloned();
                    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| s.to_string()));
                    let shapes: Vec<String> =
                        inputs.iter().map(|x| format!("{:?}", x.spec())).collect();
                    let text = text.unwrap_or_default();
                    failures.push(format!("{}: {text}\n  {json}\n  on {shapes:?}", name(&case)));
                }
            }
        }
    }
    std::panic::set_hook(hook);
    assert!(calls > 1000, "most variations must be harmless, {calls} were");
    let shown: Vec<&str> = failures.iter().take(25).map(String::as_str).collect();
    assert!(failures.is_empty(), "{} panics, of them:\n{}", failures.len(), shown.join("\n"));
}
