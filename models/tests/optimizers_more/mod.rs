//! Groups, optimizers of optimizers, and what a step leaves alone.

use cornu_autodiff::{DType, Tensor};
use cornu_layers::prelude::*;
use cornu_models::callbacks::Verbose;
use cornu_models::optimizers::schedules::ExponentialDecay;
use cornu_models::optimizers::{
    self, Adam, AdamW, IntoOptimizer, LossScaleOptimizer, MultiOptimizer, Optimizer, RMSprop, SGD,
};
use cornu_models::{Compile, Fit, Model, Sequential};
use serde_json::json;

use super::error;
use super::golden::object;

/// Values of `encoder/kernel` and of `head/kernel` after each of some steps.
fn steps(optimizer: impl Into<Optimizer>, paths: [&str; 2], count: usize) -> Vec<[Vec<f32>; 2]> {
    let mut optimizer = optimizer.into();
    let mut a = Tensor::linspace(-1.0, 1.0, 9, DType::F32);
    let mut b = Tensor::linspace(2.0, -1.0, 5, DType::F32);
    let step = |i: usize| {
        let gradients = [a.sin() * (i as f64 + 0.3), &b * 0.7];
        let scaled: Vec<Tensor> = gradients.iter().map(|g| optimizer.scale_loss(g)).collect();
        optimizer.apply([(paths[0], &mut a), (paths[1], &mut b)], &scaled).unwrap();
        [a.to_vec().unwrap(), b.to_vec().unwrap()]
    };
    (0..count).map(step).collect()
}

const PATHS: [&str; 2] = ["encoder/kernel", "head/kernel"];

#[test]
fn a_groups_step_is_that_of_an_optimizer_with_its_rate() {
    let halving = || ExponentialDecay::new(0.2, 2u64, 0.5);
    // Rates that a float32 holds, as Keras's configs do.
    let table: Vec<(Optimizer, Optimizer, Optimizer)> = vec![
        (
            SGD::new(0.125).momentum(0.9).group("encoder/", 0.01).into(),
            SGD::new(0.125).momentum(0.9).into(),
            SGD::new(0.01).momentum(0.9).into(),
        ),
        (
            AdamW::new(0.125).weight_decay(0.2).group_times("encoder/", 0.25).into(),
            AdamW::new(0.125).weight_decay(0.2).into(),
            AdamW::new(0.03125).weight_decay(0.2).into(),
        ),
        (
            RMSprop::new(halving()).clipnorm(0.5).group("encoder/", 0.03).into(),
            RMSprop::new(halving()).clipnorm(0.5).into(),
            RMSprop::new(0.03).clipnorm(0.5).into(),
        ),
        (
            Adam::new(0.125).gradient_accumulation_steps(2).group("encoder/", halving()).into(),
            Adam::new(0.125).gradient_accumulation_steps(2).into(),
            Adam::new(halving()).gradient_accumulation_steps(2).into(),
        ),
    ];
    for (grouped, rest, own) in table {
        let text = format!("{grouped:?}");
        let again = optimizers::from_json(&grouped.to_json()).unwrap();
        assert_eq!(again.to_json(), grouped.to_json());
        let (rest, own) = (steps(rest, PATHS, 5), steps(own, PATHS, 5));
        for optimizer in [grouped, again] {
            for ((ours, rest), own) in steps(optimizer, PATHS, 5).iter().zip(&rest).zip(&own) {
                assert_eq!(ours[0], own[0], "{text}");
                assert_eq!(ours[1], rest[1], "{text}");
            }
        }
    }
}

#[test]
fn rates_of_groups_are_told_and_set() {
    let mut optimizer: Optimizer =
        SGD::new(0.5).group("head/", 0.125).group_times("encoder/", 0.5).into();
    assert_eq!(optimizer.learning_rate_of("head/bias").unwrap(), 0.125);
    optimizer.set_learning_rate(0.25).unwrap();
    optimizer.set_group_learning_rate("head/", 2.0).unwrap();
    assert_eq!(optimizer.learning_rate_of("encoder/bias").unwrap(), 0.125);
    assert_eq!(optimizer.learning_rate_of("head/bias").unwrap(), 2.0);
    assert_eq!(optimizer.learning_rate_of("between/bias").unwrap(), 0.25);
    let text = error(optimizer.set_group_learning_rate("encoder/", 2.0));
    assert!(text.ends_with("because that of the rest decides it; got 0.5 times"), "{text}");
    let text = error(optimizer.set_group_learning_rate("heads/", 2.0));
    assert!(text.starts_with("unknown group of the optimizer `heads/`; did you mean `head/`?"));
}

#[test]
fn names_that_are_no_variables_are_errors() {
    let build = |optimizer: Optimizer| {
        let mut optimizer = optimizer;
        let (mut a, mut b) = (Tensor::from([1f32]), Tensor::from([1f32]));
        error(optimizer.build(&[(PATHS[0], &mut a), (PATHS[1], &mut b)]))
    };
    let table = [
        (
            build(SGD::new(0.1).group("encoders/", 0.1).into()),
            "unknown variable for a group of the optimizer `encoders/`; did you mean",
        ),
        (
            build(SGD::new(0.1).group("encoder/", 0.1).group("kernel", 0.2).into()),
            "optimizer `SGD`: variable `encoder/kernel`: it must be in one group at most; got \
             `encoder/` and `kernel`",
        ),
        (
            build(MultiOptimizer::new(SGD::new(0.1)).with("encoder", Adam::new(0.1)).into()),
            "unknown variable for an optimizer `encoder`; did you mean",
        ),
        (
            build(
                MultiOptimizer::new(SGD::new(0.1))
                    .with("encoder/.*", Adam::new(0.1))
                    .with(".*/kernel", Adam::new(0.1))
                    .into(),
            ),
            "optimizer `MultiOptimizer`: variable `encoder/kernel`: one pattern at most must fit \
             it; got `encoder/.*` and `.*/kernel`",
        ),
        (
            build(
                MultiOptimizer::new(SGD::new(0.1).group("encoder/", 0.1))
                    .with(PATHS[0], Adam::new(0.1))
                    .into(),
            ),
            "unknown variable for a group of the optimizer `encoder/`",
        ),
    ];
    for (got, wanted) in table {
        assert!(got.starts_with(wanted), "{got}\n  instead of\n{wanted}");
    }
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn options_that_mean_nothing_are_errors() {
    let scale = || LossScaleOptimizer::new(SGD::new(0.1));
    let table: Vec<(String, &str)> = vec![
        (
            error(SGD::new(0.1).group("", 0.1).into_optimizer()),
            "optimizer `SGD`: `groups`: each must have a pattern of its own that is not empty; got \
             ``",
        ),
        (
            error(SGD::new(0.1).group("a", -0.1).into_optimizer()),
            "optimizer `SGD`: `learning_rate`: it must be finite and not negative; got -0.1",
        ),
        (
            error(SGD::new(0.1).group_times("a", f64::NAN).into_optimizer()),
            "optimizer `SGD`: `groups`: `times`: it must be finite and not negative; got NaN",
        ),
        (
            error(optimizers::from_json(&object("SGD", &json!({ "groups": [{ "rate": 1 }] })))),
            "unknown option of `SGD.groups` `rate`; did you mean ",
        ),
        (
            error(scale().initial_scale(0.0).into_optimizer()),
            "optimizer `LossScaleOptimizer`: `initial_scale`: it must be above 0 and finite; got 0",
        ),
        (
            error(scale().dynamic_growth_steps(0).into_optimizer()),
            "optimizer `LossScaleOptimizer`: `dynamic_growth_steps`: it must be at least 1; got 0",
        ),
        (
            error(LossScaleOptimizer::new(SGD::new(0.1).loss_scale_factor(2.0)).into_optimizer()),
            "optimizer `LossScaleOptimizer`: `inner_optimizer`: its `loss_scale_factor` must not \
             be set, since the scale is found here; got 2",
        ),
        (
            error(LossScaleOptimizer::new(scale()).into_optimizer()),
            "optimizer `LossScaleOptimizer`: `inner_optimizer`: it must not scale the loss itself; \
             got a `LossScaleOptimizer`",
        ),
        (
            error(optimizers::by_name("LossScaleOptimizer")),
            "config of `LossScaleOptimizer`: the key `inner_optimizer` must be there; got no such \
             key",
        ),
        (
            error(MultiOptimizer::new(SGD::new(0.1)).with("a", scale()).into_optimizer()),
            "optimizer `MultiOptimizer`: `optimizer_map`: its optimizers must not be made of \
             others; got a `LossScaleOptimizer`",
        ),
        (
            error(
                MultiOptimizer::new(SGD::new(0.1)).with("[ab]+", Adam::new(0.1)).into_optimizer(),
            ),
            "optimizer `MultiOptimizer`: `optimizer_map`: a pattern must be a path in which `.*` \
             stands for anything; got `[ab]+`",
        ),
        (
            error(Optimizer::from(MultiOptimizer::new(SGD::new(0.1))).set_learning_rate(0.1)),
            "optimizer `MultiOptimizer`: `learning_rate`: it can't be set, because each optimizer \
             has its own; got 0 patterns",
        ),
    ];
    for (got, wanted) in table {
        assert!(got.starts_with(wanted), "{got}\n  instead of\n{wanted}");
    }
}

#[test]
fn a_loss_scale_changes_no_step_and_is_halved_until_gradients_are_finite() {
    let plain = steps(Adam::new(0.1).clipnorm(0.5), PATHS, 5);
    let scaled = LossScaleOptimizer::new(Adam::new(0.1).clipnorm(0.5)).dynamic_growth_steps(2);
    assert_eq!(steps(scaled, PATHS, 5), plain);
    let mut optimizer = Optimizer::from(LossScaleOptimizer::new(SGD::new(1.0)).initial_scale(8.0));
    let mut w = Tensor::from([1f32]);
    let before = w.clone();
    for _ in 0..3 {
        optimizer.apply([("w", &mut w)], &[Tensor::from([f32::INFINITY])]).unwrap();
    }
    assert_eq!(w.to_vec::<f32>().unwrap(), before.to_vec::<f32>().unwrap());
    assert_eq!(optimizer.scale_loss(&Tensor::scalar(3.0)).item::<f64>().unwrap(), 3.0);
    assert_eq!(optimizer.iterations(), 0);
    let hopeless =
        (0..200).find_map(|_| optimizer.apply([("w", &mut w)], &[Tensor::from([f32::NAN])]).err());
    let text = hopeless.expect("it gives up").to_string();
    assert!(text.contains("gradients must be finite at some scale of the loss"), "{text}");
}

fn quiet<'a>(epochs: usize) -> Fit<'a> {
    Fit::new().epochs(epochs).batch_size(2).verbose(Verbose::Silent)
}

fn two_layers(optimizer: impl Into<Optimizer>) -> Sequential {
    let mut model = Sequential::new().seed(4);
    model.add(Dense::new(3).input_dim(1).activation("tanh").name("encoder")).unwrap();
    model.add(Dense::new(1).name("head")).unwrap();
    model.compile(Compile::new().loss("mse").optimizer(optimizer.into())).unwrap();
    model
}

#[test]
fn groups_and_optimizers_of_optimizers_go_on_from_a_checkpoint_with_the_same_bits() {
    let (x, y) = ([[0.1f32], [0.5], [0.9], [-0.4]], [[1f32], [0.2], [-0.3], [0.8]]);
    let table: Vec<Optimizer> = vec![
        Adam::new(0.01).group("encoder/", 0.003).exclude_from_weight_decay(["bias"]).into(),
        AdamW::new(0.01).weight_decay(0.5).exclude_from_weight_decay(["bias"]).into(),
        SGD::new(0.1).group_times("bias", 0.3).into(),
        LossScaleOptimizer::new(Adam::new(0.01)).dynamic_growth_steps(3).into(),
        MultiOptimizer::new(SGD::new(0.1)).with(".*/encoder/.*", Adam::new(0.01)).into(),
    ];
    for optimizer in table {
        let mut whole = two_layers(optimizer.clone());
        whole.fit(x, y, quiet(4)).unwrap();
        let mut first = two_layers(optimizer.clone());
        first.fit(x, y, quiet(2)).unwrap();
        let mut again = Model::from_checkpoint(&first.checkpoint().unwrap()).unwrap();
        again.fit(x, y, quiet(4).resume()).unwrap();
        assert_eq!(
            again.predict(x).unwrap().to_vec::<f32>().unwrap(),
            whole.predict(x).unwrap().to_vec::<f32>().unwrap(),
            "{optimizer:?}"
        );
    }
}

#[test]
fn a_group_may_be_frozen_at_first() {
    let mut model = two_layers(SGD::new(0.1).group("encoder/", 0.01));
    model.layers()[0].set_trainable(false);
    let (x, y) = ([[0.1f32], [0.5]], [[1f32], [0.2]]);
    model.fit(x, y, quiet(1)).unwrap();
    model.layers()[0].set_trainable(true);
    model.fit(x, y, quiet(1)).unwrap();
    let mut wrong = two_layers(SGD::new(0.1).group("encodr/", 0.01));
    let text = wrong.fit(x, y, quiet(1)).unwrap_err().to_string();
    assert!(text.contains("group of the optimizer `encodr/`; did you mean"), "{text}");
}

#[test]
fn a_step_changes_no_tensor_that_somebody_else_holds() {
    let mut w = Tensor::from([1.0f32, 2.0]);
    let (held, gradient) = (w.clone(), Tensor::from([1.0f32, 1.0]));
    let mut optimizer = Optimizer::from(SGD::new(1.0).momentum(0.5));
    optimizer.apply([("w", &mut w)], std::slice::from_ref(&gradient)).unwrap();
    let state = optimizer.state();
    optimizer.apply([("w", &mut w)], &[gradient]).unwrap();
    assert_eq!(held.to_vec::<f32>().unwrap(), [1.0, 2.0]);
    assert_eq!(state[2].1.to_vec::<f32>().unwrap(), [-1.0, -1.0]);
    assert_eq!(w.to_vec::<f32>().unwrap(), [-1.5, -0.5]);
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads_nor_on_the_layout_of_a_gradient() {
    let step = |threads: usize, transposed: bool| {
        cornu_autodiff::set_threads(threads);
        let mut w = Tensor::linspace(-1.0, 1.0, 600 * 701, DType::F32).reshape([600, 701]);
        let gradient = w.sin();
        let gradient = if transposed {
            gradient.t().reshape([701, 600]).cast(DType::F32).t()
        } else {
            gradient
        };
        let mut optimizer = Optimizer::from(Adam::new(0.1).global_clipnorm(2.0));
        for _ in 0..2 {
            optimizer.apply([("w", &mut w)], std::slice::from_ref(&gradient)).unwrap();
        }
        w.to_vec::<f32>().unwrap()
    };
    let one = step(1, false);
    assert_eq!(one, step(3, false));
    assert_eq!(one, step(2, true));
}
