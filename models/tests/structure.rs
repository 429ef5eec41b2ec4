//! Graphs of layers: inner models that share weights, freezing, several outputs, chains that
//! shrink, and data by name.

mod support;

use cornu_autodiff::{DType, Tensor};
use cornu_layers::prelude::*;
use cornu_models::optimizers::SGD;
use cornu_models::{Batch, Compile, Data, Model, Sequential};
use support::quiet;

fn bits(x: &Tensor) -> Vec<u64> {
    x.to_f64_vec().unwrap().into_iter().map(f64::to_bits).collect()
}

fn all_bits(model: &Model) -> Vec<Vec<u64>> {
    model.get_weights().iter().map(bits).collect()
}

/// `n` rows that look random.
fn rows(n: usize, columns: usize) -> Tensor {
    let values = (0..n * columns).map(|i| ((i * i) % 17) as f32 / 8.0 - 1.0);
    Tensor::new(values.collect(), [n, columns]).unwrap()
}

fn chain() -> Sequential {
    let mut model = Sequential::new().seed(1);
    model.add(Dense::new(5).input_dim(3).activation("tanh").name("hidden")).unwrap();
    model.add(BatchNormalization::new()).unwrap();
    model.add(Dense::new(1)).unwrap();
    model.compile(Compile::new().loss("mse").optimizer("adam")).unwrap();
    model
}

/// Two inputs through one layer, two outputs of their own.
fn twins() -> Model {
    let (left, right) = (input([3]), input([3]));
    let shared = Dense::new(4).activation("tanh").name("shared").into_layer();
    let (a, b) = ((&shared).apply(&left).unwrap(), (&shared).apply(&right).unwrap());
    let both = Concatenate::new().apply([&a, &b]).unwrap();
    let price = Dense::new(1).name("price").apply(&both).unwrap();
    let kind = Dense::new(3).activation("softmax").name("kind").apply(&both).unwrap();
    Model::new([&left, &right], [&price, &kind]).unwrap().seed(2).unwrap()
}

#[test]
fn a_submodel_gives_what_its_layer_gives_inside_and_follows_its_training() {
    let mut model = chain();
    let (x, y) = (rows(8, 3), rows(8, 1));
    let read = Model::from_json(&model.to_json().unwrap()).unwrap();
    read.set_weights(&model.get_weights()).unwrap();
    for whole in [&*model, &read] {
        let part = whole.submodel("hidden").unwrap();
        let inside = part.predict(&x).unwrap();
        assert_eq!(inside.dims(), [8, 5]);
        let weights = whole.get_weights();
        let by_hand = (x.matmul(&weights[0]) + &weights[1]).tanh();
        cornu_autodiff::testing::assert_close(&inside, &by_hand, 1e-6, 1e-6);
    }
    let part = model.submodel("hidden").unwrap();
    let before = bits(&part.predict(&x).unwrap());
    model.fit(&x, &y, quiet()).unwrap();
    assert_ne!(bits(&part.predict(&x).unwrap()), before, "weights are shared, not copied");
    let error = model.submodel("hiden").unwrap_err().to_string();
    assert!(error.contains("unknown layer `hiden`; did you mean `hidden`?"), "{error}");
}

#[test]
fn a_submodel_of_a_graph_has_the_inputs_it_needs_and_every_call_of_its_layer() {
    let model = twins();
    let (a, b) = (rows(4, 3), rows(4, 3) * 0.5);
    let part = model.submodel("shared").unwrap();
    let outputs = part.predict_all([&a, &b]).unwrap();
    assert_eq!(outputs.iter().map(Tensor::dims).collect::<Vec<_>>(), [[4, 4], [4, 4]]);
    assert_ne!(bits(&outputs[0]), bits(&outputs[1]));
    let head = model.submodel("price").unwrap();
    assert_eq!(
        bits(&head.predict([&a, &b]).unwrap()),
        bits(&model.predict_all([&a, &b]).unwrap()[0])
    );
    let one = head.submodel("input_layer").unwrap();
    assert_eq!(one.inputs().unwrap().len(), 1, "only the input that the output depends on");
    let error = model.predict([&a, &b]).unwrap_err().to_string();
    assert_eq!(
        error,
        "predict: the model must have one output; `predict_all` gives several; got 2"
    );
}

#[test]
fn what_is_frozen_keeps_every_bit_and_statistics_too_until_it_is_thawed() {
    let (x, y) = (rows(12, 3), rows(12, 1));
    let mut model = chain();
    for layer in &model.layers()[..2] {
        layer.set_trainable(false);
    }
    let before = all_bits(&model);
    model.fit(&x, &y, quiet().epochs(3)).unwrap();
    let after = all_bits(&model);
    // Kernel and bias, then scale, shift, mean and variance.
    assert_eq!(after[..6], before[..6]);
    assert!(after[6..].iter().zip(&before[6..]).all(|(a, b)| a != b), "the last layer learns");
    model.set_trainable(true);
    model.fit(&x, &y, quiet()).unwrap();
    assert!(all_bits(&model).iter().zip(&after).all(|(a, b)| a != b), "it takes effect at once");
}

#[test]
fn a_chain_gives_its_last_layer_back_and_takes_another() {
    let mut model = chain();
    assert_eq!(model.pop().unwrap().name(), "dense");
    assert_eq!((model.layers().len(), model.weights().len()), (2, 6));
    assert_eq!(model.predict(rows(2, 3)).unwrap().dims(), [2, 5]);
    model.add(Dense::new(7)).unwrap();
    assert_eq!(model.layers()[2].name(), "dense");
    assert_eq!(model.predict(rows(2, 3)).unwrap().dims(), [2, 7]);
    let error = Sequential::new().pop().unwrap_err().to_string();
    assert_eq!(error, "pop: there must be a layer to take off; got none");
}

#[test]
fn weights_that_do_not_fit_change_nothing() {
    let model = chain();
    let before = all_bits(&model);
    let mut values: Vec<Tensor> = model.get_weights().iter().map(|w| w + 1.0).collect();
    let last = values.pop().unwrap();
    let error = model.set_weights(&values).unwrap_err().to_string();
    assert_eq!(error, "set_weights: the model has 8 weights; got 7");
    values.push(last.reshape([1, 1]));
    let error = model.set_weights(&values).unwrap_err().to_string();
    assert_eq!(error, "set_weights: weight `sequential/dense/bias` has shape (1,); got (1, 1)");
    assert_eq!(all_bits(&model), before);
}

#[test]
fn each_output_has_its_own_loss_and_metrics_and_counts_by_its_weight() {
    let (x, price) = (rows(10, 3), rows(10, 1));
    let kind = Tensor::from((0..10).map(|i| i % 3).collect::<Vec<i64>>());
    let weights = Tensor::new((0..10).map(|i| i as f32).collect(), [10]).unwrap();
    let mut model = twins();
    let compile = Compile::new()
        .loss_for("price", "mse")
        .loss_for("kind", "sparse_categorical_crossentropy")
        .loss_weight("price", 0.5)
        .loss_weight("kind", 2.0)
        .metrics_for("price", ["mae"])
        .metrics_for("kind", ["accuracy"])
        .weighted_metrics_for("kind", ["accuracy"]);
    model.compile(compile.optimizer(SGD::new(0.0))).unwrap();
    let targets: Data = [("kind", &kind), ("price", &price)].into();
    let options = quiet().batch_size(4).shuffle(false).sample_weight(&weights);
    let history = model.fit([&x, &x], &targets, options).unwrap();
    let keys: Vec<&str> = history.series().map(|(key, _)| key).collect();
    let expected =
        ["kind_accuracy", "kind_loss", "kind_weighted_accuracy", "loss", "price_loss", "price_mae"];
    assert_eq!(keys, expected);
    let sum = 0.5 * history["price_loss"][0] + 2.0 * history["kind_loss"][0];
    assert!((history["loss"][0] - sum).abs() <= 1e-6 * sum, "{} is not {sum}", history["loss"][0]);
    // At a rate of 0 nothing changes: an evaluation sees what the epoch saw, the batch of two
    // at its end too.
    let scores = model.evaluate_weighted([&x, &x], &targets, &weights, 4).unwrap();
    for (key, values) in history.series() {
        assert_eq!(scores[key].to_bits(), values[0].to_bits(), "{key}");
    }
    let missing: Data = [("kind", &kind)].into();
    let error = model.fit([&x, &x], &missing, quiet()).unwrap_err().to_string();
    assert_eq!(error, "fit: there must be a tensor named `price`; got none");
    let error = model.evaluate([("left", &x), ("right", &x)], &targets).unwrap_err().to_string();
    assert!(error.contains("`left`") && error.contains("`input_layer`"), "{error}");
}

#[test]
fn an_output_with_metrics_alone_has_targets_and_weights_of_its_own() {
    let x = input([3]);
    let hidden = Dense::new(2).name("unasked").apply(&x).unwrap();
    let seen = Dense::new(1).name("seen").apply(&hidden).unwrap();
    let learned = Dense::new(1).name("learned").apply(&hidden).unwrap();
    let mut model = Model::new(&x, [&hidden, &seen, &learned]).unwrap().seed(3).unwrap();
    model.layer("seen").unwrap().set_trainable(false);
    let compile = Compile::new().loss_for("learned", "mse").optimizer(SGD::new(0.0));
    let compile = compile.metrics_for("learned", ["mse"]).weighted_metrics_for("learned", ["mse"]);
    model.compile(compile.weighted_metrics_for("seen", ["mse"])).unwrap();
    let x = rows(4, 3);
    // What it gives itself is right; the other is off by one or two.
    let outputs = model.predict_all(&x).unwrap();
    let offsets = Tensor::from([[1.0f32], [1.0], [2.0], [2.0]]);
    let targets: Data = [("seen", &outputs[1]), ("learned", &(&outputs[2] + &offsets))].into();
    let (all, last) = (Tensor::ones([4], DType::F32), Tensor::from([0.0f32, 0.0, 0.0, 1.0]));
    let weights: Data = [("seen", &all), ("learned", &last)].into();
    let scores = model.evaluate_weighted(&x, &targets, weights, 4).unwrap();
    let near = |key: &str, value: f64| {
        assert!((scores[key] - value).abs() <= 1e-5, "{key}: {} is not {value}", scores[key]);
    };
    near("seen_mse", 0.0);
    near("learned_mse", (1.0 + 1.0 + 4.0 + 4.0) / 4.0);
    near("learned_weighted_mse", 4.0);
    near("loss", 4.0 / 4.0);
    model.fit(&x, &targets, quiet()).unwrap();

    let mut batch = Batch::new(&x, vec![outputs[1].clone(), outputs[2].clone()]);
    batch.sample_weight = vec![all.clone(), all.clone(), all];
    let error = model.train_on(&batch).unwrap_err().to_string();
    let said = "there must be sample weights, one for all or one each, for the outputs `seen`, \
                `learned`; got 3 arrays";
    assert!(error.contains(said), "{error}");
    let error = model.train_on_batch(&x, &outputs[1]).unwrap_err().to_string();
    assert!(error.contains("targets for the outputs `seen`, `learned`; got 1 arrays"), "{error}");
}

#[test]
fn classes_are_columns_or_sides_of_one_half() {
    let mut model = Sequential::new();
    model.add(Dense::new(3).input_dim(3).use_bias(false)).unwrap();
    model.set_weights(&[Tensor::eye(3, DType::F32)]).unwrap();
    let x = [[0.1f32, 0.7, 0.2], [0.5, 0.2, 0.3]];
    let classes = model.predict_classes(x).unwrap();
    assert_eq!((classes.dims(), classes.to_vec::<i64>().unwrap()), (&[2][..], vec![1, 0]));
    model.add(Dense::new(1).kernel_initializer("ones")).unwrap();
    let x = [[0.2f32, 0.2, 0.1], [0.2, 0.2, 0.2]];
    let classes = model.predict_classes(x).unwrap();
    assert_eq!((classes.dims(), classes.to_vec::<i64>().unwrap()), (&[2, 1][..], vec![0, 1]));
}
