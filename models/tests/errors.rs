//! What users do wrong, and what they are told.

mod support;

use cornu_autodiff::{DType, Tensor};
use cornu_layers::prelude::*;
use cornu_models::callbacks::{EarlyStopping, ModelCheckpoint};
use cornu_models::optimizers::SGD;
use cornu_models::{ClassWeight, Compile, Model, Sequential, Split};
use support::{assert_says, quiet};

/// A network of three inputs and one output, compiled.
fn regression() -> Sequential {
    let mut model = Sequential::new().seed(1);
    model.add(Dense::new(4).input_dim(3).activation("relu")).expect("a layer");
    model.add(Dense::new(1)).expect("a layer");
    model.compile(Compile::new().loss("mse").optimizer("sgd")).expect("known names");
    model
}

fn classifier(loss: &str) -> Sequential {
    let mut model = Sequential::new().seed(1);
    model.add(Dense::new(3).input_dim(2).activation("softmax")).expect("a layer");
    model.compile(Compile::new().loss(loss).optimizer("sgd")).expect("known names");
    model
}

fn zeros(shape: [usize; 2]) -> Tensor {
    Tensor::zeros(shape, DType::F32)
}

#[test]
fn a_layer_that_does_not_fit_is_refused_when_it_is_added() {
    let mut model = Sequential::new();
    assert_says(model.add(Dense::new(0).input_dim(2)), &["`dense` (Dense)", "units", "0"]);
    let mut model = Sequential::new();
    assert_says(
        model.add(Dense::new(4).input_dim(2).activation("rellu")),
        &["`dense` (Dense)", "rellu", "did you mean `relu`?"],
    );
    assert!(model.layers().is_empty(), "what was refused is not part of the model");
}

#[test]
fn names_that_mean_nothing_list_those_that_do_nearest_first() {
    let mut model = regression();
    let compile = |c: Compile, m: &mut Sequential| m.compile(c);
    assert_says(compile(Compile::new().loss("mae_"), &mut model), &["mae_", "did you mean `mae`?"]);
    assert_says(
        compile(Compile::new().loss("mse").optimizer("adm"), &mut model),
        &["adm", "did you mean `Adam`?"],
    );
    assert_says(
        compile(Compile::new().loss("mse").metrics(["acuracy"]), &mut model),
        &["acuracy", "accuracy"],
    );
    assert_says(
        compile(Compile::new().loss_for("dense_7", "mse"), &mut model),
        &["dense_7", "did you mean `dense_1`?"],
    );
    assert_says(compile(Compile::new(), &mut model), &["compile", "loss"]);
}

#[test]
fn what_must_come_first_is_said() {
    let mut model = Sequential::new();
    model.add(Dense::new(1)).expect("shapes may come later");
    assert_says(model.predict(zeros([2, 3])), &["predict", "input", "`input_shape`"]);
    let mut model = Sequential::new();
    model.add(Dense::new(1).input_dim(3)).expect("a layer");
    assert_says(model.fit(zeros([2, 3]), zeros([2, 1]), quiet()), &["fit", "compiled"]);
}

#[test]
fn data_of_wrong_shapes_are_refused_with_both_shapes() {
    let mut model = regression();
    assert_says(model.fit(zeros([8, 2]), zeros([8, 1]), quiet()), &["fit", "(None, 3)", "(8, 2)"]);
    assert_says(model.predict(Tensor::zeros([3], DType::F32)), &["(None, 3)", "batch axis"]);
    assert_says(
        model.fit(zeros([8, 3]), zeros([7, 1]), quiet()),
        &["as many samples", "8 in `x` and 7 in `y`"],
    );
    assert_says(model.fit(zeros([0, 3]), zeros([0, 1]), quiet()), &["at least one sample"]);
    assert_says(
        model.fit(zeros([8, 3]), zeros([8, 4]), quiet()),
        &["mean_squared_error", "(8, 4)", "(8, 1)"],
    );
}

#[test]
fn targets_without_their_last_axis_match_predictions_that_have_it() {
    let x = Tensor::ones([4, 3], DType::F32);
    let with = regression().fit(&x, zeros([4, 1]), quiet()).expect("equal shapes");
    let without = regression().fit(&x, Tensor::zeros([4], DType::F32), quiet()).expect("[N]");
    assert_eq!(with.get("loss"), without.get("loss"));
}

#[test]
fn a_batch_larger_than_the_data_is_refused() {
    let result = regression().fit(zeros([8, 3]), zeros([8, 1]), quiet().batch_size(9));
    assert_says(result, &["`batch_size`", "1..=8", "9"]);
    let result = regression().fit(zeros([8, 3]), zeros([8, 1]), quiet().batch_size(0));
    assert_says(result, &["`batch_size`", "0"]);
}

#[test]
fn nan_in_the_data_stops_with_place_and_keeps_the_weights() {
    let mut model = regression();
    let before: Vec<Vec<f32>> =
        model.get_weights().iter().map(|w| w.to_vec().expect("float32")).collect();
    let x = Tensor::from([[0.0f32, 1.0, f32::NAN]]);
    let result = model.fit(&x, zeros([1, 1]), quiet());
    assert_says(result, &["epoch 1, batch 1", "the loss", "input 0 of the data"]);
    let after: Vec<Vec<f32>> =
        model.get_weights().iter().map(|w| w.to_vec().expect("float32")).collect();
    assert_eq!(before, after);
}

#[test]
fn a_loss_that_overflows_names_the_first_guilty_layer() {
    let mut model = Sequential::new().seed(1);
    model.add(Dense::new(2).input_dim(2).activation("exponential").name("blows_up")).expect("one");
    model.add(Dense::new(1)).expect("two");
    model.compile(Compile::new().loss("mse").optimizer(SGD::new(0.1))).expect("known names");
    let x = Tensor::from([[1e4f32, 1e4], [-1e4, -1e4]]);
    assert_says(model.fit(&x, zeros([2, 1]), quiet()), &["`blows_up`", "learning rate"]);
}

#[test]
fn a_weight_without_gradient_is_named() {
    let x = input([2]);
    let used = Dense::new(1).name("used").apply(&x).expect("a layer");
    let dead = Dense::new(1).name("dead").apply(&x).expect("a layer");
    let mut model = Model::new(&x, [&used, &dead]).expect("a model");
    model.compile(Compile::new().loss_for("used", "mse").optimizer("sgd")).expect("known names");
    let result = model.fit(zeros([2, 2]), zeros([2, 1]), quiet());
    assert_says(result, &["`dead/kernel`", "`dead/bias`", "freeze"]);
}

#[test]
fn a_misspelt_monitor_fails_before_the_first_batch() {
    let mut model = regression();
    let (x, y) = (zeros([4, 3]), zeros([4, 1]));
    let stop = || EarlyStopping::new("val_los");
    assert_says(
        model.fit(&x, &y, quiet().callback(stop()).validation_data(&x, &y)),
        &["val_los", "did you mean `val_loss`?"],
    );
    assert_says(
        model.fit(&x, &y, quiet().callback(EarlyStopping::new("val_loss"))),
        &["val_loss", "`loss`"],
    );
    let best = ModelCheckpoint::new("never.cornu").monitor("accuracy").save_best_only(true);
    assert_says(model.fit(&x, &y, quiet().callback(best)), &["accuracy", "`loss`"]);
    assert!(!std::path::Path::new("never.cornu").exists());
}

#[test]
fn class_weights_must_name_every_class() {
    let x = Tensor::ones([3, 2], DType::F32);
    let y = Tensor::from([0i64, 1, 2]);
    let mut model = classifier("sparse_categorical_crossentropy");
    let weights = ClassWeight::from([(0, 1.0), (1, 2.0)]);
    assert_says(model.fit(&x, &y, quiet().class_weight(weights)), &["class 2", "0, 1"]);
    let weights = ClassWeight::from([(0, 1.0), (1, 2.0), (2, 1.0), (3, 1.0)]);
    assert_says(model.fit(&x, &y, quiet().class_weight(weights)), &["class 3"]);
}

#[test]
fn a_split_must_leave_samples_on_both_sides() {
    let (x, y) = (zeros([4, 3]), zeros([4, 1]));
    for fraction in [0.0, 1.0, -0.5, f64::NAN] {
        let result = regression().fit(&x, &y, quiet().validation_split(Split::Shuffled(fraction)));
        assert_says(result, &["`validation_split`"]);
    }
}

#[test]
fn models_are_send_and_sync() {
    fn check<T: Send + Sync>() {}
    check::<Model>();
    check::<Sequential>();
}
