//! Optimizers and schedules against Keras.

mod golden;
mod optimizers_more;

use std::cell::RefCell;
use std::collections::BTreeSet;

use cornu_autodiff::{DType, Result, Spec, Tensor};
use cornu_models::optimizers::schedules::{self, ExponentialDecay, Function};
use cornu_models::optimizers::{
    self, Adam, AdamW, IntoOptimizer, LossScaleOptimizer, MultiOptimizer, Muon, Optimizer, RMSprop,
    SGD, Variable,
};
use golden::{assert_near, assert_values, cases, object, same_json, tensor};
use serde_json::{Value, json};

const FILES: [&str; 3] = ["optimizers", "optimizers_more", "optimizers_of_optimizers"];

/// A weight whose columns are kept within a norm, as `MaxNorm` of axis 0 does.
struct Weight<'a> {
    path: &'a str,
    value: &'a RefCell<Tensor>,
    largest: Option<f64>,
}

impl Variable for Weight<'_> {
    fn path(&self) -> &str {
        self.path
    }
    fn spec(&self) -> Spec {
        *self.value.borrow().spec()
    }
    fn update(&mut self, change: &mut dyn FnMut(&mut Tensor) -> Result<()>) -> Result<()> {
        change(&mut self.value.borrow_mut())
    }
    fn constrain(&mut self) -> Result<()> {
        let Some(largest) = self.largest else { return Ok(()) };
        let mut value = self.value.borrow_mut();
        if value.rank() == 0 {
            return Ok(());
        }
        let norm = value.square().sum(0, true).sqrt();
        *value = &*value * (norm.clip(0.0, largest) / (norm + 1e-7));
        Ok(())
    }
}

/// What is left out of weight decay is not part of the config in Keras: such a case is built
/// again.
fn with_exclusions(optimizer: Optimizer, case: &Value) -> Optimizer {
    let excluded = case["exclude_from_weight_decay"].as_array().unwrap();
    match case["name"].as_str().unwrap() {
        "adam_w_exclude_bias" => {
            AdamW::new(0.1).weight_decay(0.3).exclude_from_weight_decay(["bias"]).into()
        }
        "muon_exclude_layers" => Muon::new(0.05)
            .exclude_layers(["ker".to_owned()])
            .exclude_from_weight_decay(["bias"])
            .into(),
        name => {
            assert!(excluded.is_empty(), "{name}");
            optimizer
        }
    }
}

#[test]
fn every_step_of_every_golden_gives_keras_weights() {
    for case in FILES.iter().flat_map(|file| cases(file)) {
        let name = case["name"].as_str().unwrap();
        let class = case["class_name"].as_str().unwrap();
        let json = object(class, &case["config"]);
        let optimizer = optimizers::from_json(&json).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(same_json(&Value::Object(optimizer.config()), &case["config"]), "{name}: config");
        let mut optimizer = with_exclusions(optimizer, &case);

        let named = case["variables"].as_array().unwrap();
        let values: Vec<RefCell<Tensor>> =
            named.iter().map(|v| RefCell::new(tensor(&v["array"]))).collect();
        let largest = case["constraint"]["config"]["max_value"].as_f64();
        let weights = || {
            named.iter().zip(&values).map(|(named, value)| Weight {
                path: named["name"].as_str().unwrap(),
                value,
                largest,
            })
        };
        for (i, step) in case["steps"].as_array().unwrap().iter().enumerate() {
            let gradients = step["gradients"].as_array().unwrap().iter();
            let mut gradients: Vec<Tensor> =
                gradients.map(|g| scaled(&case, &optimizer, tensor(g))).collect();
            if step["overflow"] == json!(true) {
                gradients[1] = &gradients[1] / Tensor::from([0f32, 1.0]);
            }
            optimizer.apply(weights(), &gradients).unwrap_or_else(|e| panic!("{name}: {e}"));
            for (value, wanted) in values.iter().zip(step["weights"].as_array().unwrap()) {
                assert_near(&format!("{name}, step {i}"), &value.borrow(), wanted, 1e-5, 1e-5);
            }
            let Some(rate) = step["learning_rate"].as_f64() else { continue };
            assert_values(
                &format!("{name}: rate"),
                &[optimizer.learning_rate()],
                &[rate],
                0.0,
                1e-6,
            );
        }

        let state = optimizer.state();
        let wanted = remembered(&case);
        let paths: Vec<&str> = state.iter().map(|(path, _)| path.as_str()).collect();
        let wanted_paths: Vec<&str> = wanted.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, wanted_paths, "{name}");
        for ((path, value), (_, wanted)) in state.iter().zip(&wanted) {
            assert_near(&format!("{name}: {path}"), value, wanted, 1e-5, 1e-5);
        }
        if let Some(finalized) = case["finalized_weights"].as_array() {
            optimizer.finalize(weights()).unwrap();
            for (value, wanted) in values.iter().zip(finalized) {
                assert_near(&format!("{name}, finalized"), &value.borrow(), wanted, 1e-5, 1e-5);
            }
        }
    }
}

/// Paths and values of Keras's optimizer variables, but for what is other here and said to be so:
/// Nadam's product is not kept; Adafactor's rows and columns have names, and only matrices have
/// them.
fn remembered(case: &Value) -> Vec<(String, Value)> {
    let all = case["optimizer_variables"].as_array().unwrap();
    let named = all.iter().map(|v| (v["path"].as_str().unwrap().to_owned(), v["array"].clone()));
    let factored = |path: &str| {
        path.starts_with("adafactor/")
            && ["kernel", "bias", "scale"].iter().any(|v| path.ends_with(v))
    };
    let mut kept: Vec<(String, Value)> = named
        .filter(|(path, array)| {
            let placeholder = factored(path) && array["shape"] == json!([]);
            path != "nadam/variable" && !placeholder
        })
        .collect();
    let factors = kept.iter_mut().filter(|(path, _)| factored(path));
    factors.zip(["_r", "_c"].iter().cycle()).for_each(|((path, _), name)| path.push_str(name));
    kept
}

/// A gradient as the optimizer gets it: of a loss that it has scaled, if it finds out how.
fn scaled(case: &Value, optimizer: &Optimizer, gradient: Tensor) -> Tensor {
    let finds = case["class_name"] == "LossScaleOptimizer";
    if finds { optimizer.scale_loss(&gradient) } else { gradient }
}

#[test]
fn every_schedule_gives_keras_rates() {
    for case in cases("schedules") {
        let name = case["name"].as_str().unwrap();
        let class = case["class_name"].as_str().unwrap();
        let schedule = schedules::from_json(&object(class, &case["config"]))
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(Value::Object(schedule.config()), case["config"], "{name}: config");
        let steps = case["steps"].as_array().unwrap();
        let ours: Vec<f64> = steps.iter().map(|s| schedule.at(s.as_u64().unwrap())).collect();
        let theirs: Vec<f64> =
            case["values"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        assert_values(name, &ours, &theirs, 1e-8, 1e-5);
    }
}

#[test]
fn the_tables_are_the_goldens() {
    let classes = |files: &[&str]| -> BTreeSet<String> {
        let cases = files.iter().flat_map(|file| cases(file));
        cases.map(|c| c["class_name"].as_str().unwrap().to_owned()).collect()
    };
    let names = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(names(optimizers::names()), classes(&FILES));
    assert_eq!(names(schedules::names()), classes(&["schedules"]));
}

#[test]
fn names_are_those_of_keras_in_any_case() {
    for name in ["adam", "Adam", "ADAM", "adamw", "AdamW", "rmsprop", "RMSprop", "sgd"] {
        let optimizer = optimizers::by_name(name).unwrap();
        assert!(optimizer.class_name().eq_ignore_ascii_case(name));
        let json = optimizer.to_json();
        assert_eq!(optimizers::from_json(&json).unwrap().to_json(), json);
    }
    assert_eq!(optimizers::by_name("rmsprop").unwrap().name(), "rm_sprop");
}

fn error(result: Result<impl std::fmt::Debug>) -> String {
    result.expect_err("it must fail").to_string()
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn what_cannot_be_is_an_error_that_says_why() {
    let clipped = SGD::new(0.1).clipnorm(1.0).clipvalue(0.5);
    let table: Vec<(String, &str)> = vec![
        (
            error(optimizers::by_name("addam")),
            "unknown optimizer `addam`; did you mean `Adam`? There are also ",
        ),
        (
            error(clipped.into_optimizer()),
            "optimizer `SGD`: `clipnorm`: only one way of clipping can be chosen; got clipnorm \
             and clipvalue",
        ),
        (
            error(SGD::new(f64::NAN).into_optimizer()),
            "optimizer `SGD`: `learning_rate`: it must be finite and not negative; got NaN",
        ),
        (
            error(SGD::new(0.1).momentum(1.5).into_optimizer()),
            "optimizer `SGD`: `momentum`: it must be in 0..=1; got 1.5",
        ),
        (
            error(Adam::new(0.1).beta_2(1.0).into_optimizer()),
            "optimizer `Adam`: `beta_2`: it must be in 0..1; got 1",
        ),
        (
            error(RMSprop::new(0.1).rho(-1.0).into_optimizer()),
            "optimizer `RMSprop`: `rho`: it must be in 0..=1; got -1",
        ),
        (
            error(SGD::new(0.1).gradient_accumulation_steps(1).into_optimizer()),
            "optimizer `SGD`: `gradient_accumulation_steps`: it must be at least 2; got 1",
        ),
        (
            error(SGD::new(0.1).ema_momentum(2.0).into_optimizer()),
            "optimizer `SGD`: `ema_momentum`: it must be in 0..=1; got 2",
        ),
        (
            error(SGD::new(0.1).clipnorm(0.0).into_optimizer()),
            "optimizer `SGD`: `clipnorm`: it must be above 0 and finite; got 0",
        ),
        (
            error(SGD::new(ExponentialDecay::new(0.1, 0u64, 0.5)).into_optimizer()),
            "schedule `ExponentialDecay`: `decay_steps`: it must be above 0; got 0",
        ),
        (
            error(optimizers::from_json(&object("SGD", &json!({ "momentun": 0.5 })))),
            "unknown option of `SGD` `momentun`; did you mean `momentum`?",
        ),
        (
            error(optimizers::from_json(&object("SGD", &json!({ "momentum": "much" })))),
            "config of `SGD`: `momentum`: it must be a number; got \"much\"",
        ),
        (
            error(optimizers::from_json(&json!(3))),
            "config of optimizer: it must be a name or an object with `class_name` and \
             `config`; got 3",
        ),
        (
            error(schedules::from_json(&object("ExponentialDecay", &json!({})))),
            "config of `ExponentialDecay`: the key `initial_learning_rate` must be there; got no \
             such key",
        ),
        (
            error(schedules::from_json(&object("CosineDekay", &json!({})))),
            "unknown learning-rate schedule `CosineDekay`; did you mean `CosineDecay`?",
        ),
        (
            error(schedules::from_json(&object(
                "PiecewiseConstantDecay",
                &json!({
                    "boundaries": [5], "values": [0.1]
                }),
            ))),
            "schedule `PiecewiseConstantDecay`: there must be one value more than boundaries; got \
             1 values, 1 boundaries",
        ),
    ];
    for (got, wanted) in table {
        assert!(got.starts_with(wanted), "{got}\n  instead of\n{wanted}");
    }
}

#[test]
fn gradients_and_variables_must_be_those_of_the_first_step() {
    let mut optimizer = Optimizer::from(SGD::new(0.1));
    let (mut w, mut b) = (Tensor::from([1.0f32, 2.0]), Tensor::from([1.0f32]));
    let (gw, gb) = (Tensor::from([1.0f32, 1.0]), Tensor::from([1.0f32]));
    optimizer.apply([("w", &mut w)], std::slice::from_ref(&gw)).unwrap();
    let both = [gw.clone(), gb.clone()];
    let message = error(optimizer.apply([("w", &mut w), ("b", &mut b)], &both));
    assert!(message.contains("those of the first step"), "{message}");
    let message = error(optimizer.apply([("w", &mut w)], std::slice::from_ref(&gb)));
    assert_eq!(
        message,
        "optimizer `SGD`: gradient of `w`: it must be float32 (2,); got float32 (1,)"
    );
    let message = error(optimizer.apply([("v", &mut w)], std::slice::from_ref(&gw)));
    assert!(message.contains("got `v` float32 (2,), before `w` float32 (2,)"), "{message}");
    let message = error(optimizer.apply([("w", &mut w)], &both));
    assert!(message.contains("one gradient for each variable"), "{message}");
    assert_eq!(optimizer.iterations(), 1, "a step that failed is not counted");
    let mut whole = Tensor::from([1i32]);
    let message = error(Optimizer::from(SGD::new(0.1)).apply([("n", &mut whole)], &[gb]));
    assert!(message.contains("variable `n`: it must be float32 or float64"), "{message}");
}

#[test]
fn an_excluded_name_that_is_no_variables_is_an_error() {
    let rule = AdamW::new(0.1).exclude_from_weight_decay(["biass"]);
    let mut w = Tensor::from([1.0f32]);
    let gradient = [w.clone()];
    let message = error(Optimizer::from(rule).apply([("dense/bias", &mut w)], &gradient));
    assert!(message.contains("`biass`; did you mean `dense/bias`?"), "{message}");
}

#[test]
fn a_learning_rate_can_be_set_but_not_a_schedule() {
    let mut optimizer = Optimizer::from(SGD::new(0.5));
    let mut w = Tensor::from([1.0]);
    let gradient = [Tensor::from([1.0])];
    optimizer.apply([("w", &mut w)], &gradient).unwrap();
    optimizer.set_learning_rate(0.25).unwrap();
    optimizer.apply([("w", &mut w)], &gradient).unwrap();
    assert_eq!(w.to_vec::<f64>().unwrap(), [0.25]);
    assert!(error(optimizer.set_learning_rate(-1.0)).contains("not negative"));
    let mut scheduled =
        Optimizer::from(SGD::new(Function::new("mine", |step| 1.0 / (step + 1) as f64)));
    assert!(error(scheduled.set_learning_rate(0.1)).contains("a schedule decides it"));
    scheduled.apply([("w", &mut w)], &gradient).unwrap();
    scheduled.apply([("w", &mut w)], &gradient).unwrap();
    assert_eq!(w.to_vec::<f64>().unwrap(), [0.25 - 1.0 - 0.5]);
}

/// A run of `steps` from a fixed start; stopped and taken up again where `stop` says.
fn run(optimizer: &Optimizer, steps: usize, stop: Option<usize>) -> Vec<f32> {
    let mut optimizer = optimizer.clone();
    let mut w = Tensor::linspace(-1.0, 1.0, 70, DType::F32);
    let mut b = Tensor::scalar(0.5f32);
    for step in 0..steps {
        if stop == Some(step) {
            let state: Vec<Tensor> = optimizer.state().into_iter().map(|(_, t)| t).collect();
            let mut again = optimizers::from_json(&optimizer.to_json()).unwrap();
            again.build(&[("w", &mut w), ("b", &mut b)]).unwrap();
            again.set_state(&state).unwrap();
            optimizer = again;
        }
        let gradients = [w.sin() * (step as f64 + 0.3), &b * 0.7];
        optimizer.apply([("w", &mut w), ("b", &mut b)], &gradients).unwrap();
    }
    let mut all = w.to_vec::<f32>().unwrap();
    all.push(b.item::<f32>().unwrap());
    all
}

#[test]
fn a_run_that_was_stopped_goes_on_with_the_same_bits() {
    let alone = |name: &&str| !["LossScaleOptimizer", "MultiOptimizer"].contains(name);
    let names = optimizers::names().into_iter().filter(alone);
    let mut optimizers: Vec<Optimizer> = names.map(|n| optimizers::by_name(n).unwrap()).collect();
    optimizers.extend([
        SGD::new(0.1).momentum(0.9).nesterov(true).use_ema(true).ema_overwrite_frequency(3).into(),
        Adam::new(0.1).amsgrad(true).gradient_accumulation_steps(2).into(),
        AdamW::new(ExponentialDecay::new(0.1, 3u64, 0.5)).global_clipnorm(0.5).into(),
        RMSprop::new(0.1).centered(true).momentum(0.5).into(),
        Adam::new(0.1).group("b", ExponentialDecay::new(0.1, 3u64, 0.5)).into(),
        SGD::new(0.1).momentum(0.9).group_times("w", 0.3).group("b", 0.7).into(),
        LossScaleOptimizer::new(Adam::new(0.1)).dynamic_growth_steps(2).initial_scale(3.0).into(),
        MultiOptimizer::new(SGD::new(0.1).momentum(0.9)).with("w", Adam::new(0.1)).into(),
    ]);
    for optimizer in optimizers {
        let whole = run(&optimizer, 7, None);
        assert!(whole.iter().all(|x| x.is_finite()));
        for stop in 1..7 {
            assert_eq!(whole, run(&optimizer, 7, Some(stop)), "{optimizer:?} at {stop}");
        }
    }
}

#[test]
fn a_state_that_does_not_fit_is_refused_and_changes_nothing() {
    let mut optimizer = Optimizer::from(Adam::new(0.1));
    let mut w = Tensor::from([1.0f32, 2.0]);
    optimizer.apply([("w", &mut w)], &[Tensor::from([1.0f32, 1.0])]).unwrap();
    let before = format!("{:?}", optimizer.state());
    let good: Vec<Tensor> = optimizer.state().into_iter().map(|(_, t)| t).collect();
    let mut short = good.clone();
    short.pop();
    assert!(error(optimizer.set_state(&short)).contains("got 3, not 4"));
    let mut wrong = good.clone();
    wrong[3] = Tensor::from([1.0f32]);
    assert_eq!(
        error(optimizer.set_state(&wrong)),
        "state of optimizer `adam`: `adam/w_velocity`: it must be float32 (2,); got float32 (1,)"
    );
    let mut negative = good;
    negative[0] = Tensor::scalar(-1i64);
    assert!(error(optimizer.set_state(&negative)).contains("it must not be negative"));
    assert_eq!(before, format!("{:?}", optimizer.state()));
}
