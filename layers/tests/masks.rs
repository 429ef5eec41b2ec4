//! Layers that Keras says support no masks, and from which it drops them without a word.

mod support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use cornu_autodiff::{DType, Spec, Tensor};
use cornu_layers::{
    Context, Inputs, IntoLayer, Layer, Masking, Masks, Pipeline, Result, WeightBuilder, config,
    layer_from_json,
};
use serde_json::{Value, json};
use support::{layer_cases, tensors};

/// Layers that Keras has no mask pass through, though every step's output depends on that step
/// alone: here it passes.
const PASSES_HERE: &[&str] = &["RMSNormalization", "SpectralNormalization"];
/// Layers whose inputs are whole numbers or single steps, so that they are never masked.
const NEVER_MASKED: &[&str] = &[
    "Discretization",
    "CategoryEncoding",
    "GRUCell",
    "LSTMCell",
    "Lambda",
    "SimpleRNNCell",
    "StackedRNNCells",
];

fn class(case: &Value) -> &str {
    case["class_name"].as_str().unwrap()
}

#[test]
fn a_layer_obeys_a_mask_as_keras_does_or_refuses_it() {
    let cases = layer_cases();
    let masked = |case: &&Value| {
        let call = &case["call"];
        call.get("mask").is_some()
            || call.get("masks").is_some()
            || case.get("output_mask").is_some()
    };
    let with_golden: BTreeSet<&str> = cases.iter().filter(masked).map(class).collect();
    let mut refused = BTreeSet::new();
    for case in &cases {
        if with_golden.contains(class(case))
            || NEVER_MASKED.contains(&class(case))
            || !refused.insert(class(case))
        {
            continue;
        }
        let inputs = tensors(&case["inputs"]);
        let layer = layer_from_json(&json!({
            "class_name": class(case), "config": case["config"], "inbound_nodes": [{ "kwargs": case["call"] }],
        }));
        let layer = layer.unwrap_or_else(|e| panic!("{}: {e}", class(case)));
        let specs: Vec<Spec> = inputs.iter().map(|x| *x.spec()).collect();
        layer.build(&specs).unwrap_or_else(|e| panic!("{}: {e}", class(case)));
        let masks: Vec<Option<Tensor>> = inputs
            .iter()
            .map(|x| Some(Tensor::ones(&x.dims()[..x.rank().min(2)], DType::Bool)))
            .collect();
        let called =
            layer.call(&Inputs { tensors: &inputs, masks: &masks }, &mut Context::inference());
        if PASSES_HERE.contains(&class(case)) {
            assert!(called.is_ok_and(|(_, mask)| mask.is_some()), "{}", class(case));
        } else {
            let text = called.expect_err(class(case)).to_string();
            assert!(text.contains("mask"), "{}: {text}", class(case));
        }
    }
    assert!(refused.len() > 40, "{refused:?}");
}

static CALLS: AtomicUsize = AtomicUsize::new(0);

config! {
    /// Counts its calls.
    struct Counting["Counting"] {
        ..
    }
}

impl Layer for Counting {
    type Weights = ();
    const MASK: Masks = Masks::Passes;
    fn build(&self, _: &[Spec], _: &mut WeightBuilder) -> Result<()> {
        Ok(())
    }
    fn call(&self, _: &(), x: &Inputs<'_>, _: &mut Context<'_>) -> Result<Tensor> {
        CALLS.fetch_add(1, Ordering::Relaxed);
        Ok(x.only()?.clone())
    }
}

#[test]
fn a_pipeline_runs_once_for_its_output_and_the_mask() {
    let layers = vec![Counting::new().into_layer(), Masking::new().into_layer()];
    let pipeline = Pipeline::new(layers).into_layer();
    let x = Tensor::from([[[1.0f32, 2.0], [0.0, 0.0]]]);
    pipeline.build(&[*x.spec()]).unwrap();
    for masks in [vec![], vec![Some(Tensor::from([[true, true]]))]] {
        let before = CALLS.load(Ordering::Relaxed);
        let inputs = Inputs { tensors: std::slice::from_ref(&x), masks: &masks };
        let (y, mask) = pipeline.call(&inputs, &mut Context::inference()).unwrap();
        assert_eq!(CALLS.load(Ordering::Relaxed) - before, 1);
        assert_eq!(y[0].to_vec::<f32>().unwrap(), [1.0, 2.0, 0.0, 0.0]);
        assert_eq!(mask.unwrap().to_vec::<bool>().unwrap(), [true, false]);
    }
}
