//! Data as they come: arrays, streams of batches, weights, splits, steps, and data that are wrong.

mod support;

use cornu_autodiff::{DType, Tensor};
use cornu_layers::prelude::*;
use cornu_models::{
    Batch, Batches, ClassWeight, Compile, Data, Error, Fit, History, Model, Sequential, Split,
};
use support::{assert_says, quiet};

/// Twelve points of three classes, sorted by class.
fn points() -> (Tensor, Tensor) {
    let x: Vec<f32> = (0..24).map(|i| ((i * i) % 13) as f32 / 6.0 - 1.0).collect();
    let y: Vec<i64> = (0..12).map(|i| i / 4).collect();
    (Tensor::new(x, [12, 2]).unwrap(), Tensor::from(y))
}

fn classifier() -> Sequential {
    let mut model = Sequential::new().seed(1);
    model.add(Dense::new(5).input_dim(2).activation("tanh")).unwrap();
    model.add(Dropout::new(0.2)).unwrap();
    model.add(Dense::new(3).activation("softmax")).unwrap();
    let compile = Compile::new().loss("sparse_categorical_crossentropy").optimizer("adam");
    model.compile(compile.metrics(["accuracy"]).weighted_metrics(["accuracy"])).unwrap();
    model
}

/// Weights and history of a run, bit for bit.
fn ends(model: &Model, history: &History) -> (Vec<u64>, Vec<(String, Vec<u64>)>) {
    let weights = model.get_weights();
    let weights = weights.iter().flat_map(|w| w.to_f64_vec().unwrap()).map(f64::to_bits).collect();
    let bits = |v: &[f64]| v.iter().map(|x| x.to_bits()).collect();
    (weights, history.series().map(|(name, v)| (name.to_owned(), bits(v))).collect())
}

fn trained(x: impl Into<Data>, y: impl Into<Data>, options: Fit<'_>) -> (Sequential, History) {
    let mut model = classifier();
    let history = model.fit(x, y, options).unwrap();
    (model, history)
}

fn rows(x: &Tensor, from: isize, to: isize) -> Tensor {
    x.slice(0, from..to)
}

#[test]
fn a_stream_of_the_same_batches_trains_the_same() {
    let (x, y) = points();
    let weights = Tensor::new((1..=12).map(|i| i as f32 / 6.0).collect(), [12]).unwrap();
    let options = || quiet().epochs(3).validation_data(&x, &y).validation_batch_size(5);
    let in_order = options().batch_size(5).shuffle(false).sample_weight(&weights);
    let (arrays, history) = trained(&x, &y, in_order);
    let expected = ends(&arrays, &history);
    let mut batches = Batches::from_epochs(|_| {
        [(0, 5), (5, 10), (10, 12)].into_iter().map(|(from, to)| {
            let mut batch = Batch::new(rows(&x, from, to), rows(&y, from, to));
            batch.sample_weight = vec![rows(&weights, from, to)];
            Ok(batch)
        })
    });
    let mut stream = classifier();
    let history = stream.fit_batches(&mut batches, options()).unwrap();
    assert_eq!(ends(&stream, &history), expected);
}

#[test]
fn class_weights_are_sample_weights_by_class() {
    let (x, y) = points();
    let of_class = |class: i64| [0.5f32, 1.0, 2.25][class as usize];
    let weights: Vec<f32> = y.to_vec::<i64>().unwrap().into_iter().map(of_class).collect();
    let (by_sample, one) = trained(&x, &y, quiet().epochs(3).sample_weight(Tensor::from(weights)));
    let weights = ClassWeight::from([(0, 0.5), (1, 1.0), (2, 2.25)]);
    let (by_class, two) = trained(&x, &y, quiet().epochs(3).class_weight(weights));
    assert_eq!(ends(&by_sample, &one), ends(&by_class, &two));
}

#[test]
fn a_tail_split_is_the_same_as_validation_data() {
    let (x, y) = points();
    let (split, one) = trained(&x, &y, quiet().epochs(3).validation_split(Split::Tail(0.25)));
    let held = quiet().epochs(3).validation_data(rows(&x, 9, 12), rows(&y, 9, 12));
    let (given, two) = trained(rows(&x, 0, 9), rows(&y, 0, 9), held);
    assert_eq!(ends(&split, &one), ends(&given, &two));
    let scores = given.evaluate(rows(&x, 9, 12), rows(&y, 9, 12)).unwrap();
    assert_eq!(scores.get("loss"), two.last("val_loss"));
}

#[test]
fn random_splits_follow_the_seed_and_stratified_ones_the_classes() {
    let (x, y) = points();
    for split in [Split::Shuffled(0.25), Split::Stratified(0.25)] {
        let run = || trained(&x, &y, quiet().epochs(2).validation_split(split));
        let ((a, one), (b, two)) = (run(), run());
        assert_eq!(ends(&a, &one), ends(&b, &two), "{split:?}");
    }
    // A third of each class: accuracy over 3 held samples of which each is of another class.
    let (_, history) = trained(&x, &y, quiet().validation_split(Split::Stratified(0.25)));
    let thirds = history.last("val_accuracy").unwrap() * 3.0;
    assert!((thirds - thirds.round()).abs() <= 1e-9, "3 samples were held, not {thirds} right");
}

#[test]
fn sample_weights_belong_to_their_samples_in_any_split_and_order() {
    // A weight of 0 for all but one class: the others never count in the weighted accuracy.
    let (x, y) = points();
    let weights = y.equal_scalar(1.0).cast(DType::F32);
    for split in [Split::Shuffled(0.5), Split::Stratified(0.5)] {
        let mut model = Sequential::new().seed(4);
        model.add(Dense::new(3).input_dim(2).kernel_initializer("zeros")).unwrap();
        model.add(Activation::new("softmax")).unwrap();
        let compile = Compile::new().loss("sparse_categorical_crossentropy").optimizer("sgd");
        model.compile(compile.weighted_metrics(["accuracy"])).unwrap();
        // Class 1 is made the only answer.
        model
            .set_weights(&[Tensor::zeros([2, 3], DType::F32), Tensor::from([0.0f32, 9.0, 0.0])])
            .unwrap();
        let options = quiet().batch_size(2).validation_split(split).sample_weight(&weights);
        let history = model.fit(&x, &y, options).unwrap();
        assert_eq!(history.last("accuracy"), Some(1.0), "{split:?}");
        assert_eq!(history.last("val_accuracy"), Some(1.0), "{split:?}");
    }
}

#[test]
fn epochs_of_some_steps_go_through_all_the_data() {
    let (x, y) = points();
    // In order: two epochs of two steps are one of four, as in Keras.
    let steps =
        |epochs, steps| quiet().epochs(epochs).batch_size(3).shuffle(false).steps_per_epoch(steps);
    let (short, _) = trained(&x, &y, steps(2, 2));
    let (whole, history) = trained(&x, &y, steps(1, 4));
    assert_eq!(ends(&short, &history), ends(&whole, &history));
    // An epoch may be longer than the data.
    let (long, _) = trained(&x, &y, steps(1, 8));
    let (twice, history) = trained(&x, &y, steps(2, 4));
    assert_eq!(ends(&long, &history), ends(&twice, &history));
    let (x, y) = points();
    let mut batches = Batches::from_epochs(|_| (0..).map(|_| Ok(Batch::new(&x, &y))));
    let mut endless = classifier();
    endless.fit_batches(&mut batches, quiet().epochs(2).steps_per_epoch(3)).unwrap();
    assert_eq!(endless.optimizer().unwrap().iterations(), 6);
}

#[test]
fn validation_follows_its_own_options() {
    let (x, y) = points();
    let options = || quiet().epochs(4).validation_data(&x, &y);
    let (_, history) = trained(&x, &y, options().validation_freq(2));
    let missing: Vec<bool> = history.get("val_loss").unwrap().iter().map(|v| v.is_nan()).collect();
    assert_eq!(missing, [true, false, true, false]);
    let (model, history) = trained(&x, &y, options().validation_batch_size(4).validation_steps(2));
    let scores = model.evaluate_weighted(rows(&x, 0, 8), rows(&y, 0, 8), Data::none(), 4).unwrap();
    assert_eq!(history.last("val_loss"), scores.get("loss"));
    let weights = Tensor::new((1..=12).map(|i| i as f32).collect(), [12]).unwrap();
    let weighted = quiet().weighted_validation_data(&x, &y, &weights);
    let (model, history) = trained(&x, &y, weighted);
    let scores = model.evaluate_weighted(&x, &y, &weights, 12).unwrap();
    assert_eq!(history.last("val_loss"), scores.get("loss"));
    assert_ne!(history.last("val_loss"), model.evaluate(&x, &y).unwrap().get("loss"));
}

#[test]
fn counts_of_nothing_are_refused() {
    let (x, y) = points();
    let options = || quiet().validation_data(&x, &y);
    for (options, name) in [
        (options().steps_per_epoch(0), "steps_per_epoch"),
        (options().validation_steps(0), "validation_steps"),
        (options().validation_freq(0), "validation_freq"),
        (options().validation_batch_size(0), "validation_batch_size"),
    ] {
        let error = classifier().fit(&x, &y, options).unwrap_err().to_string();
        assert_eq!(error, format!("fit: `{name}` must be at least 1; got 0"));
    }
    assert_says(classifier().predict_batches(&x, 0), &["`batch_size` must be at least 1"]);
}

#[test]
fn who_watches_is_told_of_each_batch() {
    let (x, y) = points();
    let model = classifier();
    let (mut predicted, mut evaluated) = (Vec::new(), Vec::new());
    let outputs =
        model.predict_watched(&x, 5, &mut |done, all| predicted.push((done, all))).unwrap();
    let note = &mut |done, all| evaluated.push((done, all));
    let logs = model.evaluate_watched(&x, &y, Data::none(), 5, note).unwrap();
    assert_eq!(predicted, [(1, 3), (2, 3), (3, 3)]);
    assert_eq!(evaluated, predicted);
    let exact = model.predict_batches(&x, 5).unwrap();
    assert_eq!(outputs[0].to_vec::<f32>().unwrap(), exact[0].to_vec::<f32>().unwrap());
    assert_eq!(logs, model.evaluate_weighted(&x, &y, Data::none(), 5).unwrap());
}

#[test]
fn empty_data_are_refused() {
    let (x, y) = points();
    let (no_x, no_y) = (rows(&x, 0, 0), rows(&y, 0, 0));
    let none = &["there must be at least one sample; got none"];
    assert_says(classifier().fit(&no_x, &no_y, quiet()), none);
    assert_says(classifier().evaluate(&no_x, &no_y), none);
    assert_says(classifier().predict(&no_x), none);
    let empty_validation = quiet().validation_data(&no_x, &no_y);
    assert_says(
        classifier().fit(&x, &y, empty_validation),
        &["validation: there must be at least"],
    );
    let no_batch = &mut Batches::from_epochs(|_| std::iter::empty());
    let said = &["fit: an epoch must have at least one batch; got none"];
    assert_says(classifier().fit_batches(no_batch, quiet()), said);
    let empty_batch = || Ok(Batch::new(rows(&x, 0, 0), rows(&y, 0, 0)));
    let empty = &mut Batches::from_epochs(|_| std::iter::once_with(empty_batch));
    assert_says(classifier().fit_batches(empty, quiet()), none);
    assert_says(classifier().train_on_batch(&no_x, &no_y), none);
    assert_says(classifier().test_on_batch(&no_x, &no_y), none);
    assert_says(classifier().fit(Data::none(), &y, quiet()), &["takes 1 inputs", "got 0"]);
}

#[test]
fn data_that_do_not_belong_together_are_refused() {
    let (x, y) = points();
    let weights = Tensor::ones([12], DType::F32);
    let few = rows(&weights, 0, 11);
    let equal = "all arrays must have as many samples as one another";
    assert_says(
        classifier().fit(rows(&x, 0, 11), &y, quiet()),
        &[equal, "11 in `x` and 12 in `y`"],
    );
    assert_says(
        classifier().fit(&x, &y, quiet().sample_weight(&few)),
        &[equal, "12 in `x` and 11 in `sample_weight`"],
    );
    assert_says(
        classifier().fit(&x, &y, quiet().validation_data(&x, rows(&y, 0, 3))),
        &["validation", equal, "12 in `x` and 3 in `y`"],
    );
    assert_says(
        classifier().train_on_batch(rows(&x, 0, 11), &y),
        &[equal, "11 in `x` and 12 in `y`"],
    );
    let uneven = || {
        let mut batch = Batch::new(&x, &y);
        batch.sample_weight = vec![few.clone()];
        Ok(batch)
    };
    let batches = &mut Batches::from_epochs(|_| std::iter::once_with(uneven));
    assert_says(
        classifier().fit_batches(batches, quiet()),
        &[equal, "12 in `x` and 11 in `sample_weight`"],
    );
    assert_says(
        classifier().fit(&x, Data::none(), quiet()),
        &["targets for the outputs `dense_1`"],
    );
    assert_says(
        classifier().train_on_batch(&x, Data::none()),
        &["targets for the outputs `dense_1`"],
    );
    assert_says(classifier().train_on_batch(&x, [&y, &y]), &["targets for the outputs `dense_1`"]);
    assert_says(classifier().fit([&x, &x], &y, quiet()), &["takes 1 inputs", "2"]);
}

#[test]
fn parts_of_a_batch_may_have_names() {
    let (x, y) = points();
    let (by_place, one) = trained(&x, &y, quiet().shuffle(false));
    let named = || Ok(Batch::new([("input_layer", &x)], [("dense_1", &y)]));
    let mut batches = Batches::from_epochs(|_| std::iter::once_with(named));
    let mut by_name = classifier();
    let two = by_name.fit_batches(&mut batches, quiet()).unwrap();
    assert_eq!(ends(&by_place, &one), ends(&by_name, &two));
    let wrong = || Ok(Batch::new([("inputs", &x)], &y));
    let batches = &mut Batches::from_epochs(|_| std::iter::once_with(wrong));
    assert_says(classifier().fit_batches(batches, quiet()), &["`inputs`", "`input_layer`"]);
}

#[test]
fn labels_out_of_range_are_named_and_not_trained_on() {
    let x = Tensor::from([[0.5f32, 1.0], [1.0, 0.5]]);
    let before = |model: &Sequential| ends(model, &History::default()).0;
    for (label, said) in [(3i64, "3"), (-1, "-1"), (1 << 40, "1099511627776")] {
        let mut model = classifier();
        let weights = before(&model);
        assert_says(model.fit(&x, Tensor::from([0, label]), quiet()), &["sparse", said]);
        assert_eq!(before(&model), weights);
        assert_says(model.evaluate(&x, Tensor::from([0, label])), &["sparse", said]);
    }
    assert_says(classifier().fit(&x, Tensor::from([0.0f32, 1.5]), quiet()), &["1.5"]);
    assert_says(classifier().fit(&x, Tensor::from([0.0f32, f32::NAN]), quiet()), &["NaN"]);
    for label in [Tensor::from([1i64, 2]), Tensor::from([0.5f32, -0.1])] {
        let mut model = Sequential::new().seed(1);
        model.add(Dense::new(1).input_dim(2).activation("sigmoid")).unwrap();
        model.compile(Compile::new().loss("binary_crossentropy").optimizer("sgd")).unwrap();
        assert_says(model.fit(&x, label, quiet()), &["labels must be in 0..=1"]);
    }
}

#[test]
fn tokens_out_of_range_name_their_layer_and_are_not_trained_on() {
    let reader = || {
        let mut model = Sequential::new().seed(1);
        model.add(Input::new([2]).dtype(DType::I32)).unwrap();
        model.add(Embedding::new(5, 2).name("words")).unwrap();
        model.add(Flatten::new()).unwrap();
        model.add(Dense::new(1)).unwrap();
        model.compile(Compile::new().loss("mse").optimizer("sgd")).unwrap();
        model
    };
    let y = Tensor::from([[0.0f32], [1.0]]);
    for bad in [5, -1, i32::MAX] {
        let mut model = reader();
        let before = ends(&model, &History::default());
        let x = Tensor::from([[0, 4], [bad, 1]]);
        let said = bad.to_string();
        assert_says(model.fit(&x, &y, quiet()), &["`words`", &said]);
        assert_says(model.predict(&x), &["`words`", &said]);
        assert_says(model.predict_on_batch(&x), &["`words`", &said]);
        assert_eq!(ends(&model, &History::default()), before);
    }
    assert_says(reader().fit([[0.5f32, 1.0]], [[0.0f32]], quiet()), &["int32", "not whole"]);
}

#[test]
fn an_error_in_the_middle_of_a_stream_leaves_what_was_learned() {
    let (x, y) = points();
    let mut model = classifier();
    let mut batches = Batches::from_epochs(|_| {
        (0..4).map(|i| match i {
            3 => Err(Error::value("loader", "the disk must be there", "no disk")),
            _ => Ok(Batch::new(&x, &y)),
        })
    });
    assert_says(model.fit_batches(&mut batches, quiet()), &["loader", "no disk"]);
    assert_eq!(model.optimizer().unwrap().iterations(), 3);
    let short = &mut Batches::from_epochs(|_| (0..2).map(|_| Ok(Batch::new(&x, &y))));
    let error = model.fit_batches(short, quiet().steps_per_epoch(3)).unwrap_err().to_string();
    assert_eq!(error, "fit: the stream must give the 3 batches of `steps_per_epoch`; got 2");
}

#[test]
fn a_chain_without_a_shape_is_built_by_the_first_batch() {
    let (x, y) = points();
    let chain = || {
        let mut model = Sequential::new().seed(1);
        model.add(Dense::new(3).activation("softmax")).unwrap();
        let compile = Compile::new().loss("sparse_categorical_crossentropy").optimizer("sgd");
        model.compile(compile).unwrap();
        model
    };
    let mut arrays = chain();
    let one = arrays.fit(&x, &y, quiet().shuffle(false)).unwrap();
    let mut stream = chain();
    let mut batches = Batches::from_epochs(|_| std::iter::once_with(|| Ok(Batch::new(&x, &y))));
    let two = stream.fit_batches(&mut batches, quiet().epochs(1)).unwrap();
    assert_eq!(ends(&arrays, &one), ends(&stream, &two));
}
